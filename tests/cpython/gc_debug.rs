//! What CPython's collector writes on stderr fails a build on every CPython at hand, with what a program does as it ends
//! left out.

use std::process::Command;

use crate::record::checked;
use crate::support::pythons::Python;
use crate::support::root;
use serde_json::Value;

on_each_python! {
    the_log_of_a_program_fails_the_build_with_no_recorder,
}

/// Runs `fixtures/programs/gc_debug.py`, and asks the gate about its log.
fn findings(python: &std::path::Path, arguments: &[&str]) -> (Option<i32>, Vec<(String, u64)>) {
    let program = root().join("fixtures/programs/gc_debug.py");
    let log = Command::new(python).arg(program).args(arguments).output().unwrap().stderr;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    std::fs::write(&path, log).unwrap();
    let (code, report) = checked(&path);
    let findings = report["findings"].as_array().unwrap().iter().map(|finding| {
        assert_eq!((&finding["rule"], &finding["bytes"]), (&Value::from("unreachable-object"), &Value::Null));
        (finding["subject"].as_str().unwrap().to_owned(), finding["count"].as_u64().unwrap())
    });
    (code, findings.collect())
}

fn the_log_of_a_program_fails_the_build_with_no_recorder(python: &Python) {
    let mut expected = vec![("Line", 2), ("Order", 2), ("cell", 1), ("function", 1), ("tuple", 1)];
    if python.minor < 11 {
        expected.insert(3, ("dict", 4));
    }
    let expected: Vec<_> = expected.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    for arguments in [&[][..], &["end"]] {
        assert_eq!(findings(&python.path, arguments), (Some(1), expected.clone()), "{python}");
    }
}
