//! Everything that CPython decides, and the only place in the agent that knows a version or an offset.
//!
//! `versions` has one row of data for each CPython; the rest reads memory by that row. A new version is a row, a table of
//! opcodes in `bytecode`, and one of published offsets in `debug_offsets`.
//!
//! # Safety
//! Each `unsafe fn` here wants the interpreter's lock held, and the row of the CPython that runs. An address is that of a
//! live object, or of the part of one that the parameter is named for. No Python code runs, and no reference is taken.

pub mod bytecode;
pub mod class;
pub mod debug_offsets;
pub mod dict;
pub mod frame;
pub mod free_lists;
pub mod gc_lists;
pub mod integer;
pub mod interned;
pub mod interpreter;
pub mod memory;
pub mod object;
#[cfg(test)]
mod tests;
pub mod text;
pub mod versions;
