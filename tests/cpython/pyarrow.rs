//! Gives interpreters pyarrow.

use std::path::PathBuf;

use crate::support::pythons::find;
use crate::support::venv::python_with;

/// Interpreters with the oldest and the newest version whose layout is known, since that is the package's and not CPython's.
pub(crate) fn with_oldest_and_newest() -> impl Iterator<Item = (&'static str, PathBuf)> {
    [("v3_8", "pyarrow==8.0.0"), ("v3_13", "pyarrow==26.0.1")].into_iter().filter_map(|(build, package)| {
        let inside = python_with(&find(build)?, "pyarrow", &[package, "numpy"])?;
        Some((package, inside))
    })
}
