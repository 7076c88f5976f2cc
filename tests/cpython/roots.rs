//! Asks why objects are alive that CPython itself holds: in the states of its threads and of the interpreter, and in variables.

use serde_json::Value;

use crate::record::Place;
use crate::support::pythons::Python;
use crate::support::refloop;

on_each_python! { what_cpython_holds_is_named }

const PROGRAM: &str = include_str!("roots.py");

fn what_cpython_holds_is_named(python: &Python) {
    let place = Place::with(PROGRAM);
    place.recorded(&["-q"], &python.path, &["app.py"]);
    let root = |class: &str| {
        let mut command = refloop();
        command.args(["why", "-q", "--format", "json", "--type", &format!("__main__.{class}")]).arg(&place.traces()[0]);
        let page: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        page["ways"][0]["root"].clone()
    };
    for (class, expected) in [
        ("OfCodecs", "CPython (C variable)"),
        ("OfErrors", "CPython (C variable)"),
        ("OfSignal", "CPython (C variable)"),
        ("OfContext", "CPython (thread state)"),
        ("OfProfile", "CPython (thread state)"),
        ("OfModule", "sys.modules"),
    ] {
        assert_eq!(root(class), expected, "{python}: {class}");
    }
}
