//! Recognises a bound method that its own object keeps.

use super::path::Path;
use super::{Cure, Pattern};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "bound-method",
    name: "bound method stored on its own object",
    page: include_str!("bound_method.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let holder = path.method_is_kept_by()?;
    path.is_own_method().then_some(())?;
    let name = path.method_name().map_or("method".to_string(), |name| format!("self.{name}"));
    let offer = path.let_go(holder, &format!("weakref.WeakMethod({name})"));
    Some(Cure::new("store the method weakly, or its name, and bind it when it is called", offer))
}
