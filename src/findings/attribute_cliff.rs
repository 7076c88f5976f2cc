//! Classes with more attributes than CPython shares the names of become findings.

use super::{Facts, Finding, Ownership, Rule, Severity, layout};

pub const RULE: Rule = Rule {
    name: "attribute-cliff",
    summary: "instances with more attributes than share their names",
    page: include_str!("attribute_cliff.md"),
    severity: Severity::Note,
    find,
};

fn find(facts: &Facts, ownership: &Ownership) -> Vec<Finding> {
    layout::findings(&RULE, &facts.classes.attribute_cliff, ownership)
}
