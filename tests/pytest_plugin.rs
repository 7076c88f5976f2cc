//! The Python package and its pytest plugin: their own suite, under `tests/python`, on every CPython at hand, with the
//! command that was just built. A venv for each holds pytest and pytest-xdist, kept between runs below `target`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const VERSIONS: &[&str] = &["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"];

/// What the suite imports. The oldest Python gets the oldest pytest that is supported, the others the newest.
const PACKAGES: &[&str] = &["pytest", "pytest-xdist", "pyyaml"];
const OLDEST_PACKAGES: &[&str] = &["pytest==6.2.5", "pytest-xdist==2.5.0", "pyyaml"];

/// Everything, on the newest CPython that is there.
#[test]
fn the_python_suite_passes_on_the_newest_python() {
    let Some((version, python)) = VERSIONS.iter().rev().find_map(|version| Some((*version, interpreter(version)?)))
    else {
        skip("no CPython from 3.8 to 3.15");
        return;
    };
    suite(version, &python, &[]);
}

/// What depends on the interpreter: recordings. The rest is the same everywhere.
#[test]
fn real_recordings_are_attributed_to_their_tests_on_every_python() {
    for version in VERSIONS {
        match interpreter(version) {
            Some(python) => suite(version, &python, &["test_recorded.py"]),
            None => skip(&format!("no CPython {version}")),
        }
    }
}

fn suite(version: &str, python: &Path, files: &[&str]) {
    let packages = if version == "3.8" { OLDEST_PACKAGES } else { PACKAGES };
    let python = match venv(version, python, packages) {
        Ok(python) => python,
        Err(reason) => return skip(&format!("{version}: {reason}")),
    };
    let folder = root().join("tests/python");
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]).arg(&folder);
    match files {
        [] => pytest.arg(&folder),
        files => pytest.args(files.iter().map(|file| folder.join(file))),
    };
    pytest.env("REFLOOP_BINARY", env!("CARGO_BIN_EXE_refloop")).env("PYTHONPATH", root().join("python"));
    pytest.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTEST_ADDOPTS");
    let output = pytest.output().unwrap();
    let text = said(&output);
    println!("CPython {version}: {}", text.lines().last().unwrap_or_default());
    assert!(output.status.success(), "CPython {version}:\n{text}");
    assert!(text.contains(" passed"), "CPython {version} ran no test:\n{text}");
}

/// The interpreter of a venv with these packages; it is made once.
fn venv(version: &str, python: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("venv-{version}"));
    let (inside, list) = (folder.join("bin/python"), folder.join("packages.txt"));
    let wanted = packages.join("\n");
    // Two tests of this file may want the same one.
    let lock = fs::File::create(folder.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if inside.exists() && fs::read_to_string(&list).is_ok_and(|there| there == wanted) {
        return Ok(inside);
    }
    let _ = fs::remove_dir_all(&folder);
    done(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    done(Command::new(&inside).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    fs::write(&list, wanted).map_err(|error| error.to_string())?;
    Ok(inside)
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(said(&output).lines().last().unwrap_or("failed").to_string()),
    }
}

/// The interpreter of a version: where pyenv has it, else on `PATH`.
fn interpreter(version: &str) -> Option<PathBuf> {
    let home = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let versions = home.and_then(|home| fs::read_dir(home.join("versions")).ok());
    let belongs = |name: &str| name.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'));
    let mut found: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(belongs))
        .map(|path| path.join("bin/python"))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    let on_path = PathBuf::from(format!("python{version}"));
    found.pop().or_else(|| done(Command::new(&on_path).args(["-m", "venv", "--help"])).is_ok().then_some(on_path))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
        .trim_end()
        .to_string()
}

fn skip(reason: &str) {
    eprintln!("SKIPPED: {reason}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
