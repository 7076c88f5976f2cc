//! Writes a frozen heap into files of other programs, in one file for each format.
//!
//! A format that is read too stands in `trace/formats/` once more: that reads events, this writes a graph.

pub mod cc_edges;
pub mod graphml;
pub mod last_graph;
pub mod refcycle;
#[cfg(test)]
mod tests;
pub mod v8;

use std::io::{self, Write};

use crate::heap::{Heap, HeapGraph, Node, SnapshotKind};

/// A file in which another program keeps a heap.
pub trait GraphFormat: Sync {
    /// What `--to` calls it.
    fn name(&self) -> &'static str;
    /// What it is, in one clause.
    fn description(&self) -> &'static str;
    /// Whether it shows the garbage alone. Otherwise it shows the whole heap.
    fn shows_garbage(&self) -> bool {
        false
    }
    /// Writes the graph. Takes memory for the distinct names, and for a few words a node.
    fn write(&self, heap: &Heap, graph: &HeapGraph, out: &mut dyn Write) -> io::Result<()>;
}

/// Every format, in the order in which people are told of them.
pub const FORMATS: &[&dyn GraphFormat] = &[&cc_edges::CcEdges, &refcycle::Refcycle, &graphml::GraphMl, &v8::V8];

/// The format of this name.
pub fn named(name: &str) -> Option<&'static dyn GraphFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The nodes that are objects.
fn objects(graph: &HeapGraph) -> impl Iterator<Item = Node> + '_ {
    graph.nodes().filter(|&node| !graph.state(node).vacant)
}

/// Full name of the type of a node; empty where it is not known.
fn type_name<'a>(heap: &'a Heap, graph: &HeapGraph, node: Node) -> &'a str {
    let class = heap.class(graph.object(node));
    heap.types().get(class).map_or("", |def| &def.name)
}

/// The producer's tag of a node.
fn address(heap: &Heap, graph: &HeapGraph, node: Node) -> u64 {
    heap.object(graph.object(node)).address
}

/// Whether a snapshot is one that a format wants.
fn is_wanted(format: &dyn GraphFormat, kind: SnapshotKind) -> bool {
    match kind {
        SnapshotKind::FullCheckpoint | SnapshotKind::End => true,
        SnapshotKind::Garbage | SnapshotKind::CollectionStart => format.shows_garbage(),
    }
}
