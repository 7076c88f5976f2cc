//! Counts for each node of a frozen graph the references that the graph does not explain: variables on the stack, C
//! globals, the interpreter.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::graph::{HeapGraph, Node};

/// How many references each node has from inside its graph; what its count has beyond them comes from outside.
///
/// A byte a node, so that what ten million objects are counted in stays in a processor's cache.
#[derive(Debug, Clone)]
pub struct External {
    /// The references to each node, below [`MANY`]. Of more it is `MANY` and those beyond the last multiple of it.
    within: Vec<u8>,
    /// That multiple, of the nodes that have so many.
    many: HashMap<Node, u32, FixedState>,
}

/// References that a byte has no room for.
const MANY: u8 = 1 << 7;

impl External {
    /// Costs one pass over the references, in the order of memory.
    pub fn of(graph: &HeapGraph) -> External {
        let mut external = External { within: vec![0; graph.n_nodes()], many: HashMap::default() };
        for &referent in graph.all_referents() {
            let within = &mut external.within[referent.0 as usize];
            *within = within.wrapping_add(1);
            if within.is_multiple_of(MANY) {
                *within = MANY;
                *external.many.entry(referent).or_default() += u32::from(MANY);
            }
        }
        external
    }

    /// References to `node` from nodes of the graph, itself included, each as often as it is there.
    #[inline]
    pub fn within(&self, node: Node) -> u32 {
        let within = self.within[node.0 as usize];
        if within < MANY { u32::from(within) } else { u32::from(within - MANY) + self.many[&node] }
    }

    /// References from outside the graph. Zero where the count is below the known references: see
    /// [`External::is_imbalanced`].
    #[inline]
    pub fn references(&self, graph: &HeapGraph, node: Node) -> u32 {
        graph.count(node).saturating_sub(self.within(node))
    }

    /// The count is below the known references: the log or the program is broken.
    #[inline]
    pub fn is_imbalanced(&self, graph: &HeapGraph, node: Node) -> bool {
        let state = graph.state(node);
        !state.vacant && !state.pinned && graph.count(node) < self.within(node)
    }

    /// Alive by itself: pinned, or referred to from outside.
    #[inline]
    pub fn is_root(&self, graph: &HeapGraph, node: Node) -> bool {
        let state = graph.state(node);
        !state.vacant && (state.pinned || self.references(graph, node) > 0)
    }

    /// Born, but nothing has referred to it yet: a tally that starts at zero has not returned to it.
    #[inline]
    pub fn is_newborn(&self, graph: &HeapGraph, node: Node) -> bool {
        let state = graph.state(node);
        !state.vacant && !state.pinned && graph.count(node) == 0 && self.within(node) == 0
    }

    /// All roots, in the order of the nodes.
    pub fn roots<'a>(&'a self, graph: &'a HeapGraph) -> impl Iterator<Item = Node> + 'a {
        graph.nodes().filter(|&node| self.is_root(graph, node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Slot;

    #[test]
    fn references_are_counted_beyond_what_a_byte_holds() {
        let within: [u32; 7] = [0, 1, 127, 128, 255, 256, 1000];
        let targets: Vec<Node> = (0..7).flat_map(|node| vec![Node(node); within[node as usize] as usize]).collect();
        let n_references = targets.len() as u32;
        let rows = [vec![0; 7], vec![n_references]].concat();
        let slots = vec![Slot::UNNAMED; targets.len()];
        let graph = HeapGraph::from_rows(rows, targets, slots, Vec::new(), vec![1001; 7], vec![Default::default(); 7]);
        let external = External::of(&graph);
        let nodes = || graph.nodes();
        assert_eq!(nodes().map(|node| external.within(node)).collect::<Vec<_>>(), within);
        let outside = nodes().map(|node| external.references(&graph, node)).collect::<Vec<_>>();
        assert_eq!(outside, within.map(|within| 1001 - within));
    }
}
