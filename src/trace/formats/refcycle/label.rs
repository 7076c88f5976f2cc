//! Reads the annotations of refcycle: the type of an object, and the place of a reference.
//!
//! They are those of `refcycle/annotations.py` of refcycle 0.3.1.

/// The type that a vertex says it is of, and its own name. Between the two stands a backslash and an `n`, as Graphviz
/// has it.
pub(super) fn vertex(annotation: &str) -> (&str, &str) {
    let (kind, name) = annotation.split_once("\\n").unwrap_or((annotation, ""));
    match kind {
        "object" => (name.strip_prefix("builtins.").unwrap_or(name), ""),
        "instancemethod" => ("method", name),
        // A file and the line that runs just then.
        "frame" => ("frame", ""),
        "type" | "function" | "module" => (kind, name),
        _ if kind.starts_with("weakref ") => ("weakref.ReferenceType", ""),
        _ => (of_value(kind), ""),
    }
}

/// `list[2]`, or the `repr` of a number or text.
fn of_value(text: &str) -> &str {
    match text.as_bytes() {
        [b'\'' | b'"', ..] => "str",
        [b'b', b'\'' | b'"', ..] => "bytes",
        b"None" => "NoneType",
        b"True" | b"False" => "bool",
        [b'(' | b'-' | b'0'..=b'9', ..] | b"nan" | b"inf" => match text {
            _ if text.ends_with(['j', ')']) => "complex",
            _ if text.contains(['.', 'e', 'n']) => "float",
            _ => "int",
        },
        _ => text.split_once('[').map_or(text, |(class, _)| class),
    }
}

/// The slot that an edge is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Index(u64),
    Named(String),
}

/// `item[3]` becomes `[3]`, `value['x']` becomes `['x']`, `local 'x'` becomes `local x`, an attribute gets its dot.
pub(super) fn edge(annotation: &str) -> Place {
    let within = |before: &str| annotation.strip_prefix(before)?.strip_suffix(']');
    if let Some(index) = within("item[").and_then(|index| index.parse().ok()) {
        return Place::Index(index);
    }
    Place::Named(match (within("value["), annotation.strip_prefix("local ")) {
        (Some(key), _) => format!("[{key}]"),
        (_, Some(name)) => format!("local {}", name.trim_matches('\'')),
        _ if matches!(annotation, "key" | "element") => annotation.to_owned(),
        _ => format!(".{annotation}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_types_with_names() {
        let all = ["object\\n__main__.A", "object\\nbuiltins.cell", "function\\nf", "list[3]", "weakref to id 0x7f"];
        let types = all.map(vertex);
        let expected =
            [("__main__.A", ""), ("cell", ""), ("function", "f"), ("list", ""), ("weakref.ReferenceType", "")];
        assert_eq!(types, expected);
        let values = ["'x[0]'", "b'x'", "-3", "1e+22", "(1+2j)", "None", "nan"].map(|annotation| vertex(annotation).0);
        assert_eq!(values, ["str", "bytes", "int", "float", "complex", "NoneType", "float"]);
    }

    #[test]
    fn annotations_of_references_are_slots() {
        let named = |name: &str| Place::Named(name.to_owned());
        assert_eq!(edge("item[3]"), Place::Index(3));
        assert_eq!(edge("value['a[0]']"), named("['a[0]']"));
        assert_eq!(
            (edge("local 'x'"), edge("__closure__"), edge("key")),
            (named("local x"), named(".__closure__"), named("key"))
        );
    }
}
