//! Recognises containers that contain each other, or themselves.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "container",
    name: "container that contains itself",
    page: include_str!("container.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let containers = ["list", "dict", "tuple", "set", "frozenset", "collections.deque", "collections.OrderedDict"];
    path.steps
        .iter()
        .all(|step| containers.contains(&step.type_name.as_str()))
        .then(|| Cure::new("take the inner reference out, or clear() the container when it is done with", None))
}
