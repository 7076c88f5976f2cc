//! Recognises an `lru_cache` that keeps the object that has it.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern =
    Pattern { topic: "lru-cache", name: "lru_cache on a method", page: include_str!("lru_cache.md"), recognise };

fn recognise(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name.ends_with("_lru_cache_wrapper"))?;
    let sentence =
        "the cache keeps every self that it was called with: cache a function of plain values, or on the instance";
    Some(Cure::new(sentence, None))
}
