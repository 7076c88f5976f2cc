//! A program and the suggestions for its classes go in, the changed program comes out: what a reader would paste.

use std::collections::BTreeMap;

use refloop::overhead::SlotsAdvice;

/// Pastes each suggestion into its class. Class statements stand at the margin.
pub(super) fn apply(source: &str, chosen: &[SlotsAdvice]) -> String {
    let mut changes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for slots in chosen {
        let mut class = slots.name.rsplit('.').next().unwrap_or_default().to_owned();
        for line in slots.suggestion.as_deref().unwrap_or_default().lines() {
            if let Some(name) = line.strip_prefix("# ") {
                class = name.trim_end_matches(':').trim_end_matches(", first").to_owned();
                changes.insert(class.clone(), Vec::new());
            } else {
                changes.entry(class.clone()).or_default().push(line.to_owned());
            }
        }
    }
    changes.iter().fold(source.to_owned(), |source, (class, lines)| paste(&source, class, lines))
}

fn paste(source: &str, class: &str, change: &[String]) -> String {
    let is_statement = |line: &str| {
        line.strip_prefix("class ")
            .and_then(|rest| rest.strip_prefix(class))
            .is_some_and(|rest| rest.starts_with(['(', ':']))
    };
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let at =
        lines.iter().position(|line| is_statement(line)).unwrap_or_else(|| panic!("no class {class} in\n{source}"));
    if change.iter().any(|line| line.starts_with('@')) {
        lines[at - 1] = change.join("\n");
    } else {
        let end = lines[at + 1..].iter().position(|line| !line.starts_with(' ')).map_or(lines.len(), |n| at + 1 + n);
        if let Some(old) = (at..end).find(|&i| lines[i].starts_with("    __slots__ =")) {
            lines.remove(old);
        }
        for (i, line) in change.iter().enumerate() {
            lines.insert(at + 1 + i, format!("    {line}"));
        }
    }
    lines.join("\n") + "\n"
}
