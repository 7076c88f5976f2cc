//! Gives an interpreter numpy.

use std::path::PathBuf;

use crate::support::pythons::{Python, say_once};
use crate::support::venv::venv;

/// The interpreter of one with the newest numpy that a CPython can have.
pub(crate) fn with_numpy(python: &Python) -> Option<PathBuf> {
    let inside = venv(python, "numpy", &["numpy"]);
    inside.map_err(|reason| say_once(format!("SKIPPED: no numpy for {python}: {reason}"))).ok()
}
