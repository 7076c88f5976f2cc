//! Implements petgraph's visit traits for [`HeapGraph`], so that its algorithms run on a frozen heap without a copy.
//!
//! Vacant nodes are nodes here, without edges. Beware of recursive algorithms (`tarjan_scc`): a heap has long chains.

use petgraph::visit::{
    Data, EdgeRef, GraphBase, IntoEdgeReferences, IntoEdges, IntoNeighbors, IntoNodeIdentifiers, NodeCompactIndexable,
    NodeCount, NodeIndexable, Visitable,
};

use super::graph::{HeapGraph, Node};
use super::node_set::NodeSet;

/// One edge: a reference, without its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    from: Node,
    to: Node,
    /// Which reference of the row.
    nth: u32,
}

impl GraphBase for HeapGraph {
    type NodeId = Node;
    type EdgeId = (Node, u32);
}

impl Data for HeapGraph {
    type NodeWeight = ();
    type EdgeWeight = ();
}

impl NodeCount for HeapGraph {
    fn node_count(&self) -> usize {
        self.n_nodes()
    }
}

impl NodeIndexable for HeapGraph {
    fn node_bound(&self) -> usize {
        self.n_nodes()
    }

    fn to_index(&self, node: Node) -> usize {
        node.0 as usize
    }

    fn from_index(&self, index: usize) -> Node {
        Node(index as u32)
    }
}

impl NodeCompactIndexable for HeapGraph {}

impl IntoNodeIdentifiers for &HeapGraph {
    type NodeIdentifiers = std::iter::Map<std::ops::Range<u32>, fn(u32) -> Node>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        (0..self.n_nodes() as u32).map(Node)
    }
}

impl<'a> IntoNeighbors for &'a HeapGraph {
    type Neighbors = std::iter::Copied<std::slice::Iter<'a, Node>>;

    fn neighbors(self, node: Node) -> Self::Neighbors {
        self.referents(node).iter().copied()
    }
}

impl IntoEdgeReferences for &HeapGraph {
    type EdgeRef = Edge;
    type EdgeReferences = std::vec::IntoIter<Edge>;

    fn edge_references(self) -> Self::EdgeReferences {
        self.nodes().flat_map(|node| self.edges(node)).collect::<Vec<_>>().into_iter()
    }
}

impl<'a> IntoEdges for &'a HeapGraph {
    type Edges = Edges<'a>;

    fn edges(self, node: Node) -> Edges<'a> {
        Edges { from: node, referents: self.referents(node).iter().enumerate() }
    }
}

impl Visitable for HeapGraph {
    type Map = NodeSet;

    fn visit_map(&self) -> NodeSet {
        NodeSet::new(self.n_nodes())
    }

    fn reset_map(&self, map: &mut NodeSet) {
        *map = self.visit_map();
    }
}

impl EdgeRef for Edge {
    type NodeId = Node;
    type EdgeId = (Node, u32);
    type Weight = ();

    fn source(&self) -> Node {
        self.from
    }

    fn target(&self) -> Node {
        self.to
    }

    fn weight(&self) -> &() {
        &()
    }

    fn id(&self) -> (Node, u32) {
        (self.from, self.nth)
    }
}

/// The references of one node.
#[derive(Debug, Clone)]
pub struct Edges<'a> {
    from: Node,
    referents: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl Iterator for Edges<'_> {
    type Item = Edge;

    fn next(&mut self) -> Option<Edge> {
        let (nth, &to) = self.referents.next()?;
        Some(Edge { from: self.from, to, nth: nth as u32 })
    }
}
