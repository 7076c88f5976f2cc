//! What the tests that need a real Python share: which interpreters are at hand, and how to say that one is not.

#![allow(dead_code)] // each test crate uses a part

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The CPython minor versions that a recording is made for.
pub const MINORS: [u32; 6] = [8, 9, 10, 11, 12, 13];

/// An interpreter that was found.
#[derive(Debug, Clone)]
pub struct Python {
    pub minor: u32,
    pub path: PathBuf,
}

/// One interpreter for each of [`MINORS`], from pyenv or from the path. Those that are not there are named on stderr,
/// loudly; a test is skipped for them.
pub fn pythons() -> Vec<Python> {
    let mut found = Vec::new();
    for minor in MINORS {
        match python(minor) {
            Some(path) => found.push(Python { minor, path }),
            None => eprintln!("SKIPPED: no CPython 3.{minor} at hand"),
        }
    }
    eprintln!("interpreters: {} of {} at hand, {} skipped", found.len(), MINORS.len(), MINORS.len() - found.len());
    found
}

/// The newest interpreter at hand, for tests to which the version does not matter.
pub fn any_python() -> Option<Python> {
    let python = pythons().pop();
    if python.is_none() {
        eprintln!("SKIPPED: no CPython at hand");
    }
    python
}

/// The interpreter of a minor version: pyenv's newest micro version, else `python3.N` on the path.
pub fn python(minor: u32) -> Option<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    let prefix = format!("3.{minor}.");
    let mut versions: Vec<(u32, PathBuf)> = root
        .and_then(|root| std::fs::read_dir(root.join("versions")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let micro = path.file_name()?.to_str()?.strip_prefix(&prefix)?.parse().ok()?;
            let python = path.join("bin/python3");
            python.exists().then_some((micro, python))
        })
        .collect();
    versions.sort();
    if let Some((_, path)) = versions.pop() {
        return Some(path);
    }
    let name = format!("python3.{minor}");
    let works = Command::new(&name).arg("-c").arg("").status().is_ok_and(|status| status.success());
    works.then(|| PathBuf::from(name))
}

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
