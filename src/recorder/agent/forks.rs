//! Sees to it that the child of a fork leaves its parent's trace alone.
//!
//! An attached recorder has no function among those of `os.register_at_fork`, which cannot be taken out again: its children are
//! not recorded, and `os.fork` itself stops the clock while it forks, and waits for the thread that attached, or that waits for a copy
//! of the process.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::python::{Functions, NO_ARGUMENTS, Object};
use crate::replaced::{CFunction, Replaced};
use crate::{builtin_module, clock, copied, global, system, thread};

static FORK: Replaced = Replaced::none();
static FORK_PTY: Replaced = Replaced::none();

/// Lets go of the file in the child of any fork, from now to the end of the process.
pub(crate) fn watch() {
    static WATCHES: AtomicBool = AtomicBool::new(false);
    if !WATCHES.swap(true, Ordering::Relaxed) {
        system::at_fork(let_go);
    }
}

/// In the child of any fork: the file is the parent's.
extern "C" fn let_go() {
    // SAFETY: the child of a fork has one thread.
    if let Some(state) = unsafe { global::state() } {
        state.recorder.log.abandon();
        if state.process.options.attached {
            global::stop();
        }
    }
}

/// Has the agent's threads end while Python forks.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn hold_threads(python: &Functions) {
    // SAFETY: as the caller promises; the functions are of the kind that the flags say.
    unsafe {
        if let Some(posix) = builtin_module::find(python, c"posix") {
            FORK.put(python, posix, c"fork", NO_ARGUMENTS, fork as CFunction as _);
            FORK_PTY.put(python, posix, c"forkpty", NO_ARGUMENTS, fork_pty as CFunction as _);
            (python.Py_DecRef)(posix);
        }
    }
}

/// Undoes [`hold_threads`].
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn give_back() {
    // SAFETY: as the caller promises.
    unsafe {
        FORK.take_out();
        FORK_PTY.take_out();
    }
}

unsafe extern "C" fn fork(module: Object, nothing: Object) -> Object {
    // SAFETY: what CPython calls it with.
    unsafe { without_threads(&FORK, module, nothing) }
}

unsafe extern "C" fn fork_pty(module: Object, nothing: Object) -> Object {
    // SAFETY: what CPython calls it with.
    unsafe { without_threads(&FORK_PTY, module, nothing) }
}

unsafe fn without_threads(replaced: &Replaced, module: Object, nothing: Object) -> Object {
    // SAFETY: the function that stood there before, with the arguments it is called with.
    unsafe {
        clock::stop();
        copied::rest();
        if let Ok(python) = Functions::find() {
            // It may wait for the lock, to do what was asked.
            let held = (python.PyEval_SaveThread)();
            thread::wait_for_alone();
            (python.PyEval_RestoreThread)(held);
        }
        let answer = replaced.call(module, nothing);
        copied::go_on();
        // In the child nothing is recorded.
        global::with_hook_off(clock::start);
        answer
    }
}
