//! Tries changes at each snapshot of a replay: which loops the count alone would have freed, and what it would have freed
//! too early.
//!
//! Between two snapshots nothing is known of who refers to whom, but garbage does not change: what is dead at a snapshot
//! by the count alone was so from the moment on at which the program let go of it.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::cascade::{Dead, dead, dead_without};
use super::change::Change;
use super::exact::Shadow;
use super::matcher::{Changed, Matcher, is_stand_in};
use super::outcome::{Early, MOST_EARLY, Outcome, Proof};
use crate::cycles::graph::orphaned::last_releases;
use crate::cycles::{Components, Garbage, GarbageGraph, SeenAt};
use crate::heap::{AnomalyKind, External, Heap, HeapGraph, Node, ObjectId, ObjectIndex, Observer, Shift, SnapshotKind};
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
    found: Found,
    /// The same by every event, where the log has them.
    exact: Option<(Shadow, Found)>,
}

/// What a set of changes would have done, as far as it was seen.
#[derive(Debug, Default)]
struct Found {
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
pub(super) struct Parts {
    pub(super) garbage: Garbage,
    pub(super) inner: GarbageGraph,
    pub(super) components: Components,
    variables: OnceCell<Vec<(Node, u32)>>,
}

impl SnapshotTrials {
    /// Changes of one set are made together.
    pub(super) fn new(sets: impl IntoIterator<Item = Vec<Change>>) -> SnapshotTrials {
        let trial = |changes: Vec<Change>| {
            let references: Vec<String> = changes.iter().map(Change::to_string).collect();
            let found = || Found {
                outcome: Outcome {
                    references: references.clone(),
                    unseen: references.iter().cloned().collect(),
                    passing: references.iter().cloned().collect(),
                    byte_ns: Some(0),
                    ..Outcome::default()
                },
                ..Found::default()
            };
            // When a function is done, no event says.
            let exact = !changes.iter().any(Change::is_dropped);
            let exact = exact.then(|| (Shadow::default(), found()));
            Trial { found: found(), exact, matcher: Matcher::new(changes) }
        };
        SnapshotTrials { trials: sets.into_iter().map(trial).collect(), ..SnapshotTrials::default() }
    }

    /// For each set what it would have done, and what it met. What still lies there has done so until now.
    pub(super) fn finish(self, heap: &Heap) -> Vec<(Outcome, Matcher)> {
        let (snapshots, whole_snapshots) = (self.snapshots, self.whole_snapshots);
        let is_exact = heap.header().references == References::Events && is_consistent(heap);
        let finished = self.trials.into_iter().map(|trial| {
            let (found, proof) = match trial.exact.filter(|(shadow, _)| is_exact && shadow.is_sure()) {
                Some((shadow, mut found)) => {
                    let (early, objects) = shadow.into_early(&trial.matcher);
                    found.outcome.add_early(early, objects);
                    (found, Proof::Replay)
                }
                None if snapshots > 0 && heap.header().references != References::None => {
                    (trial.found, Proof::Snapshots)
                }
                None => (trial.found, Proof::Nothing),
            };
            (Outcome { snapshots, whole_snapshots, proof, ..found.finish(heap) }, trial.matcher)
        });
        finished.collect()
    }
}

/// The log does not contradict itself in who is alive, or who refers to whom.
fn is_consistent(heap: &Heap) -> bool {
    const HARMLESS: [AnomalyKind; 5] = [
        AnomalyKind::MissingFree,
        AnomalyKind::UnknownType,
        AnomalyKind::UnknownSite,
        AnomalyKind::TimeWentBack,
        AnomalyKind::AbsurdSize,
    ];
    heap.anomalies().kinds().all(|(kind, _)| HARMLESS.contains(&kind))
}

impl Observer for SnapshotTrials {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        self.snapshots += 1;
        self.whole_snapshots += u64::from(kind != SnapshotKind::Garbage);
        let is_exact = heap.header().references == References::Events;
        let external = External::of(graph);
        let mut parts = None;
        for trial in &mut self.trials {
            let changed = trial.matcher.find(heap, graph, &external);
            let exact = trial.exact.as_mut().filter(|_| is_exact);
            if changed.edges.is_empty() && exact.is_none() {
                continue;
            }
            let parts = parts.get_or_insert_with(|| Parts::of(graph));
            trial.found.look(heap, graph, parts, &trial.matcher, &changed, &dead(graph, &changed));
            if let Some((shadow, found)) = exact {
                found.look(heap, graph, parts, &trial.matcher, &changed, &Dead::of(shadow.dead()));
                let last_release = |member: u32| heap.last_release(graph.object(parts.garbage.nodes[member as usize]));
                let releases = last_releases(&parts.inner, &parts.components, last_release);
                let release = |place: usize| releases[parts.components.component(place as u32) as usize];
                let garbage = parts.garbage.nodes.iter().enumerate();
                shadow.see_garbage(heap, garbage.map(|(place, &node)| (graph.object(node), release(place))));
            }
        }
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, _: bool) {
        for trial in &mut self.trials {
            for found in [&mut trial.found].into_iter().chain(trial.exact.as_mut().map(|(_, found)| found)) {
                found.loops.remove(&object);
                if let Some(counted) = found.counted.remove(&object) {
                    found.outcome.add_lingering(counted, heap.now().ns);
                }
            }
        }
    }

    fn follows(&self) -> bool {
        self.trials.iter().any(|trial| trial.exact.is_some())
    }

    fn followed(&mut self, heap: &mut Heap, shifts: &[Shift]) {
        for trial in &mut self.trials {
            if let Some((shadow, _)) = trial.exact.as_mut().filter(|(shadow, _)| shadow.is_sure()) {
                shadow.follow(heap, &mut trial.matcher, shifts);
            }
        }
    }
}

impl Found {
    fn look(
        &mut self,
        heap: &mut Heap,
        graph: &HeapGraph,
        parts: &Parts,
        matcher: &Matcher,
        changed: &Changed,
        dead: &Dead,
    ) {
        self.look_at_the_living(heap, graph, parts, matcher, changed, dead);
        let place = |node| parts.garbage.place(node);
        for &node in dead.order.iter().filter(|&&node| place(node).is_some()) {
            self.count(heap, graph.object(node));
        }
        let component = |node| place(node).map(|place| parts.components.component(place));
        let between =
            changed.edges.iter().filter_map(|&(from, to, _)| component(from).filter(|of| Some(*of) == component(to)));
        for of in between.collect::<BTreeSet<u32>>() {
            let members = || parts.components.members(of).iter().map(|&member| parts.garbage.nodes[member as usize]);
            self.count_loop(heap, graph, dead, members);
        }
    }

    /// What would be dead although a root reaches it. A bound method is made anew when it is asked for.
    fn look_at_the_living(
        &mut self,
        heap: &Heap,
        graph: &HeapGraph,
        parts: &Parts,
        matcher: &Matcher,
        changed: &Changed,
        dead: &Dead,
    ) {
        let is_alive = |node| parts.garbage.place(node).is_none();
        let outcome = &mut self.outcome;
        // `gc.garbage` has what was garbage, and a finalizer may have put it anywhere.
        let was_garbage = |node| {
            let object = graph.object(node);
            self.counted.get(&object).is_some_and(|counted| counted.id == heap.id(object))
        };
        let lives = |node| is_alive(node) && !was_garbage(node);
        let type_name = |node| heap.types().name(heap.class(graph.object(node)));
        let without_variables = OnceCell::new();
        // A bound method is only the way to its object.
        let is_passing = |to: Node| {
            let variables = || dead_without(graph, changed, parts.variables(heap, graph));
            let dead = without_variables.get_or_init(variables);
            let objects = if is_stand_in(type_name(to)) { graph.referents(to) } else { &[to] };
            objects.iter().any(|&object| dead.has(object))
        };
        let mut living = 0;
        for &(_, to, change) in changed.edges.iter().filter(|&&(from, to, _)| lives(from) && lives(to)) {
            living += 1;
            let reference = &outcome.references[change];
            outcome.unseen.remove(reference);
            if outcome.passing.contains(reference) && !is_passing(to) {
                outcome.passing.remove(reference);
            }
        }
        outcome.living = outcome.living.max(living);
        outcome.living_at += u64::from(living > 0);
        let is_early = |node: &Node| is_alive(*node) && !is_stand_in(type_name(*node));
        let early = dead.order.iter().filter(|node| is_early(node)).count() as u64;
        outcome.early_objects = outcome.early_objects.max(early);
        if early == 0 {
            return;
        }
        for &(_, to, change) in changed.edges.iter().filter(|(_, to, _)| dead.has(*to) && is_early(to)) {
            let reference = matcher.changes()[change].to_string();
            outcome.tell(Early { type_name: type_name(to).to_string(), reference, event: heap.now().event });
        }
    }

    /// Garbage that the count alone would have freed, each object once.
    fn count(&mut self, heap: &mut Heap, object: ObjectIndex) {
        let id = heap.id(object);
        if self.counted.get(&object).is_some_and(|counted| counted.id == id) {
            return;
        }
        heap.watch(object);
        let bytes = heap.all_bytes(object);
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

    /// What still lies there has done so until now.
    fn finish(mut self, heap: &Heap) -> Outcome {
        let mut there: Vec<Counted> = self.counted.drain().map(|(_, counted)| counted).collect();
        there.sort_unstable_by_key(|counted| counted.id);
        there.into_iter().for_each(|counted| self.outcome.add_lingering(counted, heap.now().ns));
        self.outcome
    }
}

impl Outcome {
    /// So many objects that died early between two snapshots.
    fn add_early(&mut self, early: Vec<Early>, objects: u64) {
        self.early_objects += objects;
        early.into_iter().for_each(|early| self.tell(early));
    }

    /// An object died early: each type and reference is told once.
    fn tell(&mut self, early: Early) {
        let is_told = |told: &Early| (&told.type_name, &told.reference) == (&early.type_name, &early.reference);
        if self.early.len() < MOST_EARLY && !self.early.iter().any(is_told) {
            self.early.push(early);
        }
    }

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
    pub(super) fn of(graph: &HeapGraph) -> Parts {
        let garbage = Garbage::of(graph);
        let inner = GarbageGraph::of(graph, &garbage);
        let components = Components::of(&inner);
        Parts { garbage, inner, components, variables: OnceCell::new() }
    }

    /// What variables of functions that run refer to, and nothing else with a name, with the references from outside.
    fn variables(&self, heap: &Heap, graph: &HeapGraph) -> &[(Node, u32)] {
        self.variables.get_or_init(|| {
            let external = External::of(graph);
            let is_variable = |&node: &Node| {
                let names = heap.root_names(graph.object(node));
                !names.is_empty() && names.iter().all(|name| name.starts_with("local:"))
            };
            let roots = external.roots(graph).filter(is_variable);
            roots.map(|node| (node, external.references(graph, node))).collect()
        })
    }
}
