//! Counts the interpreters of the process besides the first, whose objects no walk describes.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::allocator;
use crate::cpython::memory::{THREAD_INTERPRETER, word};
use crate::global::State;
use crate::python::Functions;

/// Those that loaded the recorder as they began, whether they are still there or not.
static MET: AtomicU64 = AtomicU64::new(0);

/// The recorder is loaded once more: in another interpreter, unless it is the first that loads it again.
///
/// # Safety
/// Under the lock of the interpreter that runs.
pub(crate) unsafe fn meet(state: &State) {
    // SAFETY: as the caller promises.
    if unsafe { !is_first(state) } {
        MET.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether the interpreter that runs is the first.
///
/// # Safety
/// Under the lock of the interpreter that runs.
pub(crate) unsafe fn is_first(state: &State) -> bool {
    // SAFETY: as the caller promises; a thread state has its interpreter there.
    unsafe {
        let thread = (state.current_thread)();
        thread == 0 || word(thread + THREAD_INTERPRETER) == state.interpreter
    }
}

/// After a fork none of them is there.
pub(crate) fn forget() {
    MET.store(0, Ordering::Relaxed);
}

/// Writes how many there are, or were, if more than the trace knows.
///
/// # Safety
/// Under the lock of the first interpreter.
pub(crate) unsafe fn account(state: &mut State) {
    // SAFETY: as the caller promises.
    let alive = unsafe { count_others(&state.python, state.interpreter) };
    let others = alive.max(MET.load(Ordering::Relaxed)).max(allocator::has_foreign().into());
    if others > state.other_interpreters {
        state.other_interpreters = others;
        state.recorder.log.emit(|encoder| encoder.interpreters(others));
    }
}

/// How many interpreters there are besides this one.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn count_others(python: &Functions, this: usize) -> u64 {
    let mut others = 0;
    // SAFETY: as the caller promises.
    unsafe {
        let mut interpreter = (python.PyInterpreterState_Head)();
        while interpreter != 0 {
            others += u64::from(interpreter != this);
            interpreter = (python.PyInterpreterState_Next)(interpreter);
        }
    }
    others
}
