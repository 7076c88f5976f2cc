//! Recognises objects of which nothing tells who owns whom.

use super::{Pattern, direction};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "each-other",
    name: "objects that refer to each other",
    page: include_str!("each_other.md"),
    recognise: direction::each_other,
};
