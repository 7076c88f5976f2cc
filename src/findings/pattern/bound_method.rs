//! Recognises a bound method that its own object keeps.

use super::path::{Path, attribute, is_method};
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "bound-method",
    name: "bound method stored on its own object",
    page: include_str!("bound_method.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let holder = path.method_is_kept_by()?;
    path.is_own_method().then_some(())?;
    // C code keeps it, where no program can change that.
    let part = path.into(|step| std::ptr::eq(step, holder) && step.slot.trim().is_empty());
    if let Some(part) = part.filter(|part| attribute(&part.slot).is_some() && !is_method(part)) {
        let offer = path.let_go(part, "None when the object is done with, as in a close()");
        return Some(Cure::new("what keeps the method is a part of its object: let go of the part", offer));
    }
    if path.is_no_weak_method() {
        let offer = path.let_go(holder, "the function, called with self");
        return Some(Cure::new(
            "keep the function that is not bound, and give it the object where it is called",
            offer,
        ));
    }
    let offer = path.let_go(holder, &format!("weakref.WeakMethod(self.{})", path.method_name()?));
    Some(Cure::new("store the method weakly, or its name, and bind it when it is called", offer))
}
