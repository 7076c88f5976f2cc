//! Applies checkpoints: a walk describes objects one after the other, and its checkpoint freezes what it said.
//!
//! ```text
//! walk full
//! count A 2            the description of A begins: the observed count
//! ref A B .x           its references
//! count B 1
//! hidden A B layout .y     one that the collector does not know
//! unchanged C              C is as the walk before described it
//! checkpoint full
//! ```
//!
//! Only the walk at hand keeps references, 8 bytes each; the graph takes them over.

use std::collections::{BTreeMap, HashSet};

use foldhash::fast::RandomState;

use super::anomaly::AnomalyKind;
use super::graph::{Counts, FoundPlaces, HeapGraph, HiddenReference, Node, PackedState, Slots};
use super::model::{Heap, ObjectIndex};
use super::state::State;
use crate::trace::{Evidence, References, Scope, Slot, TextId};

/// A walk without its checkpoint yet.
#[derive(Debug)]
pub(super) struct Walk {
    pub scope: Scope,
    /// Runs of references with the same referrer, in the order of the log.
    runs: Vec<Run>,
    /// Places of the referents.
    targets: Vec<Node>,
    slots: Vec<Slot>,
    /// Those that the collector does not know, and words that may be some.
    hidden: Vec<HiddenReference>,
    /// Where addresses were found.
    places: Vec<FoundPlaces>,
    /// Of the whole heap: the place that was described last.
    last: Option<u32>,
    /// References of this place are left out: it is being described a second time.
    again: Option<u32>,
    roots: BTreeMap<(u32, TextId), u32>,
    /// Places whose object died since the walk began.
    died: HashSet<u32, RandomState>,
    /// Of the garbage: the members, in the order of the log, and the node of each place.
    members: Vec<Member>,
    /// Plus one; 0 for a place that is no member.
    nodes: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    from: u32,
    start: u32,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    place: u32,
    /// Observed count, where it was observed.
    count: Option<u32>,
}

impl Walk {
    fn new(scope: Scope, nodes: Vec<u32>) -> Walk {
        Walk {
            scope,
            runs: Vec::new(),
            targets: Vec::new(),
            slots: Vec::new(),
            hidden: Vec::new(),
            places: Vec::new(),
            last: None,
            again: None,
            roots: BTreeMap::new(),
            died: HashSet::default(),
            members: Vec::new(),
            nodes,
        }
    }

    pub(super) fn died(&mut self, place: u32) {
        self.died.insert(place);
    }

    /// The node of a place in the garbage; a new one if it has none.
    fn member(&mut self, place: u32) -> &mut Member {
        if place as usize >= self.nodes.len() {
            self.nodes.resize((place as usize + 1).next_power_of_two(), 0);
        }
        let node = &mut self.nodes[place as usize];
        if *node == 0 {
            self.members.push(Member { place, count: None });
            *node = self.members.len() as u32;
        }
        &mut self.members[*node as usize - 1]
    }

    /// Compressed rows of `n_nodes`: `node` gives the node of a place, if it has one. The slots stay beside the targets.
    fn into_rows(self, n_nodes: usize, node: impl Fn(u32) -> Option<Node>) -> (Vec<u32>, Vec<Node>, Vec<Slot>) {
        let end = |nth: usize| self.runs.get(nth + 1).map_or(self.targets.len(), |run| run.start as usize);
        let mut rows = vec![0u32; n_nodes + 1];
        for (nth, run) in self.runs.iter().enumerate() {
            if let Some(from) = node(run.from) {
                let row = &self.targets[run.start as usize..end(nth)];
                rows[from.0 as usize + 1] += row.iter().filter(|to| node(to.0).is_some()).count() as u32;
            }
        }
        for at in 1..rows.len() {
            rows[at] += rows[at - 1];
        }
        let n_references = rows[n_nodes] as usize;
        let (mut targets, mut slots) = (vec![Node(0); n_references], vec![Slot::UNNAMED; n_references]);
        // While the rows are filled, `rows[n]` is where the next reference of node n goes; at the end that is where row
        // n + 1 begins.
        for (nth, run) in self.runs.iter().enumerate() {
            let Some(from) = node(run.from) else { continue };
            let next = &mut rows[from.0 as usize];
            for at in run.start as usize..end(nth) {
                if let Some(to) = node(self.targets[at].0) {
                    targets[*next as usize] = to;
                    slots[*next as usize] = self.slots[at];
                    *next += 1;
                }
            }
        }
        rows.rotate_right(1);
        rows[0] = 0;
        (rows, targets, slots)
    }
}

impl Heap {
    pub(super) fn begin_walk(&mut self, scope: Scope) {
        if self.is_exact() {
            return;
        }
        if self.walk.is_some() {
            self.anomaly(AnomalyKind::UnfinishedWalk);
        }
        if scope != Scope::Garbage {
            for place in 0..self.objects.len() as u32 {
                self.set(place, State::DESCRIBED, self.state(place).has(State::SEEN));
                self.set(place, State::SEEN, false);
            }
        }
        let nodes = if scope == Scope::Garbage { std::mem::take(&mut self.member_nodes) } else { Vec::new() };
        self.walk = Some(Walk::new(scope, nodes));
        self.walk_began = self.now.event;
    }

    /// `count` with references at checkpoints.
    pub(super) fn observe(&mut self, place: u32, count: u64) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut again = false;
        match &mut self.walk {
            Some(walk) if walk.scope == Scope::Garbage => {
                let member = walk.member(place);
                again = member.count.is_some();
                member.count.get_or_insert(count);
            }
            Some(walk) => {
                let is_whole = walk.scope == Scope::Full;
                again = self.state(place).has(State::SEEN);
                self.set(place, State::SEEN, true);
                if is_whole {
                    self.note_order(place);
                }
            }
            None => {}
        }
        if let Some(walk) = &mut self.walk {
            walk.again = again.then_some(place);
        }
        if again {
            self.anomaly_of(AnomalyKind::DescribedTwice, place);
        } else {
            self.references.tally_mut(place).count = count;
        }
    }

    /// `ref` with references at checkpoints.
    pub(super) fn describe_reference(&mut self, from: u32, to: u32, slot: Slot) {
        let Some(walk) = &mut self.walk else { return self.anomaly_of(AnomalyKind::OutsideWalk, from) };
        if walk.again == Some(from) {
            return;
        }
        if walk.targets.len() >= u32::MAX as usize {
            return self.anomaly_of(AnomalyKind::TooMany, from);
        }
        if walk.runs.last().is_none_or(|run| run.from != from) {
            walk.runs.push(Run { from, start: walk.targets.len() as u32 });
            if walk.scope == Scope::Garbage {
                walk.member(from);
            }
        }
        walk.targets.push(Node(to));
        walk.slots.push(slot);
    }

    /// `hidden`: what is no guess is a reference like others.
    pub(super) fn describe_hidden(&mut self, from: u32, to: u32, slot: Slot, evidence: Evidence) {
        if self.is_exact() {
            return self.anomaly_of(AnomalyKind::OutsideWalk, from);
        }
        if evidence != Evidence::Address {
            self.describe_reference(from, to, slot);
        }
        match &mut self.walk {
            Some(walk) if walk.scope == Scope::Full && walk.again != Some(from) => {
                walk.hidden.push(HiddenReference { from: Node(from), to: Node(to), slot, evidence });
            }
            Some(_) => {}
            None if evidence == Evidence::Address => self.anomaly_of(AnomalyKind::OutsideWalk, from),
            None => {}
        }
    }

    /// `unchanged`: what the walk of the whole heap before said of it and of so many that it described next, but for what is hidden.
    pub(super) fn describe_unchanged(&mut self, mut place: u32, more: u64) {
        for remaining in (0..=more).rev() {
            if !self.describe_as_before(place) {
                return;
            }
            match self.order.get(place as usize).and_then(|next| next.checked_sub(1)) {
                Some(next) => place = next,
                None if remaining > 0 => return self.anomaly_of(AnomalyKind::NeverDescribed, place),
                None => {}
            }
        }
    }

    /// False, and an anomaly, where it was not described before, or is described already.
    fn describe_as_before(&mut self, place: u32) -> bool {
        let state = self.state(place);
        let is_known = state.has(State::DESCRIBED);
        let (Some(walk), Some(last)) =
            (self.walk.as_mut().filter(|walk| walk.scope == Scope::Full && is_known), &self.last_walk)
        else {
            self.anomaly_of(AnomalyKind::NeverDescribed, place);
            return false;
        };
        if state.has(State::SEEN) {
            self.anomaly_of(AnomalyKind::DescribedTwice, place);
            return false;
        }
        walk.again = None;
        let start = walk.targets.len();
        for (to, slot) in last.shown(place).filter(|&(to, _)| self.references.tally(to.0).state.is_there()) {
            walk.targets.push(to);
            walk.slots.push(slot);
        }
        if u32::try_from(walk.targets.len()).is_err() {
            walk.targets.truncate(start);
            walk.slots.truncate(start);
            self.anomaly_of(AnomalyKind::TooMany, place);
            return false;
        }
        if walk.targets.len() > start {
            walk.runs.push(Run { from: place, start: start as u32 });
        }
        self.set(place, State::SEEN, true);
        self.note_order(place);
        true
    }

    /// The walk of the whole heap that is going on describes this one next.
    fn note_order(&mut self, place: u32) {
        let Some(walk) = self.walk.as_mut().filter(|_| self.keeps_walks) else { return };
        if let Some(last) = walk.last.replace(place) {
            if last as usize >= self.order.len() {
                self.order.resize(self.objects.len(), 0);
            }
            self.order[last as usize] = place + 1;
        }
    }

    /// `places`: of a walk of the whole heap.
    pub(super) fn describe_places(&mut self, place: u32, places: Option<u32>) {
        match &mut self.walk {
            Some(walk) if walk.scope == Scope::Full => walk.places.push(FoundPlaces { object: Node(place), places }),
            _ => self.anomaly_of(AnomalyKind::OutsideWalk, place),
        }
    }

    /// `root` with references at checkpoints: in a walk it belongs to the description, else it stays until `unroot`.
    pub(super) fn describe_root(&mut self, place: u32, name: TextId) {
        match &mut self.walk {
            Some(walk) => *walk.roots.entry((place, name)).or_default() += 1,
            None => self.root(place, name),
        }
    }

    /// What the walk of this scope said, frozen; `None` and an anomaly if there was none.
    pub(super) fn end_walk(&mut self, scope: Scope) -> Option<HeapGraph> {
        let Some(walk) = self.walk.take().filter(|walk| walk.scope == scope) else {
            self.anomaly(AnomalyKind::CheckpointWithoutWalk);
            return None;
        };
        Some(match scope {
            // What is not described is a root, and what it refers to has a count that no reference explains.
            Scope::Full | Scope::Own => self.freeze_full(walk),
            Scope::Garbage => self.freeze_garbage(walk),
        })
    }

    fn freeze_full(&mut self, mut walk: Walk) -> HeapGraph {
        // All that is taken over from it is in this one.
        self.last_walk = None;
        if let Some(last) = walk.last.and_then(|last| self.order.get_mut(last as usize)) {
            *last = 0;
        }
        let died = std::mem::take(&mut walk.died);
        let mut walked = std::mem::take(&mut walk.roots);
        walked.retain(|(place, _), _| !died.contains(place));
        let mut hidden = std::mem::take(&mut walk.hidden);
        hidden.retain(|reference| !died.contains(&reference.from.0) && !died.contains(&reference.to.0));
        let mut places = std::mem::take(&mut walk.places);
        places.retain(|found| !died.contains(&found.object.0));
        let before = std::mem::replace(&mut self.walked_roots, walked);
        let now: Vec<u32> = self.walked_roots.keys().map(|&(place, _)| place).collect();
        for place in before.keys().map(|&(place, _)| place).chain(now) {
            self.update_rooted(place);
        }
        let (rows, targets, slots) = if died.is_empty() {
            walk.into_rows(self.objects.len(), |place| Some(Node(place)))
        } else {
            walk.into_rows(self.objects.len(), |place| (!died.contains(&place)).then_some(Node(place)))
        };
        // Where nothing has a count, an object is no root for the want of one.
        let uncounted = self.header.references == References::Uncounted;
        let states =
            self.states(|heap, place| !uncounted && !heap.state(place).has(State::SEEN) || died.contains(&place));
        let counts = Counts::Heap(self.lend());
        HeapGraph::from_parts(rows, targets, Slots::Rows(slots), Vec::new(), counts, states)
            .with_hidden(hidden)
            .with_places(places)
    }

    fn freeze_garbage(&mut self, mut walk: Walk) -> HeapGraph {
        let died = std::mem::take(&mut walk.died);
        let mut nodes = std::mem::take(&mut walk.nodes);
        let roots = std::mem::take(&mut walk.roots);
        let members = std::mem::take(&mut walk.members);
        // What was a root at the last look at everything is described anew.
        members.iter().for_each(|member| self.forget_walked_roots(member.place));
        let is_root = |place| roots.range(super::model::names_of(place)).next().is_some();
        let state = |member: &Member| {
            if died.contains(&member.place) {
                return PackedState::VACANT;
            }
            self.node_state(member.place, || {
                member.count.is_none_or(|count| count == u32::MAX) || is_root(member.place)
            })
        };
        let states: Vec<PackedState> = members.iter().map(state).collect();
        let objects = members.iter().map(|member| ObjectIndex(member.place)).collect();
        let counts = Counts::Own(members.iter().map(|member| member.count.unwrap_or(0)).collect());
        let node = |place: u32| {
            let node = nodes.get(place as usize)?.checked_sub(1).filter(|_| !died.contains(&place))?;
            Some(Node(node))
        };
        let (rows, targets, slots) = walk.into_rows(members.len(), node);
        members.iter().for_each(|member| nodes[member.place as usize] = 0);
        self.member_nodes = nodes;
        HeapGraph::from_parts(rows, targets, Slots::Rows(slots), objects, counts, states)
    }
}
