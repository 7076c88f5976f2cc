//! Does what is asked from outside while the program runs: a debugger, or a script that CPython was asked to run, hands over
//! a text.
//!
//! A thread of the agent's own takes the interpreter's lock and does it, so the program may be anywhere: who hands over the
//! text waits for nothing. The thread is gone when it is done. Before it begins it takes a file away; who asked takes the same
//! file away to take the request back, so one of both is sure.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use crate::interpreters::count_others;
use crate::memory::forget_refusal;
use crate::options::{EventsMode, Options, value};
use crate::process::{Process, refused};
use crate::python::{Definition, Functions, ModuleDef, Object, Shared, none, text};
use crate::recorder::Recorder;
use crate::runtime::{Runtime, missing};
use crate::walk::Walker;
use crate::{attached, clock, copied, global, system, thread};

/// Takes a request, in lines of `key=value`; 0, or the number of an error of the system.
///
/// # Safety
/// The text ends with a zero byte. Not in a thread that is in the memory allocator or in the loader.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn refloop_attach(request: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    let request = unsafe { CStr::from_ptr(request) }.to_string_lossy().into_owned();
    // What CPython is to call soon, the child of a fork is to call too.
    if value(&request, "process") != Some(std::process::id().to_string().as_str()) {
        return 0;
    }
    let request = Box::into_raw(Box::new(request));
    match thread::spawn_alone(run, request.cast()) {
        Ok(()) => 0,
        Err(error) => {
            // SAFETY: no thread has it.
            drop(unsafe { Box::from_raw(request) });
            error.raw_os_error().unwrap_or(-1)
        }
    }
}

/// What CPython loads where a script brings the request: `_imp.create_dynamic` of a spec with a `request`. No module is made.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn PyInit__refloop_attach() -> Object {
    match Functions::find() {
        // SAFETY: the definition lives for ever.
        Ok(python) => unsafe { (python.PyModuleDef_Init)(DEFINITION.0.get()) },
        Err(_) => null_mut(),
    }
}

/// `Py_mod_create`, and the end of the slots.
static SLOTS: Shared<[Slot; 2]> = Shared([(1, create as Create as *const c_void), (0, null())]);
static DEFINITION: Definition = ModuleDef::new(c"_refloop_attach", null(), null(), SLOTS.0.as_ptr().cast());

type Create = unsafe extern "C" fn(Object, *mut ModuleDef) -> Object;
type Slot = (c_int, *const c_void);

/// Takes the request of the spec; the module is `None`.
unsafe extern "C" fn create(spec: Object, _: *mut ModuleDef) -> Object {
    let Ok(python) = Functions::find() else { return null_mut() };
    // SAFETY: CPython hands over the spec, under its lock.
    unsafe {
        let request = (python.PyObject_GetAttrString)(spec, c"request".as_ptr());
        if request.is_null() {
            return null_mut();
        }
        let mut line = text(&python, request);
        (python.Py_DecRef)(request);
        line.push('\0');
        refloop_attach(line.as_ptr().cast());
        none(&python)
    }
}

/// CPython may end this thread where it waits for the lock, so nothing is there to be dropped then.
extern "C-unwind" fn run(request: *mut c_void) -> *mut c_void {
    thread::introduce_alone();
    let python = match Functions::find() {
        Ok(python) => python,
        Err(name) => {
            // SAFETY: as below.
            let request = unsafe { Box::from_raw(request.cast::<String>()) };
            if let Some(options) = Options::parse(&request) {
                options.say("refused", &missing(name));
            }
            return null_mut();
        }
    };
    let (mut has_claimed, mut attended) = (false, Attended::Later);
    // SAFETY: the request came from a box, of which this is the only owner; the thread is new.
    unsafe {
        let request = request.cast::<String>();
        let is_done = thread::until_done(&python, || {
            attended = attend(&python, &*request, &mut has_claimed);
            attended != Attended::Later
        });
        if is_done {
            let request = Box::from_raw(request);
            give_room_back(&request);
            drop(request);
            if attended == Attended::Copied {
                copied::watch(&python);
            }
        }
    }
    null_mut()
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attended {
    /// It must wait for a collection to end, or for a debugger to let go.
    Later,
    Done,
    /// A copy was made, which is to be watched.
    Copied,
}

/// Does what the request asks for.
///
/// # Safety
/// Under the interpreter's lock.
unsafe fn attend(python: &Functions, request: &str, has_claimed: &mut bool) -> Attended {
    let (Some(options), Some(claim)) = (Options::parse(request), value(request, "claim")) else {
        return Attended::Done;
    };
    let action = value(request, "action").unwrap_or_default();
    // SAFETY: as the caller promises.
    let target = match unsafe { Target::examine(python, &options, action) } {
        Ok(target) => target,
        Err(reason) => {
            if *has_claimed || is_claimed(claim) {
                options.say("refused", &reason);
            }
            return Attended::Done;
        }
    };
    // What a debugger has when it is copied, it may leave stopped.
    let is_early = action == "copy" && is_traced();
    // SAFETY: as above.
    if is_early || unsafe { target.is_collecting(python) } {
        let is_taken_back = !*has_claimed && !Path::new(claim).exists();
        return if is_taken_back { Attended::Done } else { Attended::Later };
    }
    if !*has_claimed && !is_claimed(claim) {
        return Attended::Done;
    }
    *has_claimed = true;
    let start = system::now();
    // SAFETY: as above, outside collections.
    unsafe {
        target.forget_script(value(request, "script").unwrap_or_default());
        match action {
            "record" => {
                let asking = options.clone();
                match attached::begin(*python, options, target.version, executable(python)) {
                    Ok(()) => pause(&asking, start),
                    Err(reason) => asking.say("refused", &reason),
                }
            }
            "detach" => {
                // It gives the lock up.
                clock::stop();
                if target.is_collecting(python) {
                    return Attended::Later;
                }
                attached::end(python, &options);
                pause(&options, start);
            }
            "copy" => {
                let asking = options.clone();
                let walk = |options| drop(target.snapshot(python, options, true));
                match copied::begin(python, options, start, walk) {
                    Ok(()) => return Attended::Copied,
                    Err(reason) => asking.say("refused", &reason),
                }
            }
            _ => pause(&target.snapshot(python, options, false), start),
        }
    }
    Attended::Done
}

/// Whether a collection goes on.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn is_collecting(python: &Functions) -> bool {
    // SAFETY: as the caller promises.
    unsafe { Target::of(python, false).is_ok_and(|target| target.is_collecting(python)) }
}

/// Whether a debugger has the process, or this thread.
fn is_traced() -> bool {
    let is_traced = |line: &str| line.strip_prefix("TracerPid:").is_some_and(|id| id.trim() != "0");
    let files = ["/proc/self/status", "/proc/thread-self/status"];
    files.iter().any(|file| fs::read_to_string(file).is_ok_and(|status| status.lines().any(is_traced)))
}

/// Says how long the program stood still.
fn pause(options: &Options, start: u64) {
    options.say("paused", &(system::now() - start).to_string());
}

/// The room in which a debugger left the script that brought the request.
///
/// # Safety
/// The script was run.
unsafe fn give_room_back(request: &str) {
    let room = value(request, "room").and_then(|room| room.split_once(' '));
    if let Some((Ok(address), Ok(length))) = room.map(|(address, length)| (address.parse(), length.parse())) {
        // SAFETY: as the caller promises, nothing reads it any more.
        unsafe { system::unmap(std::ptr::with_exposed_provenance_mut(address), length) };
    }
}

/// Whether the request is still wanted; it is this one's from now on.
fn is_claimed(claim: &str) -> bool {
    fs::remove_file(claim).is_ok()
}

/// This process, as far as it was looked at.
struct Target {
    version: String,
    runtime: Runtime,
    walker: Walker,
}

impl Target {
    unsafe fn examine(python: &Functions, options: &Options, action: &str) -> Result<Target, String> {
        // SAFETY: as the caller promises, under the interpreter's lock.
        match unsafe { attached::why_not_ended() } {
            Some(reason) if action == "detach" => return Err(reason.into()),
            _ if action != "detach" && global::is_recording() => return Err("it is recorded already".into()),
            // SAFETY: as above.
            _ if unsafe { copied::is_walked() } => return Err("a copy of it is walked at this moment".into()),
            _ => {}
        }
        if action != "detach" {
            forget_refusal();
        }
        // SAFETY: as the caller promises, under the interpreter's lock.
        unsafe { Target::of(python, options.keys) }
    }

    unsafe fn of(python: &Functions, keys: bool) -> Result<Target, String> {
        if system::symbol(c"_Py_NegativeRefcount") != 0 {
            return Err("debug builds of CPython cannot be recorded".into());
        }
        // SAFETY: CPython gives a text that lives for ever.
        let version = unsafe { CStr::from_ptr((python.Py_GetVersion)()) }.to_string_lossy();
        let version = version.split([' ', '+']).next().unwrap_or_default().to_owned();
        // SAFETY: as the caller promises, under the interpreter's lock.
        unsafe {
            let runtime = Runtime::examine(&version)?;
            let walker = Walker::new(runtime.row, keys)?;
            Ok(Target { version, runtime, walker })
        }
    }

    unsafe fn is_collecting(&self, python: &Functions) -> bool {
        // SAFETY: as the caller promises, under the interpreter's lock.
        unsafe {
            let main = (python.PyInterpreterState_Main)();
            let published = self.runtime.published.and_then(|published| published.is_collecting(main));
            published.unwrap_or_else(|| self.walker.is_collecting())
        }
    }

    /// The request came another way than by this script, which still waits to be run.
    unsafe fn forget_script(&self, script: &str) {
        let Some(published) = self.runtime.published else { return };
        // SAFETY: as the caller promises, under the interpreter's lock.
        unsafe {
            for thread in self.walker.threads() {
                published.forget_script(thread, script.as_bytes());
            }
        }
    }

    /// Writes a trace with one full checkpoint, and leaves nothing behind. It may search for references that objects do not show.
    unsafe fn snapshot(self, python: &Functions, options: Options, search: bool) -> Options {
        let Target { version, runtime, walker } = self;
        let mut recorder = Recorder::new(runtime.row, EventsMode::Survivors, 0, None, runtime.type_type);
        let output: PathBuf = options.output.clone();
        let mut process = Process::new(options, version, executable(python));
        if let Err(error) = process.begin(&mut recorder, 0, true) {
            process.options.say("refused", &refused(&output, &error));
            return process.options;
        }
        // SAFETY: as the caller promises, under the interpreter's lock and outside collections.
        unsafe {
            recorder.own.extend(walker.interned_strings());
            let mut walker = walker;
            let others = count_others(python, (python.PyInterpreterState_Main)());
            if others > 0 {
                recorder.log.emit(|encoder| encoder.interpreters(others));
            }
            walker.full(&mut recorder, search);
        }
        recorder.checkpoints += 1;
        process.finish(&mut recorder);
        process.options
    }
}

/// `sys.executable`.
fn executable(python: &Functions) -> String {
    // SAFETY: under the interpreter's lock; the reference is borrowed.
    unsafe {
        match (python.PySys_GetObject)(c"executable".as_ptr()) {
            object if object.is_null() => String::new(),
            object => text(python, object),
        }
    }
}
