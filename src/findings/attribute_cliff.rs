//! Reports classes with more attributes than CPython shares the names of.

use super::{Finding, Ownership, Rule, Severity, layout};
use crate::overhead::LayoutFact;
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "attribute-cliff",
    summary: "instances with more attributes than share their names",
    explanation: include_str!("attribute_cliff.md"),
    severity: Severity::Note,
    find,
    sought: None,
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    layout::findings(&RULE, &run.waste.attribute_cliff, cause, ownership)
}

fn cause(fact: &LayoutFact) -> String {
    let limit = fact.limit.unwrap_or_default();
    let attributes = fact.attributes;
    format!(
        "instances have {attributes} attributes, and more than {limit} do not share their names: each has a dict and a key table of its own"
    )
}
