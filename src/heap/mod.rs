//! Models the heap: replays events into objects, counts anomalies, and freezes the graph.

mod anomaly;
mod blind_spots;
mod checkpoint;
mod collections;
mod event_number;
pub mod external;
mod fast_path;
mod freeze;
pub mod graph;
pub mod graph_impl;
mod id_map;
mod identity;
mod journal;
pub mod label;
mod lifecycle;
mod long_list;
pub mod model;
mod names;
mod node_set;
mod objects;
mod observer;
mod read_ahead;
mod references;
mod replay;
mod state;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use anomaly::{Anomalies, AnomalyExample, AnomalyKind};
pub use blind_spots::{BlindSpots, Searched, Unseen};
pub use collections::{Collections, Generation, Pauses};
pub use external::External;
pub use graph::{FoundPlaces, HeapGraph, HiddenReference, Node, NodeState, Reference};
pub(crate) use id_map::IdMap;
pub use journal::Shift;
pub use model::{Heap, Now, Object, ObjectId, ObjectIndex};
pub use names::printable;
pub use node_set::NodeSet;
pub use observer::{Happening, Observer, SnapshotKind, Unnamed};
pub use replay::{Replayed, replay};
pub use tables::{SiteTable, TypeCounts, TypeTable};
