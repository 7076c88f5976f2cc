//! Has the heap walked at intervals, by a thread of the agent's own: a program that waits is walked too.
//!
//! The thread sleeps outside the interpreter and asks for its lock when the time has come. So the walk begins where another
//! thread of Python could run, never inside an allocation; a program that never gives the lock up is not walked.
//!
//! It is not there while the program forks: from 3.12 on `os.fork` warns of a process with more than one thread
//! (`warn_about_fork_with_threads` in `Modules/posixmodule.c`), and the warning would be ours. Where no thread may be
//! started, the hook looks at the time (`allocator.rs`).

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::global::{self, State};
use crate::python::Functions;
use crate::{checkpoint, system, thread};

/// The thread, and the process that it runs in: the child of a fork has a copy of this, and no thread.
pub(crate) struct Clock {
    thread: usize,
    process: u32,
}

/// 1 when the thread shall end. There is one thread at most.
static END: AtomicU32 = AtomicU32::new(0);
/// Nanoseconds between two checkpoints.
static EVERY: AtomicU64 = AtomicU64::new(0);
/// When the next one is due.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// That there is no thread has been told.
static TOLD: AtomicBool = AtomicBool::new(false);

impl Clock {
    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }
}

/// Starts the clock, if the recording wants one and none runs.
pub(crate) fn start(state: &mut State) {
    let every = state.process.options.every;
    if every == 0 || !global::is_recording() || state.clock.as_ref().is_some_and(Clock::is_here) {
        return;
    }
    END.store(0, Ordering::Relaxed);
    EVERY.store(every, Ordering::Relaxed);
    let (next, now) = (NEXT.load(Ordering::Relaxed), system::now());
    // One that was stopped for a fork goes on, however often the program forks.
    if next.abs_diff(now) > every {
        NEXT.store(now.saturating_add(every), Ordering::Relaxed);
    }
    state.every = 0;
    state.clock = match thread::spawn(run, null_mut()) {
        Ok(thread) => Some(Clock { thread, process: std::process::id() }),
        Err(error) => {
            state.every = every;
            state.next_checkpoint = system::now().saturating_add(every);
            if !TOLD.swap(true, Ordering::Relaxed) {
                state.process.without_clock(&error);
            }
            None
        }
    };
}

/// Stops the clock and waits until its thread is gone, with the interpreter's lock given up meanwhile: it may wait for that.
///
/// # Safety
/// Under the interpreter's lock, outside the hook.
pub(crate) unsafe fn stop() {
    // SAFETY: under the interpreter's lock.
    let Some(state) = (unsafe { global::state() }) else { return };
    let Some(clock) = state.clock.take().filter(Clock::is_here) else { return };
    let python = state.python;
    END.store(1, Ordering::Release);
    thread::wake(&END);
    // SAFETY: the thread that has the lock gives it up, and goes on with it.
    unsafe {
        let held = (python.PyEval_SaveThread)();
        thread::join(clock.thread);
        (python.PyEval_RestoreThread)(held);
    }
}

/// In the parent, as a fork is done.
pub(crate) fn after_fork() {
    global::with_hook_off(|state| {
        if !state.counts_threads {
            return start(state);
        }
        // `os.fork` counts the threads when this is done. The queue takes calls until the interpreter's end.
        // SAFETY: under the interpreter's lock.
        if unsafe { (state.python.Py_AddPendingCall)(start_later, null_mut()) } != 0 {
            start(state);
        }
    });
}

extern "C" fn start_later(_: *mut c_void) -> c_int {
    global::with_hook_off(start);
    0
}

fn goes_on() -> bool {
    END.load(Ordering::Acquire) == 0 && global::is_recording()
}

extern "C-unwind" fn run(_: *mut c_void) -> *mut c_void {
    thread::introduce();
    let Ok(python) = Functions::find() else { return null_mut() };
    let every = EVERY.load(Ordering::Relaxed);
    let mut next = NEXT.load(Ordering::Relaxed);
    while goes_on() {
        let wait = next.saturating_sub(system::now());
        if wait > 0 {
            thread::wait(&END, 0, wait);
            continue;
        }
        // SAFETY: who ends the interpreter stops the clock first (`atexit`). Where the program took that away, the
        // interpreter says itself that it is ending, and one that ends while its lock is waited for keeps this thread.
        unsafe {
            if (python.Py_IsInitialized)() == 0 {
                break;
            }
            let held = (python.PyGILState_Ensure)();
            if goes_on() {
                checkpoint::now();
            }
            (python.PyGILState_Release)(held);
        }
        // A walk that takes longer than the interval leaves the program a whole one.
        let now = system::now();
        next = Some(next.saturating_add(every)).filter(|&next| next > now).unwrap_or(now.saturating_add(every));
        NEXT.store(next, Ordering::Relaxed);
    }
    null_mut()
}
