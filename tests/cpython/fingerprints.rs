//! Fingerprints of real recordings: the same bug has the same one in every run, on every CPython, and after unrelated
//! lines have moved.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::each::report;
use crate::support::pythons::Python;
use crate::support::{refloop, root};

on_each_python! {
    the_same_bug_has_the_same_name_in_every_run_and_on_every_cpython,
    one_line_of_a_base_class_is_one_bug_in_all_its_subclasses,
}

/// One loop of each kind that programs have: its path and its fingerprint.
const LOOPS: [(&str, &str); 16] = [
    ("Api.get → _lru_cache_wrapper.__wrapped__ → method _get.__self__ → Api", "79d099cab9b350a7"),
    ("Context.error[*] → traceback.tb_frame → frame make_exit local context → Context", "eaeafd8af6523070"),
    ("Cursor.parser → Parser.cursor → Cursor", "b76bae1c931d1630"),
    ("Dated.callback → partial.func → method use.__self__ → Dated", "3ffa8e98e67d89eb"),
    ("Employee.assistant → Employee.boss → Employee", "1138d67e4769974a"),
    ("Event.listeners[*] → function <lambda> → cell self → Model.changed → Event", "89e9cad832fee618"),
    ("Job.steps → generator walk local self → Job", "d7006840534adcac"),
    ("Node.children[*] → Node.parent → Node", "c86e0bdbd326de6e"),
    ("Order.items[*] → Line.order → Order", "8d67c9d2338c7b7f"),
    ("Slotted.left → Slotted.right → Slotted", "f98f26d6e80c41d4"),
    (
        "ValueError.__traceback__ → traceback.tb_frame → frame make_exception local caught → ValueError",
        "4af4047c269c47e5",
    ),
    ("Worker.handler → method run.__self__ → Worker", "dd1cb9fee7c7aec9"),
    ("class Made.__mro__[*] → class Made", "a3c62562060b8748"),
    ("function on_click → cell button → Button.on_click → function on_click", "e7e66a12fb58dbf5"),
    ("function visit → cell visit → function visit", "14c550580c0f7ed2"),
    ("list[*] → list", "649903edfa92bad9"),
];

/// Path and fingerprint of each loop of the application.
fn loops(python: &Python, directory: &Path, program: &str) -> BTreeSet<(String, String)> {
    let trace = directory.join("loops.reftrace");
    fs::write(directory.join("loops.py"), program).unwrap();
    let mut command = refloop();
    command.current_dir(directory).arg("record").arg("-q").arg("-o").arg(&trace).arg("--");
    let recorded = command.arg(&python.path).arg("loops.py").output().unwrap();
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let report = report("loops", &trace);
    let rows = report["loops"].as_array().unwrap().iter().filter(|row| row["owner"] == "application");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_string();
    rows.map(|row| (text(&row["path"]), text(&row["fingerprint"]))).collect()
}

fn the_same_bug_has_the_same_name_in_every_run_and_on_every_cpython(python: &Python) {
    let program = fs::read_to_string(root().join("fixtures/programs/loops.py")).unwrap();
    let moved = format!("import json\n\nTABLE = {{n: str(n) for n in range(100)}}\n\n{program}");
    let directory = tempfile::tempdir().unwrap();
    for program in [program, moved] {
        let found = loops(python, directory.path(), &program);
        let found: Vec<(&str, &str)> = found.iter().map(|(path, fingerprint)| (&**path, &**fingerprint)).collect();
        assert_eq!(found, LOOPS, "{python}");
    }
}

/// Twelve subclasses of one class in each other, and one that has an attribute of its own.
const SUBCLASSES: &str = r#"
class Node:
    def __init__(self, *kids):
        self.parent = None
        self.kids = list(kids)
        for kid in kids:
            kid.parent = self


class Named(Node):
    def __init__(self, kid):
        super().__init__()
        self.name = kid
        kid.parent = self


kinds = [type(f"Kind{n}", (Node,), {"__module__": __name__}) for n in range(12)]
for outer in kinds:
    for inner in kinds:
        outer(inner())
    Named(outer())
del kinds, outer, inner
"#;

fn one_line_of_a_base_class_is_one_bug_in_all_its_subclasses(python: &Python) {
    let directory = tempfile::tempdir().unwrap();
    let found = loops(python, directory.path(), SUBCLASSES);
    let paths: Vec<&str> = found.iter().map(|(path, _)| &**path).collect();
    let of_nodes = |path: &&str| !path.starts_with("class ");
    let paths: Vec<&str> = paths.into_iter().filter(of_nodes).collect();
    assert_eq!(paths, ["Named.name → Node.parent → Named", "Node.kids[*] → Node.parent → Node"], "{python}");
}
