//! Finds the garbage of a frozen heap: what no root reaches, in which loops, and which loop keeps what.

pub mod components;
pub mod holders;
pub(super) mod lost;
pub(crate) mod orphaned;
pub mod shape;
pub mod subgraph;
pub mod suspected;
pub mod unreachable;
