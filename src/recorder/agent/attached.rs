//! Records from an attachment to a detachment, and then takes out all that was put into the process.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::begin::{self, Plan};
use crate::cpython::free_lists;
use crate::global::State;
use crate::options::Options;
use crate::python::{Functions, Object, exported};
use crate::{
    allocator, attach, builtin_module, checkpoint, clock, exit, exit_marks, forks, global, interpreters, memory,
    module, thread,
};

/// The recorder's functions for `gc.callbacks` and for `atexit`. They are in no module.
static FUNCTIONS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
const NAMES: [&CStr; 2] = [c"_collection", c"_exit"];

/// Begins to record, with a checkpoint of what is there.
///
/// # Errors
/// A clause that says why nothing is recorded; the process is as before then.
///
/// # Safety
/// Under the interpreter's lock, outside collections, where nothing is recorded.
pub(crate) unsafe fn begin(
    python: Functions,
    options: Options,
    version: String,
    executable: String,
) -> Result<(), String> {
    // SAFETY: as the caller promises.
    unsafe {
        // What a fork has copied, and what is left of a recording that was over before.
        take_out(&python);
        let [callback, last] = make_functions(&python).ok_or("there is not enough memory for the recorder")?;
        let plan = Plan {
            options,
            version,
            executable,
            folder: String::new(),
            callback,
            last,
            own: vec![callback.addr(), last.addr()],
            classes: &|| classes(&python),
        };
        if let Err(reason) = begin::recording(python, plan) {
            give_functions_up(&python);
            return Err(reason);
        }
        exit::register_last(&python);
        forks::hold_threads(&python);
        global::activate();
        checkpoint::now();
        global::with_hook_off(clock::start);
    }
    Ok(())
}

/// Why a recording cannot be ended from outside; `None` where it can.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn why_not_ended() -> Option<&'static str> {
    // SAFETY: as the caller promises.
    match unsafe { global::state() }.filter(|_| global::is_recording()) {
        None => Some("it is not recorded"),
        Some(state) if !state.process.options.attached => {
            Some("it records itself, or refloop record has started it: its recording ends with it")
        }
        Some(_) => None,
    }
}

/// Ends the recording with a last checkpoint, and tells who asked.
///
/// # Safety
/// Under the interpreter's lock, outside collections, with the clock stopped.
pub(crate) unsafe fn end(python: &Functions, asking: &Options) {
    // SAFETY: as the caller promises.
    unsafe {
        global::with_hook_off(|state| {
            state.process.tell(&state.recorder, asking);
            checkpoint::end(state);
        });
        if !take_out(python) {
            asking.say("left", "");
        }
    }
}

/// The recording has stopped, for want of room or memory: what is in the process is taken out as soon as that may be.
#[cold]
pub(crate) fn leave_soon() {
    // Where the system refuses a thread, what is there passes on what it is asked.
    let _ = thread::spawn_alone(leave, null_mut());
}

extern "C-unwind" fn leave(_: *mut c_void) -> *mut c_void {
    thread::introduce_alone();
    let Ok(python) = Functions::find() else { return null_mut() };
    // What was refused the recording is not refused to what ends it.
    memory::forget_refusal();
    std::thread::sleep(thread::PAUSE);
    // SAFETY: the thread is new; what is done is done under the lock.
    unsafe {
        thread::until_done(&python, || {
            clock::stop();
            if global::is_recording() {
                return true;
            }
            let may_leave = !attach::is_collecting(&python);
            if may_leave {
                take_out(&python);
            }
            may_leave
        });
    }
    null_mut()
}

/// Takes out what an attached recorder has in the process, if it has anything. False where its hook of the allocator stays, under
/// another one, and passes on what it is asked.
///
/// # Safety
/// Under the interpreter's lock, outside collections, with the clock stopped.
unsafe fn take_out(python: &Functions) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        let Some(state) = global::state().filter(|state| state.process.options.attached) else { return true };
        global::stop();
        let is_out = allocator::leave(state);
        let State { collector, recorder, .. } = state;
        if let Some(collector) = collector.take() {
            collector.leave();
        }
        recorder.release();
        exit::give_back(python);
        exit_marks::give_back(python);
        forks::give_back();
        free_lists::give_back();
        give_functions_up(python);
        interpreters::forget();
        global::leave();
        is_out
    }
}

/// Makes the functions, out of the collector's sight.
unsafe fn make_functions(python: &Functions) -> Option<[Object; 2]> {
    let mut made = [null_mut(); 2];
    for (place, name) in NAMES.into_iter().enumerate() {
        // SAFETY: the definitions are there for ever.
        unsafe {
            let function = (python.PyCFunction_NewEx)(module::method(name)?, null_mut(), null_mut());
            if function.is_null() {
                (python.PyErr_Clear)();
                give_functions_up(python);
                return None;
            }
            (python.PyObject_GC_UnTrack)(function);
            FUNCTIONS[place].store(function.addr(), Ordering::Relaxed);
            made[place] = function;
        }
    }
    Some(made)
}

unsafe fn give_functions_up(python: &Functions) {
    for function in &FUNCTIONS {
        let function = function.swap(0, Ordering::Relaxed) as Object;
        if !function.is_null() {
            // SAFETY: a reference of our own. CPython 3.9.2 takes what it frees out of the collector's list, unasked.
            unsafe {
                (python.PyObject_GC_Track)(function);
                (python.Py_DecRef)(function);
            }
        }
    }
}

/// All type objects, by what `type.__subclasses__` says of them.
unsafe fn classes(python: &Functions) -> Vec<usize> {
    let (Ok(object), Ok(class)) = (exported(c"PyBaseObject_Type"), exported(c"PyType_Type")) else { return Vec::new() };
    let mut classes = vec![object];
    let mut known = std::collections::HashSet::from([object]);
    let mut next = 0;
    while let Some(&each) = classes.get(next) {
        next += 1;
        // SAFETY: under the interpreter's lock; a class is alive as long as those below it are not asked for.
        unsafe {
            let Some(below) = builtin_module::call(python, class as Object, c"__subclasses__", each as Object) else {
                continue;
            };
            for place in 0..(python.PyList_Size)(below) {
                let found = (python.PyList_GetItem)(below, place).addr();
                if known.insert(found) {
                    classes.push(found);
                }
            }
            (python.Py_DecRef)(below);
        }
    }
    classes
}
