//! Recognises what a `cached_property` made, and that refers to the object that caches it.

use super::path::{Path, attribute};
use super::{Cure, Pattern, direction};
use crate::cycles::Origin;

pub(super) const PATTERN: Pattern = Pattern {
    topic: "cached-property",
    name: "cached property that refers back",
    page: include_str!("cached_property.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let place = (0..path.steps.len()).find(|&step| path.origin(step) == Origin::MadeInCache)?;
    let made = &path.steps[place];
    let offer = attribute(&made.slot).and_then(|name| path.weak(made, name));
    let evidence = offer.as_ref().map(|_| direction::unless_used(path, place, "it was made as it was cached"));
    let sentence = "what is cached need not own the object that caches it: make its reference weak";
    Some(Cure { evidence, ..Cure::new(sentence, offer) })
}
