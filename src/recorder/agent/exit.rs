//! Sees that the last checkpoint comes before the program takes itself apart: before its exit handlers, and before `os._exit`.
//!
//! `atexit` calls first what was registered last, and the recorder registers before the program does. So each function that the
//! program registers has the recorder's behind it once more: the first of these that is called ends the trace, and the
//! others find it ended. What a handler lets go was alive as the program's main part ended; what only it leaves behind is
//! not recorded.
//!
//! The objects `atexit.register` and `os._exit` stay as they are; the functions behind them are replaced.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cpython::{memory, object};
use crate::global;
use crate::python::{FAST_KEYWORDS, Functions, KEYWORDS, Method, Object};
use crate::{checkpoint, interpreters, system, termination};

type FastKeywords = unsafe extern "C" fn(Object, *const Object, isize, Object) -> Object;
type Keywords = unsafe extern "C" fn(Object, Object, Object) -> Object;

/// The function behind `os._exit`: `multiprocessing` ends its workers so, without `atexit`.
static EXIT: AtomicUsize = AtomicUsize::new(0);

/// The function behind `atexit.register`.
static REGISTER: AtomicUsize = AtomicUsize::new(0);

/// The arguments with which it registers the recorder's own: a tuple that is held for ever.
static OWN: AtomicUsize = AtomicUsize::new(0);

/// `last` is the recorder's function for `atexit`.
///
/// # Safety
/// Under the interpreter's lock, once in the process.
pub(crate) unsafe fn take_over(python: &Functions, last: Object) {
    // SAFETY: as the caller promises; the functions are of the kind that the flags say.
    unsafe {
        replace(python, [c"posix", c"_exit"], FAST_KEYWORDS, exit_now as FastKeywords as *const c_void, &EXIT);
        if last.is_null() {
            return;
        }
        let arguments = (python.PyTuple_New)(1);
        if arguments.is_null() {
            return (python.PyErr_Clear)();
        }
        (python.Py_IncRef)(last);
        (python.PyTuple_SetItem)(arguments, 0, last);
        // As the other objects of the recorder, the collector does not see it.
        (python.PyObject_GC_UnTrack)(arguments);
        OWN.store(arguments.addr(), Ordering::Release);
        replace(python, [c"atexit", c"register"], KEYWORDS, register as Keywords as *const c_void, &REGISTER);
    }
}

/// Puts `function` behind a built-in function of a module, and keeps what was there; not where that has other flags.
unsafe fn replace(
    python: &Functions,
    [module, name]: [&CStr; 2],
    flags: c_int,
    function: *const c_void,
    before: &AtomicUsize,
) {
    // SAFETY: a `PyCFunctionObject` has its definition behind the two words of each object.
    unsafe {
        let module = (python.PyImport_ImportModule)(module.as_ptr());
        if module.is_null() {
            return (python.PyErr_Clear)();
        }
        let found = (python.PyObject_GetAttrString)(module, name.as_ptr());
        (python.Py_DecRef)(module);
        if found.is_null() {
            return (python.PyErr_Clear)();
        }
        if memory::type_of(found.addr()) == system::symbol(c"PyCFunction_Type") {
            let method = memory::word(found.addr() + object::C_FUNCTION_METHOD) as *mut Method;
            if (*method).flags == flags {
                before.store((*method).function.addr(), Ordering::Release);
                (*method).function = function;
            }
        }
        (python.Py_DecRef)(found);
    }
}

unsafe extern "C" fn exit_now(module: Object, arguments: *const Object, count: isize, names: Object) -> Object {
    let original = EXIT.load(Ordering::Acquire);
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
        let original = std::mem::transmute::<usize, Keywords>(REGISTER.load(Ordering::Acquire));
        let answer = original(module, arguments, names);
        if !answer.is_null()
            && global::is_recording()
            && global::state().is_some_and(|state| interpreters::is_first(state))
        {
            let Ok(python) = Functions::find() else { return answer };
            let again = original(module, OWN.load(Ordering::Acquire) as Object, null_mut());
            match again.is_null() {
                true => (python.PyErr_Clear)(),
                false => (python.Py_DecRef)(again),
            }
        }
        answer
    }
}
