//! Classes whose instances have a dict because something asked for it become findings.

use super::{Facts, Finding, Ownership, Rule, Severity, layout};

pub const RULE: Rule = Rule {
    name: "materialised-dict",
    summary: "instances with a dict only because something asked for it",
    page: include_str!("materialised_dict.md"),
    severity: Severity::Note,
    find,
};

fn find(facts: &Facts, ownership: &Ownership) -> Vec<Finding> {
    layout::findings(&RULE, &facts.classes.materialised_dict, ownership)
}
