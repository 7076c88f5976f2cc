//! Recognises an inner function that is kept by an object that it captures.

use super::path::{Path, is_class, is_code};
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "closure",
    name: "closure over the object that holds it",
    page: include_str!("closure.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    over_an_object(path)
}

/// A function, or a variable of its closure, beside an object of a class.
pub(super) fn over_an_object(path: &Path) -> Option<Cure> {
    path.of_type("function").or_else(|| path.of_type("cell"))?;
    path.find(|step| !is_class(step) && step.type_name.contains('.'))?;
    let code = path.steps.iter().filter(|step| is_code(step));
    let offer = path.captured(code, |name| format!("weakref.ref({name})")).map(|offer| path.tryable(offer));
    Some(Cure::new("let the function take the object as an argument, or refer to it weakly", offer))
}
