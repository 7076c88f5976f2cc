//! Recognises a lambda that is kept by an object that it captures.

use super::path::Path;
use super::{Cure, Pattern, closure};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "lambda",
    name: "lambda that captures the object that holds it",
    page: include_str!("lambda.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    path.find(|step| step.type_name == "function" && step.label == "function <lambda>")?;
    let cure = closure::over_an_object(path)?;
    if cure.is_question {
        return Some(cure);
    }
    Some(Cure { sentence: "let the lambda take the object as an argument, or refer to it weakly".to_string(), ..cure })
}
