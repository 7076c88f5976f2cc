//! Recognises a bound method in the list of observers of an object that the method leads back to.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "observer",
    name: "bound method kept by another object",
    page: include_str!("observer.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let holder = path.method_is_kept_by()?;
    let object = path.method_of()?.label.to_lowercase();
    let name = path.method_name().unwrap_or("method");
    let offer = path.let_go(holder, &format!("weakref.WeakMethod({object}.{name})"));
    let sentence = "who calls back keeps the object of the method: hold the method weakly, if something else keeps the object, \
                    or take it out when the object is done with";
    Some(Cure::new(sentence, offer))
}
