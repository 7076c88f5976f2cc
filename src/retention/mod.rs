//! Objects become facts: who keeps whom, how much would go with an object, and why it is alive.

pub mod dominators;
pub mod query;
pub mod root_path;

pub use dominators::DominatorTree;
pub use query::{Answer, Query, Target, Way};
pub use root_path::{RootKind, RootPath, RootPaths, RootStep, path_from_root};
