//! Holds the rules of the code base: which folder may use which, where `unsafe` stands, what has a page.

mod cpython;
mod memory;
mod names;
mod size;
mod source;

use std::fs;

use crate::support::root;
use source::{Source, sources};

/// The modules in the order in which bytes become a page. Each knows only the ones named beside it.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("trace", &[]),
    ("heap", &["trace"]),
    ("cycles", &["trace", "heap"]),
    ("interchange", &["trace", "heap", "cycles"]),
    ("retention", &["trace", "heap"]),
    ("overhead", &["trace", "heap"]),
    ("growth", &["trace", "heap", "cycles", "retention"]),
    ("whatif", &["trace", "heap", "cycles"]),
    ("run", &["trace", "heap", "cycles", "retention", "overhead", "growth", "whatif"]),
    ("findings", &["trace", "heap", "cycles", "retention", "overhead", "growth", "whatif", "run"]),
    ("report", &["trace", "heap", "cycles", "retention", "overhead", "growth", "whatif", "run", "findings"]),
    ("export", &["trace", "heap", "cycles", "retention", "overhead", "growth", "whatif", "run", "findings", "report"]),
    ("recorder", &["trace"]),
];

#[test]
fn every_folder_knows_only_the_folders_before_it() {
    let modules: Vec<&str> = MAY_KNOW.iter().map(|(module, _)| *module).collect();
    let mut wrong = Vec::new();
    for (module, may_know) in MAY_KNOW {
        for source in sources(&[&format!("src/{module}")]) {
            for (number, line) in source.code() {
                for other in &modules {
                    if other != module && !may_know.contains(other) && mentions_module(line, other) {
                        wrong.push(format!("{}:{number}: {module}/ must not know {other}/: {line}", source.name));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_src_has_its_directions() {
    let mut folders: Vec<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    // The program may use all of the library.
    let mut listed: Vec<&str> = MAY_KNOW.iter().map(|(module, _)| *module).chain(["cli"]).collect();
    listed.sort();
    assert_eq!(folders, listed);
}

#[test]
fn unsafe_stands_only_where_cpython_and_the_system_are_talked_to() {
    let mut wrong = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| !may_be_unsafe(source)) {
        for (number, line) in source.code() {
            if line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe") {
                wrong.push(format!("{}:{number}: {line}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn may_be_unsafe(source: &Source) -> bool {
    source.name.starts_with("src/recorder/")
}

#[test]
fn every_module_begins_with_what_it_does() {
    let mut silent = Vec::new();
    for source in sources(&["src", "tests", "benches"]) {
        if source.lines.first().is_none_or(|line| !line.starts_with("//!")) {
            silent.push(source.name);
        }
    }
    assert!(silent.is_empty(), "without a head comment: {silent:?}");
}

#[test]
fn the_head_of_a_module_is_a_sentence_with_a_verb() {
    // `Finds …`, `Decodes …`; the crate itself is a chain of sentences.
    let is_verb = |word: &str| word == "Given" || word.starts_with(char::is_uppercase) && word.ends_with('s');
    let mut wrong = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| source.name != "src/lib.rs") {
        let head = source.lines.first().map(String::as_str).unwrap_or_default();
        let word = head.trim_start_matches("//!").trim_start().split([' ', ',']).next().unwrap_or_default();
        if !is_verb(word) {
            wrong.push(format!("{}: {head}", source.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_trace_format_has_a_page() {
    let mut missing = Vec::new();
    for format in refloop::trace::formats::FORMATS {
        let page = format!("docs/formats/{}.md", format.name());
        if !root().join(&page).exists() {
            missing.push(page);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let page = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let mut missing = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(table) = manifest.get(section).and_then(|section| section.as_table()) else { continue };
        missing.extend(table.keys().filter(|name| !page.contains(&format!("| `{name}` |"))).cloned());
    }
    assert!(missing.is_empty(), "not in docs/dependencies.md: {missing:?}");
}

fn mentions_module(line: &str, module: &str) -> bool {
    ["crate::", "refloop::"].iter().any(|from| {
        line.match_indices(from).any(|(at, _)| {
            let rest = &line[at + from.len()..];
            rest.strip_prefix(module).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                || rest.strip_prefix('{').is_some_and(|rest| {
                    rest.split(['{', '}', ',', ' ']).any(|word| word.split("::").next() == Some(module))
                })
        })
    })
}
