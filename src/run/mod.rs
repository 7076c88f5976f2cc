//! Replays traces, and puts together what they left behind.
//!
//! [`replay`] plays the events of one trace and gives a [`TraceRun`]; [`Run::merge`] makes one [`Run`] of several, which is
//! what findings and reports are made from.

mod anomaly;
mod input;
mod merge;

use std::collections::BTreeMap;
use std::path::Path;

use crate::cycles::{CyclicGarbage, Makers, MakersTracker, Tracker};
use crate::growth::{
    Growth, GrowthTracker, Lost, LostTracker, TypesOverTime, TypesOverTimeTracker, Unheld, UnheldTracker,
};
use crate::heap::{self, Generation, Heap};
use crate::overhead::{Advice, Coverage, LayoutFacts, Profiler, SlotsAdvice, SlotsOptions, TypeProfile, Verdict};
use crate::retention::{Retained, RetainedTracker};
use crate::trace::{Births, Ending, Events, Position, TraceError, TypeId};

pub use anomaly::Anomaly;
pub use input::{Extent, Input, InputEnding, ProgramEnd};
pub use merge::{Run, Slots, Types, Unlisted};

/// What the analyses are asked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub slots: SlotsOptions,
    pub extras: Extras,
}

/// Analyses that few pages show, and that take time of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// Who keeps how much alive.
    pub retained: bool,
    /// Who made what, by stack.
    pub makers: bool,
}

/// What one trace left behind. Its heap is gone.
#[derive(Debug, Default)]
pub struct TraceRun {
    pub input: Input,
    pub garbage: CyclicGarbage,
    pub anomalies: Vec<Anomaly>,
    /// Whether the trace knows of stacks: then an object without one was made by the interpreter itself.
    pub has_stacks: bool,
    /// Classes that waste memory for another reason than the want of slots.
    pub waste: LayoutFacts,
    /// Classes that slots would do good, and nothing speaks against them, on the CPython that was recorded.
    pub missing_slots: Vec<SlotsAdvice>,
    /// What the options asked about slots.
    pub advice: Advice,
    /// `None` where the trace does not tell what was alive.
    pub live: Option<Live>,
    pub growth: Growth,
    pub types_over_time: TypesOverTime,
    /// With references that nobody is going to release; `None` where the trace does not tell.
    pub lost: Option<Vec<Lost>>,
    /// Never freed, and held by nothing that was recorded; `None` where the trace does not tell.
    pub unheld: Option<Vec<Unheld>>,
    /// What the program's collector did, by the generation that it looked at.
    pub collections: BTreeMap<u8, Generation>,
    /// `None` where it was not asked for, or is not known.
    pub retained: Option<Retained>,
    /// `None` where it was not asked for.
    pub makers: Option<Makers>,
    pub coverage: Coverage,
    /// Why the rest of the trace could not be read.
    pub error: Option<TraceError>,
}

/// What was alive at the end of a trace.
#[derive(Debug, Clone, Default)]
pub struct Live {
    pub objects: u64,
    pub bytes: u64,
    /// Bytes of all objects that were alive when the types were looked at.
    pub heap_bytes: u64,
    /// Objects of each type that own memory which nobody could read.
    pub closed: BTreeMap<String, u64>,
    /// What the types cost, those included of which nothing is alive any more. `None` where the trace has no sizes.
    pub types: Option<Vec<TypeProfile>>,
}

/// Opens a trace and replays it. Fails only where nothing at all could be read; see [`TraceRun::error`] for the rest.
pub fn open(path: &Path, options: &Options) -> Result<TraceRun, TraceError> {
    let mut events = crate::trace::open(path)?;
    Ok(replay(path, events.as_mut(), options, &mut |_| {}))
}

/// Plays the events of a trace, which `path` names, through all analyses. `progress` hears how far the reader is.
///
/// Takes memory in proportion to the live heap, and time in proportion to the events and the snapshots.
pub fn replay(path: &Path, events: &mut dyn Events, options: &Options, progress: &mut dyn FnMut(Position)) -> TraceRun {
    let extras = options.extras;
    let extra = (extras.retained.then(RetainedTracker::default), extras.makers.then(MakersTracker::default));
    let over_time =
        (GrowthTracker::new(), (TypesOverTimeTracker::default(), (UnheldTracker::default(), LostTracker::default())));
    let mut observers = ((Tracker::new(), extra), (Profiler::new(), over_time));
    let replayed = heap::replay(events, &mut observers, progress);
    let heap = &replayed.heap;
    let ((tracker, (retained, makers)), (profiler, (growth, (types_over_time, (unheld, lost))))) = observers;
    let mut garbage = tracker.finish(heap);
    if heap.header().word("attached").is_some() {
        garbage.forget_times();
    }
    let n_looks = profiler.looks();
    let profile = profiler.finish(heap);
    let error = replayed.error.map(|error| error.in_file(path));
    let (ending, cut_at) = match (&error, replayed.ending) {
        (Some(_), _) => (InputEnding::Error, None),
        (None, Ending::Complete) => (InputEnding::Complete, None),
        (None, Ending::Open) => (InputEnding::Open, None),
        (None, Ending::Cut(position)) => (InputEnding::Cut, Some(position.byte)),
    };
    let input = Input {
        path: path.to_string_lossy().into_owned(),
        runtime: heap.header().runtime.clone(),
        references: heap.header().references,
        births: heap.header().births,
        events: replayed.events,
        snapshots: replayed.snapshots,
        blind_spots: heap.blind_spots().clone(),
        program: ProgramEnd::of(heap.header()),
        known: Extent::of(replayed.snapshots, replayed.whole_snapshots, ending == InputEnding::Complete),
        ending,
        cut_at,
        error: error.as_ref().map(TraceError::to_string),
    };
    // Where only survivors are in the trace, it takes a full checkpoint to meet what is alive.
    let knows_live = heap.header().births == Births::All || n_looks > 0;
    let advice = profile.advise(&options.slots);
    let usual = SlotsOptions::default();
    let other = (options.slots != usual).then(|| profile.advise(&usual));
    let recommended = other.as_ref().unwrap_or(&advice).slots.iter();
    let missing_slots = recommended.filter(|class| class.verdict == Verdict::Recommended).cloned().collect();
    let waste = profile.facts();
    let live = knows_live.then(|| Live {
        objects: heap.n_live(),
        bytes: heap.live_bytes(),
        heap_bytes: profile.coverage.heap_bytes,
        closed: closed(heap),
        types: (heap.n_live() == 0 || heap.live_bytes() > 0).then_some(profile.types),
    });
    TraceRun {
        anomalies: anomaly::anomalies(heap, &garbage),
        garbage,
        has_stacks: has_stacks(heap),
        waste,
        missing_slots,
        advice,
        live,
        growth: growth.finish(),
        types_over_time: types_over_time.finish(heap),
        lost: lost.finish(heap),
        unheld: unheld.finish(heap),
        collections: heap.collections().by_generation.clone(),
        retained: retained.and_then(RetainedTracker::finish),
        makers: makers.map(|makers| makers.finish(heap)),
        coverage: profile.coverage,
        input,
        error,
    }
}

/// Live objects of the types that say of themselves that the memory which they own could not be read.
fn closed(heap: &Heap) -> BTreeMap<String, u64> {
    let mut closed = BTreeMap::new();
    for def in heap.types().iter().filter(|def| def.words("memory").any(|word| word == "closed")) {
        let live = heap.types().counts(TypeId(def.id)).live;
        if live > 0 {
            *closed.entry(def.name.clone()).or_default() += live;
        }
    }
    closed
}

/// Whether all objects that could have one have a stack: without these a recorder still writes where code is defined, and
/// where garbage alone is recorded, what leaked once has none. In the file of another program (`format`) an object without
/// one may have been made by anybody.
fn has_stacks(heap: &Heap) -> bool {
    let header = heap.header();
    let is_of_all = header.word("stacks") != Some("none") && header.word("format").is_none();
    is_of_all && header.births != Births::Garbage && heap.sites().iter().next().is_some()
}
