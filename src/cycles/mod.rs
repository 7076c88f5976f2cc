//! Objects become facts: which objects keep only each other alive, in which loops, and which bug each loop is.

pub mod components;
pub mod figure;
pub mod fingerprint;
pub mod garbage;
mod group;
pub mod held;
mod home;
mod known;
mod left;
mod lost;
mod merge;
mod naming;
mod orphaned;
pub mod path;
pub mod reach;
#[cfg(test)]
mod scenario;
pub mod shape;
pub mod subgraph;
mod telling;
#[cfg(test)]
mod testing;
pub mod tracker;

pub use components::Components;
pub use garbage::{
    CyclicGarbage, Fingerprint, Left, LoopGroup, LoopPath, MemberTypes, PathStep, SeenAt, StackFrame, Unreachable,
};
pub use held::Keepers;
pub use merge::merge;
pub use reach::Garbage;
pub use subgraph::GarbageGraph;
pub use tracker::Tracker;
