//! Holds what the rules about wasted memory have in common.

use super::{Finding, Owner, Ownership, Rule, fingerprint_of};
use crate::cycles::StackFrame;
use crate::human::bytes;
use crate::overhead::LayoutFact;

/// Classes that waste less than this many bytes are not worth a finding.
pub const LEAST_WASTE: u64 = 1_000;

/// A finding for each class that wastes enough.
pub fn findings(
    rule: &Rule,
    facts: &[LayoutFact],
    cause: fn(&LayoutFact) -> String,
    ownership: &Ownership,
) -> Vec<Finding> {
    let worth = facts.iter().filter(|fact| fact.wasted_bytes >= LEAST_WASTE);
    worth
        .map(|fact| {
            let cause = cause(fact);
            let message = format!("{}: {} more than need be: {cause}", fact.name, bytes(fact.wasted_bytes));
            let class = Class { name: &fact.name, file: &fact.file, line: 0 };
            Finding {
                cause: Some(cause),
                ..finding(rule, &class, fact.instances, fact.wasted_bytes, message, ownership)
            }
        })
        .collect()
}

/// A class, and where it is defined, as far as known.
pub struct Class<'a> {
    pub name: &'a str,
    pub file: &'a str,
    pub line: u32,
}

/// One class, counted once; `bytes` are those that are wasted.
pub fn finding(
    rule: &Rule,
    class: &Class,
    instances: u64,
    bytes: u64,
    message: String,
    ownership: &Ownership,
) -> Finding {
    let owner: Owner = ownership.of_file(class.file).unwrap_or_else(|| ownership.of_type(class.name));
    let function = class.name.rsplit('.').next().unwrap_or(class.name).to_string();
    let place = StackFrame { path: class.file.to_string(), line: class.line, function };
    Finding {
        rule: rule.name,
        severity: rule.severity,
        fingerprint: fingerprint_of(rule.name, class.name),
        subject: class.name.to_string(),
        message,
        cause: None,
        stack: if class.file.is_empty() { Vec::new() } else { vec![place] },
        definitions: Vec::new(),
        owner,
        types: vec![class.name.to_string()],
        files: Some(class.file.to_string()).filter(|file| !file.is_empty()).into_iter().collect(),
        count: 1,
        objects: instances,
        bytes,
        bytes_at_peak: None,
        collected: 0,
        alive_at_exit: 0,
        advice: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Severity;
    use crate::overhead::Cause;
    use crate::overhead::LayoutFacts;
    use crate::run::Run;
    use crate::trace::TypeId;

    fn fact(name: &str, wasted_bytes: u64) -> LayoutFact {
        LayoutFact {
            class: TypeId(1),
            name: name.to_string(),
            file: "/srv/app.py".to_string(),
            instances: 200,
            all_instances: 300,
            attributes: 3,
            limit: Some(29),
            wasted_bytes,
            cause: Cause::OtherOrder,
        }
    }

    #[test]
    fn a_class_that_wastes_enough_is_a_note_and_the_others_are_not_told() {
        let unshared_keys = vec![fact("app.Job", 44_800), fact("app.Few", 999)];
        let waste = LayoutFacts { unshared_keys, ..LayoutFacts::default() };
        let found = crate::findings::find(&Run { waste, ..Run::default() }, &Ownership::default());
        let told: Vec<_> = found.iter().map(|found| (found.rule, found.message.as_str(), found.severity)).collect();
        let message = "app.Job: 44.8 KB more than need be: 200 instances have a key table of their own: another order of \
                       assignment, a deleted attribute, or one that came late";
        assert_eq!(told, [("unshared-keys", message, Severity::Note)]);
        assert_eq!((found[0].count, found[0].objects, found[0].owner.to_string()), (1, 200, "application".to_string()));
    }
}
