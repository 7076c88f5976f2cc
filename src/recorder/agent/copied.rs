//! Walks a copy of the process, while the program goes on.
//!
//! The program stands still while the copy is made, which takes as long as the kernel needs to copy what says where memory is. A
//! thread waits for the copy's end, without the interpreter's lock. It is not there while Python forks, for `os.fork` counts
//! threads: until the copy has ended, functions of the agent stand behind `os.fork` and `os.forkpty`.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

use crate::copy::{self, ProcessCopy};
use crate::options::Options;
use crate::process::reason;
use crate::python::Functions;
use crate::{forks, memory, system, thread};

/// A copy that is walked.
struct Walked {
    copy: ProcessCopy,
    /// Whose copy it is: the child of a fork has this too, and no copy.
    process: u32,
    options: Options,
    /// Nanoseconds that the program stood still.
    pause: u64,
}

/// Nanoseconds in which a copy does nothing before it is taken to wait for ever.
const PATIENCE: u64 = 10_000_000_000;

/// The one that is walked, if one is.
static WALKED: AtomicPtr<Walked> = AtomicPtr::new(null_mut());
/// What the thread does that waits for its end.
static WATCH: AtomicU8 = AtomicU8::new(NOBODY);
const NOBODY: u8 = 0;
const WATCHES: u8 = 1;
/// It is to end, for a fork.
const SHALL_REST: u8 = 2;
/// It has ended, for a fork.
const RESTS: u8 = 3;

/// Goes from one to the other; false where it was neither.
fn turn(from: u8, to: u8) -> bool {
    WATCH.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
}

/// Whether a copy of this process is walked.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn is_walked() -> bool {
    // SAFETY: what is there is given up under the lock alone.
    unsafe { WALKED.load(Ordering::Acquire).as_ref().is_some_and(|walked| walked.process == std::process::id()) }
}

/// Makes a copy that does this work. The program has stood still since `start`.
///
/// # Errors
/// Why there is no copy, in one clause.
///
/// # Safety
/// Under the interpreter's lock, outside collections, where no copy is walked. Afterwards [`watch`] is called without the lock.
pub(crate) unsafe fn begin(
    python: &Functions,
    options: Options,
    start: u64,
    work: impl FnOnce(Options),
) -> Result<(), String> {
    let for_copy = options.clone();
    let process = std::process::id();
    let work = || {
        // SAFETY: this is the copy.
        unsafe { copy::set_apart() };
        system::speak_for(process);
        memory::keep_apart();
        work(for_copy);
    };
    // SAFETY: as the caller promises. The copy asks the C library for nothing that takes a lock.
    unsafe {
        forks::hold_threads(python);
        match ProcessCopy::make(work) {
            Ok(copy) => {
                let pause = system::now() - start;
                let walked = Box::new(Walked { copy, process, options, pause });
                WALKED.store(Box::into_raw(walked), Ordering::Release);
                WATCH.store(WATCHES, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                forks::give_back();
                Err(format!("the system makes no copy of it: {}", reason(&error)))
            }
        }
    }
}

/// Waits until the copy ends, takes out what is in the process for it, and tells who asked.
///
/// # Safety
/// On a thread of the agent's own, without the interpreter's lock, after [`begin`] or [`go_on`].
pub(crate) unsafe fn watch(python: &Functions) {
    // SAFETY: it is given up below, by this thread, which is the only one that waits.
    let Some(walked) = (unsafe { WALKED.load(Ordering::Acquire).as_ref() }) else { return };
    let Some(ended) = until_ended(walked) else { return };
    let (options, pause) = (walked.options.clone(), walked.pause);
    // SAFETY: under the lock nobody else looks at what is given up.
    let is_out = unsafe {
        thread::until_done(python, || {
            forget();
            true
        })
    };
    if let Some(failure) = ended.err().filter(|_| is_out) {
        options.say("stopped", &format!("{}: {failure}", options.output.display()));
    }
    options.say("paused", &pause.to_string());
}

/// How the copy ended: the error is what went wrong. `None` where the thread is to end first.
fn until_ended(walked: &Walked) -> Option<Result<(), String>> {
    let (mut worked, mut since) = (0, system::now());
    loop {
        if let Some(status) = walked.copy.ended() {
            return Some(match status & 0x7f {
                0 => Ok(()),
                signal => Err(format!("the copy of the process, which was walked, died of signal {signal}")),
            });
        }
        if turn(SHALL_REST, RESTS) {
            return None;
        }
        let now = system::now();
        match walked.copy.worked() {
            same if same == worked && now - since > PATIENCE => {
                walked.copy.end();
                return Some(Err(
                    "the copy of the process, which was walked, waited for something that never came".into()
                ));
            }
            same if same == worked => {}
            more => (worked, since) = (more, now),
        }
        copy::pause();
    }
}

/// Takes out what is in the process for a copy that is over.
///
/// # Safety
/// Under the interpreter's lock, where a copy was walked and nobody else looks at it.
unsafe fn forget() {
    // SAFETY: as the caller promises.
    unsafe {
        forks::give_back();
        drop(Box::from_raw(WALKED.swap(null_mut(), Ordering::AcqRel)));
    }
    WATCH.store(NOBODY, Ordering::Release);
}

/// Has the thread that waits end, for a fork; whoever forks then waits for its end.
pub(crate) fn rest() {
    turn(WATCHES, SHALL_REST);
}

/// The fork is done, and the parent waits again. The child has no copy, and keeps nothing of this.
///
/// # Safety
/// Under the interpreter's lock, after [`rest`].
pub(crate) unsafe fn go_on() {
    // SAFETY: it is given up under the lock alone.
    let Some(walked) = (unsafe { WALKED.load(Ordering::Acquire).as_ref() }) else { return };
    let is_parent = walked.process == std::process::id();
    // One that has not ended in time goes on.
    if is_parent && (turn(SHALL_REST, WATCHES) || !turn(RESTS, WATCHES)) {
        return;
    }
    if is_parent {
        let Err(error) = thread::spawn_alone(watch_alone, null_mut()) else { return };
        walked.copy.end();
        walked.options.say("refused", &format!("no thread could wait for its copy: {}", reason(&error)));
    }
    // SAFETY: as the caller promises; there is no thread that waits.
    unsafe { forget() };
}

extern "C-unwind" fn watch_alone(_: *mut c_void) -> *mut c_void {
    thread::introduce_alone();
    if let Ok(python) = Functions::find() {
        // SAFETY: a thread of the agent's own, without the lock.
        unsafe { watch(&python) };
    }
    null_mut()
}
