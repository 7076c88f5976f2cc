//! Records programs whose extension loses references, and such as keep theirs where only memory shows them.

use std::fs;

use serde_json::Value;

use crate::each::{record, report};
use crate::extension::build_extension;
use crate::record::checked;
use crate::support::pythons::{Python, say_once};
use crate::support::root;

on_each_python! {
    what_an_extension_loses_is_suspected_and_what_it_owns_is_not,
    what_c_code_of_the_standard_library_holds_is_not_suspected,
    what_it_takes_is_named_with_type_and_line,
}

/// Records the program, and gives what `check` says: the exit code, and the report.
fn recorded(python: &Python, arguments: &[&str]) -> Option<(Option<i32>, Value, Value)> {
    let place = tempfile::tempdir().expect("a directory");
    let folder = root().join("tests/cpython/lost");
    if let Err(reason) = build_extension(&folder.join("extension.c"), place.path()) {
        say_once(format!("SKIPPED: no extension: {reason}"));
        return None;
    }
    let (program, trace) = (place.path().join("program.py"), place.path().join("lost.reftrace"));
    fs::copy(folder.join("program.py"), &program).expect("a copy");
    record(&python.path, &["--signal", "usr2"], &trace, &program, arguments);
    let (code, verdict) = checked(&trace);
    Some((code, verdict, report("analyze", &trace)))
}

fn what_an_extension_loses_is_suspected_and_what_it_owns_is_not(python: &Python) {
    let lost = [
        (&["forget"][..], "__main__.Handle", 43),
        (&["forget", "keep"], "__main__.Handle", 43),
        // What a list has let go, and a function that has returned, stands where it stood.
        (&["forget", "pass"], "__main__.Handle", 43),
        (&["forget", "raise"], "__main__.Fault", 35),
        (&["forget_item"], "__main__.Item", 18),
    ];
    for (arguments, type_name, line) in lost {
        let Some((code, verdict, report)) = recorded(python, arguments) else { return };
        let [row] = report["suspected_lost"].as_array().expect("a list").as_slice() else {
            panic!("{python} {arguments:?}: {}", report["suspected_lost"]);
        };
        assert_eq!((&row["type"], &row["place"]["line"]), (&type_name.into(), &line.into()), "{python} {arguments:?}");
        // Some may stand in memory that was given back.
        let objects = row["objects"].as_u64().expect("a number");
        assert!((60..=100).contains(&objects) && row["alive"] == 100, "{python} {arguments:?}: {row}");
        let too_many = [&row["references_least"], &row["references_most"]].map(Value::as_u64);
        assert_eq!((too_many, &row["searched"]), ([Some(1); 2], &true.into()), "{python} {arguments:?}");
        let of_rule = |rule: &str| {
            let findings = verdict["findings"].as_array().expect("findings").iter();
            findings.filter(|finding| finding["rule"] == rule).map(|finding| finding["severity"].clone()).collect()
        };
        let severities: Vec<Value> = of_rule("lost-reference");
        assert_eq!((code, severities), (Some(0), vec!["warning".into()]), "{python} {arguments:?}");
    }
    for arguments in [
        &["give_back"][..],
        &["give_back", "keep"],
        &["give_item_back"],
        &["own"],
        &["own_tagged"],
        &["own_packed"],
        &["own_inner"],
    ] {
        let Some((code, _, report)) = recorded(python, arguments) else { return };
        assert_eq!((code, &report["suspected_lost"]), (Some(0), &Value::Array(Vec::new())), "{python} {arguments:?}");
    }
}

fn what_c_code_of_the_standard_library_holds_is_not_suspected(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("holders.reftrace");
    record(&python.path, &["--signal", "usr2"], &trace, &root().join("tests/cpython/lost/holders.py"), &[]);
    let report = report("analyze", &trace);
    assert_eq!(report["suspected_lost"], Value::Array(Vec::new()), "{python}");
}

fn what_it_takes_is_named_with_type_and_line(python: &Python) {
    let Some((code, verdict, _)) = recorded(python, &["take", "keep"]) else { return };
    let findings = verdict["findings"].as_array().expect("findings");
    let taken: Vec<&Value> = findings.iter().filter(|finding| finding["rule"] == "imbalance").collect();
    let [finding] = taken.as_slice() else { panic!("{python}: {taken:?}") };
    let message = finding["message"].as_str().expect("a message");
    assert!(message.contains("__main__.Handle, made at ") && message.contains("program.py:43"), "{python}: {message}");
    assert_eq!((code, &finding["place"]["line"]), (Some(0), &43.into()), "{python}");
}
