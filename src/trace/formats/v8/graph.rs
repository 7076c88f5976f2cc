//! Holds the tables of a snapshot until all are read: names come last in the file.

use super::super::json::{Json, Problem, number};
use super::layout::Layout;

/// What the file has said so far. Memory is that of the nodes (32 bytes), the edges (12 bytes) and the texts.
#[derive(Default)]
pub(super) struct Graph {
    pub layout: Layout,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    pub texts: Vec<Box<str>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub id: u64,
    pub bytes: u64,
    pub name: u32,
    /// How many of the edges are its own, behind those of the nodes before it.
    pub edges: u32,
    pub kind: u8,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub name: u32,
    /// Place of the node.
    pub to: u32,
    pub kind: u8,
}

impl Graph {
    /// Reads the numbers of one node.
    pub(super) fn read_node(&mut self, json: &mut Json) -> Result<(), Problem> {
        let fields = self.layout.node;
        let mut node = Node { id: 0, bytes: 0, name: 0, edges: 0, kind: 0 };
        for field in 0..fields.n_fields {
            let value = number(json, ("node", "whole numbers"))?;
            let small = || u32::try_from(value).map_err(|_| ("node", "numbers of at most 32 bits"));
            match field {
                _ if field == fields.kind => node.kind = kind(value),
                _ if field == fields.name => node.name = small()?,
                _ if field == fields.id => node.id = value,
                _ if field == fields.bytes => node.bytes = value,
                _ if field == fields.edges => node.edges = small()?,
                _ => {}
            }
        }
        self.nodes.push(node);
        Ok(())
    }

    /// Reads the numbers of one edge.
    pub(super) fn read_edge(&mut self, json: &mut Json) -> Result<(), Problem> {
        let fields = self.layout.edge;
        let mut edge = Edge { name: 0, to: 0, kind: 0 };
        for field in 0..fields.n_fields {
            let value = number(json, ("edge", "whole numbers"))?;
            let small = || u32::try_from(value).map_err(|_| ("edge", "numbers of at most 32 bits"));
            match field {
                _ if field == fields.kind => edge.kind = kind(value),
                _ if field == fields.name => edge.name = small()?,
                // A node is named by the place of its first number.
                _ if field == fields.to => edge.to = small()? / self.layout.node.n_fields.max(1) as u32,
                _ => {}
            }
        }
        self.edges.push(edge);
        Ok(())
    }

    /// Whether the tables fit each other.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let n_edges: u64 = self.nodes.iter().map(|node| u64::from(node.edges)).sum();
        if n_edges != self.edges.len() as u64 {
            return Err(("edges", "as many as the nodes say").into());
        }
        if self.edges.iter().any(|edge| edge.to as usize >= self.nodes.len()) {
            return Err(("edges", "nodes of this snapshot").into());
        }
        Ok(())
    }

    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    pub(super) fn node_kind(&self, node: &Node) -> &str {
        self.layout.node_types.get(usize::from(node.kind)).map_or("", |kind| kind)
    }

    pub(super) fn edge_kind(&self, edge: &Edge) -> &str {
        self.layout.edge_types.get(usize::from(edge.kind)).map_or("", |kind| kind)
    }
}

/// There are some 20 kinds; a larger number is none of them.
fn kind(value: u64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
