//! Finds the strongly connected components of the garbage, referrers first.
//!
//! Pearce's algorithm ("A space-efficient algorithm for finding strongly connected components", 2016) with a stack of
//! its own instead of the program's: a chain of ten million objects needs memory, not stack.

use super::subgraph::GarbageGraph;

/// Strongly connected components, numbered so that references between two lead from the lower number to the higher.
#[derive(Debug, Clone, Default)]
pub struct Components {
    /// The component of each node.
    of: Vec<u32>,
    /// For each component where its members begin, and one more.
    starts: Vec<u32>,
    /// The nodes, those of a component together and in their order.
    members: Vec<u32>,
    /// Which components have an inner reference.
    loops: Vec<bool>,
}

/// A node that is being visited.
struct Visit {
    node: u32,
    /// Its next reference to follow, and where they end.
    edge: u32,
    end: u32,
    /// Its number in the order of visits, from 1.
    number: u32,
}

impl Components {
    /// Costs one visit to each reference; 20 bytes a node at most.
    pub fn of(graph: &GarbageGraph) -> Components {
        let (of, n_components) = number(graph);
        let mut starts = vec![0u32; n_components + 1];
        for &component in &of {
            starts[component as usize + 1] += 1;
        }
        for i in 0..n_components {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut members = vec![0; of.len()];
        for (node, &component) in of.iter().enumerate() {
            let place = &mut next[component as usize];
            members[*place as usize] = node as u32;
            *place += 1;
        }
        let mut loops: Vec<bool> = starts.windows(2).map(|pair| pair[1] - pair[0] > 1).collect();
        for (node, &component) in of.iter().enumerate() {
            let inner = &mut loops[component as usize];
            *inner = *inner || graph.referents(node as u32).contains(&(node as u32));
        }
        Components { of, starts, members, loops }
    }

    pub fn n_components(&self) -> usize {
        self.loops.len()
    }

    pub fn component(&self, node: u32) -> u32 {
        self.of[node as usize]
    }

    /// In the order of their numbers.
    pub fn members(&self, component: u32) -> &[u32] {
        let component = component as usize;
        &self.members[self.starts[component] as usize..self.starts[component + 1] as usize]
    }

    /// It has an inner reference: two members or more, or one that refers to itself.
    pub fn is_loop(&self, component: u32) -> bool {
        self.loops[component as usize]
    }

    /// The components that are loops, referrers first.
    pub fn loops(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.loops.len() as u32).filter(|&component| self.is_loop(component))
    }
}

/// The component of each node, and how many there are.
fn number(graph: &GarbageGraph) -> (Vec<u32>, usize) {
    let n = graph.n_nodes();
    // 0: not visited; up to n: the lowest visit that it leads back to; from the top of u32 down: its component. A
    // component is complete after all that it leads to, hence later ones are referrers.
    let mut low = vec![0u32; n];
    let mut component = u32::MAX;
    let mut visits: Vec<Visit> = Vec::new();
    let mut pending: Vec<u32> = Vec::new();
    let mut number = 0;
    for start in 0..n as u32 {
        if low[start as usize] != 0 {
            continue;
        }
        number += 1;
        low[start as usize] = number;
        visits.push(visit(graph, start, number));
        while let Some(top) = visits.last_mut() {
            let node = top.node as usize;
            let mut lowest = low[node];
            let mut deeper = None;
            while top.edge < top.end {
                let referent = graph.target(top.edge);
                top.edge += 1;
                let seen = low[referent as usize];
                if seen == 0 {
                    deeper = Some(referent);
                    break;
                }
                lowest = lowest.min(seen);
            }
            low[node] = lowest;
            if let Some(referent) = deeper {
                number += 1;
                low[referent as usize] = number;
                visits.push(visit(graph, referent, number));
                continue;
            }
            if lowest == top.number {
                while let Some(&member) = pending.last()
                    && low[member as usize] >= lowest
                {
                    low[member as usize] = component;
                    pending.pop();
                }
                low[node] = component;
                component -= 1;
            } else {
                pending.push(node as u32);
            }
            visits.pop();
            if let Some(referrer) = visits.last() {
                let above = &mut low[referrer.node as usize];
                *above = (*above).min(lowest);
            }
        }
    }
    for word in &mut low {
        *word -= component.wrapping_add(1);
    }
    (low, (u32::MAX - component) as usize)
}

fn visit(graph: &GarbageGraph, node: u32, number: u32) -> Visit {
    let row = graph.row(node);
    Visit { node, edge: row.start as u32, end: row.end as u32, number }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::{random_graphs, rows_of};
    use crate::trace::Slot;
    use petgraph::graph::DiGraph;
    use proptest::prelude::*;

    fn components(n: usize, edges: &[(u32, u32)]) -> Components {
        let (rows, targets) = rows_of(n, edges);
        let slots = vec![Slot::UNNAMED; targets.len()];
        Components::of(&GarbageGraph::from_rows(rows, targets, slots))
    }

    fn sorted(found: &Components) -> Vec<Vec<u32>> {
        let mut all: Vec<Vec<u32>> = (0..found.n_components() as u32).map(|c| found.members(c).to_vec()).collect();
        all.sort();
        all
    }

    #[test]
    fn an_object_is_a_loop_only_when_it_refers_to_itself() {
        let found = components(2, &[(0, 0), (0, 1)]);
        assert_eq!(found.loops().map(|c| found.members(c).to_vec()).collect::<Vec<_>>(), [[0]]);
    }

    #[test]
    fn referrers_come_before_what_they_refer_to() {
        let found = components(5, &[(4, 3), (3, 4), (3, 1), (1, 0), (0, 1), (0, 2)]);
        assert_eq!((found.component(3), found.component(0), found.component(2)), (0, 1, 2));
    }

    #[test]
    fn a_chain_of_a_million_needs_no_stack() {
        let n = 1_000_000u32;
        let rows = (0..=n).collect();
        let targets = (1..=n).map(|i| i % n).collect();
        let graph = GarbageGraph::from_rows(rows, targets, vec![Slot::UNNAMED; n as usize]);
        assert_eq!(Components::of(&graph).n_components(), 1);
    }

    #[test]
    fn no_objects_have_no_components() {
        assert_eq!(components(0, &[]).n_components(), 0);
    }

    proptest! {
        #[test]
        fn components_equal_the_transitive_closure_and_petgraphs((n, edges, _) in random_graphs(14, 40)) {
            let found = components(n, &edges);
            let mut reach = vec![vec![false; n]; n];
            for &(from, to) in &edges {
                reach[from as usize][to as usize] = true;
            }
            for via in 0..n {
                for from in 0..n {
                    for to in 0..n {
                        reach[from][to] |= reach[from][via] && reach[via][to];
                    }
                }
            }
            for (a, reached) in reach.iter().enumerate() {
                let component = found.component(a as u32);
                prop_assert_eq!(found.is_loop(component), reached[a]);
                for (b, &leads_to) in reached.iter().enumerate() {
                    let other = found.component(b as u32);
                    prop_assert_eq!(component == other, a == b || (leads_to && reach[b][a]));
                    prop_assert!(!leads_to || component <= other);
                }
            }
            let mut graph = DiGraph::<(), ()>::new();
            (0..n).for_each(|_| { graph.add_node(()); });
            for &(from, to) in &edges {
                graph.add_edge(from.into(), to.into(), ());
            }
            let mut expected: Vec<Vec<u32>> = petgraph::algo::kosaraju_scc(&graph)
                .into_iter()
                .map(|nodes| nodes.into_iter().map(|node| node.index() as u32).collect())
                .collect();
            expected.iter_mut().for_each(|component: &mut Vec<u32>| component.sort());
            expected.sort();
            prop_assert_eq!(sorted(&found), expected);
        }
    }
}
