//! Answers who keeps whom: paths from a root, and how much would go with an object.

pub mod dominators;
mod expression;
mod holders;
pub mod query;
pub mod retained;
pub mod root_path;

pub use dominators::DominatorTree;
pub use holders::{Hold, Holder};
pub use query::{Answer, Query, Target, Way};
pub use retained::{Retained, RetainedGroup, RetainedTracker};
pub use root_path::{Alike, RootKind, RootPath, RootPaths, RootStep, Shape, Shapes, path_from_root};
