//! Reports classes whose instances have key tables of their own.

use super::{Finding, Ownership, Rule, Severity, layout};
use crate::overhead::{Cause, LayoutFact};
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "unshared-keys",
    summary: "instances with a table of attribute names of their own",
    explanation: include_str!("unshared_keys.md"),
    severity: Severity::Note,
    find,
    sought: None,
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    layout::findings(&RULE, &run.waste.unshared_keys, cause, ownership)
}

fn cause(fact: &LayoutFact) -> String {
    let why = match fact.cause {
        Cause::OtherOrder => "another order of assignment, a deleted attribute, or one that came late",
        _ => "two attributes that came after the class had settled, or a dict put in place of the first",
    };
    match fact.instances {
        1 => format!("1 instance has a key table of its own: {why}"),
        n => format!("{n} instances have a key table of their own: {why}"),
    }
}
