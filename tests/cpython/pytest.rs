//! The Python package and its pytest plugin: their own suite, under `tests/python`, on every CPython at hand, with the
//! command that was just built. A venv for each holds pytest and pytest-xdist, kept between runs below `target`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::each::at_hand;
use crate::support::pythons::{Python, say_once};
use crate::support::root;

on_each_python! {
    real_recordings_are_attributed_to_their_tests,
}

/// What the suite imports. The oldest Python gets the oldest pytest that is supported, the others the newest.
const PACKAGES: &[&str] = &["pytest", "pytest-xdist", "pyyaml"];
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

fn suite(python: &Python, files: &[&str]) {
    let inside = match venv(python) {
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

/// The interpreter of a virtual environment that holds pytest; it is made once.
pub(crate) fn venv(python: &Python) -> Result<PathBuf, String> {
    let packages = if python.minor == 8 { OLDEST_PACKAGES } else { PACKAGES };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("venv-{}", python.build));
    let (inside, list) = (folder.join("bin/python"), folder.join("packages.txt"));
    let wanted = format!("{}\n{}\n{}", python.version(), python.path.display(), packages.join("\n"));
    // Two tests of this file may want the same one.
    let lock = fs::File::create(folder.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if inside.exists() && fs::read_to_string(&list).is_ok_and(|there| there == wanted) {
        return Ok(inside);
    }
    let _ = fs::remove_dir_all(&folder);
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    if done(Command::new(&python.path).args(["-m", "venv"]).arg(&folder)).is_ok() {
        done(Command::new(&inside).args(install).args(packages))?;
    } else {
        // In Debian, pip is a wheel below `usr/share`, and `venv` looks for it below `/` alone.
        done(Command::new(&python.path).args(["-m", "venv", "--clear", "--without-pip"]).arg(&folder))?;
        let pip = pip_beside(&python.path).ok_or("it has no pip")?;
        done(Command::new(&inside).arg(pip.join("pip")).args(&install[2..]).args(packages))?;
    }
    fs::write(&list, wanted).map_err(|error| error.to_string())?;
    Ok(inside)
}

/// The wheel of pip that Debian puts beside its interpreters; Python runs it as it is.
fn pip_beside(python: &Path) -> Option<PathBuf> {
    let wheels = python.parent()?.parent()?.join("share/python-wheels");
    let names = fs::read_dir(wheels).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    names.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pip-"))).max()
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(said(&output).lines().last().unwrap_or("failed").to_string()),
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
        .trim_end()
        .to_string()
}
