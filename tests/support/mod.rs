//! What the tests that need a real Python share: which interpreters are at hand, and how to say that one is not.

#![allow(dead_code)] // each test crate uses a part

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The CPython minor versions that a recording is made for.
pub const MINORS: std::ops::RangeInclusive<u32> = 8..=15;

/// An interpreter that was found.
#[derive(Debug, Clone)]
pub struct Python {
    pub minor: u32,
    /// `3.14.10`.
    pub version: String,
    pub path: PathBuf,
}

/// The interpreters at hand, the oldest first: of each of [`MINORS`] the newest of pyenv and that of each folder in
/// `REFLOOP_PYTHONS`, else the one on the path. One minor version may have two: Debian's 3.13 has another layout than
/// pyenv's. Those that are not there are named on stderr; where `REFLOOP_REQUIRE` names one of them, as `.ci/run` does for
/// those that it installs, the test fails.
pub fn pythons() -> Vec<Python> {
    static FOUND: OnceLock<Vec<Python>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

/// The interpreters of one minor version.
pub fn pythons_of(minor: u32) -> Vec<Python> {
    pythons().into_iter().filter(|python| python.minor == minor).collect()
}

/// The newest interpreter at hand, for tests to which the version does not matter.
pub fn any_python() -> Option<Python> {
    let python = pythons().pop();
    if python.is_none() {
        eprintln!("SKIPPED: no CPython at hand");
    }
    python
}

/// An interpreter of a minor version.
pub fn python(minor: u32) -> Option<PathBuf> {
    pythons_of(minor).into_iter().next().map(|python| python.path)
}

fn find() -> Vec<Python> {
    let required = std::env::var("REFLOOP_REQUIRE").unwrap_or_default();
    let mut found = Vec::new();
    for minor in MINORS {
        let name = format!("python3.{minor}");
        let mut paths: Vec<PathBuf> = of_pyenv(minor).into_iter().collect();
        paths.extend(folders().into_iter().map(|folder| folder.join(&name)).filter(|path| path.exists()));
        if paths.is_empty() {
            paths.push(PathBuf::from(&name));
        }
        let pythons: Vec<Python> =
            paths.into_iter().filter_map(|path| Some(Python { minor, version: version(&path)?, path })).collect();
        if pythons.is_empty() {
            assert!(!required.split(' ').any(|wanted| wanted == format!("3.{minor}")), "no CPython 3.{minor} at hand");
            eprintln!("SKIPPED: no CPython 3.{minor} at hand");
        }
        found.extend(pythons);
    }
    found
}

/// Folders with interpreters in them: those of `REFLOOP_PYTHONS`, else where `.ci/pythons` puts its own.
fn folders() -> Vec<PathBuf> {
    if let Some(folders) = std::env::var_os("REFLOOP_PYTHONS") {
        return std::env::split_paths(&folders).collect();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    cache.map(|cache| cache.join("refloop/sid/usr/bin")).into_iter().collect()
}

/// pyenv's newest micro version.
fn of_pyenv(minor: u32) -> Option<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")))?;
    let prefix = format!("3.{minor}.");
    let versions = std::fs::read_dir(root.join("versions")).ok()?;
    let newest = versions.filter_map(|entry| {
        let path = entry.ok()?.path();
        let micro: u32 = path.file_name()?.to_str()?.strip_prefix(&prefix)?.parse().ok()?;
        let python = path.join("bin/python3");
        python.exists().then_some((micro, python))
    });
    newest.max().map(|(_, python)| python)
}

/// What the interpreter calls itself; `None` where it does not run.
fn version(python: &Path) -> Option<String> {
    let program = "import platform; print(platform.python_version())";
    let output = Command::new(python).args(["-c", program]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// A test for each minor version, `v3_8` to `v3_15`, that calls a function with each interpreter of it.
#[allow(unused_macros)] // some test crates compare the versions with each other
macro_rules! on_each_cpython {
    ($check:path) => {
        $crate::support::on_each_cpython!($check, v3_8 8, v3_9 9, v3_10 10, v3_11 11, v3_12 12, v3_13 13, v3_14 14, v3_15 15);
    };
    ($check:path, $($name:ident $minor:literal),*) => {
        $(
            #[test]
            fn $name() {
                for python in $crate::support::pythons_of($minor) {
                    $check(&python);
                }
            }
        )*
    };
}
#[allow(unused_imports)]
pub(crate) use on_each_cpython;

/// The built program.
pub fn refloop() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.env_remove("NO_COLOR").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Records a program, which must succeed, and gives what it wrote.
pub fn record(python: &Path, options: &[&str], trace: &Path, program: &Path, arguments: &[&str]) -> Output {
    let mut command = refloop();
    command.args(["record", "-q"]).args(options).arg("-o").arg(trace).arg("--").arg(python).arg(program);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The root of the checkout.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
