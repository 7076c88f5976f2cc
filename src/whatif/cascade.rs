//! Finds the objects of a graph that die by the count alone when references no longer count.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::matcher::Changed;
use crate::heap::{HeapGraph, Node};

/// What dies, in this order: what only changed references held, then what only the dead held.
#[derive(Debug, Default)]
pub(super) struct Dead {
    pub(super) order: Vec<Node>,
    set: HashSet<Node, FixedState>,
}

impl Dead {
    /// These, in the order of their places.
    pub(super) fn of(nodes: impl Iterator<Item = Node>) -> Dead {
        let set: HashSet<Node, FixedState> = nodes.collect();
        let mut order: Vec<Node> = set.iter().copied().collect();
        order.sort_unstable();
        Dead { order, set }
    }

    pub(super) fn has(&self, node: Node) -> bool {
        self.set.contains(&node)
    }
}

/// Costs a visit to each reference of what dies; memory in proportion to what the changed references lead to.
pub(super) fn dead(graph: &HeapGraph, changed: &Changed) -> Dead {
    dead_without(graph, changed, &[])
}

/// The same where some objects, in the order of the graph, have lost so many references from outside as well: those that hold it
/// fast.
pub(super) fn dead_without(graph: &HeapGraph, changed: &Changed, outside: &[(Node, u32)]) -> Dead {
    let mut lost: HashMap<Node, u32, FixedState> = outside.iter().copied().collect();
    let is_free = |node: Node| outside.binary_search_by_key(&node, |&(node, _)| node).is_ok();
    let mut dead = Dead::default();
    let mut lose = |node: Node, dead: &mut Dead| {
        let lost = lost.entry(node).or_default();
        *lost = lost.saturating_add(1);
        let state = graph.state(node);
        if *lost >= graph.count(node) && !state.vacant && (!state.pinned || is_free(node)) && dead.set.insert(node) {
            dead.order.push(node);
        }
    };
    for &(_, to, _) in &changed.edges {
        lose(to, &mut dead);
    }
    let mut head = 0;
    while let Some(&node) = dead.order.get(head) {
        head += 1;
        for (place, &referent) in graph.referents(node).iter().enumerate() {
            if !changed.has(node, place) {
                lose(referent, &mut dead);
            }
        }
    }
    dead
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::{graph_of, random_graphs};
    use proptest::prelude::*;

    proptest! {
        /// What dies is what is left when objects without a counted reference are taken away one after the other.
        #[test]
        fn the_count_alone_takes_what_nothing_holds((n, mut edges, extra) in random_graphs(10, 25), cut in any::<u32>()) {
            edges.sort();
            let mut counts = extra.clone();
            edges.iter().for_each(|&(_, to)| counts[to as usize] += 1);
            let graph = graph_of(&counts, &edges);
            let mut changed = Changed::default();
            let is_cut = |edge: usize| cut >> (edge % 32) & 1 == 1;
            let row_begins = |from: u32| edges.iter().position(|edge| edge.0 == from).unwrap_or(0);
            for (edge, &(from, to)) in edges.iter().enumerate().filter(|&(edge, _)| is_cut(edge)) {
                changed.add(Node(from), edge - row_begins(from), Node(to), 0);
            }
            let mut alive: Vec<bool> = vec![true; n];
            for _ in 0..n {
                for node in 0..n {
                    let held = edges.iter().enumerate().any(|(edge, &(from, to))| {
                        to as usize == node && alive[from as usize] && !is_cut(edge)
                    });
                    // What nothing ever referred to is being made.
                    alive[node] = alive[node] && (held || extra[node] > 0 || counts[node] == 0);
                }
            }
            let dead = dead(&graph, &changed);
            let naive: Vec<bool> = alive.iter().map(|alive| !alive).collect();
            prop_assert_eq!((0..n as u32).map(|node| dead.has(Node(node))).collect::<Vec<_>>(), naive);
        }
    }
}
