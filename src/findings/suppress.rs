//! Matches suppressions: findings that are accepted for a written reason, perhaps for a time.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use globset::{Glob, GlobBuilder, GlobMatcher};

use super::Finding;

/// Accepts the findings that all its patterns match.
#[derive(Debug, Clone)]
pub struct Suppression {
    pub rule: Option<String>,
    /// Over the subject: the path text of a loop.
    pub path: Option<TextGlob>,
    /// Over the full names of the types that belong to the finding.
    pub type_name: Option<TextGlob>,
    /// Over the modules of those types.
    pub module: Option<TextGlob>,
    /// Over the frames of the stack: `path:line function`, `path:line`, and path and function alone. A path is meant as
    /// it was recorded, or as pages show it.
    pub site: Option<TextGlob>,
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<NaiveDate>,
    /// Where it is written: `refloop.toml:12`.
    pub place: String,
}

/// How pages shorten the path of a file, so that what was copied from one matches.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// A file is named relative to each of these that it lies below.
    pub roots: Vec<PathBuf>,
    /// What is left of a path without the folders in which Python is installed.
    pub short: Option<fn(&str) -> &str>,
}

/// A glob over a text in which only `*` and `?` are wild, so that a path can be pasted: `Order.items[*] → *`.
#[derive(Debug, Clone)]
pub struct TextGlob(GlobMatcher);

impl TextGlob {
    pub fn new(pattern: &str) -> Result<TextGlob, globset::Error> {
        let mut escaped = String::with_capacity(pattern.len());
        for c in pattern.chars() {
            match c {
                '[' | ']' | '{' | '}' | '\\' => escaped.extend(['[', c, ']']),
                '!' | '^' => escaped.extend([c]),
                _ => escaped.push(c),
            }
        }
        GlobBuilder::new(&escaped).backslash_escape(false).build().map(|glob: Glob| TextGlob(glob.compile_matcher()))
    }

    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub fn pattern(&self) -> &str {
        self.0.glob().glob()
    }
}

impl Suppression {
    pub fn matches(&self, finding: &Finding, shown: &Shown) -> bool {
        let holds = |glob: &Option<TextGlob>, test: &dyn Fn(&TextGlob) -> bool| glob.as_ref().is_none_or(test);
        self.rule.as_deref().is_none_or(|rule| rule == finding.rule)
            && holds(&self.path, &|glob| glob.matches(&finding.subject))
            && holds(&self.type_name, &|glob| finding.types.iter().any(|name| glob.matches(name)))
            && holds(&self.module, &|glob| {
                finding.types.iter().flat_map(|name| modules_of(name)).any(|module| glob.matches(module))
            })
            && holds(&self.site, &|glob| {
                finding.stack.iter().any(|frame| {
                    let of_path = |path: &str| {
                        glob.matches(&format!("{path}:{} {}", frame.line, frame.function))
                            || glob.matches(&format!("{path}:{}", frame.line))
                            || glob.matches(path)
                    };
                    glob.matches(&frame.function) || shown.names(&frame.path).into_iter().any(of_path)
                })
            })
    }

    pub fn is_expired(&self, today: NaiveDate) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

impl Shown {
    /// The path as it was recorded, and each way in which it is shown.
    fn names<'a>(&self, path: &'a str) -> Vec<&'a str> {
        let relative = self.roots.iter().filter_map(|root| Path::new(path).strip_prefix(root).ok()?.to_str());
        let mut names: Vec<&str> = [path].into_iter().chain(relative).collect();
        if let Some(short) = self.short {
            names.extend(names.clone().into_iter().map(short));
        }
        names
    }
}

/// The modules that a type's full name may mean, shortest first: `app` and `app.models` of `app.models.Order`. Where the
/// module ends and a class begins is not in the name.
pub(super) fn modules_of(type_name: &str) -> impl Iterator<Item = &str> {
    type_name.match_indices('.').map(|(dot, _)| &type_name[..dot])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_of_a_pasted_path_mean_themselves() {
        let matches = |pattern: &str, text: &str| TextGlob::new(pattern).unwrap().matches(text);
        let text = "Order.items[*] → Line.order → Order";
        assert!(matches(text, text));
        assert!(matches("Order.items[*] → *", text));
        assert!(matches("*Line.order*", text));
        assert!(!matches("Order.items* → Line", text));
        assert!(matches("Cache['{x}'] → *", "Cache['{x}'] → Cache"));
        assert!(!matches("Order.item[s] → *", text));
    }
}
