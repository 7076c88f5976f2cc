//! Recognises an exception that is kept in a frame that its traceback keeps.

use super::path::Path;
use super::{Cure, Offer, Pattern};
use crate::cycles::PathStep;

pub(super) const PATTERN: Pattern = Pattern {
    topic: "exception-in-frame",
    name: "exception, traceback and frame",
    page: include_str!("exception.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name == "traceback" || step.slot.contains("__traceback__"))?;
    let deleted = |is: &dyn Fn(&PathStep) -> bool| -> Option<Offer> {
        let mut frames = path.steps.iter().filter(|step| step.type_name == "frame" && is(step));
        frames.find_map(|frame| path.deleted(frame))
    };
    const DELETE: &str = "delete the variable, or keep the text only";
    if let Some(cut) = deleted(&|frame| !path.is_of_the_standard_library(frame)) {
        return Some(Cure::new(DELETE, Some(cut)));
    }
    if let Some(kept) = path.find(|step| step.type_name == "cell" && step.slot.contains('[')) {
        let cut = path.captured([kept].into_iter(), |_, name| format!("{name}.clear() in a finally clause"));
        let sentence = "empty the container when they are done with, or keep their texts only";
        return Some(Cure::new(sentence, cut.map(|offer| path.tryable(offer))));
    }
    if let Some(raised) = path.find(|step| step.slot.contains(".__context__")) {
        let cut = path.offer(raised, "none, where it is raised after the except block");
        let sentence =
            "an exception that is raised in an except block keeps the one that is handled there: leave the block first";
        return Some(Cure::new(sentence, cut));
    }
    Some(match deleted(&|_| true) {
        Some(cut) => Cure::new(DELETE, Some(cut)),
        None => Cure::new("keep the text of the exception, or clear it: error.__traceback__ = None", None),
    })
}
