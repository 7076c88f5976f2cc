//! Judges what a run left behind: what is a leak, whose it is, what it looks like, and what to do about it.
//!
//! A rule is one file, its page beside it, and a line in [`RULES`].

pub mod attribute_cliff;
pub mod baseline;
pub mod config;
pub mod cyclic_garbage;
pub mod gate;
pub mod growing_container;
pub mod hidden_reference;
pub mod imbalance;
pub mod layout;
pub mod lost_reference;
pub mod materialised_dict;
pub mod missing_slots;
pub mod owner;
pub mod pattern;
pub mod proof;
pub mod slots_without_effect;
pub mod suppress;
#[cfg(test)]
pub mod testing;
pub mod unreachable_object;
pub mod unshared_keys;

use serde::Serialize;

use crate::cycles::{Fingerprint, StackFrame};
use crate::run::Run;

pub use owner::{Owner, Ownership};
pub use pattern::{Advice, Cut, Pattern};

/// Every rule, in the order in which their findings are told.
pub const RULES: &[&Rule] = &[
    &cyclic_garbage::RULE,
    &hidden_reference::RULE,
    &lost_reference::RULE,
    &unreachable_object::RULE,
    &growing_container::RULE,
    &imbalance::RULE,
    &missing_slots::RULE,
    &attribute_cliff::RULE,
    &unshared_keys::RULE,
    &materialised_dict::RULE,
    &slots_without_effect::RULE,
];

/// One kind of problem: its name, its explanation, and how it is found.
pub struct Rule {
    /// Names the problem, and reads well after the word "allow".
    pub name: &'static str,
    /// One line, without a final dot.
    pub summary: &'static str,
    /// The whole explanation, in Markdown; what `refloop explain` prints.
    pub explanation: &'static str,
    pub severity: Severity,
    pub find: fn(&Run, &Ownership) -> Vec<Finding>,
    /// What a gate that finds nothing says that there is none of; `None` where it need not.
    pub sought: Option<Sought>,
}

/// What a rule looks for, and whether a run can show it at all.
pub struct Sought {
    /// `reference loops`.
    pub plural: &'static str,
    pub is_shown_by: fn(&Run) -> bool,
}

/// How much a finding weighs at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The gate fails.
    Error,
    /// Shown; the gate fails only when it is strict.
    Warning,
    /// Worth knowing; the gate fails only above a limit for its rule.
    Note,
}

/// One judgement: a rule that speaks, about what, where, and how much of it.
#[derive(Debug, Clone)]
pub struct Finding {
    pub rule: &'static str,
    pub severity: Severity,
    /// The same in every run: what baselines and other tools compare.
    pub fingerprint: Fingerprint,
    /// What it is about: the path of a loop, a type or class, a kind of anomaly. Suppressions match it.
    pub subject: String,
    /// One sentence, without a final dot.
    pub message: String,
    /// Why memory is wasted: a sentence of its own, at the end of the message.
    pub cause: Option<String>,
    /// The stack that made it, innermost first; empty where unknown.
    pub stack: Vec<StackFrame>,
    /// Where its classes and its code stand in the source, which is known without a stack.
    pub definitions: Vec<StackFrame>,
    pub owner: Owner,
    /// Full names of the types that belong to it.
    pub types: Vec<String>,
    /// Files of the code and classes that belong to it.
    pub files: Vec<String>,
    pub count: u64,
    pub objects: u64,
    /// With what it holds; of a note, what is wasted.
    pub bytes: u64,
    /// Of loops: the most bytes that were garbage at one time.
    pub bytes_at_peak: Option<u64>,
    /// How many of them the collector freed later in the run.
    pub collected: u64,
    /// How many of them were alive as the program began to end.
    pub alive_at_exit: u64,
    pub advice: Option<Advice>,
}

impl Rule {
    /// The rule of this name.
    pub fn named(name: &str) -> Option<&'static Rule> {
        RULES.iter().copied().find(|rule| rule.name == name)
    }
}

impl Finding {
    /// Everything that it is about was freed by the collector.
    pub fn is_collected(&self) -> bool {
        self.collected == self.count
    }

    /// Everything that it is about lived until the program ended.
    pub fn lived_until_exit(&self) -> bool {
        self.alive_at_exit > 0 && self.alive_at_exit == self.count
    }
}

/// What every rule says of a run, rule by rule, in the order of its facts.
pub fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| (rule.find)(run, ownership)).collect()
}

/// The rules whose problems a run would show if it had them.
pub fn looked_for(run: &Run) -> impl Iterator<Item = (&'static Rule, &'static Sought)> {
    let sought = RULES.iter().filter_map(|rule| Some((*rule, rule.sought.as_ref()?)));
    sought.filter(|(_, sought)| (sought.is_shown_by)(run))
}

/// A fingerprint for a finding that is no loop: of the rule and the subject.
fn fingerprint_of(rule: &str, subject: &str) -> Fingerprint {
    Fingerprint::of_texts([rule, "\0", subject])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_page_of_four_chapters_and_a_name_that_reads_after_allow() {
        for rule in RULES {
            let chapters: Vec<&str> = rule.explanation.lines().filter(|line| line.starts_with("## ")).collect();
            let expected = ["## What it finds", "## Why it matters", "## Example", "## What to do"];
            assert_eq!(chapters, expected, "{}", rule.name);
            assert_eq!(rule.explanation.lines().next(), Some(format!("# {}", rule.name).as_str()));
            assert!(rule.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.name);
            assert!(!rule.summary.ends_with('.'), "{}", rule.name);
        }
    }

    #[test]
    fn a_rule_is_found_by_its_name_only() {
        assert_eq!(Rule::named("lost-reference").map(|rule| rule.name), Some("lost-reference"));
        assert!(Rule::named("lost").is_none());
    }
}
