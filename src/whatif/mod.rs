//! Replays a trace as if references were weak, and tells what would die by the count alone, and what too early.

mod cascade;
pub mod change;
pub mod collector;
mod exact;
mod matcher;
mod outcome;
mod snapshots;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::heap::label::last_part;
use crate::heap::{self, Heap};
use crate::trace::{Events, Position, TraceError};

pub use change::Change;
use matcher::Matcher;
pub use outcome::{Early, Outcome, Proof, Verdict};
use snapshots::SnapshotTrials;

/// What changes would have done, tried in one pass over a trace.
#[derive(Debug)]
pub struct WhatIf {
    /// For each set of changes.
    pub outcomes: Vec<Outcome>,
    /// Changes that speak of nothing in the trace, or of several things.
    pub doubtful: Vec<Doubtful>,
    /// The record that could not be read, at which the replay ended.
    pub error: Option<TraceError>,
}

/// A change that is about nothing that is in the trace, or not about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// As it was asked for.
    pub change: String,
    pub doubt: Doubt,
}

/// Why it is not clear what a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// No object of this name was alive at a snapshot; names of classes or functions that may have been meant.
    NoHolder { holder: String, near: Vec<String> },
    /// Such objects have no such reference; names of references that may have been meant.
    NoReference { holder: String, near: Vec<String> },
    /// Several classes are called so: their full names.
    Ambiguous(Vec<String>),
    /// It leads to objects of these types alone, which cannot be weakly referenced.
    Strong(Vec<String>),
}

/// Plays a trace with each of the sets of changes, the changes of one set together. `progress` hears how far the reader is.
///
/// Takes memory in proportion to the live heap, whose graph is built once for all sets.
pub fn replay(
    events: &mut dyn Events,
    sets: impl IntoIterator<Item = Vec<Change>>,
    progress: &mut dyn FnMut(Position),
) -> WhatIf {
    let mut trials = SnapshotTrials::new(sets);
    let replayed = heap::replay(events, &mut trials, progress);
    let finished = trials.finish(&replayed.heap);
    let mut what_if = WhatIf { outcomes: Vec::new(), doubtful: Vec::new(), error: replayed.error };
    for (outcome, matcher) in finished {
        if outcome.proof != Proof::Nothing {
            what_if.doubtful.extend(doubtful(&replayed.heap, &matcher));
        }
        what_if.outcomes.push(outcome);
    }
    what_if
}

fn doubtful(heap: &Heap, matcher: &Matcher) -> Vec<Doubtful> {
    let doubt = |place: usize| {
        let (change, met) = (&matcher.changes()[place], &matcher.met[place]);
        let holder = change.holder().to_string();
        let classes = &matcher.classes[place];
        match (met.held, met.there) {
            (false, _) => Some(Doubt::NoHolder { near: near(&holder, names(heap, change)), holder }),
            (true, false) => {
                let near = near(change.last(), met.others.iter().map(String::as_str).collect());
                let whole = |name: String| if name.starts_with('.') { format!("{holder}{name}") } else { name };
                Some(Doubt::NoReference { near: near.into_iter().map(whole).collect(), holder })
            }
            (true, true) if classes.len() > 1 => Some(Doubt::Ambiguous(classes.iter().cloned().collect())),
            (true, true) if !met.weak => Some(Doubt::Strong(met.strong.iter().cloned().collect())),
            (true, true) => None,
        }
    };
    let places = 0..matcher.changes().len();
    places
        .filter_map(|place| Some(Doubtful { change: matcher.changes()[place].to_string(), doubt: doubt(place)? }))
        .collect()
}

/// What may have the reference: types of the trace, or functions.
fn names<'a>(heap: &'a Heap, change: &Change) -> BTreeSet<&'a str> {
    match change.is_of_a_class() {
        true => heap.types().iter().map(|def| def.name.as_str()).collect(),
        false => heap.sites().iter().map(|site| last_part(heap.text(site.function))).collect(),
    }
}

/// Names that are told at most where one is not there, and how alike they have to be.
const NEAR: usize = 3;
const ALIKE: f64 = 0.9;

/// The names that are most like the one that was asked for, the last part counts.
fn near(asked: &str, names: BTreeSet<&str>) -> Vec<String> {
    let likeness = |name: &str| {
        let part = |name: &str| last_part(name.trim_start_matches('.')).to_lowercase();
        strsim::jaro_winkler(&part(asked), &part(name))
    };
    let mut scored: Vec<(f64, &str)> = names.into_iter().map(|name| (likeness(name), name)).collect();
    scored.retain(|&(likeness, name)| likeness > ALIKE && name != asked);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(NEAR).map(|(_, name)| name.to_string()).collect()
}
