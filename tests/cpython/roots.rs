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
    // In 3.8 and 3.9 the module shows its functions.
    let of_exit = if python.minor < 10 { "sys.modules" } else { "atexit.register" };
    for (class, expected) in [
        ("OfCodecs", "codecs.register"),
        ("OfErrors", "codecs.register_error"),
        ("OfSignal", "signal.signal(SIGUSR1)"),
        ("OfAudit", "sys.addaudithook"),
        ("OfExit", of_exit),
        ("OfContext", "CPython (thread state)"),
        ("OfProfile", "CPython (thread state)"),
        ("OfModule", "sys.modules"),
    ] {
        assert_eq!(root(class), expected, "{python}: {class}");
    }
}
