//! Reports objects that the program's own collector called unreachable, one finding for each type.
//!
//! The log has no references, so which loop kept an object cannot be said, and one bug may show as several types.

use super::{Finding, Ownership, Rule, Severity, Sought, fingerprint_of};
use crate::human::counted;
use crate::run::Run;
use crate::trace::References;

pub const RULE: Rule = Rule {
    name: "unreachable-object",
    summary: "objects that the collector of the program itself found unreachable",
    explanation: include_str!("unreachable_object.md"),
    severity: Severity::Error,
    find,
    sought: Some(Sought {
        plural: "unreachable objects",
        is_shown_by: |run| run.inputs.iter().any(|input| input.references == References::None),
    }),
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    let reported = run.garbage.unreachable.iter();
    reported
        .map(|(name, of)| Finding {
            rule: RULE.name,
            severity: RULE.severity,
            fingerprint: fingerprint_of(RULE.name, name),
            subject: name.clone(),
            message: format!(
                "{name}: the log calls {} unreachable; which loop keeps it, if any, is not known",
                counted(of.objects, "object", "objects")
            ),
            cause: None,
            stack: Vec::new(),
            definitions: Vec::new(),
            owner: ownership.of_short_name(name),
            types: vec![name.clone()],
            files: Vec::new(),
            count: of.objects,
            objects: of.objects,
            bytes: of.bytes,
            bytes_at_peak: None,
            collected: of.collected,
            advice: None,
        })
        .collect()
}
