//! Offers the extension module `_refloop`: what the bootstrap calls, and what a recorded program may call.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::allocator::{self, Parts};
use crate::collector::Collector;
use crate::cpython::debug_offsets::Published;
use crate::cpython::free_lists;
use crate::cpython::memory::type_of;
use crate::cpython::versions::CPython;
use crate::global;
use crate::options::{EventsMode, Options};
use crate::process::{Process, reason};
use crate::python::{
    Definition, FAST, Functions, Method, ModuleDef, NO_ARGUMENTS, Object, Shared, current_thread, exported, none, text,
};
use crate::recorder::Recorder;
use crate::runtime::{Runtime, missing};
use crate::stacks::Stacks;
use crate::walk::Walker;
use crate::{checkpoint, clock, exit, interpreters, system, termination};

/// Objects go around the free lists, from now to the end of the process.
static BYPASSED: AtomicBool = AtomicBool::new(false);

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

static METHODS: Shared<[Method; 17]> = Shared([
    fast(c"start", start, c"start(folder, version, executable, types, options=...): begin to record"),
    no_arguments(c"stop", stop, c"stop(): end the file; a later start begins another"),
    no_arguments(c"is_recording", is_recording, c"is_recording(): whether births and deaths are recorded"),
    no_arguments(c"path", path, c"path(): the file that is written, or None"),
    no_arguments(c"checkpoint", take_checkpoint, c"checkpoint(): write the whole heap as it is now"),
    fast(c"mark", mark, c"mark(kind, label): a phase begins: 'test', 'request', 'iteration', 'user'"),
    fast(c"phase", phase, c"phase(kind, label): as mark, without a checkpoint of what was before"),
    fast(
        c"sweep",
        sweep,
        c"sweep(generation=2): write what gc.collect() would find, collect nothing; how many objects",
    ),
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
    let Some(options) = options else { return Err("not started by refloop record".into()) };
    crate::memory::forget_refusal();
    // SAFETY: under the interpreter's lock, with objects that CPython handed over.
    unsafe {
        let version = text(&python, version);
        let Runtime { row, published, type_type } = Runtime::examine(&version)?;
        let code_type = exported(c"PyCode_Type").map_err(missing)?;
        let builtin = [c"PyList_Type", c"PyDict_Type", c"PyTuple_Type"];
        let [list, dict, tuple] = builtin.map(exported);
        let (list, dict, tuple) = (list.map_err(missing)?, dict.map_err(missing)?, tuple.map_err(missing)?);
        let current_thread = current_thread().map_err(missing)?;
        let keeps_births = options.events != EventsMode::None;
        let depth = if keeps_births { options.depth } else { 0 };
        let folder = text(&python, folder);
        let stacks = (depth > 0).then(|| Stacks::new(row, depth, python.PyCode_Addr2Line, code_type, folder));
        let mut recorder = Recorder::new(row, options.events, depth, stacks, type_type);
        let own = |name: &CStr| (python.PyDict_GetItemString)((python.PyModule_GetDict)(module), name.as_ptr());
        let (callback, terminated) = (own(c"_collection"), own(c"_terminated"));
        recorder.own = hide(&python, module);
        let mut walker = Walker::new(row, options.keys)?;
        walker.leave_out(&recorder.own);
        recorder.own.extend(walker.interned_strings());
        recorder.walker = Some(walker);
        let learnt = if keeps_births { (python.PyList_Size)(types) } else { 0 };
        for place in 0..learnt {
            let type_object = (python.PyList_GetItem)(types, place).addr();
            recorder.types.learn(&mut recorder.table, type_object);
        }
        if crate::memory::is_refused() {
            return Err("there is not enough memory for the recorder".into());
        }
        let bypassed = options.bypass && keeps_births;
        let output = options.output.clone();
        let mut process = Process::new(options, version, text(&python, executable));
        process.begin(&mut recorder, 0).map_err(|error| format!("{}: {}", output.display(), reason(&error)))?;
        if bypassed
            && !BYPASSED.swap(true, Ordering::Relaxed)
            && !switch_free_lists_off(row, published, (python.PyInterpreterState_Main)())
        {
            recorder.types.shadows = free_lists::bypass(list, dict, tuple);
        }
        if global::started() {
            global::resume(recorder, process);
            return Ok(());
        }
        let collector = Collector::watch(python, callback);
        allocator::install(Parts { python, row, recorder, process, current_thread, collector });
        system::at_fork(detach);
        exit::take_over(&python, own(c"_exit"));
        if is_launched {
            termination::watch(&python, terminated);
        }
        global::activate();
    }
    Ok(())
}

/// Switches the free lists of the interpreter off, where its version can; says whether it did.
unsafe fn switch_free_lists_off(row: &CPython, published: Option<Published>, interpreter: usize) -> bool {
    let end = published.and_then(|published| published.end_of_collector(interpreter));
    let (Some(lists), Some(end)) = (row.free_lists, end) else { return false };
    // SAFETY: the lists of a version with such a row are in the interpreter.
    unsafe { free_lists::switch_off(lists, end + lists.behind_collector) }
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
    let path = global::with_hook_off(|state| state.process.path().to_string_lossy().into_owned());
    match (path, Functions::find()) {
        // SAFETY: under the interpreter's lock.
        (Some(path), Ok(python)) => unsafe {
            (python.PyUnicode_FromStringAndSize)(path.as_ptr(), path.len().cast_signed())
        },
        _ => answer(),
    }
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
        if count != 1 || type_of((*arguments).addr()) != system::symbol(c"PyList_Type") {
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
        state.collecting = false;
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
        match state.process.begin(&mut state.recorder, parent) {
            Ok(()) => clock::start(state),
            Err(error) => {
                state.process.stopped(&error);
                global::stop();
            }
        }
    });
    answer()
}

/// In the child of any fork: the file is the parent's.
extern "C" fn detach() {
    // SAFETY: the child of a fork has one thread.
    if let Some(state) = unsafe { global::state() } {
        state.recorder.log.abandon();
    }
}

/// What functions without a result answer.
fn answer() -> Object {
    match Functions::find() {
        // SAFETY: under the interpreter's lock.
        Ok(python) => unsafe { none(&python) },
        Err(_) => null_mut(),
    }
}
