//! Reads and writes a baseline: the accepted findings, one a line, sorted, small in a diff.
//!
//! ```text
//! # refloop baseline …
//! 3f9c0a115e8d7b42 cyclic-garbage Order.items[*] → Line.order → Order
//! ```
//!
//! Only the fingerprint counts; the rest of a line is for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Finding;
use crate::cycles::Fingerprint;

const HEAD: &str = "# refloop baseline: findings that are known and accepted, one a line. Only the first word of a line counts.\n\
                    # Made by `refloop check --write-baseline`; `--prune` drops what no longer occurs.\n";

/// Known findings with their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Fingerprint, String>,
}

/// A line that is no entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: malformed baseline entry: expected a fingerprint of 16 hexadecimal digits, found '{found}'")]
pub struct BaselineError {
    pub line: usize,
    pub found: String,
}

impl Baseline {
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Baseline {
        let entry = |finding: &Finding| (finding.fingerprint, format!("{} {}", finding.rule, finding.subject));
        Baseline { entries: findings.into_iter().map(entry).collect() }
    }

    /// Empty lines and those that begin with `#` say nothing.
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        let mut entries = BTreeMap::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            if line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            let digits = word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            let value = u64::from_str_radix(word, 16).ok().filter(|_| digits);
            let found = || BaselineError { line: number + 1, found: word.chars().take(40).collect() };
            entries.insert(Fingerprint(value.ok_or_else(found)?), rest.to_string());
        }
        Ok(Baseline { entries })
    }

    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        self.entries.contains_key(&fingerprint)
    }

    /// Entries of which no finding is left, as `fingerprint text`.
    pub fn gone<'a>(&'a self, findings: &[Finding]) -> impl Iterator<Item = (Fingerprint, &'a str)> + use<'a> {
        let found = fingerprints(findings);
        let known = self.entries.iter().map(|(&fingerprint, text)| (fingerprint, text.as_str()));
        known.filter(move |(fingerprint, _)| !found.contains(fingerprint))
    }

    /// Without the entries of which no finding is left.
    pub fn pruned(&self, findings: &[Finding]) -> Baseline {
        let found = fingerprints(findings);
        let mut entries = self.entries.clone();
        entries.retain(|fingerprint, _| found.contains(fingerprint));
        Baseline { entries }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file: sorted by the text, then by the fingerprint, so that a change is one line in a diff.
    pub fn to_text(&self) -> String {
        let mut lines: Vec<_> = self.entries.iter().map(|(fingerprint, text)| (text, fingerprint)).collect();
        lines.sort();
        lines.iter().fold(HEAD.to_string(), |mut file, (text, fingerprint)| {
            let _ = writeln!(file, "{}", format!("{fingerprint} {text}").trim_end());
            file
        })
    }
}

fn fingerprints(findings: &[Finding]) -> BTreeSet<Fingerprint> {
    findings.iter().map(|finding| finding.fingerprint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text = "00000000000000ff cyclic-garbage B.a → B\n0000000000000001 cyclic-garbage A.b → A\n";
        let baseline = Baseline::parse(text).unwrap();
        assert_eq!(baseline.len(), 2);
        assert!(baseline.contains(Fingerprint(255)));
        let written = baseline.to_text();
        assert!(
            written.ends_with("0000000000000001 cyclic-garbage A.b → A\n00000000000000ff cyclic-garbage B.a → B\n")
        );
        assert_eq!(Baseline::parse(&written), Ok(baseline));
    }

    #[test]
    fn a_line_that_is_no_entry_is_named_with_its_number() {
        for broken in ["xyz cyclic-garbage", "12", "00000000000000000001 long", "+000000000000001 sign"] {
            let error = Baseline::parse(&format!("# head\n\n{broken}\n")).unwrap_err();
            assert_eq!(error.line, 3, "{broken}");
        }
    }
}
