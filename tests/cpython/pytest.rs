//! The Python package and its pytest plugin: their own suite, under `tests/python`, on every CPython at hand, with the
//! command that was just built. A venv for each holds pytest and pytest-xdist, kept between runs below `target`.

use std::path::PathBuf;
use std::process::Command;

use crate::each::at_hand;
use crate::support::pythons::{Python, say_once};
use crate::support::root;
use crate::support::venv::{said, venv};

on_each_python! {
    real_recordings_are_attributed_to_their_tests,
}

/// What the suite imports. The oldest Python gets the oldest pytest that is supported, the others the newest.
const PACKAGES: &[&str] = &["pytest", "pytest-xdist", "pyyaml", "ipython"];
const OLDEST_PACKAGES: &[&str] = &["pytest==6.2.5", "pytest-xdist==2.5.0", "pyyaml"];

/// Everything, on the newest CPython that is there.
#[test]
fn the_python_suite_passes_on_the_newest_python() {
    if let Some(python) = at_hand().iter().max_by_key(|python| (python.minor, python.micro)) {
        suite(python, &[]);
    }
}

/// What depends on the interpreter: recordings. The rest is the same everywhere.
fn real_recordings_are_attributed_to_their_tests(python: &Python) {
    suite(python, &["test_recorded.py"]);
}

/// An interpreter that has what the suite imports.
pub(crate) fn with_pytest(python: &Python) -> Result<PathBuf, String> {
    venv(python, "venv", if python.minor == 8 { OLDEST_PACKAGES } else { PACKAGES })
}

fn suite(python: &Python, files: &[&str]) {
    let inside = match with_pytest(python) {
        Ok(inside) => inside,
        Err(reason) => return say_once(format!("SKIPPED: no pytest for {python}: {reason}")),
    };
    let folder = root().join("tests/python");
    let mut pytest = Command::new(inside);
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]).arg(&folder);
    match files {
        [] => pytest.arg(&folder),
        files => pytest.args(files.iter().map(|file| folder.join(file))),
    };
    pytest.env("REFLOOP_BINARY", env!("CARGO_BIN_EXE_refloop")).env("PYTHONPATH", root().join("python"));
    pytest.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTEST_ADDOPTS");
    let output = pytest.output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{python}:\n{text}");
    assert!(text.contains(" passed"), "{python} ran no test:\n{text}");
}
