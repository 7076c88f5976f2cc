//! Finds for each object of the garbage the loop that it is charged to: its own, or the one that holds it.

use super::components::Components;
use super::subgraph::GarbageGraph;

/// Which loop keeps each object of the garbage.
#[derive(Debug, Clone)]
pub struct Holders {
    /// A component for each node, [`NOBODY`] where no loop leads to it.
    holders: Vec<u32>,
}

const NOBODY: u32 = u32::MAX;

impl Holders {
    /// An object in no loop counts with the loop that leads to it past no other loop; with the first in the order of the
    /// components where several do. Costs one visit to each reference.
    pub fn of(graph: &GarbageGraph, components: &Components) -> Holders {
        let mut holders = vec![NOBODY; graph.n_nodes()];
        let mut queue = Vec::new();
        for component in components.loops() {
            queue.clear();
            queue.extend_from_slice(components.members(component));
            for &member in &queue {
                holders[member as usize] = component;
            }
            let mut head = 0;
            while let Some(&node) = queue.get(head) {
                head += 1;
                for &referent in graph.referents(node) {
                    if holders[referent as usize] == NOBODY && !components.is_loop(components.component(referent)) {
                        holders[referent as usize] = component;
                        queue.push(referent);
                    }
                }
            }
        }
        Holders { holders }
    }

    /// The loop that `node` is in or held by; `None` for what was lost.
    pub fn holder(&self, node: u32) -> Option<u32> {
        let holder = self.holders[node as usize];
        (holder != NOBODY).then_some(holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::{random_graphs, rows_of};
    use crate::trace::Slot;
    use proptest::prelude::*;

    fn holders(n: usize, edges: &[(u32, u32)]) -> (Components, Vec<Option<u32>>) {
        let (rows, targets) = rows_of(n, edges);
        let slots = vec![Slot::UNNAMED; targets.len()];
        let graph = GarbageGraph::from_rows(rows, targets, slots);
        let components = Components::of(&graph);
        let holders = Holders::of(&graph, &components);
        let all = (0..n as u32).map(|node| holders.holder(node)).collect();
        (components, all)
    }

    #[test]
    fn an_object_is_held_by_the_nearest_loop_before_it() {
        // 0 ↔ 1 → 2 ↔ 3 → 4 → 5, and 1 → 6.
        let edges = [(0, 1), (1, 0), (1, 2), (2, 3), (3, 2), (3, 4), (4, 5), (1, 6)];
        let (components, holders) = holders(7, &edges);
        assert_eq!(holders[5], Some(components.component(2)));
        assert_eq!(holders[6], Some(components.component(0)));
    }

    #[test]
    fn what_no_loop_leads_to_was_lost() {
        let (_, holders) = holders(4, &[(0, 1), (2, 2), (3, 1)]);
        assert_eq!((holders[0], holders[1], holders[2].is_some()), (None, None, true));
    }

    proptest! {
        #[test]
        fn held_is_exactly_what_a_loop_reaches((n, edges, _) in random_graphs(12, 24)) {
            let (components, holders) = holders(n, &edges);
            let mut reached: Vec<bool> =
                (0..n as u32).map(|i| components.is_loop(components.component(i))).collect();
            for _ in 0..n {
                for &(from, to) in &edges {
                    reached[to as usize] |= reached[from as usize];
                }
            }
            for i in 0..n {
                prop_assert_eq!(holders[i].is_some(), reached[i]);
                if components.is_loop(components.component(i as u32)) {
                    prop_assert_eq!(holders[i], Some(components.component(i as u32)));
                }
            }
        }
    }
}
