//! Recognises loops of objects that need no second one: a class, an object or container that holds itself, a cached value.

use super::{Cure, Path, attribute, is_class};
use crate::cycles::StackFrame;

/// The object was made inside `functools.cached_property.__get__`, and refers to the one that caches it.
pub(super) fn cached_property(path: &Path) -> Option<Cure> {
    let is_get = |frame: &StackFrame| frame.path.ends_with("functools.py") && frame.function.ends_with("__get__");
    path.stack.get(1).filter(|frame| is_get(frame))?;
    let made = path.steps.first()?;
    let offer = attribute(&made.slot).map(|name| path.weak(made, name));
    let offer = offer.filter(|offer| !path.tried.refuted.contains(&offer.step));
    Some(Cure::new("what is cached need not own the object that caches it: make its reference weak", offer))
}

pub(super) fn class(path: &Path) -> Option<Cure> {
    path.find(is_class)?;
    let sentence = match path.is_made_by_a_module() {
        true => {
            "every class is a loop with its own attributes; this one was made as a module ran: keep its name, or leave it to the collector"
        }
        false => "every class is a loop with its own attributes: make it once, at module level, not on each call",
    };
    Some(Cure::new(sentence, None))
}

pub(super) fn itself(path: &Path) -> Option<Cure> {
    let [step] = path.steps else { return None };
    let name = attribute(&step.slot).filter(|_| step.type_name.contains('.'))?;
    if name == "__dict__" {
        return Some(Cure::new("the object is its own namespace: write __getattr__ and __setattr__ instead", None));
    }
    let sentence = format!("an object need not hold itself: let {name} be None where it would be the object");
    Some(Cure::new(sentence, path.offer(step, "None in place of self")))
}

pub(super) fn container(path: &Path) -> Option<Cure> {
    let containers = ["list", "dict", "tuple", "set", "frozenset", "collections.deque", "collections.OrderedDict"];
    path.steps
        .iter()
        .all(|step| containers.contains(&step.type_name.as_str()))
        .then(|| Cure::new("take the inner reference out, or clear() the container when it is done with", None))
}
