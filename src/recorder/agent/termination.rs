//! Writes the last checkpoint before the process dies of SIGTERM, where the program leaves the signal its default.
//!
//! A handler of CPython is put in its place, which writes the checkpoint at the next safe point of the main thread, and then
//! lets the default take its course. `signal.signal` and `signal.getsignal` answer as if it were not there, and a program that sets
//! a handler of its own has that one. A call that the main thread waits in is interrupted until it comes to a safe point: the signal
//! may have come just before the call, or to another thread. Where it never comes to one, the process dies without a checkpoint
//! when [`PATIENCE`] is over; in a child that CPython did not fork, at once.

use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering::Relaxed};

use crate::checkpoint;
use crate::cpython::memory::{flag, type_flags, type_of, word};
use crate::cpython::object;
use crate::python::{FAST, Functions, Method, ONE_ARGUMENT, Object};
use crate::signals::{self, DEFAULT, Information, SIGTERM, SignalHandler};
use crate::{module, system, thread};

/// How long the main thread may take until it comes to a safe point, in ticks of the timer.
const PATIENCE: u32 = 50;

type Signal = unsafe extern "C" fn(Object, *const Object, isize) -> Object;
type GetSignal = unsafe extern "C" fn(Object, Object) -> Object;
type Handler = unsafe extern "C" fn(c_int);

/// The functions behind `_signal.signal` and `_signal.getsignal`.
static SIGNAL: AtomicUsize = AtomicUsize::new(0);
static GET_SIGNAL: AtomicUsize = AtomicUsize::new(0);
/// `_signal.SIG_DFL`, and the handler that stands in its place. They are held for ever, as is the module.
static SIG_DFL: AtomicUsize = AtomicUsize::new(0);
static OURS: AtomicUsize = AtomicUsize::new(0);
/// The module `_signal`.
static MODULE: AtomicUsize = AtomicUsize::new(0);
/// CPython's handler in C, which sees that the one in Python is called.
static BELOW: AtomicUsize = AtomicUsize::new(0);
/// The process that is recorded, and its timer.
static PROCESS: AtomicU32 = AtomicU32::new(0);
static TIMER: AtomicI32 = AtomicI32::new(-1);
/// A signal came, and was no call of `_thread.interrupt_main`: that passes by what has its default.
static CAME: AtomicBool = AtomicBool::new(false);
/// Ticks of the timer since then.
static TICKS: AtomicU32 = AtomicU32::new(0);
/// The main thread.
static MAIN: AtomicUsize = AtomicUsize::new(0);
/// The last checkpoint is being written.
static WRITING: AtomicBool = AtomicBool::new(false);

/// Takes the place of the default, if the signal has it; `ours` is [`terminated`] as CPython knows it.
///
/// # Safety
/// Once for a process, under the interpreter's lock, in its main thread; `ours` is alive for ever.
pub(crate) unsafe fn watch(python: &Functions, ours: Object) {
    // The default does not end the first process of a container.
    if std::process::id() == 1 {
        return;
    }
    // SAFETY: as the caller promises. A `PyCFunctionObject` has its definition behind the two words of each object.
    unsafe {
        let module = (python.PyImport_ImportModule)(c"_signal".as_ptr());
        if module.is_null() {
            return (python.PyErr_Clear)();
        }
        let method = |name: &CStr, flags: c_int| {
            let function = (python.PyObject_GetAttrString)(module, name.as_ptr());
            if function.is_null() {
                (python.PyErr_Clear)();
                return None;
            }
            // The module holds it.
            (python.Py_DecRef)(function);
            if type_of(function.addr()) != system::symbol(c"PyCFunction_Type") {
                return None;
            }
            let method = word(function.addr() + object::C_FUNCTION_METHOD) as *mut Method;
            ((*method).flags == flags).then_some(method)
        };
        let default = (python.PyObject_GetAttrString)(module, c"SIG_DFL".as_ptr());
        let (Some(set), Some(get), false) =
            (method(c"signal", FAST), method(c"getsignal", ONE_ARGUMENT), default.is_null())
        else {
            return (python.PyErr_Clear)();
        };
        SIGNAL.store((*set).function.addr(), Relaxed);
        GET_SIGNAL.store((*get).function.addr(), Relaxed);
        SIG_DFL.store(default.addr(), Relaxed);
        OURS.store(ours.addr(), Relaxed);
        MODULE.store(module.addr(), Relaxed);
        if is_default(python) && take_place(python) {
            (*set).function = signal as Signal as *const c_void;
            (*get).function = get_signal as GetSignal as *const c_void;
        }
    }
}

/// In the child of a fork, which is recorded or not.
///
/// # Safety
/// Under the interpreter's lock, in the child's only thread.
pub(crate) unsafe fn forked(python: &Functions, is_recorded: bool) {
    if BELOW.load(Relaxed) == 0 {
        return;
    }
    WRITING.store(false, Relaxed);
    CAME.store(false, Relaxed);
    TICKS.store(0, Relaxed);
    // SAFETY: as the caller promises.
    unsafe {
        if handler(python) != OURS.load(Relaxed) {
            return;
        }
        if !is_recorded || !take_place(python) {
            let default = SIG_DFL.load(Relaxed) as Object;
            set_handler(python, default);
        }
    }
}

/// The process ends: nobody comes to a safe point any more, so the signal has its default again.
pub(crate) fn release() {
    let is_ours = signals::handler_of(SIGTERM) == on_signal as SignalHandler as usize;
    if is_ours && PROCESS.load(Relaxed) == std::process::id() {
        signals::set_default(SIGTERM);
    }
}

/// CPython calls it after SIGTERM, at a safe point of the main thread.
pub(crate) unsafe extern "C" fn terminated(_: Object, _: *const Object, _: isize) -> Object {
    if CAME.load(Relaxed) {
        WRITING.store(true, Relaxed);
        checkpoint::last();
        signals::die_of(SIGTERM);
    }
    module::answer()
}

/// The handler in Python of SIGTERM.
unsafe fn handler(python: &Functions) -> usize {
    // SAFETY: the function that CPython has there, under its lock.
    unsafe {
        let get: GetSignal = transmute(GET_SIGNAL.load(Relaxed));
        let number = (python.PyLong_FromLong)(SIGTERM.into());
        let handler = get(MODULE.load(Relaxed) as Object, number);
        (python.Py_DecRef)(number);
        if handler.is_null() {
            (python.PyErr_Clear)();
            return 0;
        }
        // The table of handlers holds it.
        (python.Py_DecRef)(handler);
        handler.addr()
    }
}

/// Whether the signal has its default, by what Python knows and by what the system does.
unsafe fn is_default(python: &Functions) -> bool {
    // SAFETY: as for `handler`.
    unsafe { handler(python) == SIG_DFL.load(Relaxed) && signals::handler_of(SIGTERM) == DEFAULT }
}

unsafe fn set_handler(python: &Functions, handler: Object) -> bool {
    // SAFETY: the function that CPython has there, under its lock.
    unsafe {
        let set: Signal = transmute(SIGNAL.load(Relaxed));
        let number = (python.PyLong_FromLong)(SIGTERM.into());
        let before = set(MODULE.load(Relaxed) as Object, [number, handler].as_ptr(), 2);
        (python.Py_DecRef)(number);
        if before.is_null() {
            // Not the main thread.
            (python.PyErr_Clear)();
            return false;
        }
        (python.Py_DecRef)(before);
        true
    }
}

/// Sets the handler, and one of our own in front of CPython's, with a timer for this process.
unsafe fn take_place(python: &Functions) -> bool {
    let Some(timer) = signals::new_timer(SIGTERM) else { return false };
    TIMER.store(timer, Relaxed);
    PROCESS.store(std::process::id(), Relaxed);
    MAIN.store(thread::own(), Relaxed);
    // SAFETY: under the interpreter's lock; the handler does what a handler may.
    unsafe {
        if !set_handler(python, OURS.load(Relaxed) as Object) {
            return false;
        }
        BELOW.store(signals::handler_of(SIGTERM), Relaxed);
        signals::set_handler(SIGTERM, on_signal);
    }
    true
}

extern "C" fn on_signal(number: c_int, information: *const Information, _: *mut c_void) {
    if PROCESS.load(Relaxed) != std::process::id() {
        return signals::die_of(number);
    }
    // SAFETY: the kernel hands over the information; CPython's handler is one.
    unsafe {
        if (*information).is_of_timer() && !WRITING.load(Relaxed) {
            if TICKS.fetch_add(1, Relaxed) >= PATIENCE {
                return signals::die_of(number);
            }
            let main = MAIN.load(Relaxed);
            if main != thread::own() {
                signals::interrupt(main, number);
            }
        }
        if !CAME.swap(true, Relaxed) {
            signals::start_timer(TIMER.load(Relaxed));
            let below: Handler = transmute(BELOW.load(Relaxed));
            below(number);
        }
    }
}

/// `_signal.signal`: what it answers, and what is the default afterwards, is as alone.
unsafe extern "C" fn signal(module: Object, arguments: *const Object, count: isize) -> Object {
    // SAFETY: the function that stood there before, with the arguments it is called with.
    unsafe {
        let original: Signal = transmute(SIGNAL.load(Relaxed));
        let before = original(module, arguments, count);
        let Ok(python) = Functions::find() else { return before };
        if before.is_null() || count != 2 || !is_sigterm(&python, *arguments) {
            return before;
        }
        if is_default(&python) {
            take_place(&python);
        }
        as_alone(&python, before)
    }
}

/// `_signal.getsignal`
unsafe extern "C" fn get_signal(module: Object, number: Object) -> Object {
    // SAFETY: as in `signal`.
    unsafe {
        let original: GetSignal = transmute(GET_SIGNAL.load(Relaxed));
        let handler = original(module, number);
        match Functions::find() {
            Ok(python) => as_alone(&python, handler),
            Err(_) => handler,
        }
    }
}

/// The default in place of our handler; a new reference for a new reference.
unsafe fn as_alone(python: &Functions, handler: Object) -> Object {
    if handler.is_null() || handler.addr() != OURS.load(Relaxed) {
        return handler;
    }
    let default = SIG_DFL.load(Relaxed) as Object;
    // SAFETY: both are held for ever.
    unsafe {
        (python.Py_IncRef)(default);
        (python.Py_DecRef)(handler);
    }
    default
}

unsafe fn is_sigterm(python: &Functions, number: Object) -> bool {
    // SAFETY: an object that CPython was called with; asking an `int` runs no code.
    unsafe {
        type_flags(type_of(number.addr())) & flag::LONG_SUBCLASS != 0
            && (python.PyLong_AsLong)(number) == SIGTERM.into()
    }
}
