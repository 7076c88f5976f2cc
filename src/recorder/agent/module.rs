//! Offers the extension module `_refloop`: what the bootstrap calls, and what a recorded program may call.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use crate::begin::{self, Plan};
use crate::collector::Collection;
use crate::cpython::memory::{flag, type_flags, type_of};
use crate::global;
use crate::options::Options;
use crate::python::{Definition, FAST, Functions, Method, ModuleDef, NO_ARGUMENTS, Object, Shared, none, text};
use crate::{checkpoint, clock, interpreters, system, termination};

/// `PYTHON_API_VERSION`.
const API_VERSION: i32 = 1013;

type NoArguments = unsafe extern "C" fn(Object, Object) -> Object;
type Fast = unsafe extern "C" fn(Object, *const Object, isize) -> Object;

const fn no_arguments(name: &'static CStr, function: NoArguments, doc: &'static CStr) -> Method {
    Method { name: name.as_ptr(), function: function as *const c_void, flags: NO_ARGUMENTS, doc: doc.as_ptr() }
}

const fn fast(name: &'static CStr, function: Fast, doc: &'static CStr) -> Method {
    Method { name: name.as_ptr(), function: function as *const c_void, flags: FAST, doc: doc.as_ptr() }
}

static METHODS: Shared<[Method; 19]> = Shared([
    fast(c"start", start, c"start(folder, version, executable, types, options=...): begin to record"),
    no_arguments(c"stop", stop, c"stop(): end the file; a later start begins another"),
    no_arguments(c"is_recording", is_recording, c"is_recording(): whether births and deaths are recorded"),
    no_arguments(c"path", path, c"path(): the file that is written, or None"),
    no_arguments(
        c"events",
        events,
        c"events(): 'none', 'leaks', 'survivors' or 'full', or None where nothing is recorded",
    ),
    no_arguments(c"checkpoint", take_checkpoint, c"checkpoint(): write the whole heap as it is now"),
    fast(c"mark", mark, c"mark(kind, label): a phase begins: 'test', 'request', 'iteration', 'user'"),
    fast(c"phase", phase, c"phase(kind, label): as mark, without a checkpoint of what was before"),
    fast(
        c"sweep",
        sweep,
        c"sweep(generation=2): write what gc.collect() would find, collect nothing; how many objects",
    ),
    no_arguments(c"flush", flush, c"flush(): bring what was written into the file"),
    fast(c"sweep_since", sweep_since, c"sweep_since(list): as sweep(), of what was made after this list"),
    fast(c"_collection", collection, c"for gc.callbacks"),
    fast(c"_signalled", signalled, c"for signal.signal"),
    fast(c"_terminated", termination::terminated, c"for signal.signal"),
    no_arguments(c"_before_fork", before_fork, c"for os.register_at_fork"),
    no_arguments(c"_after_fork", after_fork, c"for os.register_at_fork"),
    no_arguments(c"_forked", forked, c"for os.register_at_fork"),
    no_arguments(c"_exit", at_exit, c"for atexit.register"),
    Method { name: std::ptr::null(), function: std::ptr::null(), flags: 0, doc: std::ptr::null() },
]);

static DEFINITION: Definition = ModuleDef::new(
    c"_refloop",
    c"Records what the program does with its objects.".as_ptr(),
    METHODS.0.as_ptr(),
    std::ptr::null(),
);

/// The definition of a function of the module, by its name.
pub(crate) fn method(name: &CStr) -> Option<&'static Method> {
    // SAFETY: the names are static texts, but for that of the end.
    METHODS.0.iter().find(|method| !method.name.is_null() && unsafe { CStr::from_ptr(method.name) } == name)
}

/// What CPython calls as it loads the module.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn PyInit__refloop() -> Object {
    match Functions::find() {
        // SAFETY: the definition lives for ever.
        Ok(python) => unsafe { (python.PyModule_Create2)(DEFINITION.0.get(), API_VERSION) },
        Err(_) => null_mut(),
    }
}

/// `start(folder, version, executable, types)`: an empty text, or why nothing is recorded; `None` where the process is
/// recorded already, as in a sub-interpreter. What to record is in the environment, or in a fifth argument of the same
/// form; then it may be called again after `stop()`.
unsafe extern "C" fn start(module: Object, arguments: *const Object, count: isize) -> Object {
    let Ok(python) = Functions::find() else { return null_mut() };
    // SAFETY: CPython hands over `count` objects.
    unsafe {
        let arguments = std::slice::from_raw_parts(arguments, count.cast_unsigned());
        if !global::is_recording() {
            // A recording that failed left its clock.
            clock::stop();
        }
        let answer = match begin(python, module, arguments) {
            Ok(()) => {
                global::with_hook_off(clock::start);
                String::new()
            }
            Err(reason) if reason.is_empty() => return none(&python),
            Err(reason) => reason,
        };
        (python.PyUnicode_FromStringAndSize)(answer.as_ptr(), answer.len().cast_signed())
    }
}

unsafe fn begin(python: Functions, module: Object, arguments: &[Object]) -> Result<(), String> {
    let (&[folder, version, executable, types], options) = (match arguments {
        [four @ .., options] if four.len() == 4 => (four, Some(*options)),
        four => (four, None),
    }) else {
        return Err("start takes four arguments, or five".into());
    };
    if global::is_recording() || global::started() && options.is_none() {
        // SAFETY: under the lock of the interpreter that loads the recorder.
        global::with_hook_off(|state| unsafe { interpreters::meet(state) });
        return Err(String::new());
    }
    let is_launched = options.is_none();
    let options = match options {
        // SAFETY: an object that CPython handed over.
        Some(options) => Options::parse(&unsafe { text(&python, options) }),
        None => Options::from_environment(),
    };
    let Some(options) = options else { return Err("the recorder does not know what it is asked for".into()) };
    // SAFETY: under the interpreter's lock, with objects that CPython handed over.
    unsafe {
        let own = |name: &CStr| (python.PyDict_GetItemString)((python.PyModule_GetDict)(module), name.as_ptr());
        let classes = || {
            let class = |place| (python.PyList_GetItem)(types, place).addr();
            (0..(python.PyList_Size)(types)).map(class).collect()
        };
        let terminated = own(c"_terminated");
        begin::recording(
            python,
            Plan {
                options,
                version: text(&python, version),
                executable: text(&python, executable),
                folder: text(&python, folder),
                callback: own(c"_collection"),
                last: own(c"_exit"),
                own: hide(&python, module),
                classes: &classes,
            },
        )?;
        if is_launched {
            termination::watch(&python, terminated);
        }
        global::activate();
    }
    Ok(())
}

/// The module and its functions, out of the collector's sight.
unsafe fn hide(python: &Functions, module: Object) -> Vec<usize> {
    let mut own = Vec::new();
    // SAFETY: the module is alive, and so is what it holds.
    unsafe {
        let names = (python.PyModule_GetDict)(module);
        for object in [module, names] {
            (python.PyObject_GC_UnTrack)(object);
            own.push(object.addr());
        }
        for method in METHODS.0.iter().filter(|method| !method.name.is_null()) {
            let function = (python.PyDict_GetItemString)(names, method.name);
            if !function.is_null() {
                // It stays for ever: to free it, CPython 3.9.2 takes it out of the collector's list once more, unasked.
                (python.Py_IncRef)(function);
                (python.PyObject_GC_UnTrack)(function);
                own.push(function.addr());
            }
        }
    }
    own
}

unsafe extern "C" fn take_checkpoint(_: Object, _: Object) -> Object {
    checkpoint::now();
    answer()
}

unsafe extern "C" fn stop(_: Object, _: Object) -> Object {
    // SAFETY: CPython calls it under the lock.
    unsafe { clock::stop() };
    checkpoint::stop();
    answer()
}

unsafe extern "C" fn is_recording(_: Object, _: Object) -> Object {
    match Functions::find() {
        // SAFETY: under the interpreter's lock.
        Ok(python) => unsafe { (python.PyBool_FromLong)(global::is_recording().into()) },
        Err(_) => null_mut(),
    }
}

unsafe extern "C" fn path(_: Object, _: Object) -> Object {
    answer_text(global::with_hook_off(|state| state.process.path().to_string_lossy().into_owned()))
}

unsafe extern "C" fn events(_: Object, _: Object) -> Object {
    answer_text(global::with_hook_off(|state| state.process.options.events.name().to_owned()))
}

unsafe extern "C" fn flush(_: Object, _: Object) -> Object {
    checkpoint::flush_now();
    answer()
}

unsafe extern "C" fn sweep(_: Object, arguments: *const Object, count: isize) -> Object {
    let Ok(python) = Functions::find() else { return null_mut() };
    // SAFETY: CPython hands over `count` objects; what is no number is told by a pending error.
    unsafe {
        let generation = match count {
            0 => 2,
            _ => (python.PyLong_AsLong)(*arguments),
        };
        if generation < 0 {
            let class = system::symbol(c"PyExc_ValueError") as *const Object;
            (python.PyErr_SetString)(*class, c"sweep takes a generation, 0, 1 or 2".as_ptr());
            return null_mut();
        }
        (python.PyLong_FromLong)(checkpoint::sweep(generation.min(2) as u8) as i64)
    }
}

unsafe extern "C" fn sweep_since(_: Object, arguments: *const Object, count: isize) -> Object {
    let Ok(python) = Functions::find() else { return null_mut() };
    // SAFETY: CPython hands over `count` objects, which live as long as the call.
    unsafe {
        // A list always has a head of the collector.
        if count != 1 || type_flags(type_of((*arguments).addr())) & flag::LIST_SUBCLASS == 0 {
            let class = system::symbol(c"PyExc_TypeError") as *const Object;
            (python.PyErr_SetString)(*class, c"sweep_since takes a list".as_ptr());
            return null_mut();
        }
        (python.PyLong_FromLong)(checkpoint::sweep_since((*arguments).addr()) as i64)
    }
}

unsafe extern "C" fn mark(_: Object, arguments: *const Object, count: isize) -> Object {
    // SAFETY: what CPython handed over.
    unsafe { with_mark(arguments, count, checkpoint::mark) }
}

unsafe extern "C" fn phase(_: Object, arguments: *const Object, count: isize) -> Object {
    // SAFETY: what CPython handed over.
    unsafe { with_mark(arguments, count, checkpoint::phase) }
}

unsafe fn with_mark(arguments: *const Object, count: isize, begin: fn(&str, &str)) -> Object {
    let Ok(python) = Functions::find() else { return null_mut() };
    // SAFETY: CPython hands over `count` objects.
    unsafe {
        let arguments = std::slice::from_raw_parts(arguments, count.cast_unsigned());
        let &[kind, label] = arguments else {
            let class = system::symbol(c"PyExc_TypeError") as *const Object;
            (python.PyErr_SetString)(*class, c"mark takes a kind and a label".as_ptr());
            return null_mut();
        };
        let (kind, label) = (text(&python, kind), text(&python, label));
        begin(&kind, &label);
    }
    answer()
}

unsafe extern "C" fn signalled(_: Object, _: *const Object, _: isize) -> Object {
    checkpoint::now();
    answer()
}

unsafe extern "C" fn at_exit(_: Object, _: Object) -> Object {
    // SAFETY: CPython calls it under the lock, before it takes itself apart.
    unsafe { clock::stop() };
    termination::release();
    checkpoint::last();
    answer()
}

/// `gc.callbacks` calls it with `"start"` or `"stop"` and a dict.
unsafe extern "C" fn collection(_: Object, arguments: *const Object, count: isize) -> Object {
    global::with_hook_off(|state| {
        if count != 2 {
            return;
        }
        let python = state.python;
        // SAFETY: CPython hands over two objects.
        unsafe {
            let (phase, facts) = (*arguments, *arguments.add(1));
            let number = |name: &CStr| {
                let value = (python.PyDict_GetItemString)(facts, name.as_ptr());
                if value.is_null() { 0 } else { (python.PyLong_AsLong)(value).max(0).cast_unsigned() }
            };
            let generation = number(c"generation") as u8;
            match text(&python, phase).as_str() {
                "start" => checkpoint::collection_starts(state, generation),
                _ => checkpoint::collection_stops(state, generation, number(c"collected"), number(c"uncollectable")),
            }
        }
    });
    answer()
}

/// Before a fork, and before CPython makes itself ready for one.
unsafe extern "C" fn before_fork(_: Object, _: Object) -> Object {
    // SAFETY: CPython calls it under the lock.
    unsafe { clock::stop() };
    answer()
}

/// In the parent, as a fork is done.
unsafe extern "C" fn after_fork(_: Object, _: Object) -> Object {
    clock::after_fork();
    answer()
}

/// In the child of a fork, before anything else runs there: its own file.
unsafe extern "C" fn forked(_: Object, _: Object) -> Object {
    global::with_hook_off(|state| {
        let parent = state.process.id();
        if parent == std::process::id() {
            return;
        }
        state.collection = state.collection.in_a_child();
        state.is_awaited = false;
        state.seen_until = 0;
        state.other_interpreters = 0;
        interpreters::forget();
        let forks = state.process.options.forks;
        // SAFETY: under the interpreter's lock, in the child's only thread.
        unsafe { termination::forked(&state.python, forks) };
        if !forks {
            return global::stop();
        }
        let in_order = state.collection == Collection::None;
        match state.process.begin(&mut state.recorder, parent, in_order) {
            Ok(()) => clock::start(state),
            Err(error) => {
                state.process.stopped(&error);
                global::stop();
            }
        }
    });
    answer()
}

fn answer_text(text: Option<String>) -> Object {
    match (text, Functions::find()) {
        // SAFETY: under the interpreter's lock.
        (Some(text), Ok(python)) => unsafe {
            (python.PyUnicode_FromStringAndSize)(text.as_ptr(), text.len().cast_signed())
        },
        _ => answer(),
    }
}

/// What functions without a result answer.
pub(crate) fn answer() -> Object {
    match Functions::find() {
        // SAFETY: under the interpreter's lock.
        Ok(python) => unsafe { none(&python) },
        Err(_) => null_mut(),
    }
}
