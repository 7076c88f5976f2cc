//! Gives an interpreter numpy.

use std::path::PathBuf;

use crate::support::pythons::Python;
use crate::support::venv::python_with;

/// The interpreter of one with the newest numpy that a CPython can have.
pub(crate) fn with_numpy(python: &Python) -> Option<PathBuf> {
    python_with(python, "numpy", &["numpy"])
}
