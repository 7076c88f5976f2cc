//! Reports classes whose instances have slots and a dict beside them.

use super::{Finding, Ownership, Rule, Severity, layout};
use crate::overhead::{Cause, LayoutFact};
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "slots-without-effect",
    summary: "slots that do not spare the instances a dict",
    explanation: include_str!("slots_without_effect.md"),
    severity: Severity::Note,
    find,
    sought: None,
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    layout::findings(&RULE, &run.waste.slots_without_effect, cause, ownership)
}

fn cause(fact: &LayoutFact) -> String {
    match &fact.cause {
        Cause::DictKept { base: Some(base) } => format!("its base {base} has no `__slots__`, so instances keep a dict"),
        _ => "`__dict__` is among its own `__slots__`, so instances keep a dict".to_owned(),
    }
}
