//! Recognises an iterator, or a view, that is kept by the object that it walks over.

use super::path::{Path, attribute};
use super::{Cure, Pattern, direction};
use crate::cycles::PathStep;
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
    let is_view = |step: &PathStep| VIEWS.contains(&step.type_name.as_str());
    let iterator =
        path.find(|step| is_view(step) || last_part(&step.type_name).to_lowercase().ends_with("iterator"))?;
    let owner = path.into(|step| std::ptr::eq(step, iterator)).filter(|owner| !std::ptr::eq(*owner, iterator))?;
    attribute(&owner.slot)?;
    let offer = path.offer(owner, "one made anew where it is needed");
    if is_view(iterator) {
        let sentence =
            "a view refers to what it was made of: make it anew where it is needed, and do not keep it there";
        return Some(Cure::new(sentence, offer));
    }
    // One made anew begins at the first again, so where its owner made it, it is a child like others.
    if direction::parent(path).is_some_and(|cure| !cure.offers.is_empty()) {
        return None;
    }
    let sentence = "an iterator refers to what it walks over: does its owner need to know how far it is? if not, make it \
                    anew where it is needed";
    let mut cure = Cure::new(sentence, offer);
    cure.offers.extend(direction::all(path).into_iter().filter(|other| other.step != path.place(owner)));
    cure.is_question = true;
    Some(cure)
}
