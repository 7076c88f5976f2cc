//! Makes a copy of the process: its memory as it is at this moment, and of its threads the one that asks.
//!
//! The process hears nothing of its copy: no signal comes when it ends, no `wait` of the program's sees it, and nothing runs
//! that was to run at a fork. A lock that another thread had is locked in the copy for ever.

use std::ffi::{c_int, c_long};
use std::io;
use std::ptr::null_mut;

use crate::system;

/// The number of a copy, until it was seen to have ended.
#[derive(Debug)]
pub(crate) struct ProcessCopy(c_int);

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn nanosleep(time: *const [i64; 2], left: *mut [i64; 2]) -> c_int;
}

/// Whether copies can be made on this processor.
const ARE_MADE: bool = numbers::CLONE >= 0;

impl ProcessCopy {
    /// Makes a copy that does this and ends.
    ///
    /// # Errors
    /// The system has no room for another process, or does not let this one make any.
    ///
    /// # Safety
    /// The work waits for no lock that another thread may have had, or for so long that the copy may be ended.
    pub(crate) unsafe fn make(work: impl FnOnce()) -> io::Result<ProcessCopy> {
        if !ARE_MADE {
            return Err(io::ErrorKind::Unsupported.into());
        }
        // SAFETY: the copy has its own memory, and this thread alone; it ends here.
        unsafe {
            match syscall(numbers::CLONE, 0, 0, 0, 0, 0) {
                0 => {
                    work();
                    syscall(numbers::EXIT_GROUP, 0);
                    loop {
                        std::hint::spin_loop();
                    }
                }
                copy if copy > 0 => Ok(ProcessCopy(copy as c_int)),
                _ => Err(io::Error::last_os_error()),
            }
        }
    }

    /// How it ended, as `waitpid` says it; `None` while it goes on. Not to be asked once more after that.
    pub(crate) fn ended(&self) -> Option<c_int> {
        const WNOHANG: c_int = 1;
        self.wait_with(WNOHANG)
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        const SIGKILL: c_long = 9;
        // SAFETY: the copy is this process's own child, and nobody else waits for it, so its number is its own.
        unsafe {
            syscall(numbers::KILL, c_long::from(self.0), SIGKILL);
        }
        self.wait_with(0);
    }

    fn wait_with(&self, options: c_int) -> Option<c_int> {
        const ANY_CHILD: c_int = 0x4000_0000;
        let mut status = 0;
        // SAFETY: as above; the kernel writes a number.
        let ended = unsafe { waitpid(self.0, &raw mut status, options | ANY_CHILD) };
        (ended != 0).then_some(status)
    }

    /// Nanoseconds of a processor that it has had.
    pub(crate) fn worked(&self) -> u64 {
        const CLOCK_OF_ALL_THREADS: c_int = 2;
        system::clock(!self.0 << 3 | CLOCK_OF_ALL_THREADS)
    }
}

/// Lets a millisecond pass.
pub(crate) fn pause() {
    static TICK: [i64; 2] = [0, 1_000_000];
    // SAFETY: the kernel reads two words.
    unsafe {
        nanosleep(&raw const TICK, null_mut());
    }
}

/// A copy that may work for long takes from itself what belongs to the process, and could be in its way.
///
/// It has no descriptor, so that a connection which the process closes is closed. A fault ends it, without the program's handlers and without
/// a core. Where memory becomes scarce, it is the first to go.
///
/// # Safety
/// In a copy.
pub(crate) unsafe fn set_apart() {
    const RLIMIT_CORE: c_int = 4;
    const RLIMIT_NOFILE: c_int = 7;
    /// One byte: with 0 no file is written, but a program that takes cores may be begun.
    static NO_CORE: [u64; 2] = [1, 1];
    /// `SIGILL`, `SIGTRAP`, `SIGABRT`, `SIGBUS`, `SIGFPE`, `SIGSEGV`, `SIGSYS`.
    const FAULTS: [c_int; 7] = [4, 5, 6, 7, 8, 11, 31];
    unsafe extern "C" {
        fn setrlimit(resource: c_int, limits: *const [u64; 2]) -> c_int;
        fn close(file: c_int) -> c_int;
    }
    FAULTS.into_iter().for_each(crate::signals::set_default);
    // SAFETY: nobody uses a descriptor in the copy; the arrays have the shape of a 64-bit `rlimit`.
    unsafe {
        if syscall(numbers::CLOSE_RANGE, 0_i64, i64::from(u32::MAX), 0_i64) != 0 {
            for file in 0..system::limit(RLIMIT_NOFILE).min(1 << 20) {
                close(file as c_int);
            }
        }
        setrlimit(RLIMIT_CORE, &raw const NO_CORE);
    }
    // Where it may not, it is one process among others.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Numbers of the system calls `clone`, `kill`, `exit_group` and `close_range`.
#[cfg(target_arch = "x86_64")]
mod numbers {
    pub(super) const CLONE: i64 = 56;
    pub(super) const KILL: i64 = 62;
    pub(super) const EXIT_GROUP: i64 = 231;
    pub(super) const CLOSE_RANGE: i64 = 436;
}

#[cfg(target_arch = "aarch64")]
mod numbers {
    pub(super) const CLONE: i64 = 220;
    pub(super) const KILL: i64 = 129;
    pub(super) const EXIT_GROUP: i64 = 94;
    pub(super) const CLOSE_RANGE: i64 = 436;
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod numbers {
    pub(super) const CLONE: i64 = -1;
    pub(super) const KILL: i64 = -1;
    pub(super) const EXIT_GROUP: i64 = -1;
    pub(super) const CLOSE_RANGE: i64 = -1;
}
