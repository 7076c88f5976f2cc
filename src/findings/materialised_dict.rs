//! Reports classes whose instances have a dict only because something asked for it.

use super::{Finding, Ownership, Rule, Severity, layout};
use crate::overhead::LayoutFact;
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "materialised-dict",
    summary: "instances with a dict only because something asked for it",
    explanation: include_str!("materialised_dict.md"),
    severity: Severity::Note,
    find,
    sought: None,
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    layout::findings(&RULE, &run.waste.materialised_dict, cause, ownership)
}

fn cause(fact: &LayoutFact) -> String {
    let have = match fact.instances {
        1 => "1 instance has".to_owned(),
        n => format!("{n} instances have"),
    };
    format!(
        "{have} a dict object only because something asked for it (`vars()`, `__dict__`, `dir()`, `copy`, `pickle`)"
    )
}
