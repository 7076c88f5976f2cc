//! Has a checkpoint and a mark written where the program lets go of what lived as long as it: as its main part has ended, before
//! its threads are waited for, and as its first event loop has ended, before the tasks that are left are cancelled.
//!
//! CPython calls `threading._shutdown` for the one, and `asyncio.run` its `_cancel_all_tasks` for the other. These functions of
//! Python stay as they are for the program; what CPython calls them by is replaced, once a thread starts, or an event loop: each asks
//! for the hooks of asynchronous generators.

use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::cpython::{function, memory};
use crate::global::State;
use crate::python::{Functions, KEYWORDS, NO_ARGUMENTS, Object, POSITIONAL};
use crate::replaced::{CFunction, Keywords, Replaced};
use crate::walk::Walker;
use crate::{builtin_module, checkpoint, global, interpreters, system};

type Vectorcall = unsafe extern "C" fn(Object, *const Object, usize, Object) -> Object;

/// `_thread.start_new_thread`, and `start_joinable_thread` of newer CPythons.
static START: Replaced = Replaced::none();
static START_JOINABLE: Replaced = Replaced::none();

/// `sys.get_asyncgen_hooks`.
static HOOKS: Replaced = Replaced::none();

static MAIN: PythonFunction = PythonFunction::new(c"threading", c"_shutdown", main_ends);
static LOOP: PythonFunction = PythonFunction::new(c"asyncio.runners", c"_cancel_all_tasks", loop_ends);

/// The process whose first event loop has its mark: a program may run very many, and each mark costs a look at everything.
static LOOP_MARKED: AtomicU32 = AtomicU32::new(0);

/// A function of Python, whose call writes a mark.
struct PythonFunction {
    module: &'static CStr,
    name: &'static CStr,
    ours: Vectorcall,
    /// What it was called by before; 0 where nothing of ours is there.
    original: AtomicUsize,
}

impl PythonFunction {
    const fn new(module: &'static CStr, name: &'static CStr, ours: Vectorcall) -> PythonFunction {
        PythonFunction { module, name, ours, original: AtomicUsize::new(0) }
    }

    /// A borrowed reference to it; `None` where the program has not imported its module, or has put something else there.
    unsafe fn find(&self, python: &Functions) -> Option<Object> {
        // SAFETY: under the interpreter's lock; all references are borrowed, and a module has a dict.
        unsafe {
            let module = (python.PyDict_GetItemString)((python.PyImport_GetModuleDict)(), self.module.as_ptr());
            if module.is_null() || memory::type_of(module.addr()) != system::symbol(c"PyModule_Type") {
                return None;
            }
            let found = (python.PyDict_GetItemString)((python.PyModule_GetDict)(module), self.name.as_ptr());
            let is_function = !found.is_null() && memory::type_of(found.addr()) == system::symbol(c"PyFunction_Type");
            is_function.then_some(found)
        }
    }

    /// Has it call ours, if it does not.
    unsafe fn put(&self, python: &Functions) {
        // SAFETY: under the interpreter's lock, with a function of Python.
        unsafe {
            let Some(found) = self.find(python) else { return };
            let called_by = function::called_by(found.addr());
            if called_by != 0 && called_by != self.ours as usize {
                self.original.store(called_by, Ordering::Release);
                function::call_by(found.addr(), self.ours as usize);
            }
        }
    }

    /// The program needs it from now on.
    unsafe fn put_if_recorded(&self) {
        // SAFETY: under the interpreter's lock.
        unsafe {
            if recorded().is_some()
                && let Ok(python) = Functions::find()
            {
                self.put(&python);
            }
        }
    }

    unsafe fn take_out(&self, python: &Functions) {
        // SAFETY: as for `put`.
        unsafe {
            if let Some(found) = self.find(python)
                && function::called_by(found.addr()) == self.ours as usize
            {
                function::call_by(found.addr(), self.original.load(Ordering::Acquire));
            }
        }
    }

    unsafe fn pass_on(&self, function: Object, arguments: *const Object, count: usize, names: Object) -> Object {
        // SAFETY: what it was called by before, with what it is called with.
        unsafe {
            let original = std::mem::transmute::<usize, Vectorcall>(self.original.load(Ordering::Acquire));
            original(function, arguments, count, names)
        }
    }
}

/// # Safety
/// Under the interpreter's lock, and not twice without [`give_back`].
pub(crate) unsafe fn take_over(python: &Functions) {
    // SAFETY: as the caller promises; the functions are of the kind that the flags say.
    unsafe {
        LOOP_MARKED.store(0, Ordering::Relaxed);
        if let Some(thread) = builtin_module::find(python, c"_thread") {
            START.put(python, thread, c"start_new_thread", POSITIONAL, start as CFunction as *const c_void);
            START_JOINABLE.put(
                python,
                thread,
                c"start_joinable_thread",
                KEYWORDS,
                start_joinable as Keywords as *const c_void,
            );
            (python.Py_DecRef)(thread);
        }
        if let Some(sys) = builtin_module::find(python, c"sys") {
            HOOKS.put(python, sys, c"get_asyncgen_hooks", NO_ARGUMENTS, hooks as CFunction as *const c_void);
            (python.Py_DecRef)(sys);
        }
    }
}

/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn give_back(python: &Functions) {
    // SAFETY: as the caller promises.
    unsafe {
        START.take_out();
        START_JOINABLE.take_out();
        HOOKS.take_out();
        MAIN.take_out(python);
        LOOP.take_out(python);
    }
}

unsafe extern "C" fn start(module: Object, arguments: Object) -> Object {
    // SAFETY: the function that stood there before, with the arguments it is called with, under the interpreter's lock.
    unsafe {
        MAIN.put_if_recorded();
        START.call(module, arguments)
    }
}

unsafe extern "C" fn start_joinable(module: Object, arguments: Object, names: Object) -> Object {
    // SAFETY: as for `start`.
    unsafe {
        MAIN.put_if_recorded();
        START_JOINABLE.call_with_keywords(module, arguments, names)
    }
}

unsafe extern "C" fn hooks(module: Object, nothing: Object) -> Object {
    // SAFETY: as for `start`.
    unsafe {
        // A program may run very many event loops, and only the first has a mark.
        if LOOP_MARKED.load(Ordering::Relaxed) != std::process::id() {
            LOOP.put_if_recorded();
        }
        HOOKS.call(module, nothing)
    }
}

unsafe extern "C" fn main_ends(function: Object, arguments: *const Object, count: usize, names: Object) -> Object {
    // SAFETY: CPython calls it under the interpreter's lock; the threads are those of the first interpreter.
    unsafe {
        let has_others = |walker: &Walker| walker.threads().len() > 1;
        if recorded().is_some_and(|state| state.recorder.walker.as_ref().is_some_and(has_others)) {
            checkpoint::exit_begins("main");
        }
        MAIN.pass_on(function, arguments, count, names)
    }
}

unsafe extern "C" fn loop_ends(function: Object, arguments: *const Object, count: usize, names: Object) -> Object {
    // SAFETY: CPython calls it under the interpreter's lock.
    unsafe {
        let this = std::process::id();
        if recorded().is_some() && LOOP_MARKED.swap(this, Ordering::Relaxed) != this {
            checkpoint::exit_begins("event loop");
        }
        LOOP.pass_on(function, arguments, count, names)
    }
}

/// The recorder's state, if this interpreter is recorded now.
unsafe fn recorded() -> Option<&'static mut State> {
    // SAFETY: as for the callers.
    unsafe { global::state().filter(|state| global::is_recording() && interpreters::is_first(state)) }
}
