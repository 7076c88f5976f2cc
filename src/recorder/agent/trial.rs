//! Lets objects die in a copy of the process, to see of what they let go: an address that was found is owned if it is that.
//!
//! The copy has the memory of the process as it is, and nothing else: a filter of the kernel refuses it every call but those
//! for memory and for its end, memory that is shared with others is made read-only, and no core is written of it. So no
//! finalizer, no destructor of a library, and no fault in one reaches the program or the world. Where the kernel cannot do
//! this, nothing is tried.

use std::ffi::{c_int, c_void};

use crate::copy::{self, ProcessCopy};
use crate::cpython::interpreter::Interpreter;
use crate::maps::{self, Mapping};
use crate::memory::{Gather, filled};
use crate::python::Functions;
use crate::system::{self, now};

/// An object that is to die, and what it may own: at most so many, and not twice, for it dies once.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub holder: usize,
    pub targets: Vec<usize>,
    /// What the holder shows: it is kept, so that only what it hides can let go of the target.
    pub shown: Vec<usize>,
}

/// Copies that are made, as some of them may end in a fault.
const COPIES: usize = 8;
/// Nanoseconds that a copy has.
const PATIENCE: u64 = 1_000_000_000;

unsafe extern "C" {
    fn prctl(option: c_int, ...) -> c_int;
    fn mprotect(address: *mut c_void, length: usize, protection: c_int) -> c_int;
}

/// How many references to each of its targets each trial let go of, one after the other; `None` where it could not be tried.
///
/// # Safety
/// The GIL is held, no collection is going on, and the objects are alive.
pub(crate) unsafe fn run(interpreter: &Interpreter, trials: &[Trial]) -> Vec<Option<u8>> {
    let targets = trials.iter().map(|trial| trial.targets.len()).sum();
    let mut released = filled(None, targets);
    if released.len() != targets || kernel::ARCHITECTURE == 0 {
        return released;
    }
    // Without the board, which the copies write.
    let shared = shared_ranges();
    let (Ok(python), Some(board)) = (Functions::find(), Board::new(targets)) else { return released };
    let mut first = 0;
    for _ in 0..COPIES {
        let work = || {
            // SAFETY: this is the copy, whose memory nobody else uses.
            if unsafe { !kernel::seal(&shared) } {
                return;
            }
            let mut place = 1;
            for (nth, trial) in trials.iter().enumerate() {
                if nth >= first {
                    board.set(0, nth as u8 + 1);
                    let note = |nth, released: u8| board.set(place + nth, released.saturating_add(1));
                    // SAFETY: as above, and the caller promises the rest.
                    unsafe { interpreter.let_die(trial.holder, &trial.targets, &trial.shown, &python, note) };
                }
                place += trial.targets.len();
            }
            board.set(0, u8::MAX);
        };
        // SAFETY: one that waits for a lock is ended.
        match unsafe { ProcessCopy::make(work) } {
            Ok(copy) if ends(&copy) => {}
            _ => break,
        }
        match board.get(0) {
            0 | u8::MAX => break,
            tried => first = usize::from(tried),
        }
    }
    for (place, count) in released.iter_mut().enumerate() {
        *count = board.get(place + 1).checked_sub(1);
    }
    released
}

/// Trials, whose numbers fit a byte, and targets of one.
pub(crate) const MOST: usize = 250;
pub(crate) const MOST_TARGETS: usize = 8;

/// Bytes that the copies and the process share: the trial that goes on, from 1, and what came of each target.
struct Board(*mut u8, usize);

impl Board {
    fn new(targets: usize) -> Option<Board> {
        let bytes = targets + 1;
        Some(Board(system::map_shared(bytes).ok()?, bytes))
    }

    fn set(&self, place: usize, value: u8) {
        // SAFETY: the place is on the board, which lives as long as this.
        unsafe { self.0.add(place.min(self.1 - 1)).write_volatile(value) }
    }

    fn get(&self, place: usize) -> u8 {
        // SAFETY: as above.
        unsafe { self.0.add(place.min(self.1 - 1)).read_volatile() }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: nobody points into it any more.
        unsafe { system::unmap(self.0, self.1) }
    }
}

/// Memory that other processes see.
fn shared_ranges() -> Vec<(usize, usize)> {
    let is_seen = |mapping: &Mapping| mapping.is_writable && mapping.is_shared;
    maps::read().lines().filter_map(maps::parse).filter(is_seen).map(|mapping| mapping.range).gather()
}

/// Waits until the copy ends. One that takes too long, as for a lock that another thread has, is ended: false.
fn ends(copy: &ProcessCopy) -> bool {
    let end = now() + PATIENCE;
    while copy.ended().is_none() {
        if now() > end {
            copy.end();
            return false;
        }
        copy::pause();
    }
    true
}

/// What the kernel is asked for.
mod kernel {
    use super::{c_int, c_void, mprotect, prctl};

    #[cfg(target_arch = "x86_64")]
    mod numbers {
        pub(super) const ARCHITECTURE: u32 = 0xC000_003E;
        pub(super) const MMAP: u32 = 9;
        /// mprotect, munmap, brk, rt_sigaction, rt_sigprocmask, rt_sigreturn, sched_yield, mremap, madvise, getpid, exit,
        /// gettid, futex, clock_gettime, exit_group.
        pub(super) const ALLOWED: [u32; 15] = [10, 11, 12, 13, 14, 15, 24, 25, 28, 39, 60, 186, 202, 228, 231];
    }

    #[cfg(target_arch = "aarch64")]
    mod numbers {
        pub(super) const ARCHITECTURE: u32 = 0xC000_00B7;
        pub(super) const MMAP: u32 = 222;
        /// The same.
        pub(super) const ALLOWED: [u32; 15] = [226, 215, 214, 134, 135, 139, 124, 216, 233, 172, 93, 178, 98, 113, 94];
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    mod numbers {
        pub(super) const ARCHITECTURE: u32 = 0;
        pub(super) const MMAP: u32 = 0;
        pub(super) const ALLOWED: [u32; 15] = [0; 15];
    }

    /// 0 where nothing is known of the processor's calls.
    pub(super) const ARCHITECTURE: u32 = numbers::ARCHITECTURE;

    /// `struct sock_filter`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Step {
        code: u16,
        if_true: u8,
        if_false: u8,
        value: u32,
    }

    #[repr(C)]
    struct Filter {
        length: u16,
        steps: *const Step,
    }

    const LOAD: u16 = 0x20;
    const IF_EQUAL: u16 = 0x15;
    const IF_SET: u16 = 0x45;
    const ANSWER: u16 = 0x06;
    const ALLOW: u32 = 0x7FFF_0000;
    /// `SECCOMP_RET_ERRNO` with `EPERM`.
    const REFUSE: u32 = 0x0005_0001;
    /// In `struct seccomp_data`: the call, the architecture, and the fourth argument, which has the flags of `mmap`.
    const CALL: u32 = 0;
    const MACHINE: u32 = 4;
    const FLAGS: u32 = 40;
    const SHARED: u32 = 1;

    const STEPS: usize = 2 + 1 + 15 + 1 + 2 + 2;

    /// Takes from this process all that reaches beyond its memory. False where the kernel cannot.
    ///
    /// # Safety
    /// The process is to do nothing more but to die.
    pub(super) unsafe fn seal(shared: &[(usize, usize)]) -> bool {
        const READ: c_int = 1;
        const PR_SET_PDEATHSIG: c_int = 1;
        const PR_SET_DUMPABLE: c_int = 4;
        const PR_SET_SECCOMP: c_int = 22;
        const PR_SET_NO_NEW_PRIVS: c_int = 38;
        const MODE_FILTER: usize = 2;
        let step = |code, if_true, if_false, value| Step { code, if_true, if_false, value };
        let allow = (STEPS - 1) as u8;
        let refuse = (STEPS - 2) as u8;
        let mut steps = [step(ANSWER, 0, 0, REFUSE); STEPS];
        steps[0] = step(LOAD, 0, 0, MACHINE);
        steps[1] = step(IF_EQUAL, 0, refuse - 2, ARCHITECTURE);
        steps[2] = step(LOAD, 0, 0, CALL);
        for (nth, &call) in numbers::ALLOWED.iter().enumerate() {
            let place = 3 + nth as u8;
            steps[usize::from(place)] = step(IF_EQUAL, allow - place - 1, 0, call);
        }
        // Memory of its own it may have, but none that others see.
        steps[18] = step(IF_EQUAL, 0, refuse - 19, numbers::MMAP);
        steps[19] = step(LOAD, 0, 0, FLAGS);
        steps[20] = step(IF_SET, refuse - 21, allow - 21, SHARED);
        steps[STEPS - 1] = step(ANSWER, 0, 0, ALLOW);
        let filter = Filter { length: STEPS as u16, steps: steps.as_ptr() };
        // SAFETY: the ranges are mapped, and the filter has the shape that the kernel reads.
        unsafe {
            prctl(PR_SET_PDEATHSIG, 9_usize, 0_usize, 0_usize, 0_usize);
            for &(start, end) in shared {
                let range = std::ptr::with_exposed_provenance_mut::<c_void>(start);
                if mprotect(range, end - start, READ) != 0 {
                    return false;
                }
            }
            prctl(PR_SET_DUMPABLE, 0_usize, 0_usize, 0_usize, 0_usize) == 0
                && prctl(PR_SET_NO_NEW_PRIVS, 1_usize, 0_usize, 0_usize, 0_usize) == 0
                && prctl(PR_SET_SECCOMP, MODE_FILTER, &raw const filter, 0_usize, 0_usize) == 0
        }
    }
}
