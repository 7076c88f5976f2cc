//! Finds the Rust files of the code base, and what stands in them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// One file.
pub(super) struct Source {
    /// Its path below the root of the checkout.
    pub name: String,
    pub lines: Vec<String>,
}

/// A function, from the line of its `fn` to its closing brace.
pub(super) struct Function<'a> {
    pub name: &'a str,
    /// Number of its first line, from 1.
    pub line: usize,
    pub lines: &'a [String],
}

impl Source {
    /// All lines that are no comments, with their numbers.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.lines.iter().enumerate().map(|(index, line)| (index + 1, line.trim()));
        numbered.filter(|(_, line)| !line.starts_with("//"))
    }

    /// All functions. It relies on rustfmt: a function ends at the brace below its first letter.
    pub(super) fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        self.lines.iter().enumerate().filter_map(|(first, line)| {
            let (before, after) = line.split_once("fn ")?;
            let words = ["pub", "pub(crate)", "pub(super)", "const", "unsafe", "extern", "\"C\""];
            if !before.split_whitespace().all(|word| words.contains(&word)) || after.ends_with(['}', ';']) {
                return None;
            }
            let end = format!("{}}}", indentation(line));
            let n_lines = self.lines[first..].iter().position(|line| *line == end)? + 1;
            let name = after.split(['(', '<']).next()?;
            Some(Function { name, line: first + 1, lines: &self.lines[first..first + n_lines] })
        })
    }
}

impl Function<'_> {
    /// The number of its lines without those of its longest `match`.
    pub(super) fn lines_outside_a_match(&self) -> usize {
        let starts = self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.ends_with('{') && line.split([' ', '(']).any(|word| word == "match"));
        let longest = starts.filter_map(|(first, line)| {
            let indentation = indentation(line);
            self.lines[first + 1..]
                .iter()
                .position(|line| line.strip_prefix(indentation).is_some_and(|rest| rest.starts_with('}')))
        });
        self.lines.len() - longest.max().unwrap_or(0)
    }
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// All Rust files below folders of the checkout, in order. Panics where one has none: its name is out of date.
pub(super) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        let before = paths.len();
        collect(&root().join(folder), &mut paths);
        assert!(paths.len() > before, "no Rust file in {folder}");
    }
    paths.sort();
    paths.iter().map(|path| source(path)).collect()
}

fn source(path: &Path) -> Source {
    let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    Source { name, lines: fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect() }
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}
