//! Freezes a heap with references as events: its lists become compressed rows.

use super::graph::{Counts, HeapGraph, Node, NodeState, PackedState, Slots};
use super::model::Heap;
use super::references::Tally;
use super::state::State;
use crate::trace::ObjectFlags;

impl Heap {
    /// The whole graph as it is now. Node and place are the same number. Costs a walk of all lists; the slots and counts
    /// are lent, not copied.
    pub(super) fn freeze(&mut self) -> HeapGraph {
        self.references.settle();
        let n_places = self.objects.len();
        let states = self.states(|heap, place| {
            // Nothing referred to it yet: whoever made it has it in hand.
            heap.references.tally(place).count == 0
        });
        let references = &self.references;
        let all_there = self.n_dying == 0 && self.n_husks == 0;
        let mut rows = Vec::with_capacity(n_places + 1);
        let mut targets: Vec<Node> = Vec::with_capacity(usize::try_from(references.len()).unwrap_or(0));
        rows.push(0);
        for place in 0..n_places as u32 {
            let start = targets.len();
            if references.tally(place).state.is_live() {
                let links = references.list(place);
                let there = links.filter(|link| all_there || references.tally(link.to).state.is_live());
                targets.extend(there.map(|link| Node(link.to)));
                targets[start..].reverse();
            }
            rows.push(targets.len() as u32);
        }
        let lent = self.lend();
        HeapGraph::from_parts(rows, targets, Slots::Lists(lent.clone()), Vec::new(), Counts::Heap(lent), states)
    }

    /// The state of each place; `unknown` says where the count does not tell who is alive.
    pub(super) fn states(&self, unknown: impl Fn(&Heap, u32) -> bool) -> Vec<PackedState> {
        (0..self.objects.len() as u32).map(|place| self.node_state(place, || unknown(self, place))).collect()
    }

    pub(super) fn node_state(&self, place: u32, unknown: impl Fn() -> bool) -> PackedState {
        let &Tally { state, flags, count, .. } = self.references.tally(place);
        if !state.is_live() {
            return PackedState::VACANT;
        }
        let class = self.objects.class(place);
        PackedState::of(NodeState {
            vacant: false,
            pinned: state.has(State::ROOTED) || flags.has(ObjectFlags::IMMORTAL) || count == u32::MAX || unknown(),
            tracked: self.types.has_gc(class) && !flags.has(ObjectFlags::UNTRACKED),
        })
    }
}
