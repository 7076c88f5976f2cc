//! Plays scripts in the text form of a trace, for the tests of what watches a replay.

use super::{Observer, Replayed, replay};
use crate::trace::Events;
use crate::trace::formats::open_bytes;

/// The events of a script. Without a header of its own it has every reference and every free in it.
pub(crate) fn events(script: &str) -> Box<dyn Events> {
    let lines: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let header = match lines.first() {
        Some(line) if line.starts_with("reftrace") => "",
        _ => "reftrace 1 runtime=test\n",
    };
    open_bytes(format!("{header}{}\n", lines.join("\n")).into_bytes()).expect("a header")
}

/// Plays a script, which can be read to its end.
pub(crate) fn play(script: &str, observer: &mut dyn Observer) -> Replayed {
    let replayed = replay(&mut *events(script), observer, &mut |_| {});
    assert!(replayed.error.is_none(), "{:?}", replayed.error);
    replayed
}
