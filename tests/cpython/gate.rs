//! The gate on real recordings: a clean program is green whatever it imports, and one loop of its own makes it red.

use std::fs;
use std::path::Path;

use crate::each::report;
use crate::support::pythons::Python;
use crate::support::refloop;

on_each_python! {
    a_clean_program_is_green_and_one_loop_of_its_own_makes_it_red,
    the_cuts_that_are_named_are_what_it_takes,
    whoever_made_the_class_or_called_the_factory_owns_the_loop,
}

/// Modules whose import, and whose use, leaves loops of the standard library's own.
const CLEAN: &str = r#"
import argparse, asyncio, collections, dataclasses, datetime, decimal, email.message, enum, functools, http.client
import inspect, json, logging, pickle, random, re, sys, tempfile, typing, unittest, uuid, xml.dom.minidom

slots = {"slots": True} if sys.version_info >= (3, 10) else {}

@dataclasses.dataclass(**slots)
class Point:
    x: int
    y: int = 0

class Color(enum.Enum):
    RED = 1

class Row(typing.NamedTuple):
    key: str

async def main():
    await asyncio.sleep(0)

asyncio.run(main())
logging.getLogger("app").debug("%s", json.loads(json.dumps([1])))
xml.dom.minidom.parseString("<a><b/></a>").toxml()
print(Point(1), Color.RED, Row("k"), re.sub("a+", "b", "caat"), decimal.Decimal("1.5"))
"#;

const LOOP: &str = "
def knot():
    rope = []
    rope.append(rope)

knot()
";

/// Records a program, and asks the gate: its exit code and its page.
fn gate(python: &Path, directory: &Path, name: &str, program: &[&str]) -> (i32, String) {
    let trace = directory.join(format!("{name}.reftrace"));
    let mut command = refloop();
    command.current_dir(directory).arg("record").arg("-q").arg("-o").arg(&trace).arg("--").arg(python).args(program);
    let recorded = command.output().unwrap();
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let checked = refloop().current_dir(directory).arg("check").arg(&trace).output().unwrap();
    (checked.status.code().unwrap(), String::from_utf8(checked.stdout).unwrap())
}

fn a_clean_program_is_green_and_one_loop_of_its_own_makes_it_red(python: &Python) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("app.py"), format!("{CLEAN}{LOOP}")).unwrap();
    fs::write(directory.path().join("clean.py"), CLEAN).unwrap();
    let (code, page) = gate(&python.path, directory.path(), "clean", &["clean.py"]);
    assert_eq!(code, 0, "{python}: {page}");
    assert_eq!(page.lines().count(), 1, "{python}: {page}");
    assert!(page.starts_with("refloop: no reference loops found"), "{python}: {page}");
    let (code, page) = gate(&python.path, directory.path(), "app", &["app.py"]);
    assert_eq!(code, 1, "{python}: {page}");
    assert!(page.contains("    list[*] → list\n"), "{python}: {page}");
    assert!(page.contains("refloop: 1 leak found"), "{python}: {page}");
}

/// Each node refers to itself, to its parent and to its children.
const TREE: &str = "
import weakref

class Node:
    def __init__(self, parent=None):
        self.parent = PARENT
        self.kids = []
        self.current = CURRENT
        if parent:
            parent.kids.append(self)

class Document(Node):
    pass

def build():
    document = Document()
    for _ in range(50):
        Node(document)

build()
";

fn the_cuts_that_are_named_are_what_it_takes(python: &Python) {
    let directory = tempfile::tempdir().unwrap();
    let tree = |parent, current| TREE.replace("PARENT", parent).replace("CURRENT", current);
    for (name, text, red) in [
        ("tree", tree("parent", "self"), 1),
        ("one", tree("parent", "None"), 1),
        ("all", tree("parent and weakref.ref(parent)", "None"), 0),
    ] {
        fs::write(directory.path().join("app.py"), text).unwrap();
        let (code, page) = gate(&python.path, directory.path(), name, &["app.py"]);
        assert_eq!(code, red, "{python} {name}: {page}");
    }
    let trace = directory.path().join("tree.reftrace");
    let told = report("loops", &trace);
    let cut = &told["loops"][0]["cut"];
    let more: Vec<&str> = cut["more"].as_array().unwrap().iter().filter_map(|cut| cut["reference"].as_str()).collect();
    assert_eq!(cut["reference"], "Node.current", "{python}: {cut}");
    assert_eq!(more, ["Node.parent"], "{python}: {cut}");
    assert_eq!(cut["is_enough"], true, "{python}: {cut}");
}

fn whoever_made_the_class_or_called_the_factory_owns_the_loop(python: &Python) {
    let factory = "import collections\ndef make():\n    return collections.namedtuple('Pair', 'a b')(1, 2)\nmake()\n";
    let thrown_away = "def make():\n    class Made: pass\nmake()\n";
    let of_the_library = "import xml.dom.minidom as dom\ndef read():\n    dom.parseString('<a><b/></a>')\nread()\n";
    let directory = tempfile::tempdir().unwrap();
    for (name, text, red) in [("factory", factory, 1), ("made", thrown_away, 1), ("library", of_the_library, 0)] {
        let file = format!("{name}.py");
        fs::write(directory.path().join(&file), text).unwrap();
        let (code, page) = gate(&python.path, directory.path(), name, &[&file]);
        assert_eq!(code, red, "{name}: {page}");
        // Generated code has no file: it is still the application's.
        let (code, page) = gate(&python.path, directory.path(), name, &["-c", text]);
        assert_eq!(code, red, "{name} -c: {page}");
    }
}
