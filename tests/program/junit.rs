//! The XML of `check --format junit` follows a schema that has what its readers have in common.

use std::process::Command;

use crate::support::pythons::say_once;
use crate::support::{refloop, root};

#[test]
fn what_readers_of_junit_expect_is_what_is_written() {
    if Command::new("xmllint").arg("--version").output().is_err() {
        let expected = std::env::var("REFLOOP_EXPECT").unwrap_or_default();
        assert!(
            !expected.split_whitespace().any(|name| name == "xmllint"),
            "REFLOOP_EXPECT promises xmllint: not found"
        );
        return say_once("SKIPPED: no xmllint to check JUnit".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let clean = folder.path().join("clean.txt");
    std::fs::write(&clean, "reftrace 1 runtime=test references=events\ncheckpoint full\nend\n").unwrap();
    let fixture = |name: &str| root().join("fixtures").join(name);
    // Loops that fail, loops that do not count, and none at all.
    for (trace, code) in
        [(fixture("recorded/shop.reftrace"), Some(1)), (fixture("text/orders.reftrace"), Some(1)), (clean, Some(0))]
    {
        let written = refloop().args(["check", "--format", "junit"]).arg(&trace).output().unwrap();
        assert_eq!(written.status.code(), code, "{}", trace.display());
        let page = folder.path().join("junit.xml");
        std::fs::write(&page, &written.stdout).unwrap();
        let mut validator = Command::new("xmllint");
        validator.args(["--noout", "--schema"]).arg(root().join("tests/schemas/junit.xsd")).arg(&page);
        let checked = validator.output().unwrap();
        assert!(checked.status.success(), "{}: {}", trace.display(), String::from_utf8_lossy(&checked.stderr));
    }
}
