//! Finds the builds of CPython that tests ask for, and says which are missing.
//!
//! A build is asked for by name: `v3_12` is any CPython 3.12, `v3_13_debian` the 3.13 of Debian's unstable suite, which
//! lays its collector's lists out differently from the first 3.13, and `system` is `/usr/bin/python3`.
//!
//! It is looked for in the folders of `REFLOOP_PYTHONS` (by default where `.ci/pythons` makes its root), then among
//! pyenv's versions, the newest first, then on the path. One that is missing is skipped, and named on standard error
//! once, also by `cargo test` without `--nocapture`; it is a failure if `REFLOOP_EXPECT` names it, as `.ci/run` does.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// An interpreter that was found.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    pub build: &'static str,
    pub minor: u32,
    pub micro: u32,
    pub path: PathBuf,
}

impl Python {
    /// The full version, such as `3.13.0`.
    pub(crate) fn version(&self) -> String {
        format!("3.{}.{}", self.minor, self.micro)
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "CPython {} ({})", self.version(), self.build)
    }
}

/// The interpreter of a build. Panics where it is missing and promised.
pub(crate) fn find(build: &'static str) -> Option<Python> {
    static FOUND: Mutex<BTreeMap<&str, Option<Python>>> = Mutex::new(BTreeMap::new());
    let found =
        FOUND.lock().unwrap_or_else(|poison| poison.into_inner()).entry(build).or_insert_with(|| look(build)).clone();
    found.or_else(|| is_missing(build))
}

/// Says once that an interpreter is missing; panics where it is promised.
pub(crate) fn is_missing<T>(name: &str) -> Option<T> {
    let expected = env::var("REFLOOP_EXPECT").unwrap_or_default();
    assert!(!expected.split_whitespace().any(|promised| promised == name), "REFLOOP_EXPECT promises {name}: not found");
    say_once(format!("SKIPPED: no Python for {name}"));
    None
}

/// Writes a line once, past the capture of the test harness.
pub(crate) fn say_once(line: String) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().unwrap_or_else(|poison| poison.into_inner()).insert(line.clone()) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

fn look(build: &'static str) -> Option<Python> {
    if build == "system" {
        return ask(build, Path::new("/usr/bin/python3"));
    }
    let version = build.strip_prefix("v3_").expect("a build begins with v3_");
    let (minor, candidates) = match version.strip_suffix("_debian") {
        Some(minor) => (minor, in_debian(minor)),
        None => (version, anywhere(version)),
    };
    let minor: u32 = minor.parse().expect("a minor version");
    candidates.iter().filter_map(|path| ask(build, path)).find(|python| python.minor == minor)
}

/// Where a CPython of a minor version may be, the first choice first.
fn anywhere(minor: &str) -> Vec<PathBuf> {
    let name = format!("python3.{minor}");
    let mut candidates = Vec::new();
    for folder in folders() {
        candidates.extend(["", "bin", "usr/bin"].map(|below| folder.join(below).join(&name)));
    }
    candidates.extend(in_pyenv(&format!("3.{minor}.")));
    candidates.extend(in_debian(minor));
    candidates.push(PathBuf::from(name));
    candidates
}

/// Where `.ci/pythons` makes a root of Debian's unstable suite.
fn in_debian(minor: &str) -> Vec<PathBuf> {
    folders().iter().map(|folder| folder.join(format!("sid/usr/bin/python3.{minor}"))).collect()
}

/// Pyenv's builds whose version begins with a prefix such as `3.8.`, the newest first.
pub(crate) fn in_pyenv(prefix: &str) -> Vec<PathBuf> {
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let versions = root.and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    let mut found: Vec<(u32, PathBuf)> = versions
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let micro = path.file_name()?.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((micro, path.join("bin/python")))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// The folders that `REFLOOP_PYTHONS` names, or the one that `.ci/pythons` uses without it.
pub(crate) fn folders() -> Vec<PathBuf> {
    if let Some(folders) = env::var_os("REFLOOP_PYTHONS") {
        return env::split_paths(&folders).collect();
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")));
    cache.map(|cache| cache.join("refloop")).into_iter().collect()
}

/// Asks an interpreter for its version; nothing where it does not run or is no CPython.
fn ask(build: &'static str, path: &Path) -> Option<Python> {
    let question = "import sys; print(sys.implementation.name, *sys.version_info[:3])";
    let output =
        Command::new(path).args(["-I", "-c", question]).output().ok().filter(|output| output.status.success())?;
    let answer = String::from_utf8(output.stdout).ok()?;
    let numbers: Vec<u32> = answer.trim().strip_prefix("cpython ")?.split(' ').filter_map(|n| n.parse().ok()).collect();
    let [3, minor, micro] = numbers[..] else { return None };
    Some(Python { build, minor, micro, path: path.to_owned() })
}
