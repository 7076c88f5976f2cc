//! Reports objects that the program's own collector called unreachable, one finding for each type.
//!
//! The log has no references, so which loop kept an object cannot be said, and one bug may show as several types.

use super::{Finding, Ownership, Rule, Severity, Sought, fingerprint_of};
use crate::cycles::Unreachable;
use crate::human::{count, counted};
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
            message: format!("{name}: {}; which loop keeps it, if any, is not known", claim(of)),
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
            alive_at_exit: 0,
            advice: None,
        })
        .collect()
}

/// `the log calls 2 objects of 12 unreachable: serial 7 (1 reference), serial 9 (2 references)`.
fn claim(of: &Unreachable) -> String {
    let made = if of.born > 0 { format!(" of {}", count(of.born)) } else { String::new() };
    let named: Vec<String> = of.named.iter().map(|(name, references)| with_references(name, *references)).collect();
    let more = of.objects.saturating_sub(named.len() as u64);
    let named = match (named.as_slice(), more) {
        ([], _) => String::new(),
        (named, 0) => format!(": {}", named.join(", ")),
        (named, more) => format!(": {}, and {} more", named.join(", "), count(more)),
    };
    format!("the log calls {}{made} unreachable{named}", counted(of.objects, "object", "objects"))
}

/// `serial 7 (1 reference)`: what the log calls an object, and the count that it says.
pub(crate) fn with_references(name: &str, references: Option<u64>) -> String {
    match references {
        Some(n) => format!("{name} ({})", counted(n, "reference", "references")),
        None => name.to_string(),
    }
}
