//! Examines the CPython that runs: whether it is one that is recorded, and by which row.

use crate::cpython::debug_offsets::Published;
use crate::cpython::versions::{self, CPython};
use crate::python::exported;
use crate::system::symbol;

/// What is known of the running CPython before anything of it is touched.
pub(crate) struct Runtime {
    pub row: &'static CPython,
    pub published: Option<Published>,
    pub type_type: usize,
}

impl Runtime {
    /// Compares what runs with the row of its version, `3.13.0`.
    ///
    /// # Errors
    /// A sentence that says why it is not recorded.
    ///
    /// # Safety
    /// In a process with a CPython.
    pub(crate) unsafe fn examine(version: &str) -> Result<Runtime, String> {
        let row = versions::of(version)?;
        // SAFETY: a CPython that exports its runtime has it there.
        let published = unsafe { Published::read(row, symbol(c"_PyRuntime")) }?;
        published.map_or(Ok(()), |published| published.agrees(row))?;
        let type_type = exported(c"PyType_Type").map_err(missing)?;
        Ok(Runtime { row, published, type_type })
    }
}

/// Says that something is not exported.
pub(crate) fn missing(name: &str) -> String {
    format!("this Python has no {name}")
}
