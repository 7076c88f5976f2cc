//! What a program takes away from the recorder, and what it leaves out: the allocator's hook, and the heap of a parent.

use serde_json::Value;

use crate::record::{Place, checked, text};
use crate::support::pythons::Python;
use crate::support::refloop;

on_each_python! {
    a_hook_that_is_taken_away_is_put_back_and_what_went_unseen_is_told,
    memory_that_is_used_again_unseen_makes_no_loops,
    what_lies_over_the_hook_takes_nothing_away,
    a_hook_that_is_taken_away_again_and_again_ends_the_recording_and_not_the_program,
    why_a_recording_stopped_stands_in_the_trace,
    a_forked_process_that_ends_writes_its_own_and_not_its_parents,
}

const LOOPS: &str = "import gc, sys, tracemalloc\ntry: import _refloop\nexcept ImportError: _refloop = None\n\
    checkpoint = _refloop.checkpoint if _refloop else lambda: None\ngc.disable()\nclass Loop: pass\n\
    def make(n):\n    for _ in range(n):\n        loop = Loop()\n        loop.me = loop\n";

/// The modes in which a program is recorded, and whether births are seen in it.
const MODES: [(&str, bool); 3] = [("survivors", true), ("full", true), ("none", false)];

/// Records a program under `-X tracemalloc`, so that `tracemalloc.stop()` takes the hook away.
fn under_tracemalloc(python: &Python, mode: &str, program: &str) -> (Place, String, Value) {
    let place = Place::with(&format!("{LOOPS}{program}"));
    let alone = place.alone(&python.path, &["-X", "tracemalloc", "app.py"]);
    let recorded = place.recorded(&["--events", mode], &python.path, &["-X", "tracemalloc", "app.py"]);
    let said = text(&recorded.stderr);
    assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python} {mode}: {said}");
    assert_eq!(recorded.status.code(), alone.status.code(), "{python} {mode}: {said}");
    let (_, report) = checked(&place.traces()[0]);
    (place, said, report)
}

/// How many loops of a class there are in a report.
fn loops(report: &Value, path: &str) -> u64 {
    let rows = report["loops"].as_array().unwrap().iter();
    rows.filter(|row| row["path"] == path).map(|row| row["count"].as_u64().unwrap()).sum()
}

fn a_hook_that_is_taken_away_is_put_back_and_what_went_unseen_is_told(python: &Python) {
    // Found before; made unseen, and there afterwards; made and collected after the hook is back.
    let program = "make(100)\ncheckpoint()\ntracemalloc.stop()\nmake(100)\ncheckpoint()\n\
        make(100)\nprint(gc.collect() >= 300)\nmake(100)\n";
    for (mode, sees_births) in MODES {
        let (_, said, report) = under_tracemalloc(python, mode, program);
        assert!(!said.contains("stopped"), "{python} {mode}: {said}");
        assert_eq!(loops(&report, "Loop.me → Loop"), 400, "{python} {mode}");
        assert_eq!(report["anomalies"], Value::Array(Vec::new()), "{python} {mode}");
        let unseen = &report["inputs"][0]["births_unseen"];
        assert_eq!(unseen["times"].as_u64(), sees_births.then_some(1), "{python} {mode}: {unseen}");
        assert!(!sees_births || unseen["from_ns"].as_u64() < unseen["to_ns"].as_u64(), "{python} {mode}: {unseen}");
    }
    // A gate that finds nothing does not pass, and the page says from when to when.
    let place = Place::with("import tracemalloc\ntracemalloc.stop()\n");
    place.recorded(&["-q"], &python.path, &["-X", "tracemalloc", "app.py"]);
    let output = refloop().args(["check", "app.reftrace"]).current_dir(place.path()).output().unwrap();
    let (page, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{python}: {page}{said}");
    assert!(page.contains("births and deaths from 0."), "{python}: {page}");
    assert!(said.contains("error: births were not seen"), "{python}: {said}");
}

fn memory_that_is_used_again_unseen_makes_no_loops(python: &Python) {
    for (program, least, most) in [
        // Alive when the hook went; dead unseen, and others in their place.
        (
            "kept = []\nfor _ in range(200):\n    kept.append(Loop())\n    kept[-1].me = kept[-1]\n\
             checkpoint()\ntracemalloc.stop()\nfor loop in kept: loop.me = None\n\
             del loop\nkept.clear()\nmake(150)\ncheckpoint()\n",
            150,
            150,
        ),
        // Garbage when the hook went; collected unseen, and other garbage in its place, over and over.
        (
            "make(100)\ncheckpoint()\ngc.callbacks.clear()\ntracemalloc.stop()\n\
             for _ in range(5):\n    gc.collect()\n    make(100)\ncheckpoint()\n\
             for _ in range(5):\n    make(7)\n    gc.collect()\n",
            135,
            635,
        ),
        // Objects of other classes come to the places of the loops.
        (
            "class Other: pass\nmake(100)\ncheckpoint()\ngc.callbacks.clear()\n\
             tracemalloc.stop()\ngc.collect()\nkept = [Other() for _ in range(300)]\ncheckpoint()\n\
             for other in kept: other.me = other\nmake(20)\n",
            120,
            120,
        ),
    ] {
        for (mode, _) in MODES {
            let (_, _, report) = under_tracemalloc(python, mode, program);
            let found = loops(&report, "Loop.me → Loop");
            assert!((least..=most).contains(&found), "{python} {mode}: {found} of {least} to {most}: {program}");
            assert_eq!(loops(&report, "Other.me → Other"), 0, "{python} {mode}");
            assert_eq!(report["anomalies"], Value::Array(Vec::new()), "{python} {mode}");
        }
    }
}

fn what_lies_over_the_hook_takes_nothing_away(python: &Python) {
    let place = Place::with(&format!(
        "{LOOPS}for _ in range(10):\n    tracemalloc.start()\n    make(10)\n    checkpoint()\n\
         \x20   tracemalloc.stop()\n    make(10)\n    gc.collect()\n"
    ));
    let recorded = place.recorded(&["--events", "full"], &python.path, &["app.py"]);
    assert!(!text(&recorded.stderr).contains("stopped"), "{python}: {}", text(&recorded.stderr));
    let (_, report) = checked(&place.traces()[0]);
    assert_eq!(loops(&report, "Loop.me → Loop"), 200, "{python}");
    assert_eq!(report["inputs"][0]["births_unseen"], Value::Null, "{python}");
}

fn a_hook_that_is_taken_away_again_and_again_ends_the_recording_and_not_the_program(python: &Python) {
    // `PyMem_SetAllocator` of the allocator that was there before the recorder, ten times.
    let program = "import ctypes\n\
        class Allocator(ctypes.Structure):\n    _fields_ = [(name, ctypes.c_void_p) for name in 'context malloc calloc realloc free'.split()]\n\
        raw = Allocator()\nctypes.pythonapi.PyMem_GetAllocator(1, ctypes.byref(raw))\n\
        for _ in range(10):\n    ctypes.pythonapi.PyMem_SetAllocator(2, ctypes.byref(raw))\n    make(5)\n    checkpoint()\n\
        print('done')\n";
    let place = Place::with(&format!("{LOOPS}{program}"));
    let recorded = place.recorded(&[], &python.path, &["app.py"]);
    let said = text(&recorded.stderr);
    assert_eq!((text(&recorded.stdout).as_str(), recorded.status.code()), ("done\n", Some(0)), "{python}: {said}");
    assert!(said.contains("again and again") && said.contains("the program goes on"), "{python}: {said}");
    let (_, report) = checked(&place.traces()[0]);
    assert_eq!(loops(&report, "Loop.me → Loop"), 15, "{python}");
    assert_eq!(report["inputs"][0]["births_unseen"]["times"], 3, "{python}");
    let reason = report["inputs"][0]["stopped"].as_str().unwrap_or_default();
    assert!(reason.contains("again and again"), "{python}: {reason}");
}

fn why_a_recording_stopped_stands_in_the_trace(python: &Python) {
    let program = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n\
        kept = [(i, str(i)) for i in range(100000)]\n";
    let place = Place::with(program);
    let recorded = place.recorded(&["--events", "full"], &python.path, &["app.py"]);
    let said = text(&recorded.stderr);
    assert_eq!(recorded.status.code(), Some(0), "{python}: {said}");
    let (code, report) = checked(&place.traces()[0]);
    assert_eq!((report["inputs"][0]["stopped"].as_str(), code), (Some("file too large"), Some(3)), "{python}: {said}");
    let page = refloop().args(["check", "app.reftrace"]).current_dir(place.path()).output().unwrap();
    for text in [text(&page.stdout), text(&page.stderr)] {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("the recording stopped") && words.contains("file too large"), "{python}: {text}");
    }
}

fn a_forked_process_that_ends_writes_its_own_and_not_its_parents(python: &Python) {
    const CHILDREN: usize = 6;
    let program = format!(
        "{LOOPS}import os\nclass Inherited: pass\nkept = Inherited()\nkept.me = kept\nmake(2)\n\
         for nth in range({CHILDREN}):\n    if os.fork() == 0:\n        make(3)\n        mine = [Loop() for _ in range(10)]\n\
         \x20       if nth % 2: kept = None\n        if nth == 5: gc.collect()\n        os._exit(0)\n    os.wait()\nmake(5)\n"
    );
    let place = Place::with(&program);
    for (mode, sees_births) in MODES {
        place.recorded(&["-q", "--events", mode], &python.path, &["app.py"]);
        let traces = place.traces();
        assert_eq!(traces.len(), CHILDREN + 1, "{python} {mode}");
        for (nth, trace) in traces.iter().enumerate().skip(1) {
            let (_, report) = checked(trace);
            let input = &report["inputs"][0];
            // Garbage from before the fork is garbage in the child as well.
            assert_eq!(loops(&report, "Loop.me → Loop"), 5, "{python} {mode} {nth}");
            assert_eq!(report["anomalies"], Value::Array(Vec::new()), "{python} {mode} {nth}");
            assert_eq!((&input["known"], &input["own_only"]), (&"end".into(), &sees_births.into()), "{python} {mode}");
            let bytes = trace.metadata().unwrap().len();
            assert!(bytes < 8_000, "{python} {mode} {nth}: {bytes} bytes");
        }
        let (_, all) = checked(place.path());
        assert_eq!(loops(&all, "Inherited.me → Inherited"), 3, "{python} {mode}");
    }
}
