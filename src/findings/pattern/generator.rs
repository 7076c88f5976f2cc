//! Recognises a generator or coroutine that its own suspended frame leads back to.

use super::path::Path;
use super::{Cure, Pattern};
use crate::cycles::PathStep;

pub(super) const PATTERN: Pattern = Pattern {
    topic: "generator-in-frame",
    name: "generator or coroutine held by its own frame",
    page: include_str!("generator.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let suspended = path.find(is_suspended)?;
    let holder = path.into(|step| step == suspended)?;
    // Nothing in a suspended frame runs, so its own variables cannot be deleted there.
    let cut = if is_suspended(holder) || holder.type_name == "frame" {
        None
    } else {
        path.offer(holder, "None, after close()")
    };
    Some(Cure::new("close it when it is done with, or do not keep it where it can see itself", cut))
}

fn is_suspended(step: &PathStep) -> bool {
    ["generator", "coroutine", "async_generator"].contains(&step.type_name.as_str())
}
