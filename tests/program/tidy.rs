//! The rules of the house, as tests: who may know whom, where `unsafe` stands, how long a file is, what has a page.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules in the order in which bytes become a page. Each knows only the ones named beside it.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("trace", &[]),
    ("heap", &["trace"]),
    ("cycles", &["trace", "heap"]),
    ("retention", &["trace", "heap"]),
    ("overhead", &["trace", "heap"]),
    ("whatif", &["trace", "heap", "cycles", "retention", "overhead"]),
    ("findings", &["trace", "heap", "cycles", "retention", "overhead", "whatif"]),
    ("report", &["trace", "heap", "cycles", "retention", "overhead", "whatif", "findings"]),
    ("recorder", &["trace"]),
];

/// A longer file has a second subject in it.
const MOST_LINES: usize = 700;

#[test]
fn every_folder_knows_only_the_folders_before_it() {
    let modules: Vec<&str> = MAY_KNOW.iter().map(|(module, _)| *module).collect();
    let mut wrong = Vec::new();
    for (module, may_know) in MAY_KNOW {
        for path in rust_files(&root().join("src").join(module)) {
            for (number, line) in code_lines(&path) {
                for other in &modules {
                    if other != module && !may_know.contains(other) && mentions_module(&line, other) {
                        wrong.push(format!("{}:{number}: {module}/ must not know {other}/: {line}", relative(&path)));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_src_has_its_directions() {
    let mut unlisted = Vec::new();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "cli" && !MAY_KNOW.iter().any(|(module, _)| *module == name) {
            unlisted.push(name);
        }
    }
    assert!(unlisted.is_empty(), "folders without a row in MAY_KNOW: {unlisted:?}");
}

#[test]
fn unsafe_stands_only_where_memory_is_mapped_and_where_cpython_is_talked_to() {
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let name = relative(&path);
        if name == "src/trace/input.rs" || name.starts_with("src/recorder/") {
            continue;
        }
        for (number, line) in code_lines(&path) {
            if line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe") {
                wrong.push(format!("{name}:{number}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long_to_fit_in_the_head() {
    let mut long = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for path in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            if lines > MOST_LINES {
                long.push(format!("{}: {lines} lines, at most {MOST_LINES}", relative(&path)));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn every_module_begins_with_what_goes_in_and_what_comes_out() {
    let mut silent = Vec::new();
    for path in rust_files(&root().join("src")) {
        if !fs::read_to_string(&path).unwrap().starts_with("//!") {
            silent.push(relative(&path));
        }
    }
    assert!(silent.is_empty(), "without a head comment: {silent:?}");
}

#[test]
fn every_trace_format_has_a_page() {
    let mut missing = Vec::new();
    for format in refloop::trace::formats::FORMATS {
        let page = root().join("docs/formats").join(format!("{}.md", format.name()));
        if !page.exists() {
            missing.push(relative(&page));
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

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// All `.rs` files below a folder, in order; none where the folder is missing.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The lines before the first test module that are no comments, with their numbers.
fn code_lines(path: &Path) -> Vec<(usize, String)> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line.trim().to_owned()))
        .collect()
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
