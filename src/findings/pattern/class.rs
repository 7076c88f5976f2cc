//! Recognises a class that was thrown away.

use super::path::{Path, is_class};
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern =
    Pattern { topic: "class-at-run-time", name: "class made at run time", page: include_str!("class.md"), recognise };

fn recognise(path: &Path) -> Option<Cure> {
    path.find(is_class)?;
    let sentence = match path.is_made_by_a_module() {
        true => {
            "every class is a loop with its own attributes; this one was made as a module ran: keep its name, or leave it to the collector"
        }
        false => "every class is a loop with its own attributes: make it once, at module level, not on each call",
    };
    Some(Cure::new(sentence, None))
}
