//! Makes the texts of a trace fit for a page: a class can be called whatever a program likes.
//!
//! A character that a terminal or an editor would obey is written as Python's `repr` writes it: `\n`, `\x1b`, `\u202e`.
//! Backslashes stay as they are, for the sake of paths.

use std::borrow::Cow;

use crate::trace::{Header, TypeDef, TypeRef};

/// What `multiprocessing` calls the main module in a process that it spawned, and what everybody else calls it.
const SPAWNED_MAIN: &str = "__mp_main__";
const MAIN: &str = "__main__";

/// The text without characters that do more than to show themselves.
pub fn printable(text: &str) -> Cow<'_, str> {
    // Nearly every text is plain ASCII.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if !is_control(c) => shown.push(c),
            c => match u32::from(c) {
                code @ 0..0x100 => shown.push_str(&format!("\\x{code:02x}")),
                code @ 0x100..0x1_0000 => shown.push_str(&format!("\\u{code:04x}")),
                code => shown.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    Cow::Owned(shown)
}

/// Control characters, line separators, and those of the category Cf: they turn the direction of the text around, or
/// hide in it.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe007f)
}

/// A text as the heap keeps it.
pub(super) fn text(mut text: String) -> String {
    tidy(&mut text);
    text
}

pub(super) fn type_def(def: &mut TypeDef) {
    let TypeDef { name, bases, metaclass, slots, defines, file, extra, .. } = def;
    let bases = bases.iter_mut().filter_map(|base| match base {
        TypeRef::Name(name) => Some(name),
        TypeRef::Id(_) => None,
    });
    let lists = bases.chain(metaclass).chain(slots.iter_mut().flatten()).chain(defines);
    lists.chain([name, file]).for_each(tidy);
    extra.iter_mut().for_each(|(_, value)| tidy(value));
}

pub(super) fn header(header: &mut Header) {
    tidy(&mut header.runtime);
    header.extra.iter_mut().for_each(|(_, value)| tidy(value));
}

/// Printable, and with one name for the main module.
fn tidy(text: &mut String) {
    if let Cow::Owned(shown) = printable(text) {
        *text = shown;
    }
    let start = if text.starts_with(SPAWNED_MAIN) { 0 } else { GLOBAL.len() };
    let is_global = start == 0 || text.starts_with(GLOBAL);
    let rest = text.get(start..).filter(|_| is_global).and_then(|name| name.strip_prefix(SPAWNED_MAIN));
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
        text.replace_range(start..start + SPAWNED_MAIN.len(), MAIN);
    }
}

/// How the names of roots that are global variables begin.
const GLOBAL: &str = "global:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_terminal_obeys_are_written_as_python_writes_them() {
        assert_eq!(printable("A\n\x1b[31mB\u{202e}C\t\r\0"), r"A\n\x1b[31mB\u202eC\t\r\x00");
        assert_eq!(printable("\u{85}\u{e0041}\u{2028}\u{feff}"), r"\x85\U000e0041\u2028\ufeff");
        for ordinary in ["app.Order", "Größe", "हिन्दी", "注文", r"C:\new\app.py", "['🙂']", ""] {
            assert!(matches!(printable(ordinary), Cow::Borrowed(_)), "{ordinary}");
        }
    }

    #[test]
    fn the_main_module_of_a_spawned_process_is_the_main_module() {
        let tidied = |name: &str| text(name.to_string());
        assert_eq!(tidied("__mp_main__.make.<locals>.Order"), "__main__.make.<locals>.Order");
        assert_eq!(tidied("__mp_main__"), "__main__");
        assert_eq!(tidied("global:__mp_main__.cache"), "global:__main__.cache");
        for other in ["__mp_main__s.Order", "app.__mp_main__.Order", "['__mp_main__']", "global:app", "glob", "größe"]
        {
            assert_eq!(tidied(other), other);
        }
        let mut def = TypeDef { name: "__mp_main__.Line".into(), metaclass: Some("M\n".into()), ..TypeDef::default() };
        def.bases.push(TypeRef::Name("__mp_main__.Order".into()));
        type_def(&mut def);
        assert_eq!((def.name.as_str(), def.metaclass.as_deref()), ("__main__.Line", Some(r"M\n")));
        assert_eq!(def.bases, [TypeRef::Name("__main__.Order".into())]);
    }
}
