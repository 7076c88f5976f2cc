//! Writes a path from a root as the expression by which a Python program would get at its object.

use super::root_path::LONGEST_REPEAT;
use super::{RootKind, RootPath, RootStep};

/// Times that references are followed one after the other, from which on they are there once.
const LEAST_REPEATS: usize = 3;

impl RootPath {
    /// The same for all paths that look like it: `APP.cache.store[*]`. What is followed again and again is there once:
    /// `LIST.head.next…`.
    pub fn pattern(&self) -> String {
        folded(&self.any_keys())
    }

    /// The expression with any index and key as `[*]`.
    fn any_keys(&self) -> String {
        let mut text = String::new();
        let expression = self.expression();
        let mut rest = expression.as_str();
        while let Some((before, behind)) = rest.split_once('[') {
            text.push_str(before);
            text.push_str("[*]");
            // A key may have brackets of its own, in its quotes.
            let end = if behind.starts_with('\'') {
                behind.find("']").map(|at| at + 2)
            } else {
                behind.find(']').map(|at| at + 1)
            };
            rest = end.map_or("", |end| &behind[end..]);
        }
        text + rest
    }

    /// What a Python program would write to get at the object: `svc.CACHE`, `app.store.entries`. It begins at the last module
    /// or class on the way, else at the name of the root.
    pub fn expression(&self) -> String {
        let named = |step: &RootStep| {
            let name = step.label.strip_prefix("module ").map(str::to_string);
            name.or_else(|| step.label.strip_prefix("class ").map(|_| step.object_name.clone()))
        };
        let last = self.steps.len().saturating_sub(1);
        let start = self.steps[..last].iter().rposition(|step| named(step).is_some()).unwrap_or(0);
        let Some(first) = self.steps.get(start) else { return String::new() };
        let of_root = || match &self.root {
            RootKind::Named(names) if start == 0 => names.first().cloned(),
            _ => None,
        };
        let mut text = named(first).or_else(of_root).unwrap_or_else(|| first.label.clone());
        self.steps[start..last].iter().for_each(|step| text.push_str(&step.slot));
        text
    }
}

/// `HEAD.next…` for `HEAD.next.next.next`: up to three references that are followed again and again are there once.
fn folded(expression: &str) -> String {
    // Each begins with its dot or bracket; what is before the first is the root's name.
    let starts = expression.char_indices().filter(|&(at, character)| at > 0 && matches!(character, '.' | '['));
    let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([expression.len()]);
    let parts: Vec<&str> = starts.iter().zip(ends).map(|(&from, to)| &expression[from..to]).collect();
    let mut text = expression[..starts.first().copied().unwrap_or(expression.len())].to_string();
    let mut at = 0;
    while at < parts.len() {
        let times = |length: usize| {
            let unit = &parts[at..(at + length).min(parts.len())];
            parts[at..].chunks_exact(length).take_while(|chunk| *chunk == unit).count()
        };
        // Containers in containers have no name that would tell where one begins: three of them are a path that one can read.
        let least = if parts[at] == "[*]" { 2 * LEAST_REPEATS } else { LEAST_REPEATS };
        match (1..=LONGEST_REPEAT).find(|&length| times(length) >= least) {
            Some(length) => {
                text.extend(parts[at..at + length].iter().copied());
                text.push('…');
                at += length * times(length);
            }
            None => {
                text.push_str(parts[at]);
                at += 1;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_followed_again_and_again_is_there_once() {
        assert_eq!(folded("app.HEAD.next.next.next"), "app.HEAD.next…");
        assert_eq!(folded("app.TREE.kids[*].kids[*].kids[*].name"), "app.TREE.kids[*]….name");
        assert_eq!(folded("app.A.b.b[*][*][*]"), "app.A.b.b[*][*][*]");
        assert_eq!(folded(&format!("app.A{}", "[*]".repeat(9))), "app.A[*]…");
        assert_eq!((folded(""), folded("Context")), (String::new(), "Context".to_string()));
        let long = format!("app.HEAD{}", ".next".repeat(100_000));
        assert_eq!(folded(&long), "app.HEAD.next…");
    }
}
