//! Recognises what a `cached_property` made, and that refers to the object that caches it.

use super::path::{Path, attribute};
use super::{Cure, Pattern, direction};
use crate::cycles::StackFrame;

pub(super) const PATTERN: Pattern = Pattern {
    topic: "cached-property",
    name: "cached property that refers back",
    page: include_str!("cached_property.md"),
    recognise,
};

/// The object was made inside `functools.cached_property.__get__`.
fn recognise(path: &Path) -> Option<Cure> {
    let is_get = |frame: &StackFrame| frame.path.ends_with("functools.py") && frame.function.ends_with("__get__");
    path.stack.get(1).filter(|frame| is_get(frame))?;
    let made = path.steps.first()?;
    let offer = attribute(&made.slot).and_then(|name| path.weak(made, name));
    let evidence = offer.as_ref().map(|_| direction::unless_used(path, 0, "it was made as it was cached"));
    let sentence = "what is cached need not own the object that caches it: make its reference weak";
    Some(Cure { evidence, ..Cure::new(sentence, offer) })
}
