//! Events become objects: the model, its replay, anomalies, and the frozen graph.

mod anomaly;
mod event_number;
pub mod external;
mod freeze;
pub mod graph;
pub mod graph_impl;
mod identity;
pub mod label;
mod long_list;
pub mod model;
mod names;
mod numbered;
mod objects;
mod page_table;
mod plain;
#[cfg(test)]
mod properties;
mod read_ahead;
mod references;
mod replay;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod scenarios;
mod state;
mod tables;
mod tally;
mod walk;

pub use anomaly::{Anomalies, AnomalyExample, AnomalyKind};
pub use external::External;
pub use graph::{HeapGraph, Node, NodeState, Reference};
pub use model::{Collections, Heap, Now, Object, ObjectId, ObjectIndex};
pub use names::printable;
pub(crate) use numbered::Numbered;
pub use replay::{Moment, Replayed, Watch, replay};
pub use tables::{SiteTable, TypeCounts, TypeTable};
