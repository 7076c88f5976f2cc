//! Records loops that no one reference frees: the whole cure is told, and the program that was mended so leaves nothing behind.

use std::process::Command;

use serde_json::Value;

use crate::each::{record, report};
use crate::support::pythons::Python;
use crate::support::root;

on_each_python! { all_references_to_cut_are_told, a_program_that_is_mended_so_leaves_nothing }

/// A function of the program, how many objects each of its loops has at least, and the references to cut.
const CURES: [(&str, u64, &[&str]); 3] = [
    // Through the function, and through the frames of the exceptions in its list.
    ("closure", 8, &["closure variable again", "closure variable errors"]),
    // One attribute that 25 classes set.
    ("attributes", 26, &["Resource00.client, and client of 24 more classes"]),
    // The shortest loop is one object; the others are the rest of the tree.
    ("itself", 41, &["Node.me", "Node.parent"]),
];

fn all_references_to_cut_are_told(python: &Python) {
    for (name, objects, cuts) in CURES {
        let place = tempfile::tempdir().expect("a directory");
        let trace = place.path().join("cures.reftrace");
        record(&python.path, &[], &trace, &root().join("tests/cpython/cures/programs.py"), &[name]);
        let json = report("loops", &trace);
        let rows = json["loops"].as_array().expect("a list");
        let rows: Vec<&Value> = rows.iter().filter(|row| row["count"] == 10).collect();
        let [row] = rows.as_slice() else { panic!("{python} {name}: {rows:#?}") };
        assert!(row["gc_objects"].as_u64().expect("a number") >= 10 * objects, "{python} {name}: {row:#}");
        let cut = &row["cut"];
        let told = [cut].into_iter().chain(cut["more"].as_array().expect("a list"));
        let told: Vec<&str> = told.map(|cut| cut["reference"].as_str().expect("text")).collect();
        assert_eq!(told, cuts, "{python} {name}: {row:#}");
        assert_eq!(cut["is_enough"], true, "{python} {name}: {row:#}");
    }
}

fn a_program_that_is_mended_so_leaves_nothing(python: &Python) {
    for (name, ..) in CURES {
        let program = root().join("tests/cpython/cures/programs.py");
        let output = Command::new(&python.path).arg(program).arg(format!("{name}_mended")).output().expect("runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "left 0\n", "{python} {name}");
    }
}
