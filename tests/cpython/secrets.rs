//! What is in a trace that somebody else may read: names of the program, and none of its data.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::each::{record, report};
use crate::support::pythons::Python;
use crate::support::refloop;

on_each_python! {
    a_trace_is_for_its_owner_and_has_no_arguments_and_no_keys,
    names_of_attributes_are_the_same_with_and_without_keys,
}

/// Each text that begins with `s3cret` is data; the dicts are of many kinds, reached in many orders.
const PROGRAM: &str = "
import collections, gc, sys, weakref

class Account:
    shared = {'s3cret_of_the_class': []}
    def __init__(self, name):
        self.visible_attribute = [self]
        self.by_name = {name: self, 's3cret-literal': self, 's3cret_identifier': [self]}
        self.ordered = collections.OrderedDict({name + '-ordered': self})
        self.default = collections.defaultdict(list, {name + '-default': [self]})
        self.nested = {'s3cret_outer': {'s3cret_inner': self}}

visible_global = {sys.argv[1]: []}
alive = Account('s3cret-alive')
values = [vars(alive), alive]
for number in range(20):
    Account('s3cret-%d' % number)
gc.collect()
Account('s3cret-last')
";

fn a_trace_is_for_its_owner_and_has_no_arguments_and_no_keys(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let (script, trace) = (folder.path().join("app.py"), folder.path().join("app.reftrace"));
    fs::write(&script, PROGRAM).unwrap();
    for (options, expected) in [(&[][..], false), (&["--events", "full"][..], false), (&["--keys"][..], true)] {
        record(&python.path, options, &trace, &script, &["s3cret-argument"]);
        let mode = fs::metadata(&trace).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{python} {options:?}");
        let bytes = fs::read(&trace).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert_eq!(has("s3cret"), expected, "{python} {options:?}");
        let arguments = refloop().args(["convert", "--to", "text"]).arg(&trace).arg("-").output().unwrap().stdout;
        let header = String::from_utf8_lossy(&arguments).lines().next().unwrap().to_owned();
        assert!(!header.contains("s3cret") && header.contains("app.py …"), "{python} {options:?}: {header}");
        assert!(has("visible_attribute") && has("visible_global"), "{python} {options:?}");
    }
}

fn names_of_attributes_are_the_same_with_and_without_keys(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let (script, trace) = (folder.path().join("app.py"), folder.path().join("app.reftrace"));
    fs::write(&script, PROGRAM).unwrap();
    let path = |options: &[&str]| {
        record(&python.path, options, &trace, &script, &["argument"]);
        let report = report("loops", &trace);
        let found = report["loops"].as_array().unwrap().iter();
        let found = found.filter(|found| found["path"].as_str().unwrap().contains("Account"));
        found.map(|found| (found["path"].clone(), found["fingerprint"].clone())).collect::<Vec<_>>()
    };
    let hidden = path(&[]);
    assert_eq!(hidden, path(&["--keys"]), "{python}");
    assert!(hidden.iter().any(|(path, _)| path.as_str().unwrap().starts_with("Account.")), "{python}: {hidden:?}");
}
