//! Applies every cut that is offered to the program that it was found in: it must do what it did, and leave no garbage.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::each::{record, report};
use crate::support::pythons::Python;
use crate::support::root;

on_each_python! {
    a_cut_breaks_the_loop_and_not_the_program,
    without_evidence_both_references_are_offered,
    what_may_be_used_alone_is_asked_about,
}

/// Names of a parent and a child, so that either comes first in the alphabet.
const NAMES: [(&str, &str); 4] = [("Client", "Api"), ("Api", "Client"), ("Panel", "Theme"), ("Window", "Canvas")];

/// Families in which the trace shows who owns the other.
const EVIDENT: [&str; 9] = ["made", "inherited", "dataclass", "slotted", "helpers", "alike", "many", "keyed", "queued"];

/// Families in which it does not.
const OPEN: [&str; 2] = ["given", "wrapped"];

/// Families in which the child is used alone: an entry of the list may be the one to cut.
const USED_ALONE: [&str; 2] = ["leaf", "first"];

fn program() -> PathBuf {
    root().join("tests/cpython/cuts/pairs.py")
}

/// What the program wrote, and the only kind of loop of the pair.
fn found(python: &Python, arguments: [&str; 3]) -> (String, Value) {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("pairs.reftrace");
    let output = record(&python.path, &[], &trace, &program(), &arguments);
    let json = report("loops", &trace);
    let loops: Vec<&Value> = json["loops"].as_array().expect("a list").iter().collect();
    let parent = format!("pairs.{}", arguments[1]);
    let is_below = |classes: &Value| classes.as_array().expect("a list").iter().any(|class| *class == *parent);
    let is_of_pair = |row: &&&Value| {
        row["types"]["members"].get(&parent).is_some()
            || row["subclasses"].as_object().expect("an object").values().any(is_below)
    };
    let of_pair = loops.iter().find(is_of_pair);
    let row = of_pair.unwrap_or_else(|| panic!("{python} {arguments:?}: no such loop in {loops:#?}"));
    (String::from_utf8(output.stdout).expect("text"), (*row).clone())
}

/// What the program writes where `references` are held weakly: its own lines, and how much garbage there was.
fn applied(python: &Python, arguments: [&str; 3], references: &BTreeSet<String>) -> (String, String) {
    let output = Command::new(&python.path).arg(program()).args(arguments).args(references).output().expect("runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let text = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    let (own, left) = text.rsplit_once("left ").unwrap_or((&text, "not said"));
    (own.to_string(), left.trim().to_string())
}

/// The attributes that a row of cuts names, as `Class.attribute`; one that several classes have, for each of them.
fn references(cuts: &[&Value], [family, _, child]: [&str; 3]) -> BTreeSet<String> {
    let mut references = BTreeSet::new();
    for cut in cuts {
        let text = cut["reference"].as_str().expect("text");
        let (first, others) = text.split_once(", and ").unwrap_or((text, ""));
        let attribute = first.split_once('.').expect("an attribute").1;
        references.insert(first.to_string());
        if !others.is_empty() {
            assert_eq!((family, others), ("alike", &*format!("{attribute} of 2 more classes")));
            references.extend([child, "Second", "Third"].map(|class| format!("{class}.{attribute}")));
        }
    }
    references
}

fn a_cut_breaks_the_loop_and_not_the_program(python: &Python) {
    for family in EVIDENT {
        for (parent, child) in NAMES {
            let arguments = [family, parent, child];
            let (output, row) = found(python, arguments);
            let cut = &row["cut"];
            assert!(cut["evidence"].is_string(), "{python} {arguments:?}: {row:#}");
            assert_eq!(cut["is_enough"], true, "{python} {arguments:?}: {row:#}");
            let cuts: Vec<&Value> = [cut].into_iter().chain(cut["more"].as_array().expect("a list")).collect();
            let references = references(&cuts, arguments);
            let (own, left) = applied(python, arguments, &references);
            assert_eq!((own, left), (output, "0".to_string()), "{python} {arguments:?} {references:?}: {row:#}");
        }
    }
}

fn without_evidence_both_references_are_offered(python: &Python) {
    for family in OPEN {
        for (parent, child) in NAMES {
            let arguments = [family, parent, child];
            let (output, row) = found(python, arguments);
            let cut = &row["cut"];
            assert!(cut["evidence"].is_null(), "{python} {arguments:?}: {row:#}");
            let offered: Vec<&Value> =
                [cut].into_iter().chain(cut["alternatives"].as_array().expect("a list")).collect();
            assert_eq!(offered.len(), 2, "{python} {arguments:?}: {row:#}");
            // One of them is right, and nothing says that the other is.
            let works = |cut: &&&Value| {
                let (own, left) = applied(python, arguments, &references(&[cut], arguments));
                own == output && left == "0"
            };
            assert_eq!(offered.iter().filter(works).count(), 1, "{python} {arguments:?}: {row:#}");
            assert!(row["advice"].as_str().expect("text").contains("the trace does not tell"), "{row:#}");
        }
    }
}

fn what_may_be_used_alone_is_asked_about(python: &Python) {
    let (parent, child) = NAMES[0];
    let back = format!("{child}.{}", parent.to_lowercase());
    for family in USED_ALONE {
        let (output, row) = found(python, [family, parent, child]);
        let cut = &row["cut"];
        assert!(cut["evidence"].is_null(), "{python} {family}: {row:#}");
        assert_eq!(cut["reference"], *back, "{python} {family}: {row:#}");
        assert_eq!(cut["alternatives"][0]["reference"], format!("{parent}.all[*]"), "{python} {family}: {row:#}");
        assert!(row["advice"].as_str().expect("text").contains("the trace does not tell"), "{row:#}");
        let (own, _) = applied(python, [family, parent, child], &BTreeSet::from([back.clone()]));
        assert_ne!(own, output, "{python} {family}: the reference back is needed");
    }
    let (output, row) = found(python, ["finalized", parent, child]);
    assert!(row["cut"].is_null(), "{python}: {row:#}");
    assert!(row["advice"].as_str().expect("text").contains("__del__"), "{python}: {row:#}");
    let weak = applied(python, ["finalized", parent, child], &BTreeSet::from([back]));
    assert_ne!(weak, (output, "0".to_string()), "{python}: the reference back is needed");
}
