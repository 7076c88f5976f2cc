//! Holds everything that CPython decides, and is the only place in the agent that knows a version or an offset.
//!
//! `versions` has one row of data for each CPython; the rest reads memory by that row. A new version is a row, a table of
//! opcodes in `bytecode`, and one of published offsets in `debug_offsets`.
//!
//! # Safety
//! Each `unsafe fn` here wants the interpreter's lock held, and the row of the CPython that runs. An address is that of a
//! live object, or of the part of one that the parameter is named for. No Python code runs, and no reference is taken.

pub(crate) mod bytecode;
pub(crate) mod class;
pub(crate) mod death;
pub(crate) mod debug_offsets;
pub(crate) mod dict;
pub(crate) mod frame;
pub(crate) mod free_lists;
pub(crate) mod function;
pub(crate) mod gc_lists;
pub(crate) mod gc_state;
pub(crate) mod gc_stats;
pub(crate) mod integer;
pub(crate) mod interned;
pub(crate) mod interpreter;
pub(crate) mod memory;
pub(crate) mod object;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod versions;
