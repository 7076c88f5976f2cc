//! What cannot be recorded runs as it does alone, and every way in says why in one sentence.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::each::at_hand;
use crate::pytest::with_pytest;
use crate::support::pythons::{folders, in_pyenv, is_missing};
use crate::support::root;

/// The interpreters, and what is said of each.
const REFUSED: &[(&str, &str)] = &[
    ("pypy", "pypy is not CPython"),
    ("debug", "debug builds of CPython cannot be recorded"),
    ("2.7", "Python 2.7 is too old: refloop records CPython from 3.8 on"),
    ("3.6", "Python 3.6 is too old: refloop records CPython from 3.8 on"),
    ("3.7", "Python 3.7 is too old: refloop records CPython from 3.8 on"),
];

const PROGRAM: &str = "import sys\nprint('ran')\nsys.exit(4)\n";

#[test]
fn a_program_runs_as_alone_and_one_sentence_says_why_it_is_not_recorded() {
    for (name, reason) in REFUSED {
        let Some(python) = find(name) else { continue };
        let place = tempfile::tempdir().unwrap();
        let said = run(recorded(&["-o", "app.reftrace"], &python), place.path());
        assert_eq!(said, ("ran\n".into(), format!("refloop: nothing was recorded: {reason}\n"), Some(4)), "{name}");
        let (out, error, code) = run(recorded(&["--require", "-o", "app.reftrace"], &python), place.path());
        assert_eq!((out.as_str(), code), ("ran\n", Some(3)), "{name}");
        assert!(error.ends_with("error: nothing was recorded, and the program ended with 4\n"), "{name}: {error}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "{name}: a file is left");
    }
}

#[test]
fn a_block_that_must_be_free_of_loops_is_not_passed_unseen() {
    // The package is for the Pythons that pip installs it for.
    for (name, reason) in &REFUSED[..2] {
        let Some(python) = find(name) else { continue };
        let place = tempfile::tempdir().unwrap();
        let mut command = Command::new(&python);
        command.args(["-c", "import refloop\nwith refloop.no_loops():\n    pass\n"]);
        command.env("PYTHONPATH", root().join("python")).env("REFLOOP_BINARY", env!("CARGO_BIN_EXE_refloop"));
        let (_, error, code) = run(command, place.path());
        assert_eq!(code, Some(1), "{name}");
        assert!(error.ends_with(&format!("RefloopError: {reason}\n")), "{name}: {error}");
    }
}

#[test]
fn a_test_suite_is_not_green_where_nothing_is_recorded() {
    // Pytest itself is Python alone, so that of another interpreter serves.
    let Some(newest) = at_hand().into_iter().max_by_key(|python| (python.minor, python.micro)) else { return };
    let Ok(inside) = with_pytest(&newest) else { return };
    let packages = inside.ancestors().nth(2).unwrap().join(format!("lib/python3.{}/site-packages", newest.minor));
    let path = std::env::join_paths([root().join("python"), packages]).unwrap();
    for (name, reason) in &REFUSED[..2] {
        let Some(python) = find(name) else { continue };
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("test_it.py"), "def test_it():\n    pass\n").unwrap();
        for (options, ends) in [(&[][..], 3), (&["--refloop-optional"], 0)] {
            let mut command = Command::new(&python);
            command.args(["-m", "pytest", "-q", "-p", "refloop.pytest_plugin", "-p", "no:cacheprovider", "--refloop"]);
            command.args(options).env("PYTHONPATH", &path).env("REFLOOP_BINARY", env!("CARGO_BIN_EXE_refloop"));
            let (out, error, code) = run(command, place.path());
            assert_eq!(code, Some(ends), "{name}: {out}{error}");
            assert!(out.contains(reason) || error.contains(reason), "{name}: {out}{error}");
        }
    }
}

#[test]
fn a_process_that_runs_is_not_attached_to() {
    for (name, reason) in REFUSED {
        let Some(python) = find(name) else { continue };
        let place = tempfile::tempdir().unwrap();
        let mut waiting = Command::new(&python);
        waiting.args(["-c", "import sys; print('ready'); sys.stdout.flush(); sys.stdin.read()"]);
        let mut child = waiting.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
        command.args(["attach", &child.id().to_string(), "--snapshot", "-o", "app.reftrace"]);
        let (_, error, code) = run(command, place.path());
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success(), "{name}");
        let said = error.strip_prefix("error: ").and_then(|said| said.strip_suffix('\n'));
        assert_eq!((said, code), (Some(*reason), Some(3)), "{name}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "{name}: a file is left");
    }
}

/// An interpreter: what `.ci/pythons` makes beside the CPythons, or one of pyenv's.
fn find(name: &str) -> Option<PathBuf> {
    let found = match name {
        "pypy" => below_the_root("pypy3"),
        "debug" => below_the_root("python3.15d"),
        version => in_pyenv(&format!("{version}.")).into_iter().next(),
    };
    found.or_else(|| is_missing(name))
}

fn below_the_root(name: &str) -> Option<PathBuf> {
    folders().iter().map(|folder| folder.join("sid/usr/bin").join(name)).find(|path| path.exists())
}

fn recorded(options: &[&str], python: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.arg("record").args(options).arg("--").arg(python).args(["-c", PROGRAM]);
    command
}

/// Output, standard error and exit code.
fn run(mut command: Command, folder: &Path) -> (String, String, Option<i32>) {
    command.current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().unwrap();
    (String::from_utf8_lossy(&stdout).into(), String::from_utf8_lossy(&stderr).into(), status.code())
}
