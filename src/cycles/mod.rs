//! Finds cyclic garbage: which objects keep only each other alive, in which loops, and which bug each loop is.

pub mod garbage;
pub mod graph;
pub mod makers;
mod merge;
pub mod path;
#[cfg(test)]
pub(crate) mod tests;
pub mod tracker;

pub use garbage::{
    Alike, Amount, CyclicGarbage, Fingerprint, HiddenLink, Lingered, LoopGroup, LoopPath, MemberTypes, Memory,
    MemoryPoint, Occasion, Origin, PathStep, Residual, SeenAt, StackFrame, Unreachable,
};
pub use graph::components::Components;
pub use graph::holders::Holders;
pub use graph::subgraph::GarbageGraph;
pub use graph::unreachable::Garbage;
pub use makers::{MadeHere, Makers, MakersTracker};
pub use merge::merge;
pub use tracker::Tracker;
