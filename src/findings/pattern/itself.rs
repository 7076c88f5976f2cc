//! Recognises an object that holds itself.

use super::path::{Path, attribute};
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern =
    Pattern { topic: "itself", name: "object that refers to itself", page: include_str!("itself.md"), recognise };

fn recognise(path: &Path) -> Option<Cure> {
    let [step] = path.steps else { return None };
    let name = attribute(&step.slot).filter(|_| step.type_name.contains('.'))?;
    if name == "__dict__" {
        return Some(Cure::new("the object is its own namespace: write __getattr__ and __setattr__ instead", None));
    }
    let sentence = format!("an object need not hold itself: let {name} be None where it would be the object");
    Some(Cure::new(sentence, path.offer(step, "None in place of self")))
}
