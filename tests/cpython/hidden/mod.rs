//! Records programs whose loops no collector frees, because a type of C code holds a reference that it does not show.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::each::record;
use crate::extension::build_extension;
use crate::numpy::with_numpy;
use crate::pyarrow;
use crate::record::checked;
use crate::support::pythons::{Python, say_once};
use crate::support::{refloop, root};

on_each_python! {
    references_of_known_layouts_are_found_and_fail_the_build,
    references_of_arrays_are_found_and_fail_the_build,
    what_an_extension_owns_is_found_and_what_it_borrows_is_not,
    what_the_standard_library_hides_is_found,
    how_far_memory_was_searched_is_told,
}

/// What the gate says of a recording: its exit code, and the rule, path and number of each finding.
struct Checked {
    code: Option<i32>,
    found: Vec<(String, String, u64)>,
}

fn check(python: &Path, program: &str, arguments: &[&str]) -> Checked {
    check_file(python, &root().join("tests/cpython/hidden").join(program), arguments)
}

fn check_file(python: &Path, program: &Path, arguments: &[&str]) -> Checked {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("hidden.reftrace");
    record(python, &[], &trace, program, arguments);
    let (code, report) = checked(&trace);
    let findings = report["findings"].as_array().expect("findings").iter();
    let text = |of: &Value, key: &str| of[key].as_str().expect("a text").to_string();
    let own = findings.filter(|finding| finding["owner"] == "application" && finding["severity"] != "note");
    let found = own.map(|of| (text(of, "rule"), text(of, "subject"), of["count"].as_u64().expect("a number")));
    let mut found: Vec<_> = found.collect();
    found.sort();
    Checked { code, found }
}

/// Those that are dropped are told, by path, and those that are kept are no finding.
fn assert_told_where_dropped(python: &impl Display, inside: &Path, program: &str, expected: &[(&str, u64)]) {
    assert_told(python, &check(inside, program, &[]), expected);
    let kept = check(inside, program, &["keep"]);
    assert_eq!((kept.code, kept.found), (Some(0), Vec::new()), "{python}");
}

/// What is expected of the dropped ones, sorted by path.
fn assert_told(python: &impl Display, checked: &Checked, expected: &[(&str, u64)]) {
    let expected: Vec<_> =
        expected.iter().map(|&(path, count)| ("hidden-reference".to_string(), path.to_string(), count)).collect();
    assert_eq!((checked.code, &checked.found), (Some(1), &expected), "{python}");
}

fn references_of_known_layouts_are_found_and_fail_the_build(python: &Python) {
    let expected = [
        ("Clock.at → time.tzinfo → Clock", 20),
        ("Zone.since → datetime.tzinfo → Zone", 20),
        ("code <lambda>.co_consts[*] → Script.code → code <lambda>", 20),
        ("code function.co_consts[*] → function function.__code__ → code function", 20),
    ];
    assert_told_where_dropped(python, &python.path, "layouts.py", &expected);
}

fn references_of_arrays_are_found_and_fail_the_build(python: &Python) {
    let Some(inside) = with_numpy(python) else { return };
    let expected = [
        ("Node.array → ndarray[*] → Node", 10),
        ("Node.record → generic.base → ndarray[*] → Node", 10),
        ("Node.records → ndarray[*] → Node", 10),
        ("Node.view → ndarray.base → ndarray[*] → Node", 10),
        ("dtype.metadata[*] → Node.dtype → dtype", 10),
    ];
    assert_told_where_dropped(python, &inside, "arrays.py", &expected);
}

#[test]
fn memory_that_pyarrow_was_lent_is_found_and_fails_the_build() {
    let expected = [
        ("Buffer.obj → Chunk.buffer → Buffer", 10),
        ("Buffer.obj → Chunk.foreign → Buffer", 10),
        ("Buffer.obj → Chunk.part → Buffer", 10),
        ("Chunk.batch → RecordBatch.obj → Chunk", 10),
        ("Chunk.list → ListArray.obj → Chunk", 10),
        ("Chunk.numbers → Int8Array.obj → Chunk", 10),
        ("Chunk.table → Table.obj → Chunk", 10),
        ("Column.numbers → Int64Array.obj → Column", 10),
    ];
    for (package, inside) in pyarrow::with_oldest_and_newest() {
        assert_told_where_dropped(&package, &inside, "tables.py", &expected);
    }
}

fn what_an_extension_owns_is_found_and_what_it_borrows_is_not(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    if let Err(reason) = build_extension(&root().join("tests/cpython/hidden/extension.c"), place.path()) {
        return say_once(format!("SKIPPED: no extension: {reason}"));
    }
    let program = place.path().join("holders.py");
    fs::copy(root().join("tests/cpython/hidden/holders.py"), &program).expect("a copy");
    let dropped = check_file(&python.path, &program, &["Hiding"]);
    let mut expected = vec![
        ("Direct.holder → Hiding (hidden) → Direct", 10),
        ("Far.holder → Hiding (hidden) → Far", 10),
        ("Hiding (hidden) → Inner.holder → Hiding", 10),
        ("Hiding (hidden) → Large.holder → Hiding", 10),
        ("Hiding (hidden) → Twice.holder → Hiding", 10),
        ("Hiding (hidden) → builtin_function_or_method.__self__ → Method.holder → Hiding", 10),
    ];
    if python.build != "v3_8" {
        expected.push(("Open.…[*] → Open", 10));
    }
    assert_told(python, &dropped, &expected);
    for arguments in [&["Hiding", "keep"][..], &["Mended"], &["Mended", "keep"]] {
        let checked = check_file(&python.path, &program, arguments);
        // The mended loops are the collector's, and it had none to run.
        let hidden = checked.found.iter().filter(|(rule, ..)| rule == "hidden-reference").count();
        assert_eq!(hidden, 0, "{python} {arguments:?}: {:?}", checked.found);
    }
}

fn what_the_standard_library_hides_is_found(python: &Python) {
    let expected = [
        ("function <lambda> → cell node → Node.connection → Connection (hidden) → function <lambda>", 10),
        ("xmlparser.intern[*] → Node.parser → xmlparser", 10),
    ];
    assert_told_where_dropped(python, &python.path, "library.py", &expected);
}

fn how_far_memory_was_searched_is_told(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("hidden.reftrace");
    let searched = |rows, options: &[&str]| {
        record(&python.path, options, &trace, &root().join("tests/cpython/hidden/database.py"), &[rows]);
        checked(&trace).1["inputs"][0]["searched"].clone()
    };
    let few = searched("1", &[]);
    assert!(few["objects"].as_u64() > Some(0) && few["unfinished"] == 0, "{python}: {few}");
    let many = searched("20000", &[]);
    assert!(many["unfinished"].as_u64() > Some(0), "{python}: {many}");
    let said = refloop().arg("check").arg(&trace).output().expect("a page");
    let said = String::from_utf8_lossy(&said.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("was not searched to the end, so hidden references may be missing"), "{python}: {said}");
    assert_eq!(searched("1", &["--events", "none"]), Value::Null, "{python}");
}
