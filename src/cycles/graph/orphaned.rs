//! Finds when each loop lost its last outside reference, from the last release of each object.

use super::components::Components;
use super::subgraph::GarbageGraph;

/// For each component the last event that took a reference away from it or from garbage that leads to it; `None` where
/// no such event is known.
///
/// From that event on nothing from outside led to it: what is garbage stays garbage, and its own references do not
/// change. Costs one visit to each reference. The last of any other event, as a birth, is found in the same way.
pub(crate) fn last_releases(
    graph: &GarbageGraph,
    components: &Components,
    last_release: impl Fn(u32) -> Option<u64>,
) -> Vec<Option<u64>> {
    let mut releases: Vec<Option<u64>> = vec![None; components.n_components()];
    // Components come in the order of references, so what leads to one is complete before it.
    for component in 0..components.n_components() as u32 {
        let members = components.members(component);
        let own = members.iter().filter_map(|&member| last_release(member)).max();
        let release = releases[component as usize].max(own);
        releases[component as usize] = release;
        for &member in members {
            for &referent in graph.referents(member) {
                let next = &mut releases[components.component(referent) as usize];
                *next = (*next).max(release);
            }
        }
    }
    releases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::rows_of;
    use crate::trace::Slot;

    #[test]
    fn a_loop_is_orphaned_by_the_last_release_of_anything_that_leads_to_it() {
        // 0 → 1 ↔ 2 → 3 ↔ 4.
        let (rows, targets) = rows_of(5, &[(0, 1), (1, 2), (2, 1), (2, 3), (3, 4), (4, 3)]);
        let slots = vec![Slot::UNNAMED; targets.len()];
        let graph = GarbageGraph::from_rows(rows, targets, slots);
        let components = Components::of(&graph);
        let at = [Some(9), None, Some(4), Some(20), None];
        let releases = last_releases(&graph, &components, |node| at[node as usize]);
        let of = |node| releases[components.component(node) as usize];
        assert_eq!((of(1), of(4)), (Some(9), Some(20)));
        assert_eq!(last_releases(&graph, &components, |_| None), [None; 3]);
    }
}
