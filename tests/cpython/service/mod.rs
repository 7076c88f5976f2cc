//! Checks a service of FastAPI under load: two leaks of its own, among those of its packages, in so many lines as fit a screen.

use crate::each::record;
use crate::support::pythons::find;
use crate::support::venv::python_with;
use crate::support::{refloop, root};

#[test]
fn two_leaks_of_a_service_are_told_in_25_lines() {
    let Some(python) = find("v3_13") else { return };
    let Some(inside) = python_with(&python, "service", &["fastapi==0.116.1", "httpx==0.28.1"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("service.reftrace");
    record(&inside, &[], &trace, &root().join("tests/cpython/service/orders.py"), &[]);
    let output = refloop().args(["check", "-q"]).arg(&trace).env("COLUMNS", "100").output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{page}");
    assert!(page.lines().count() <= 25, "{page}");
    for told in [
        "orders.py:52 answer",
        "cut frame answer: local kept",
        "orders.py:42 orders",
        "cut Line.order: weakref.ref(order)",
        "refloop: 2 leaks found",
        "not counted",
    ] {
        assert!(page.contains(told), "no {told:?} in\n{page}");
    }
}
