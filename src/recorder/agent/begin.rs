//! Begins a recording of this process: makes the recorder and its file, and puts the hook and the callbacks in place.

use crate::allocator::{self, Parts};
use crate::collector::Collector;
use crate::cpython::free_lists;
use crate::options::{EventsMode, Options};
use crate::process::{Process, refused};
use crate::python::{Functions, Object, current_thread, exported};
use crate::recorder::Recorder;
use crate::runtime::{Runtime, missing};
use crate::stacks::Stacks;
use crate::walk::Walker;
use crate::{exit, exit_marks, forks, global, memory};

/// What is recorded, and what of the recorder is in the program.
pub(crate) struct Plan<'a> {
    pub options: Options,
    /// `3.13.0`
    pub version: String,
    /// `sys.executable`
    pub executable: String,
    /// Python code in this folder is the recorder's own.
    pub folder: String,
    /// The recorder's functions for `gc.callbacks` and for `atexit`, alive as long as the recording.
    pub callback: Object,
    pub last: Object,
    /// Objects of the recorder, which are not in the trace.
    pub own: Vec<usize>,
    /// The type objects that there are, asked for where births are recorded.
    pub classes: &'a dyn Fn() -> Vec<usize>,
}

/// Begins, with the hook off; the caller activates it, unless an earlier recording of the process went on resting until now.
///
/// # Errors
/// A clause that says why nothing is recorded; nothing is in place then.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn recording(python: Functions, plan: Plan<'_>) -> Result<(), String> {
    let Plan { options, version, executable, folder, callback, last, own, classes } = plan;
    memory::forget_refusal();
    // SAFETY: as the caller promises.
    unsafe {
        let Runtime { row, published, type_type } = Runtime::examine(&version)?;
        let code_type = exported(c"PyCode_Type").map_err(missing)?;
        let builtin = [c"PyList_Type", c"PyDict_Type", c"PyTuple_Type"];
        let [list, dict, tuple] = builtin.map(exported);
        let builtin = [list.map_err(missing)?, dict.map_err(missing)?, tuple.map_err(missing)?];
        let current_thread = current_thread().map_err(missing)?;
        let keeps_births = options.events.keeps_births();
        let depth = if options.events == EventsMode::None { 0 } else { options.depth };
        let sites = if options.events == EventsMode::Leaks { options.sites.clone() } else { Vec::new() };
        let stacks = (depth > 0).then(|| Stacks::new(row, depth, python.PyCode_Addr2Line, code_type, folder, sites));
        let mut recorder = Recorder::new(row, options.events, depth, stacks, type_type);
        recorder.own = own;
        let mut walker = Walker::new(row, options.keys)?;
        walker.leave_out(&recorder.own);
        recorder.own.extend(walker.interned_strings());
        recorder.walker = Some(walker);
        if keeps_births {
            for class in classes() {
                recorder.types.learn(&mut recorder.table, class);
            }
        }
        if memory::is_refused() {
            return Err("there is not enough memory for the recorder".into());
        }
        let place = allocator::free_place()
            .ok_or("other wrappers of the allocator lie over all that earlier recordings have left there")?;
        let bypassed = options.bypass && keeps_births;
        let output = options.output.clone();
        let mut process = Process::new(options, version, executable);
        process.begin(&mut recorder, 0, true).map_err(|error| refused(&output, &error))?;
        if bypassed {
            recorder.types.shadows = free_lists::go_around(row, published, (python.PyInterpreterState_Main)(), builtin);
        }
        if global::started() {
            global::resume(recorder, process);
            return Ok(());
        }
        let collector = Collector::watch(python, callback);
        allocator::install(Parts { python, row, recorder, process, current_thread, collector, place });
        forks::watch();
        exit::take_over(&python, last);
        exit_marks::take_over(&python);
        // The collector may have run in what was done here, and nobody heard it.
        if let Some(collector) = global::state().and_then(|state| state.collector.as_mut()) {
            collector.begin();
        }
    }
    Ok(())
}
