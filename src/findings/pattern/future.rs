//! Recognises a future whose exception was raised in a frame that has the future.

use super::path::Path;
use super::{Cure, Pattern};
use crate::cycles::PathStep;

pub(super) const PATTERN: Pattern = Pattern {
    topic: "future-and-exception",
    name: "future keeps the exception that keeps it",
    page: include_str!("future.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    path.find(is_future)?;
    let exception = path.find(|step| step.slot.contains("__traceback__") || step.slot.contains("exception"))?;
    // Frames also hold each other.
    let mut frames = path.steps.iter().filter(|step| step.type_name == "frame");
    let cut = { frames.find_map(|frame| path.deleted(frame)) }
        .or_else(|| path.offer(exception, "del future, or the exception, once it was raised again"));
    Some(Cure::new("delete the variable that holds the future in the frame that raised its exception", cut))
}

fn is_future(step: &PathStep) -> bool {
    ["Future", "Task"].iter().any(|name| step.type_name.rsplit('.').next() == Some(name))
}
