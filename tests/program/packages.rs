//! Gives tests that need a package of Python an interpreter that has it, whichever it is.

use std::path::PathBuf;

use crate::support::pythons::find;
use crate::support::venv;

/// The interpreter of a virtual environment with this package, where one can be made.
pub(crate) fn python_with(package: &str) -> Option<PathBuf> {
    let python = ["v3_13_debian", "v3_13", "system"].into_iter().find_map(find)?;
    venv::python_with(&python, package, &[package])
}
