//! Recognises an exception that is kept in a frame that its traceback keeps.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "exception-in-frame",
    name: "exception, traceback and frame",
    page: include_str!("exception.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name == "traceback" || step.slot.contains("__traceback__"))?;
    let cut = path.of_type("frame").and_then(|frame| path.deleted(frame));
    let sentence = match cut {
        Some(_) => "delete the variable that keeps the exception, or keep its text only",
        None => "keep the text of the exception, or clear it: error.__traceback__ = None",
    };
    Some(Cure::new(sentence, cut))
}
