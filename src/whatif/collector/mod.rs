//! Replays a full recording under other settings of CPython's collector.
//!
//! What is exact: which objects count, in which order they were born and died, and what garbage a collection or a
//! checkpoint met. Between two of those the moment at which an object became garbage is not known, so garbage is known
//! between two bounds: as early as at its birth, or when a collection last left it alive; as late as when it was found.

mod free_lists;
mod garbage;
mod outcome;
mod rules;
mod runs;
mod setting;
mod simulation;
#[cfg(test)]
mod tests;
mod timeline;
mod tracked;

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::snapshots::Parts;
use crate::cycles::graph::orphaned::last_releases;
use crate::heap::{self, Happening, Heap, HeapGraph, ObjectIndex, Observer, SnapshotKind};
use crate::trace::{Births, Events, GcState, Header, Position, References, Scope, SiteId, TraceError, TypeFlags};

pub use garbage::Amount;
pub use outcome::{Collections, Moment, Outcome, Recorded, Span};
pub use rules::Rules;
use runs::{Run, Runs};
pub use setting::Setting;
use simulation::{Life, Orphan, Simulation};
use timeline::Tick;
use tracked::Tracked;

/// What collectors would have done, tried in one pass over a trace.
#[derive(Debug)]
pub struct Modelled {
    pub recorded: Recorded,
    /// For each setting.
    pub outcomes: Vec<Outcome>,
    /// The record that could not be read, at which the replay ended.
    pub error: Option<TraceError>,
}

impl Modelled {
    /// The place of the setting that looks at the fewest objects, of those under which never more garbage lies there.
    pub fn cheapest(&self, limit: u64) -> Option<usize> {
        let fits = |&place: &usize| self.outcomes[place].peak.most.bytes <= limit;
        let looked = |&place: &usize| self.outcomes[place].collections.looked_at();
        (0..self.outcomes.len()).filter(fits).min_by_key(looked)
    }
}

/// Why a trace cannot be replayed under another collector.
pub fn obstacle(header: &Header) -> Option<String> {
    if header.births != Births::All {
        return Some("not each birth is in it: record with --events full".to_string());
    }
    match Rules::of(&header.runtime) {
        Some(_) => None,
        None => Some(format!("it was written by {}: {}", header.runtime, setting::unknown(&header.runtime))),
    }
}

/// Plays a trace that has no [`obstacle`] with each of the collectors. `progress` hears how far the reader is.
///
/// Takes memory in proportion to the live heap, and to the number of collections.
pub fn replay(
    events: &mut dyn Events,
    settings: impl IntoIterator<Item = Setting>,
    progress: &mut dyn FnMut(Position),
) -> Modelled {
    let header = events.header().clone();
    let simulation = |setting: Setting| {
        let rules = setting.rules.as_ref().map(|&(_, rules)| rules).or_else(|| Rules::of(&header.runtime))?;
        Some(Simulation::new(setting, rules))
    };
    let mut trials = Trials {
        simulations: settings.into_iter().filter_map(simulation).collect(),
        has_sites: header.word("stacks") == Some("native"),
        ..Trials::default()
    };
    let replayed = heap::replay(events, &mut trials, progress);
    let recorded = Recorded::of(&trials.runs, replayed.heap.collections(), trials.state.map(|_| trials.explicit));
    Modelled { recorded, outcomes: trials.finish(&replayed.heap), error: replayed.error }
}

/// The collectors beside the recorded one.
///
/// They follow a little behind: what is garbage, and which objects are tracked, is known when a collection of an older generation of
/// the recorded collector has looked, and what happened since the one before is told only then, with the garbage where it belongs.
#[derive(Debug, Default)]
struct Trials {
    simulations: Vec<Simulation>,
    /// Whoever was born has a site; who has none is only met.
    has_sites: bool,
    /// Collections that the program asked for.
    explicit: u64,
    runs: Runs,
    tracked: Tracked,
    /// What the recorded collector counted as it began last, or as the recording began.
    state: Option<GcState>,
    /// Objects whose birth is not in the log, and when that may have been.
    met: HashMap<ObjectIndex, Option<u64>, FixedState>,
    /// Garbage that is alive.
    garbage: HashMap<ObjectIndex, Found, FixedState>,
    last_birth: u64,
    /// The last look at the whole heap.
    last_whole: u64,
    /// What is not told yet.
    steps: Vec<Step>,
}

/// Garbage that was found.
#[derive(Debug, Clone, Copy)]
struct Found {
    orphan: Orphan,
    /// The last look that found it.
    seen: u64,
}

/// Something that a collector has to know.
#[derive(Debug)]
struct Step {
    event: u64,
    ns: Option<u64>,
    what: What,
}

#[derive(Debug)]
enum What {
    Born(Life),
    /// While the recorded collector was at work, or not.
    Died(Life, bool),
    Garbage(Life, Orphan),
    /// That object is freed, or the log ends.
    Bound(Life, Orphan),
    Collected(usize),
    Thresholds([u32; 3]),
    Mark(String),
}

/// So many steps are kept at most, where the recorded collector looks rarely.
const MOST_STEPS: usize = 1 << 18;

impl Trials {
    fn finish(mut self, heap: &Heap) -> Vec<Outcome> {
        let mut left: Vec<(ObjectIndex, Found)> =
            self.garbage.drain().filter(|(_, found)| found.seen == self.last_whole).collect();
        left.sort_unstable_by_key(|&(object, _)| heap.id(object));
        for (object, found) in left {
            let life = self.life(heap, object);
            self.step(heap, What::Bound(life, found.orphan));
        }
        self.tell();
        let now = Tick { event: heap.now().event, ns: heap.now().ns };
        self.simulations.into_iter().map(|one| one.finish(now)).collect()
    }

    /// Whether the collector can track an object.
    fn has_head(heap: &Heap, object: ObjectIndex) -> bool {
        heap.types().get(heap.class(object)).is_some_and(|def| def.flags.has(TypeFlags::GC))
    }

    fn birth(&self, heap: &Heap, object: ObjectIndex) -> Option<u64> {
        self.met.get(&object).copied().unwrap_or_else(|| Some(heap.id(object).0))
    }

    fn life(&self, heap: &Heap, object: ObjectIndex) -> Life {
        let (block, _) = heap.bytes(object);
        Life { born: self.birth(heap, object), class: heap.class(object), block, bytes: heap.all_bytes(object) }
    }

    fn step(&mut self, heap: &Heap, what: What) {
        self.steps.push(Step { event: heap.now().event, ns: heap.now().ns, what });
        if self.steps.len() >= MOST_STEPS {
            self.tell();
        }
    }

    /// Tells the collectors what happened, unless a collection will show which part of the objects is tracked.
    fn tell_unless_it_learns(&mut self) {
        if !self.tracked.learns() {
            self.tell();
        }
    }

    /// Tells the collectors what happened, in order.
    fn tell(&mut self) {
        let mut steps = std::mem::take(&mut self.steps);
        steps.sort_by_key(|step| step.event);
        for Step { event, ns, what } in steps.drain(..) {
            for one in &mut self.simulations {
                match &what {
                    What::Born(life) => one.born(*life, event, ns),
                    What::Died(life, collecting) => one.died(*life, *collecting),
                    What::Garbage(life, orphan) => one.is_garbage(*life, *orphan, ns),
                    What::Bound(life, orphan) => one.bound(*life, *orphan),
                    What::Collected(generation) => one.collect_explicitly(*generation, event, ns),
                    What::Thresholds(thresholds) => one.follow(*thresholds),
                    What::Mark(label) => one.mark(label, event),
                }
            }
        }
        self.steps = steps;
    }

    fn born(&mut self, heap: &mut Heap, object: ObjectIndex) {
        heap.watch(object);
        let class = heap.class(object);
        if let Some(def) = heap.types().get(class) {
            self.simulations.iter_mut().for_each(|one| one.learn(class, def));
        }
        let walk = heap.walk();
        if walk.is_some() || self.has_sites && heap.object(object).site == SiteId::NONE {
            // What a look at the whole heap meets first was there before the recording. What a collection finds was in a free
            // list, and came back without a birth: it is as old as what refers to it.
            self.met.insert(object, (walk == Some(Scope::Full)).then_some(0));
            return;
        }
        self.last_birth = heap.now().event;
        if Trials::has_head(heap, object) {
            self.tracked.born();
        }
        self.step(heap, What::Born(self.life(heap, object)));
    }
}

impl Observer for Trials {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        let is_exact = heap.header().references == References::Events;
        let now = heap.now().event;
        let Parts { garbage, inner, components, .. } = Parts::of(graph);
        // As late as this: after the last birth nothing began that could have found it.
        let latest = self.last_birth.saturating_sub(1);
        let birth = |member: u32| self.birth(heap, graph.object(garbage.nodes[member as usize]));
        let releases = last_releases(&inner, &components, |member| match is_exact {
            true => heap.last_release(graph.object(garbage.nodes[member as usize])),
            false => birth(member),
        });
        // The latest of what counts down is the earliest.
        let births = last_releases(&inner, &components, |member| birth(member).map(|born| u64::MAX - born));
        for (place, &node) in garbage.nodes.iter().enumerate() {
            let object = graph.object(node);
            if let Some(known) = self.garbage.get_mut(&object) {
                known.seen = now;
                continue;
            }
            let component = components.component(place as u32) as usize;
            let oldest = births[component].map_or(0, |birth| u64::MAX - birth);
            let mut early = releases[component].unwrap_or(0);
            if !is_exact {
                // A collection that looked at all that leads to it left it alive.
                early = early.max(self.runs.last_look(oldest).unwrap_or(0)).max(self.last_whole);
            }
            let late = if is_exact { early } else { latest.max(early) };
            let orphan = Orphan { early, late, oldest };
            let ns = heap.now().ns;
            if self.birth(heap, object).is_none() {
                self.met.insert(object, Some(early));
                self.steps.push(Step { event: early, ns, what: What::Born(self.life(heap, object)) });
            }
            self.garbage.insert(object, Found { orphan, seen: now });
            self.steps.push(Step { event: early, ns, what: What::Garbage(self.life(heap, object), orphan) });
        }
        if kind != SnapshotKind::Garbage {
            self.last_whole = now;
        }
        self.tell_unless_it_learns();
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, _: bool) {
        let life = self.life(heap, object);
        if let Some(born) = life.born.filter(|_| Trials::has_head(heap, object)) {
            self.tracked.died(self.runs.generation(born));
        }
        match self.garbage.remove(&object) {
            Some(found) => self.step(heap, What::Bound(life, found.orphan)),
            None => self.step(heap, What::Died(life, heap.is_collecting())),
        }
        self.met.remove(&object);
    }

    fn collection_started(&mut self, heap: &Heap, generation: u8) {
        let generation = usize::from(generation).min(runs::OLDEST);
        self.runs.push(Run { event: self.last_birth, generation });
        self.tracked.begins(generation);
        let exceeds = |state: &GcState, of: usize| state.counts[of] > state.thresholds[of] && state.thresholds[0] > 0;
        // The check of 3.12 and later may come when the youngest count has fallen again, but hardly by half.
        let waits = Rules::of(&heap.header().runtime).is_some_and(|rules| rules.waits_for_check);
        let is_due = |state: &GcState| exceeds(state, 0) || waits && state.counts[0] > state.thresholds[0] / 2;
        let by_itself = |state: GcState| state.enabled && exceeds(&state, generation) && is_due(&state);
        if self.state.is_some_and(|state| !by_itself(state)) {
            self.explicit += 1;
            self.step(heap, What::Collected(generation));
        }
        if heap.header().references != References::Events {
            self.tell_unless_it_learns();
        }
    }

    fn listens(&self) -> bool {
        true
    }

    fn happened(&mut self, heap: &mut Heap, what: Happening<'_>) {
        match what {
            Happening::Born(object) => self.born(heap, object),
            Happening::Collector(state) => {
                if self.state.replace(*state).is_none() && self.last_birth == 0 {
                    self.simulations.iter_mut().for_each(|one| one.begin(state));
                }
                self.step(heap, What::Thresholds(state.thresholds));
            }
            Happening::Lists { generations, .. } => {
                self.tracked.has(generations);
                self.simulations.iter_mut().for_each(|one| one.has(generations));
            }
            Happening::Looked(objects) => {
                let is_older = self.tracked.looked(objects);
                let shares = self.tracked.shares();
                self.simulations.iter_mut().for_each(|one| one.tracks(shares));
                if is_older {
                    self.tell();
                }
            }
            Happening::Mark => {
                let label = heap.mark().map(|mark| mark.label.clone()).unwrap_or_default();
                self.step(heap, What::Mark(label));
            }
        }
    }
}
