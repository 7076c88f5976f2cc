//! Recognises an inner function that is kept by an object that it captures.

use super::path::{Path, is_class, is_code};
use super::{Cure, Pattern, direction};
use crate::cycles::PathStep;

pub(super) const PATTERN: Pattern = Pattern {
    topic: "closure",
    name: "closure over the object that holds it",
    page: include_str!("closure.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    over_an_object(path)
}

/// A function, or a variable of its closure, beside an object of a class. Where other objects lead from what is captured to the
/// function, and nothing tells that they are owned, the function may be all that keeps it.
pub(super) fn over_an_object(path: &Path) -> Option<Cure> {
    path.of_type("function").or_else(|| path.of_type("cell"))?;
    path.find(|step| !is_class(step) && step.type_name.contains('.'))?;
    let code = path.steps.iter().filter(|step| is_code(step));
    // A list, a tuple or a dict takes no weak reference.
    let replacement = |step: &PathStep, name: &str| match step.slot.contains('[') {
        true => "an argument of the function".to_string(),
        false => format!("weakref.ref({name})"),
    };
    let offer = path.captured(code, replacement).map(|offer| path.tryable(offer));
    let others = direction::open(path);
    if others.is_empty() {
        return Some(Cure::new("let the function take the object as an argument, or refer to it weakly", offer));
    }
    let mut cure = Cure::new("the function keeps what it captures: which of these lives on without the other?", offer);
    cure.offers.extend(others);
    cure.offers.truncate(direction::MOST_OFFERS);
    cure.is_question = true;
    Some(cure)
}
