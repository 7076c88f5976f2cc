//! Classes whose instances have key tables of their own become findings.

use super::{Facts, Finding, Ownership, Rule, Severity, layout};

pub const RULE: Rule = Rule {
    name: "unshared-keys",
    summary: "instances with a table of attribute names of their own",
    page: include_str!("unshared_keys.md"),
    severity: Severity::Note,
    find,
};

fn find(facts: &Facts, ownership: &Ownership) -> Vec<Finding> {
    layout::findings(&RULE, &facts.classes.unshared_keys, ownership)
}
