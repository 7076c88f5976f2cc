//! Keeps what depends on CPython's version, and where its fields are, in one folder of the recorder.

use super::source::sources;

/// The folder that may know, and the one around it that must not.
const MAY_KNOW: &str = "src/recorder/agent/cpython/";
const AGENT: &str = "src/recorder/agent";

/// Words of versions.
const VERSION: [&str; 4] = ["minor", "micro", "since_micro", "PY_VERSION_HEX"];

/// Functions that read or write the memory of CPython.
const ACCESS: [&str; 7] = ["word", "signed", "half", "byte", "set_word", "type_of", "c_string"];

#[test]
fn cpython_alone_knows_versions_and_offsets() {
    let mut wrong = Vec::new();
    for source in sources(&[AGENT]).iter().filter(|source| !source.name.starts_with(MAY_KNOW)) {
        for (number, line) in source.code() {
            if let Some(what) = knowledge(line) {
                wrong.push(format!("{}:{number}: {what} belongs to {MAY_KNOW}: {line}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_version_and_an_offset_outside_cpython_are_found() {
    for line in [
        "if row.minor >= 13 {",
        "let items = word(object + 24) as *const usize;",
        "Kind::Set if word(object + TABLE) != half(object - 4) as usize => 0,",
        "set_word(node + 8, word(node + 8) & !PREV_COLLECTING);",
        "let value = word(values.first + 8 * index);",
        "Kind::Cell => &[(16, \".cell_contents\")],",
    ] {
        assert!(knowledge(line).is_some(), "{line}");
    }
    for line in [
        "let name = word(class + row.type_qualname);",
        "let frame = word(walked[step - 1] + to_previous);",
        "flags.push((16, \"inline\")); // no field: no dot",
        "let minority = words(4);",
    ] {
        assert_eq!(knowledge(line), None, "{line}");
    }
}

/// What a line knows of CPython that only one folder should.
fn knowledge(line: &str) -> Option<&'static str> {
    if words(line).any(|word| VERSION.contains(&word)) {
        return Some("a version");
    }
    let literal = accesses(line).any(|place| words(&without_indices(place)).any(is_number));
    let field = line.split(", \".").next().filter(|before| before.len() < line.len());
    let listed = field.and_then(|before| before.rsplit('(').next()).is_some_and(is_number);
    (literal || listed).then_some("an offset")
}

/// The arguments of all calls in a line that access memory.
fn accesses(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices('(').filter_map(|(open, _)| {
        let function = line[..open].rsplit(|c: char| !is_of_word(c)).next()?;
        let arguments = &line[open + 1..];
        let mut depth = 1;
        let end = arguments.find(|c| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        ACCESS.contains(&function).then(|| &arguments[..end.unwrap_or(arguments.len())])
    })
}

/// A place without what stands in brackets: the index of an array of ours.
fn without_indices(place: &str) -> String {
    let mut depth = 0;
    let outside = |c: &char| {
        depth += i32::from(*c == '[') - i32::from(*c == ']');
        depth == 0
    };
    place.chars().filter(outside).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_of_word(c)).filter(|word| !word.is_empty())
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}
