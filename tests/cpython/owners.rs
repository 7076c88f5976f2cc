//! Records loops that a package makes: they are the package's, whoever called it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::each::{record, report};
use crate::extension::{compile, headers};
use crate::support::pythons::{Python, find};
use crate::support::refloop;
use crate::support::venv::{python_with, said};

on_each_python! { a_loop_is_its_who_stores_the_reference_to_cut, what_a_package_leaves_each_time_is_told_and_not_what_an_import_made }

/// An installed package, with a loop of its own classes and one of an exception that it keeps.
const PACKAGE: &str = "
class Api:
    def __init__(self, client):
        self.client = client
class Client:
    def __init__(self):
        self.api = Api(self)
def connect():
    return Client()
def parse(text):
    try:
        raise ValueError(text)
    except ValueError as error:
        kept = error
        raise
class Timer:
    def __init__(self, work):
        self.work = work
";

/// What the program does, and whose the loop is.
const PROGRAMS: [(&str, &str); 5] = [
    ("fakelib.Client()", "package fakelib"),
    ("fakelib.connect()", "package fakelib"),
    ("caught()", "package fakelib"),
    ("Own()", "application"),
    ("Handed()", "application"),
];

/// Installs a package of this source below a folder: where it lies.
fn installed(place: &Path, source: &str) -> PathBuf {
    let packages = place.join("lib/python3/site-packages");
    std::fs::create_dir_all(&packages).expect("a folder");
    std::fs::write(packages.join("fakelib.py"), source).expect("a package");
    packages
}

fn a_loop_is_its_who_stores_the_reference_to_cut(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let packages = installed(place.path(), PACKAGE);
    for (work, owner) in PROGRAMS {
        let program = place.path().join("app.py");
        let source = format!(
            "import gc, sys\nsys.path.insert(0, {packages:?})\nimport fakelib\n\
             class Own:\n    def __init__(self):\n        self.me = self\n\
             class Handed:\n    def __init__(self):\n        self.timer = fakelib.Timer(self.run)\n    def run(self):\n        pass\n\
             def caught():\n    try:\n        fakelib.parse('x')\n    except ValueError:\n        pass\n\
             gc.disable()\nfor i in range(20):\n    {work}\n"
        );
        std::fs::write(&program, source).expect("a program");
        let trace = place.path().join("app.reftrace");
        record(&python.path, &[], &trace, &program, &[]);
        let json = report("loops", &trace);
        let rows = json["loops"].as_array().expect("a list");
        let row = rows.iter().find(|row| row["count"] == 20).unwrap_or_else(|| panic!("{python} {work}: {rows:#?}"));
        assert_eq!(row["owner"], owner, "{python} {work}: {row:#}");
    }
}

/// A closure that holds itself, in a package of Cython: `fakelib` calls it, and so may an event loop.
const CYTHON: &str = "
class Job:
    pass
def make():
    job = Job()
    def again():
        return job, again
    job.again = again
async def run():
    make()
";

#[test]
fn a_closure_of_cython_is_that_of_its_package() {
    for python in ["v3_8", "v3_13"].into_iter().filter_map(find) {
        let Some(with_cython) = python_with(&python, "cython", &["cython"]) else { continue };
        let Some(headers) = headers(&python) else { continue };
        let place = tempfile::tempdir().expect("a directory");
        let packages = installed(place.path(), "");
        let package = packages.join("cylib");
        std::fs::create_dir(&package).expect("a folder");
        std::fs::write(package.join("__init__.py"), "").expect("a package");
        std::fs::write(package.join("core.pyx"), CYTHON).expect("a module");
        let output =
            Command::new(with_cython).args(["-m", "cython", "-3", "cylib/core.pyx"]).current_dir(&packages).output();
        let output = output.expect("Cython runs");
        assert!(output.status.success(), "{python}: {}", said(&output));
        compile(&headers, &package.join("core.c"), &package.join("core.so")).expect("compiles");
        let program = place.path().join("app.py");
        let source = format!(
            "import asyncio, gc, sys\ngc.disable()\nsys.path.insert(0, {packages:?})\nimport cylib.core\n\
             async def main():\n    for n in range(20):\n        await asyncio.ensure_future(cylib.core.run())\n\
             asyncio.run(main())\n"
        );
        std::fs::write(&program, source).expect("a program");
        let trace = place.path().join("app.reftrace");
        for events in ["survivors", "leaks"] {
            record(&python.path, &["--events", events], &trace, &program, &[]);
            let json = report("loops", &trace);
            let rows = json["loops"].as_array().expect("a list");
            let row = rows.iter().find(|row| row["count"] == 20).unwrap_or_else(|| panic!("{python}: {rows:#?}"));
            assert_eq!(row["owner"], "package cylib", "{python} {events}: {row:#}");
        }
    }
}

fn what_a_package_leaves_each_time_is_told_and_not_what_an_import_made(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let made_once = "class Once:\n    def __init__(self):\n        self.me = self\nfor n in range(20):\n    Once()\n";
    let packages = installed(place.path(), &format!("{PACKAGE}{made_once}"));
    let program = place.path().join("app.py");
    let source = format!(
        "import gc, sys\ngc.disable()\nsys.path.insert(0, {packages:?})\nimport fakelib\nfor i in range(20):\n    fakelib.connect()\n"
    );
    std::fs::write(&program, source).expect("a program");
    let trace = place.path().join("app.reftrace");
    record(&python.path, &[], &trace, &program, &[]);
    let output = refloop().arg("check").arg(&trace).env("COLUMNS", "300").output().expect("runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{python}: {text}");
    let told: Vec<&str> = text.lines().filter(|line| line.starts_with("upstream")).collect();
    let [line] = told.as_slice() else { panic!("{python}: {text}") };
    assert!(line.contains("package fakelib: ") && line.contains(": 20 loops of about "), "{python}: {line}");
    assert!(line.ends_with("for a report there: Api.client could be weakref.ref(client)"), "{python}: {line}");
}
