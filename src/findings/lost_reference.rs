//! Reports lost objects: those with a count that no root, referrer or loop explains.

use super::{Finding, Ownership, Rule, Severity, Sought, fingerprint_of};
use crate::human::counted;
use crate::run::Run;
use crate::trace::References;

pub const RULE: Rule = Rule {
    name: "lost-reference",
    summary: "objects whose count nobody will ever lower",
    explanation: include_str!("lost_reference.md"),
    severity: Severity::Error,
    find,
    sought: Some(Sought {
        plural: "lost references",
        is_shown_by: |run| run.inputs.iter().any(|input| input.references == References::Events),
    }),
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    let lost = run.garbage.lost.iter();
    lost.map(|(name, &(objects, bytes))| Finding {
        rule: RULE.name,
        severity: RULE.severity,
        fingerprint: fingerprint_of(RULE.name, name),
        subject: name.clone(),
        message: format!(
            "{name}: {} with a reference count that nothing explains",
            counted(objects, "object", "objects")
        ),
        cause: None,
        stack: Vec::new(),
        definitions: Vec::new(),
        owner: ownership.of_type(name),
        types: vec![name.clone()],
        files: Vec::new(),
        count: objects,
        objects,
        bytes,
        bytes_at_peak: None,
        collected: 0,
        advice: None,
    })
    .collect()
}
