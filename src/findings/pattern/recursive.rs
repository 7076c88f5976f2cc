//! Recognises a function that is a variable of its own closure.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "recursive-function",
    name: "function that its own closure refers to",
    page: include_str!("recursive.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let only_code = path.steps.iter().all(|step| ["function", "cell", "tuple"].contains(&step.type_name.as_str()));
    path.of_type("function").filter(|_| only_code)?;
    let offer = path.captured(path.steps.iter(), |_, _| "an argument, or a function of the module".to_string());
    Some(Cure::new("define the function at module level, or pass it what it calls as an argument", offer))
}
