//! Recognises a `partial` that is kept by the object that it was given.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "partial",
    name: "partial that was given the object that holds it",
    page: include_str!("partial.md"),
    recognise,
};

/// `self.callback = partial(f, self)`: the method or the object stands among what the partial was given.
fn recognise(path: &Path) -> Option<Cure> {
    let partial = path.of_type("functools.partial")?;
    let offer = path.offer(partial, "an argument of the call, or weakref.proxy(self)");
    Some(Cure::new("let the partial not own the object that holds it: pass the object when it is called", offer))
}
