//! Recognises loops through `unittest.mock`.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern =
    Pattern { topic: "mock", name: "mock and what it was given", page: include_str!("mock.md"), recognise };

fn recognise(path: &Path) -> Option<Cure> {
    let is_made_by_mock = || path.stack.first().is_some_and(|frame| frame.path.ends_with("unittest/mock.py"));
    let is_mock = path.find(|step| step.type_name.starts_with("unittest.mock.")).is_some();
    (is_mock || is_made_by_mock()).then_some(())?;
    let sentence = "a mock keeps its children, its calls and what it was given, and each child keeps it: let it go with the \
                    test, or take a plain function or create_autospec() of one";
    Some(Cure::new(sentence, None))
}
