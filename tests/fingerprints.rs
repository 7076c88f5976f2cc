//! Fingerprints of real recordings: the same bug has the same one in every run, on every CPython, and after unrelated
//! lines have moved.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::{Python, pythons, refloop, root};

/// One loop of each kind that programs have, and how it is told.
const PATHS: [&str; 16] = [
    "Api.get → _lru_cache_wrapper.__wrapped__ → method _get.__self__ → Api",
    "Context.error[*] → traceback.tb_frame → frame make_exit local context → Context",
    "Cursor.parser → Parser.cursor → Cursor",
    "Dated.callback → partial.func → method use.__self__ → Dated",
    "Employee.assistant → Employee.boss → Employee",
    "Event.listeners[*] → function <lambda> → cell self → Model.changed → Event",
    "Job.steps → generator walk local self → Job",
    "Node.children['left'] → Node.parent → Node",
    "Order.items[*] → Line.order → Order",
    "Slotted.left → Slotted.right → Slotted",
    "ValueError.__traceback__ → traceback.tb_frame → frame make_exception local caught → ValueError",
    "Worker.handler → method run.__self__ → Worker",
    "class Made.__mro__[*] → class Made",
    "function on_click → cell button → Button.on_click → function on_click",
    "function visit → cell visit → function visit",
    "list[*] → list",
];

/// Path and fingerprint of each loop of the application.
fn loops(python: &Python, directory: &Path, program: &str) -> BTreeSet<(String, String)> {
    let trace = directory.join("loops.reftrace");
    fs::write(directory.join("loops.py"), program).unwrap();
    let mut command = refloop();
    command.current_dir(directory).arg("record").arg("-q").arg("-o").arg(&trace).arg("--");
    let recorded = command.arg(&python.path).arg("loops.py").output().unwrap();
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let report = refloop().args(["loops", "-q", "--format", "json"]).arg(&trace).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let rows = report["loops"].as_array().unwrap().iter().filter(|row| row["owner"] == "application");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_string();
    rows.map(|row| (text(&row["path"]), text(&row["fingerprint"]))).collect()
}

#[test]
fn the_same_bug_has_the_same_name_in_every_run_and_on_every_cpython() {
    let program = fs::read_to_string(root().join("fixtures/programs/loops.py")).unwrap();
    let moved = format!("import json\n\nTABLE = {{n: str(n) for n in range(100)}}\n\n{program}");
    let directory = tempfile::tempdir().unwrap();
    let mut known = None;
    for python in pythons() {
        let found = loops(&python, directory.path(), &program);
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, PATHS, "3.{}", python.minor);
        let known = known.get_or_insert_with(|| found.clone());
        assert_eq!(*known, found, "3.{}", python.minor);
        assert_eq!(*known, loops(&python, directory.path(), &moved), "3.{}, moved", python.minor);
    }
}
