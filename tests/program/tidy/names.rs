//! Keeps names of files and types in words that the field knows.

use super::source::sources;

/// Words that say nothing about a thing: of what was something told, known, left?
const VAGUE: [&str; 6] = ["told", "plain", "left", "held", "home", "known"];

#[test]
fn no_file_and_no_type_has_a_vague_name() {
    let mut wrong = Vec::new();
    for source in sources(&["src", "tests", "benches"]) {
        if is_vague(&source.name.replace(['/', '_', '.', '-'], " ")) {
            wrong.push(source.name.clone());
        }
        for (number, line) in source.code() {
            if let Some(name) = defined_type(line).filter(|name| is_vague(&in_words(name))) {
                wrong.push(format!("{}:{number}: {name}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_vague_name_is_found() {
    assert_eq!(defined_type("pub(super) struct ToldStep<'a> {"), Some("ToldStep"));
    assert_eq!(defined_type("let structure = told;"), None);
    assert!(is_vague(&in_words("ToldStep")) && !is_vague(&in_words("Unknown")));
}

fn is_vague(words: &str) -> bool {
    words.split(' ').any(|word| VAGUE.contains(&word.to_lowercase().as_str()))
}

/// The name of the type that a line defines.
fn defined_type(line: &str) -> Option<&str> {
    let mut words = line.split([' ', '<', '(', ';', ':', '{']).filter(|word| !word.is_empty());
    let is_before = |word: &&str| ["pub", "crate)", "super)", "unsafe"].contains(word);
    let keyword = words.by_ref().find(|word| !is_before(word))?;
    ["struct", "enum", "trait", "type", "union"].contains(&keyword).then(|| words.next()).flatten()
}

/// `ToldStep` as `Told Step`.
fn in_words(name: &str) -> String {
    name.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c])).collect()
}
