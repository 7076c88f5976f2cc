//! Builds the graph of the garbage alone, numbered from zero without gaps.

use super::unreachable::Garbage;
use crate::heap::HeapGraph;
use crate::trace::Slot;

/// Garbage and the references inside it, in compressed rows. What is alive never refers to it.
///
/// A node's number is its place in [`Garbage::nodes`].
#[derive(Debug, Clone)]
pub struct GarbageGraph {
    rows: Vec<u32>,
    targets: Vec<u32>,
    slots: Vec<Slot>,
}

impl GarbageGraph {
    /// Costs one pass over the references of the garbage.
    pub fn of(graph: &HeapGraph, garbage: &Garbage) -> GarbageGraph {
        let mut rows = Vec::with_capacity(garbage.nodes.len() + 1);
        let (mut targets, mut slots) = (Vec::new(), Vec::new());
        rows.push(0);
        for &node in &garbage.nodes {
            for reference in graph.references(node) {
                if let Some(place) = garbage.place(reference.to) {
                    targets.push(place);
                    slots.push(reference.slot);
                }
            }
            rows.push(targets.len() as u32);
        }
        GarbageGraph { rows, targets, slots }
    }

    /// Rows that were built elsewhere: one offset more than there are nodes.
    pub fn from_rows(rows: Vec<u32>, targets: Vec<u32>, slots: Vec<Slot>) -> GarbageGraph {
        debug_assert!(!rows.is_empty() && targets.len() == slots.len());
        GarbageGraph { rows, targets, slots }
    }

    pub fn n_nodes(&self) -> usize {
        self.rows.len() - 1
    }

    pub fn n_references(&self) -> usize {
        self.targets.len()
    }

    /// What `node` refers to, once for each reference.
    pub fn referents(&self, node: u32) -> &[u32] {
        &self.targets[self.row(node)]
    }

    /// What `node` refers to, with the slots.
    pub fn references(&self, node: u32) -> impl ExactSizeIterator<Item = (u32, Slot)> + '_ {
        let row = self.row(node);
        self.targets[row.clone()].iter().copied().zip(self.slots[row].iter().copied())
    }

    pub(super) fn row(&self, node: u32) -> std::ops::Range<usize> {
        self.rows[node as usize] as usize..self.rows[node as usize + 1] as usize
    }

    pub(super) fn target(&self, edge: u32) -> u32 {
        self.targets[edge as usize]
    }
}
