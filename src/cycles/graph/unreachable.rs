//! Finds the objects that no root reaches: cyclic garbage, what it holds, and what was lost.
//!
//! This is what CPython's collector does (`deduce_unreachable` in `Modules/gcmodule.c`, `Python/gc.c` from 3.13 on):
//! subtract the references from inside from the counts, keep what has some left, and what those reach. Objects that
//! the collector does not track take part like all others.

use crate::heap::{Anomalies, External, HeapGraph, Node};

/// Objects that no root reaches.
///
/// Costs one pass over the references and one over the references of what is alive; 8 bytes a node meanwhile, 4 after.
#[derive(Debug, Clone, Default)]
pub struct Garbage {
    /// In the order of the graph.
    pub nodes: Vec<Node>,
    /// Nodes whose count is below the known references. They are no roots.
    pub imbalances: u64,
    /// The first few of them.
    pub imbalanced: Vec<Node>,
    /// For each node of the graph its place in `nodes`.
    places: Vec<u32>,
}

const REACHED: u32 = u32::MAX;

impl Garbage {
    /// An object that nothing has referred to yet is being made: it and what it holds are alive.
    pub fn of(graph: &HeapGraph) -> Garbage {
        Garbage::without(graph, |_, _| false)
    }

    /// As if the roots of which `gone` is true were none.
    pub fn without(graph: &HeapGraph, gone: impl Fn(&External, Node) -> bool) -> Garbage {
        let external = External::of(graph);
        let (mut imbalances, mut imbalanced) = (0, Vec::new());
        let mut roots = Vec::new();
        for node in graph.nodes() {
            if external.is_root(graph, node) || external.is_newborn(graph, node) {
                if !gone(&external, node) {
                    roots.push(node);
                }
            } else if external.is_imbalanced(graph, node) {
                imbalances += 1;
                if imbalanced.len() < Anomalies::EXAMPLES {
                    imbalanced.push(node);
                }
            }
        }
        // A word is a count below `REACHED` or the mark itself: a node cannot have that many referrers, because offsets
        // of references are 32 bits wide.
        let mut words = external.into_words();
        // One root after the other: neighbours in the heap are often neighbours in the graph, and a front from each of
        // thousands of roots at once would be everywhere in memory.
        let mut queue = Vec::new();
        for root in roots {
            reach(graph, &mut words, &mut queue, root);
        }
        drop(queue);
        let mut nodes = Vec::new();
        for node in graph.nodes() {
            let word = &mut words[node.0 as usize];
            if *word == REACHED || graph.state(node).vacant {
                *word = REACHED;
            } else {
                *word = nodes.len() as u32;
                nodes.push(node);
            }
        }
        Garbage { nodes, imbalances, imbalanced, places: words }
    }

    /// The place of `node` in [`Garbage::nodes`]; `None` when it is alive, or vacant.
    pub fn place(&self, node: Node) -> Option<u32> {
        let place = self.places[node.0 as usize];
        (place != REACHED).then_some(place)
    }
}

/// Marks `root` and what it leads to, if it is not marked. A queue, not a stack: it is faster by half.
fn reach(graph: &HeapGraph, words: &mut [u32], queue: &mut Vec<Node>, root: Node) {
    if std::mem::replace(&mut words[root.0 as usize], REACHED) == REACHED {
        return;
    }
    queue.clear();
    queue.push(root);
    let mut head = 0;
    while let Some(&node) = queue.get(head) {
        head += 1;
        for &referent in graph.referents(node) {
            let word = &mut words[referent.0 as usize];
            if *word != REACHED {
                *word = REACHED;
                queue.push(referent);
            }
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
        fn garbage_is_what_no_root_reaches((n, edges, extra) in random_graphs(12, 30)) {
            let mut counts = extra.clone();
            for &(_, to) in &edges {
                counts[to as usize] += 1;
            }
            let mut alive: Vec<bool> = (0..n).map(|i| extra[i] > 0 || counts[i] == 0).collect();
            for _ in 0..n {
                for &(from, to) in &edges {
                    alive[to as usize] |= alive[from as usize];
                }
            }
            let expected: Vec<u32> = (0..n as u32).filter(|&i| !alive[i as usize]).collect();
            prop_assert_eq!(garbage(&graph_of(&counts, &edges)), expected);
        }
    }
}
