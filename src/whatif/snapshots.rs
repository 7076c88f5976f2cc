//! Tries changes at each snapshot of a replay: which loops the count alone would have freed, and what it would have freed
//! too early.
//!
//! Between two snapshots nothing is known of who refers to whom, but garbage does not change: what is dead at a snapshot
//! by the count alone was so from the moment on at which the program let go of it.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::cascade::{Dead, dead};
use super::change::Change;
use super::matcher::{Changed, Matcher, is_stand_in};
use super::outcome::{Early, MOST_EARLY, Outcome, Proof};
use crate::cycles::{Components, Garbage, GarbageGraph, SeenAt};
use crate::heap::{External, Heap, HeapGraph, Node, ObjectId, ObjectIndex, Observer, SnapshotKind};
use crate::trace::References;

/// Tries sets of changes, each set for itself, in one pass over a trace.
///
/// A snapshot costs what finding its garbage costs, once for all sets, and for each set a look at each node and a visit to
/// each reference of what dies. Memory is proportional to the garbage that is alive.
#[derive(Debug, Default)]
pub(super) struct SnapshotTrials {
    trials: Vec<Trial>,
    snapshots: u64,
    whole_snapshots: u64,
}

/// One set of changes.
#[derive(Debug, Default)]
struct Trial {
    matcher: Matcher,
    outcome: Outcome,
    /// Garbage that was counted and is alive.
    counted: HashMap<ObjectIndex, Counted, FixedState>,
    /// The youngest member of each loop that was counted and is alive. The oldest may be a frame that CPython 3.10 keeps
    /// and uses for one loop after the other (`co_zombieframe`).
    loops: HashMap<ObjectIndex, ObjectId, FixedState>,
}

/// An object that the count alone would have freed.
#[derive(Debug, Clone, Copy)]
struct Counted {
    id: ObjectId,
    bytes: u64,
    since_ns: Option<u64>,
}

/// The garbage of one snapshot, taken apart.
struct Parts {
    garbage: Garbage,
    components: Components,
}

impl SnapshotTrials {
    /// Changes of one set are made together.
    pub(super) fn new(sets: impl IntoIterator<Item = Vec<Change>>) -> SnapshotTrials {
        let trial = |changes: Vec<Change>| {
            let references = changes.iter().map(Change::to_string).collect();
            let outcome = Outcome { references, byte_ns: Some(0), ..Outcome::default() };
            Trial { matcher: Matcher::new(changes), outcome, ..Trial::default() }
        };
        SnapshotTrials { trials: sets.into_iter().map(trial).collect(), ..SnapshotTrials::default() }
    }

    /// For each set what it would have done, and what it met. What still lies there has done so until now.
    pub(super) fn finish(self, heap: &Heap) -> Vec<(Outcome, Matcher)> {
        let (snapshots, whole_snapshots) = (self.snapshots, self.whole_snapshots);
        let finished = self.trials.into_iter().map(|mut trial| {
            let mut left: Vec<Counted> = trial.counted.drain().map(|(_, counted)| counted).collect();
            left.sort_unstable_by_key(|counted| counted.id);
            left.into_iter().for_each(|counted| trial.outcome.add_lingering(counted, heap.now().ns));
            let is_known = snapshots > 0 && heap.header().references != References::None;
            trial.outcome.proof = if is_known { Proof::Snapshots } else { Proof::Nothing };
            (Outcome { snapshots, whole_snapshots, ..trial.outcome }, trial.matcher)
        });
        finished.collect()
    }
}

impl Observer for SnapshotTrials {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        self.snapshots += 1;
        self.whole_snapshots += u64::from(kind != SnapshotKind::Garbage);
        let external = External::of(graph);
        let mut parts = None;
        for trial in &mut self.trials {
            let changed = trial.matcher.find(heap, graph, &external);
            if !changed.edges.is_empty() {
                let parts = parts.get_or_insert_with(|| Parts::of(graph));
                trial.look(heap, graph, parts, &changed);
            }
        }
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, _: bool) {
        for trial in &mut self.trials {
            trial.loops.remove(&object);
            if let Some(counted) = trial.counted.remove(&object) {
                trial.outcome.add_lingering(counted, heap.now().ns);
            }
        }
    }
}

impl Trial {
    fn look(&mut self, heap: &mut Heap, graph: &HeapGraph, parts: &Parts, changed: &Changed) {
        let dead = dead(graph, changed);
        self.look_at_the_living(heap, graph, parts, changed, &dead);
        let place = |node| parts.garbage.place(node);
        for &node in dead.order.iter().filter(|&&node| place(node).is_some()) {
            self.count(heap, graph.object(node));
        }
        let component = |node| place(node).map(|place| parts.components.component(place));
        let between =
            changed.edges.iter().filter_map(|&(from, to, _)| component(from).filter(|of| Some(*of) == component(to)));
        for of in between.collect::<BTreeSet<u32>>() {
            let members = || parts.components.members(of).iter().map(|&member| parts.garbage.nodes[member as usize]);
            self.count_loop(heap, graph, &dead, members);
        }
    }

    /// What would be dead although a root reaches it. A bound method is made anew when it is asked for.
    fn look_at_the_living(&mut self, heap: &Heap, graph: &HeapGraph, parts: &Parts, changed: &Changed, dead: &Dead) {
        let is_alive = |node| parts.garbage.place(node).is_none();
        let outcome = &mut self.outcome;
        let living = changed.edges.iter().filter(|&&(from, to, _)| is_alive(from) && is_alive(to)).count() as u64;
        outcome.living = outcome.living.max(living);
        outcome.living_at += u64::from(living > 0);
        let type_name = |node| heap.types().name(heap.class(graph.object(node)));
        let is_early = |node: &Node| is_alive(*node) && !is_stand_in(type_name(*node));
        let early = dead.order.iter().filter(|node| is_early(node)).count() as u64;
        outcome.early_objects = outcome.early_objects.max(early);
        if early == 0 {
            return;
        }
        for &(_, to, change) in changed.edges.iter().filter(|(_, to, _)| dead.has(*to) && is_early(to)) {
            let reference = self.matcher.changes()[change].to_string();
            let is_told = |told: &Early| told.type_name == type_name(to) && told.reference == reference;
            if outcome.early.len() < MOST_EARLY && !outcome.early.iter().any(is_told) {
                outcome.early.push(Early { type_name: type_name(to).to_string(), reference, event: heap.now().event });
            }
        }
    }

    /// Garbage that the count alone would have freed, each object once.
    fn count(&mut self, heap: &mut Heap, object: ObjectIndex) {
        let id = heap.id(object);
        if self.counted.get(&object).is_some_and(|counted| counted.id == id) {
            return;
        }
        heap.watch(object);
        let (own, owned) = heap.bytes(object);
        let bytes = own.saturating_add(owned);
        self.counted.insert(object, Counted { id, bytes, since_ns: heap.now().ns });
        self.outcome.objects += 1;
        self.outcome.bytes = self.outcome.bytes.saturating_add(bytes);
    }

    /// A loop with a changed reference in it, each once.
    fn count_loop<M: Iterator<Item = Node>>(
        &mut self,
        heap: &mut Heap,
        graph: &HeapGraph,
        dead: &Dead,
        members: impl Fn() -> M,
    ) {
        let Some(youngest) = members().map(|node| graph.object(node)).max_by_key(|&object| heap.id(object)) else {
            return;
        };
        let id = heap.id(youngest);
        if self.loops.insert(youngest, id) == Some(id) {
            return;
        }
        heap.watch(youngest);
        let now = SeenAt { event: heap.now().event, ns: heap.now().ns };
        self.outcome.loops += 1;
        if members().all(|node| dead.has(node)) {
            self.outcome.freed_loops += 1;
            self.outcome.first.get_or_insert(now);
            self.outcome.last = Some(now);
        }
    }
}

impl Outcome {
    /// An object lay there from the moment on at which it was seen.
    fn add_lingering(&mut self, counted: Counted, now_ns: Option<u64>) {
        let lingered = counted
            .since_ns
            .zip(now_ns)
            .map(|(since, now)| u128::from(counted.bytes) * u128::from(now.saturating_sub(since)));
        self.byte_ns = self.byte_ns.zip(lingered).map(|(known, more)| known.saturating_add(more));
    }
}

impl Parts {
    fn of(graph: &HeapGraph) -> Parts {
        let garbage = Garbage::of(graph);
        let components = Components::of(&GarbageGraph::of(graph, &garbage));
        Parts { garbage, components }
    }
}
