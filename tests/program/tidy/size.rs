//! Keeps files and functions short.

use super::source::{Source, sources};

/// Half of the files are no longer than this.
const MEDIAN_LINES: usize = 150;

/// A longer file has a second subject in it.
const MOST_LINES: usize = 600;

/// Files of more than 400 lines, in a hundred.
const MOST_LONG: usize = 10;

/// A longer function does two things, unless it is one `match` with an arm for each thing.
const MOST_LINES_OF_FUNCTION: usize = 80;

fn all() -> Vec<Source> {
    sources(&["src", "tests", "benches"])
}

#[test]
fn files_fit_in_the_head() {
    let all = all();
    let long: Vec<String> = all
        .iter()
        .filter(|source| source.lines.len() > MOST_LINES)
        .map(|source| format!("{}: {} lines, at most {MOST_LINES}", source.name, source.lines.len()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
    let mut lengths: Vec<usize> = all.iter().map(|source| source.lines.len()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_LINES, "the median file has {median} lines, at most {MEDIAN_LINES}");
    let over_400 = lengths.iter().filter(|&&lines| lines > 400).count();
    assert!(over_400 * 100 <= lengths.len() * MOST_LONG, "{over_400} of {} files have over 400 lines", lengths.len());
}

#[test]
fn functions_fit_on_a_screen() {
    let mut long = Vec::new();
    let mut n_functions = 0;
    for source in &all() {
        for function in source.functions() {
            n_functions += 1;
            if function.lines_outside_a_match() > MOST_LINES_OF_FUNCTION {
                let (name, line, lines) = (function.name, function.line, function.lines.len());
                long.push(format!("{}:{line}: {name} has {lines} lines", source.name));
            }
        }
    }
    assert!(long.is_empty(), "at most {MOST_LINES_OF_FUNCTION} without a match:\n{}", long.join("\n"));
    assert!(n_functions > 1000, "only {n_functions} functions were found");
}

#[test]
fn a_long_function_is_found_and_a_long_match_excused() {
    let body = |line: &str| format!("{line}\n").repeat(90);
    for (text, outside) in [
        (format!("    pub fn long() {{\n{}    }}\n", body("        step();")), 92),
        (format!("fn matches() {{\n    match x {{\n{}    }}\n}}\n", body("        1 => {}")), 4),
    ] {
        let source = Source { name: "planted.rs".to_owned(), lines: text.lines().map(str::to_owned).collect() };
        let found: Vec<usize> = source.functions().map(|function| function.lines_outside_a_match()).collect();
        assert_eq!(found, [outside], "{text}");
    }
}
