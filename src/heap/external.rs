//! Counts for each node of a frozen graph the references that the graph does not explain: variables on the stack, C
//! globals, the interpreter.

use super::graph::{HeapGraph, Node};

/// How many references each node has from inside its graph; what its count has beyond them comes from outside.
///
/// 4 bytes a node; costs one pass over the references.
#[derive(Debug, Clone)]
pub struct External {
    within: Vec<u32>,
}

impl External {
    /// Costs one pass over the references, in the order of memory; 4 bytes a node.
    pub fn of(graph: &HeapGraph) -> External {
        let mut within = vec![0u32; graph.n_nodes()];
        for referent in graph.all_referents() {
            within[referent.0 as usize] += 1;
        }
        External { within }
    }

    /// References to `node` from nodes of the graph, itself included, each as often as it is there.
    #[inline]
    pub fn within(&self, node: Node) -> u32 {
        self.within[node.0 as usize]
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
