//! Reports classes that slots would do good, and that nothing speaks against.

use super::layout::{Class, LEAST_WASTE, finding};
use super::{Finding, Ownership, Rule, Severity};
use crate::human::{bytes, counted};
use crate::overhead::SlotsAdvice;
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "missing-slots",
    summary: "classes that would take less memory with slots",
    explanation: include_str!("missing_slots.md"),
    severity: Severity::Note,
    find,
    sought: None,
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    let classes = run.missing_slots.iter();
    classes.filter(|class| saved(class) >= LEAST_WASTE).map(|class| of_class(class, ownership)).collect()
}

fn of_class(class: &SlotsAdvice, ownership: &Ownership) -> Finding {
    let instances = counted(class.peak, "instance", "instances");
    let message = format!("{}: slots would give back {} of {instances}", class.name, bytes(saved(class)));
    let place = class.place.as_deref().unwrap_or_default();
    let with_line = place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    let (file, line) = with_line.unwrap_or((place, 0));
    finding(&RULE, &Class { name: &class.name, file, line }, class.peak, saved(class), message, ownership)
}

fn saved(class: &SlotsAdvice) -> u64 {
    class.saved_at_peak.max(0) as u64
}
