//! Recognises an iterator, or a view, that is kept by the object that it walks over.

use super::path::{Path, attribute};
use super::{Cure, Pattern};
use crate::heap::label::last_part;

pub(super) const PATTERN: Pattern = Pattern {
    topic: "iterator",
    name: "iterator kept by what it walks over",
    page: include_str!("iterator.md"),
    recognise,
};

/// Views of the standard library that walk over what they were made of.
const VIEWS: [&str; 8] = [
    "collections.abc.KeysView",
    "collections.abc.ValuesView",
    "collections.abc.ItemsView",
    "collections.abc.MappingView",
    "dict_keys",
    "dict_values",
    "dict_items",
    "memoryview",
];

fn recognise(path: &Path) -> Option<Cure> {
    let [_, _] = path.steps else { return None };
    let iterator = path.find(|step| {
        VIEWS.contains(&step.type_name.as_str()) || last_part(&step.type_name).to_lowercase().ends_with("iterator")
    })?;
    let owner = path.into(|step| std::ptr::eq(step, iterator)).filter(|owner| !std::ptr::eq(*owner, iterator))?;
    attribute(&owner.slot)?;
    let offer = path.offer(owner, "one made anew where it is needed");
    Some(Cure::new(
        "an iterator refers to what it walks over: make it anew where it is needed, and do not keep it there",
        offer,
    ))
}
