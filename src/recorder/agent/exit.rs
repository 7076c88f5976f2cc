//! Sees that the last checkpoint comes before the program takes itself apart: before its exit handlers, and before `os._exit`.
//!
//! `atexit` calls first what was registered last, and the recorder registers before the program does. So each function that the
//! program registers has the recorder's behind it once more: the first of these that is called ends the trace, and the
//! others find it ended. What a handler lets go was alive as the program's main part ended; what only it leaves behind is
//! not recorded.
//!
//! The objects `atexit.register` and `os._exit` stay as they are; the functions behind them are replaced. What is recorded from
//! an attachment to a detachment has all of it put back.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::global;
use crate::python::{FAST_KEYWORDS, Functions, KEYWORDS, Object};
use crate::replaced::{Keywords, Replaced};
use crate::{builtin_module, checkpoint, interpreters, termination};

type FastKeywords = unsafe extern "C" fn(Object, *const Object, isize, Object) -> Object;

/// `os._exit`: `multiprocessing` ends its workers so, without `atexit`.
static EXIT: Replaced = Replaced::none();

/// `atexit.register`
static REGISTER: Replaced = Replaced::none();

/// The arguments with which it registers the recorder's own function: a tuple that is held as long as that stands there.
static OWN: AtomicUsize = AtomicUsize::new(0);

/// `atexit` where the program has not imported it. It is held for ever: 3.8 and 3.9 have the address in the interpreter.
static ATEXIT: AtomicUsize = AtomicUsize::new(0);

/// `last` is the recorder's function for `atexit`.
///
/// # Safety
/// Under the interpreter's lock, and not twice without [`give_back`].
pub(crate) unsafe fn take_over(python: &Functions, last: Object) {
    // SAFETY: as the caller promises; the functions are of the kind that the flags say.
    unsafe {
        if let Some(posix) = builtin_module::find(python, c"posix") {
            EXIT.put(python, posix, c"_exit", FAST_KEYWORDS, exit_now as FastKeywords as *const c_void);
            (python.Py_DecRef)(posix);
        }
        let arguments = (python.PyTuple_New)(1);
        if last.is_null() || arguments.is_null() {
            return (python.PyErr_Clear)();
        }
        (python.Py_IncRef)(last);
        (python.PyTuple_SetItem)(arguments, 0, last);
        // As the other objects of the recorder, the collector does not see it.
        (python.PyObject_GC_UnTrack)(arguments);
        OWN.store(arguments.addr(), Ordering::Release);
        if let Some(atexit) = atexit(python) {
            REGISTER.put(python, atexit, c"register", KEYWORDS, register as Keywords as *const c_void);
        }
    }
}

/// The tuple of the recorder's function for `atexit`; 0 where it is not there.
pub(crate) fn own_arguments() -> usize {
    OWN.load(Ordering::Acquire)
}

/// Has `atexit` call the recorder's function, which [`take_over`] got.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn register_last(python: &Functions) {
    let own = OWN.load(Ordering::Acquire) as Object;
    if REGISTER.original() == 0 || own.is_null() {
        return;
    }
    // SAFETY: as the caller promises; the function that stood there before would else register ours once more.
    unsafe {
        let Some(atexit) = atexit(python) else { return };
        let answer = REGISTER.call_with_keywords(atexit, own, null_mut());
        match answer.is_null() {
            true => (python.PyErr_Clear)(),
            false => (python.Py_DecRef)(answer),
        }
    }
}

/// Puts back what was there before [`take_over`], and has `atexit` forget the recorder's function.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn give_back(python: &Functions) {
    // SAFETY: as the caller promises; the tuple is given up as the collector knows it.
    unsafe {
        EXIT.take_out();
        REGISTER.take_out();
        let own = OWN.swap(0, Ordering::AcqRel) as Object;
        if own.is_null() {
            return;
        }
        // The tuple has one element; the references to both are borrowed.
        if let Some(atexit) = atexit(python)
            && let Some(answer) = builtin_module::call(python, atexit, c"unregister", (python.PyTuple_GetItem)(own, 0))
        {
            (python.Py_DecRef)(answer);
        }
        (python.PyObject_GC_Track)(own);
        (python.Py_DecRef)(own);
    }
}

/// A borrowed reference to `atexit`.
unsafe fn atexit(python: &Functions) -> Option<Object> {
    // SAFETY: as for the callers.
    unsafe {
        let modules = (python.PyImport_GetModuleDict)();
        let found = (python.PyDict_GetItemString)(modules, c"atexit".as_ptr());
        let known = if found.is_null() { ATEXIT.load(Ordering::Relaxed) as Object } else { found };
        if !known.is_null() {
            return Some(known);
        }
        let made = builtin_module::find(python, c"atexit")?;
        ATEXIT.store(made.addr(), Ordering::Relaxed);
        Some(made)
    }
}

unsafe extern "C" fn exit_now(module: Object, arguments: *const Object, count: isize, names: Object) -> Object {
    let original = EXIT.original();
    // A call with wrong arguments comes back: it must not end the recording.
    if count == 1 && names.is_null() {
        termination::release();
        checkpoint::last();
    }
    // SAFETY: the function that stood there before, with the arguments it is called with.
    unsafe { std::mem::transmute::<usize, FastKeywords>(original)(module, arguments, count, names) }
}

unsafe extern "C" fn register(module: Object, arguments: Object, names: Object) -> Object {
    // SAFETY: the function that stood there before, with the arguments it is called with, and then with the recorder's.
    unsafe {
        let answer = REGISTER.call_with_keywords(module, arguments, names);
        if !answer.is_null()
            && global::is_recording()
            && global::state().is_some_and(|state| interpreters::is_first(state))
        {
            let Ok(python) = Functions::find() else { return answer };
            let own = OWN.load(Ordering::Acquire) as Object;
            let again = if own.is_null() { null_mut() } else { REGISTER.call_with_keywords(module, own, null_mut()) };
            match again.is_null() {
                true => (python.PyErr_Clear)(),
                false => (python.Py_DecRef)(again),
            }
        }
        answer
    }
}
