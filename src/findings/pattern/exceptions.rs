//! Recognises loops through a frame: of an exception that was kept, of a future, of a generator that sees itself.

use super::{Cure, Offer, Path, variable};
use crate::cycles::PathStep;

pub(super) fn future(path: &Path) -> Option<Cure> {
    path.find(is_future)?;
    let exception = path.find(|step| step.slot.contains("__traceback__") || step.slot.contains("exception"))?;
    let frame = path.of_type("frame");
    let cut = frame
        .and_then(|frame| deleted(path, frame))
        .or_else(|| path.offer(exception, "del future, or the exception, once it was raised again"));
    Some(Cure::new("delete the variable that holds the future in the frame that raised its exception", cut))
}

pub(super) fn exception(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name == "traceback" || step.slot.contains("__traceback__"))?;
    let cut = path.of_type("frame").and_then(|frame| deleted(path, frame));
    let sentence = match cut {
        Some(_) => "delete the variable that keeps the exception, or keep its text only",
        None => "keep the text of the exception, or clear it: error.__traceback__ = None",
    };
    Some(Cure::new(sentence, cut))
}

pub(super) fn generator(path: &Path) -> Option<Cure> {
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

fn is_future(step: &PathStep) -> bool {
    ["Future", "Task"].iter().any(|name| step.type_name.rsplit('.').next() == Some(name))
}

fn is_suspended(step: &PathStep) -> bool {
    ["generator", "coroutine", "async_generator"].contains(&step.type_name.as_str())
}

/// The local variable that closes the loop, deleted.
fn deleted(path: &Path, frame: &PathStep) -> Option<Offer> {
    let name = variable(&frame.slot)?;
    path.let_go(frame, &format!("del {name} in a finally clause"))
}
