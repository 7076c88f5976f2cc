//! Finds objects that are alive at the end of the trace only because of an unreleased reference.

use super::unreachable::Garbage;
use crate::heap::{Heap, HeapGraph, Node};
use crate::trace::{ObjectFlags, References};

/// Objects with a refcount, but no named root, no referrer and no loop; and what only such objects hold.
///
/// This can be known only at the end, and only where every change of a reference is in the trace: before, and elsewhere,
/// an unnamed reference may be a variable that is still in use. Costs as much as [`Garbage::of`].
pub(crate) fn lost(heap: &Heap, graph: &HeapGraph, garbage: &Garbage) -> Vec<Node> {
    if heap.header().references != References::Events {
        return Vec::new();
    }
    let without = Garbage::without(graph, |external, node| {
        let object = graph.object(node);
        external.within(node) == 0
            && graph.count(node) > 0
            && !heap.object(object).flags.has(ObjectFlags::IMMORTAL)
            && heap.root_names(object).is_empty()
    });
    without.nodes.into_iter().filter(|&node| garbage.place(node).is_none()).collect()
}
