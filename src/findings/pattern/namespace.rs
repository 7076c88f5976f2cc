//! Recognises the globals of a module, or of `exec()`, that were thrown away.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "namespace",
    name: "namespace that its own functions refer to",
    page: include_str!("namespace.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    path.find(|step| step.slot.contains("__globals__"))?;
    Some(Cure::new(
        "a module, or a dict given to exec(), was thrown away: keep it, or clear() it when it is done with",
        None,
    ))
}
