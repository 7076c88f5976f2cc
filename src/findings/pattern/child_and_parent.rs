//! Recognises a reference back to the owner, where something shows that it leads back.

use super::{Pattern, direction};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "child-and-parent",
    name: "child points back to its parent",
    page: include_str!("child_and_parent.md"),
    recognise: direction::parent,
};
