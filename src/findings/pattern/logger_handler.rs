//! Recognises a handler of a logger that refers to the object that has the logger.

use super::path::Path;
use super::{Cure, Pattern, direction};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "logger-handler",
    name: "handler of a logger that refers back to who has the logger",
    page: include_str!("logger_handler.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name.starts_with("logging.") && step.slot.contains(".handlers"))?;
    let sentence = "a logger keeps its handlers: take the handler out when the object is done with, or let it refer to the \
                    object weakly";
    direction::parent(path).map(|cure| Cure { sentence: sentence.to_string(), ..cure })
}
