//! Plays small traces with changes, and writes what they would do.

mod properties;
mod scenarios;

use std::fmt::Write;

use super::{Change, Outcome, WhatIf, replay};
use crate::heap::testing::events;

/// Plays a script with sets of changes, each written as `--weak` takes them, with commas between.
pub(super) fn play(script: &str, sets: &[&str]) -> WhatIf {
    let parsed = |set: &&str| set.split(", ").map(|text| Change::parse(text).unwrap()).collect();
    let what_if = replay(&mut *events(script), sets.iter().map(parsed).collect::<Vec<_>>(), &mut |_| {});
    assert!(what_if.error.is_none(), "{:?}", what_if.error);
    what_if
}

/// What one set of changes would do, in words.
pub(super) fn tell(script: &str, set: &str) -> String {
    let what_if = play(script, &[set]);
    let mut text = write_outcome(&what_if.outcomes[0]);
    for doubtful in &what_if.doubtful {
        let _ = write!(text, "\n{}: {:?}", doubtful.change, doubtful.doubt);
    }
    text
}

fn write_outcome(outcome: &Outcome) -> String {
    let mut text = format!("{:?}: {} of {} loops die", outcome.verdict(), outcome.freed_loops, outcome.loops);
    let _ = write!(text, ", {} objects, {} bytes", outcome.objects, outcome.bytes);
    if let Some(byte_ns) = outcome.byte_ns.filter(|&byte_ns| byte_ns > 0) {
        let _ = write!(text, ", {byte_ns} byte·ns sooner");
    }
    let _ = write!(text, "; {} living at {} of {} snapshots", outcome.living, outcome.living_at, outcome.snapshots);
    for early in &outcome.early {
        let _ = write!(text, "\nearly: {} of {} at event {}", early.type_name, early.reference, early.event);
    }
    if outcome.early_objects > 0 {
        let _ = write!(text, "\nearly in all: {}", outcome.early_objects);
    }
    text
}
