//! Recognises an object that holds itself, in an attribute or in a container of its own.

use super::path::{Path, attribute};
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern =
    Pattern { topic: "itself", name: "object that refers to itself", page: include_str!("itself.md"), recognise };

fn recognise(path: &Path) -> Option<Cure> {
    let [step] = path.steps else { return None };
    step.type_name.contains('.').then_some(())?;
    let Some(name) = attribute(&step.slot) else { return in_a_container(path) };
    if name == "__dict__" {
        return Some(Cure::new("the object is its own namespace: write __getattr__ and __setattr__ instead", None));
    }
    let sentence = format!("an object need not hold itself: let {name} be None where it would be the object");
    Some(Cure::new(sentence, path.offer(step, "None in place of self")))
}

fn in_a_container(path: &Path) -> Option<Cure> {
    let [step] = path.steps else { return None };
    let name = step.slot.strip_prefix('.')?.split(['[', ' ', '.']).next()?;
    let sentence = format!("an object need not be in its own {name}: pass it along where that is used");
    Some(Cure::new(sentence, path.offer(step, "nothing in place of self")))
}
