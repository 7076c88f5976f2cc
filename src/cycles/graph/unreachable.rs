//! Finds the objects that no root reaches: cyclic garbage, what it holds, and what was lost.
//!
//! This is what CPython's collector does (`deduce_unreachable` in `Modules/gcmodule.c`, `Python/gc.c` from 3.13 on):
//! subtract the references from inside from the counts, keep what has some left, and what those reach. Objects that
//! the collector does not track take part like all others.

use std::hint::black_box;

use crate::heap::{Anomalies, External, HeapGraph, Node, NodeSet};

/// Objects that no root reaches.
///
/// Costs one pass over the references and one over the references of what is alive; a byte a node meanwhile, a fifth of
/// one after.
#[derive(Debug, Clone, Default)]
pub struct Garbage {
    /// In the order of the graph.
    pub nodes: Vec<Node>,
    /// Nodes whose count is below the known references. They are no roots.
    pub imbalances: u64,
    /// The first few of them.
    pub imbalanced: Vec<Node>,
    /// The same.
    set: NodeSet,
    /// For each run of 64 nodes of the graph how many of `nodes` come before it.
    before: Vec<u32>,
}

impl Garbage {
    /// An object that nothing has referred to yet is being made: it and what it holds are alive.
    pub fn of(graph: &HeapGraph) -> Garbage {
        Garbage::without(graph, |_, _| false)
    }

    /// As if the roots of which `gone` is true were none.
    pub fn without(graph: &HeapGraph, gone: impl Fn(&External, Node) -> bool) -> Garbage {
        let external = External::of(graph);
        let (mut imbalances, mut imbalanced) = (0, Vec::new());
        // Vacant nodes lead nowhere.
        let mut reached = NodeSet::new(graph.n_nodes());
        for node in graph.nodes() {
            if graph.state(node).vacant {
                reached.insert(node);
            } else if external.is_root(graph, node) || external.is_newborn(graph, node) {
                if !gone(&external, node) {
                    reached.insert(node);
                }
            } else if external.is_imbalanced(graph, node) {
                imbalances += 1;
                if imbalanced.len() < Anomalies::EXAMPLES {
                    imbalanced.push(node);
                }
            }
        }
        drop(external);
        reach(graph, &mut reached);
        let set = reached.others(graph.n_nodes());
        let nodes: Vec<Node> = set.iter().collect();
        let before = set.counts().scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count))).collect();
        Garbage { nodes, imbalances, imbalanced, set, before }
    }

    /// The place of `node` in [`Garbage::nodes`]; `None` when it is alive, or vacant.
    #[inline]
    pub fn place(&self, node: Node) -> Option<u32> {
        self.set.contains(node).then(|| self.before[node.0 as usize / 64] + self.set.count_before(node))
    }
}

/// Adds what the nodes of the set lead to.
///
/// One sweep in the order of the nodes, which is the order of their rows in memory. What is found ahead of the sweep waits
/// until it comes there; what is found behind it is followed some dozens at a time. So each row is read once, and nearly
/// all of them in order, where a queue from root to root is everywhere in memory.
fn reach(graph: &HeapGraph, reached: &mut NodeSet) {
    let mut behind = Behind::default();
    for swept in graph.nodes() {
        if reached.contains(swept) {
            behind.add_news(graph.referents(swept), swept, reached);
        }
        while behind.length >= TOGETHER {
            behind.follow(graph, swept, reached);
        }
    }
    if let Some(last) = graph.nodes().next_back() {
        while behind.length > 0 {
            behind.follow(graph, last, reached);
        }
    }
}

/// Nodes whose rows are asked of memory together: it answers many questions in the time of one.
const TOGETHER: usize = 64;

/// Nodes that are reached and that a sweep has passed.
#[derive(Default)]
struct Behind {
    /// The first `length` are they; the rest is room.
    nodes: Vec<Node>,
    length: usize,
}

impl Behind {
    /// Reaches these referents, and keeps those that the sweep has passed. Whether one is new is as good as random, so all
    /// are written, and the length says which count: no processor can predict a branch here.
    #[inline]
    fn add_news(&mut self, referents: &[Node], swept: Node, reached: &mut NodeSet) {
        let most = self.length + referents.len();
        if self.nodes.len() < most {
            self.nodes.resize(2 * most, Node(0));
        }
        let mut length = self.length;
        for &referent in referents {
            self.nodes[length] = referent;
            length += usize::from(reached.insert(referent) & (referent <= swept));
        }
        self.length = length;
    }

    /// Follows the last of the nodes.
    fn follow(&mut self, graph: &HeapGraph, swept: Node, reached: &mut NodeSet) {
        let rest = self.length.saturating_sub(TOGETHER);
        let mut rows: [&[Node]; TOGETHER] = [&[]; TOGETHER];
        for (row, &node) in rows.iter_mut().zip(&self.nodes[rest..self.length]) {
            *row = graph.referents(node);
        }
        self.length = rest;
        // A first look at each, of which none waits for another.
        black_box(rows.iter().filter_map(|row| row.first()).fold(0, |all, referent| all ^ referent.0));
        for row in rows {
            self.add_news(row, swept, reached);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::{graph_of, random_graphs};
    use crate::heap::NodeState;
    use proptest::prelude::*;

    fn garbage(graph: &HeapGraph) -> Vec<u32> {
        Garbage::of(graph).nodes.iter().map(|node| node.0).collect()
    }

    #[test]
    fn two_objects_that_hold_each_other_are_garbage() {
        assert_eq!(garbage(&graph_of(&[1, 1], &[(0, 1), (1, 0)])), [0, 1]);
    }

    #[test]
    fn an_external_reference_keeps_a_loop_and_what_it_holds() {
        assert_eq!(garbage(&graph_of(&[2, 1, 1], &[(0, 1), (1, 0), (1, 2)])), Vec::<u32>::new());
    }

    #[test]
    fn a_reference_from_outside_to_a_held_object_does_not_keep_the_loop() {
        assert_eq!(garbage(&graph_of(&[1, 1, 2], &[(0, 1), (1, 0), (1, 2)])), [0, 1]);
    }

    #[test]
    fn a_count_below_the_known_references_is_an_imbalance_and_no_root() {
        let found = Garbage::of(&graph_of(&[1, 1], &[(0, 1), (1, 0), (0, 1)]));
        assert_eq!((found.nodes.len(), found.imbalances, found.imbalanced), (2, 1, vec![Node(1)]));
    }

    #[test]
    fn an_object_that_nothing_referred_to_yet_is_alive_and_what_it_holds() {
        assert_eq!(garbage(&graph_of(&[0, 1], &[(0, 1)])), Vec::<u32>::new());
    }

    #[test]
    fn what_is_found_behind_the_sweep_is_followed() {
        assert_eq!(garbage(&graph_of(&[1, 1, 1, 1, 1], &[(3, 1), (1, 4), (4, 2), (2, 0)])), Vec::<u32>::new());
    }

    #[test]
    fn places_are_those_of_the_list_of_garbage() {
        let n = 200;
        let edges: Vec<(u32, u32)> = (0..n).filter(|node| node % 3 == 0).map(|node| (node, node)).collect();
        let counts: Vec<u32> = vec![1; n as usize];
        let graph = graph_of(&counts, &edges);
        let found = Garbage::of(&graph);
        assert_eq!(found.nodes.len(), 67);
        for node in graph.nodes() {
            let place = found.nodes.iter().position(|&other| other == node);
            assert_eq!(found.place(node), place.map(|place| place as u32));
        }
    }

    #[test]
    fn vacant_places_are_never_garbage_and_pinned_objects_always_alive() {
        let state = NodeState { tracked: true, ..NodeState::default() };
        let graph = HeapGraph::from_rows(
            vec![0, 0, 1, 2, 3],
            vec![Node(1), Node(3), Node(2)],
            vec![crate::trace::Slot::UNNAMED; 3],
            Vec::new(),
            vec![0, 1, 1, 1],
            vec![NodeState { vacant: true, ..state }, state, NodeState { pinned: true, ..state }, state],
        );
        assert_eq!(garbage(&graph), [1]);
    }

    proptest! {
        #[test]
        fn garbage_is_what_no_root_reaches(
            (n, edges, extra) in prop_oneof![random_graphs(12, 30), random_graphs(600, 900)],
        ) {
            let mut counts = extra.clone();
            for &(_, to) in &edges {
                counts[to as usize] += 1;
            }
            let mut alive = vec![false; n];
            let mut open: Vec<usize> = (0..n).filter(|&i| extra[i] > 0 || counts[i] == 0).collect();
            while let Some(i) = open.pop() {
                if !std::mem::replace(&mut alive[i], true) {
                    open.extend(edges.iter().filter(|edge| edge.0 as usize == i).map(|edge| edge.1 as usize));
                }
            }
            let expected: Vec<u32> = (0..n as u32).filter(|&i| !alive[i as usize]).collect();
            prop_assert_eq!(garbage(&graph_of(&counts, &edges)), expected);
        }
    }
}
