//! Labels an object as people would call it: `Order`, `function make_order`, `class Point`.

use crate::trace::TypeFlags;

/// What is known of one object, as far as its label needs it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// Full name of its type.
    pub type_name: &'a str,
    pub type_flags: TypeFlags,
    /// The function that it runs: of a function, frame, generator, coroutine, code object.
    pub code: Option<&'a str>,
    /// The object's own name: of a class or module.
    pub name: Option<&'a str>,
}

impl Named<'_> {
    /// `Order` for an `app.Order`; with the function's name for what runs one, with its own for a class or module.
    ///
    /// Of qualified names only the last part is taken: `co_qualname` exists from CPython 3.11 on, and a label must be
    /// the same on all.
    pub fn label(&self) -> String {
        let class = last_part(self.type_name);
        match (self.code, self.name) {
            (Some(code), _) if !code.is_empty() => format!("{class} {}", last_part(code)),
            (_, Some(name)) if self.type_flags.has(TypeFlags::CLASS) || class == "type" => {
                format!("class {}", last_part(name))
            }
            (_, Some(name)) if !name.is_empty() => format!("{class} {name}"),
            _ => class.to_string(),
        }
    }
}

/// `Order` of `app.make.<locals>.Order`.
pub fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The attribute that an instance's dict holds in `slot`: `.items` for `['items']`, whatever the name. `None` for
/// anything but a string key.
pub fn attribute_of_key(slot: &str) -> Option<String> {
    key(slot).map(|key| format!(".{key}"))
}

/// The string key of a slot like `['items']`.
pub fn key(slot: &str) -> Option<&str> {
    slot.strip_prefix("['")?.strip_suffix("']")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_functions_and_classes_have_their_names() {
        let label = |type_name, code, name| Named { type_name, code, name, ..Named::default() }.label();
        assert_eq!(label("app.make.<locals>.Order", None, None), "Order");
        assert_eq!(label("function", Some("Shop.make.<locals>.<lambda>"), None), "function <lambda>");
        assert_eq!(label("frame", Some("run"), None), "frame run");
        assert_eq!(label("type", None, Some("app.make.<locals>.Point")), "class Point");
        assert_eq!(label("module", None, Some("app.models")), "module app.models");
        let metaclass =
            Named { type_name: "abc.ABCMeta", type_flags: TypeFlags::CLASS, name: Some("app.Base"), code: None };
        assert_eq!(metaclass.label(), "class Base");
    }

    #[test]
    fn only_string_keys_are_attributes() {
        assert_eq!(attribute_of_key("['items']").as_deref(), Some(".items"));
        assert_eq!((attribute_of_key("[3]"), attribute_of_key("key")), (None, None));
    }
}
