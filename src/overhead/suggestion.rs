//! Writes the lines to paste.

use super::class::Class;
use super::plan::{Change, Means, Plan, unmangled};

/// Columns from which on a tuple of names is written one name a line.
const WIDTH: usize = 100;

/// Which of the two decorators it was, and with what arguments, the class does not tell.
const ATTRS: &str = "@attr.s(slots=True)  # or @attr.define without slots=False; other arguments as they are";

/// The change as Python source; what belongs into another class stands under a comment that names it, first.
pub fn text(plan: &Plan) -> String {
    let own = lines(&plan.own, plan.adds_weakref);
    if plan.bases.is_empty() {
        return own;
    }
    let mut text = String::new();
    for base in &plan.bases {
        text.push_str(&format!("# {}, first:\n{}\n", base.class.short_name(), lines(base, false)));
    }
    text.push_str(&format!("# {}:\n{own}", plan.own.class.short_name()));
    text
}

fn lines(change: &Change, adds_weakref: bool) -> String {
    match change.means {
        Means::Dataclass => decorator(change.class, adds_weakref),
        Means::Attrs => ATTRS.to_owned(),
        Means::ByHand => assignment(change, adds_weakref),
    }
}

fn decorator(class: &Class, adds_weakref: bool) -> String {
    let argument = |word: &str| match word {
        "frozen" | "order" | "unsafe_hash" | "kw_only" => Some(format!("{word}=True")),
        "no_init" => Some("init=False".to_owned()),
        "no_repr" => Some("repr=False".to_owned()),
        "no_eq" => Some("eq=False".to_owned()),
        "no_match_args" => Some("match_args=False".to_owned()),
        _ => None,
    };
    let mut arguments: Vec<String> = class.words("dataclass").filter_map(argument).collect();
    arguments.push("slots=True".to_owned());
    if adds_weakref {
        arguments.push("weakref_slot=True".to_owned());
    }
    format!("@dataclass({})", arguments.join(", "))
}

fn assignment(change: &Change, adds_weakref: bool) -> String {
    let names = change.names.iter().map(|name| unmangled(change.class, name));
    let mut names: Vec<String> = names.map(literal).collect();
    if adds_weakref || change.class.def.slots.iter().flatten().any(|name| name == "__weakref__") {
        names.push("\"__weakref__\"".to_owned());
    }
    let line = match names.as_slice() {
        [] => "__slots__ = ()".to_owned(),
        [name] => format!("__slots__ = ({name},)"),
        names => format!("__slots__ = ({})", names.join(", ")),
    };
    if line.len() <= WIDTH {
        return line;
    }
    let lines: Vec<String> = names.iter().map(|name| format!("    {name},\n")).collect();
    format!("__slots__ = (\n{})", lines.concat())
}

/// The name as a Python string literal.
fn literal(name: &str) -> String {
    let mut text = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn a_literal_is_what_python_reads() {
        assert_eq!(literal("total"), "\"total\"");
        assert_eq!(literal("größe"), "\"größe\"");
        assert_eq!(literal("it's \"x\""), "\"it's \\\"x\\\"\"");
        assert_eq!(literal("a\\b\n\u{7f}"), "\"a\\\\b\\n\\x7f\"");
    }
}
