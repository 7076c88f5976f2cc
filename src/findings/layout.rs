//! Classes whose instances waste memory become findings: what the rules about layout have in common.

use super::{Finding, Owner, Ownership, Rule, fingerprint_of};
use crate::cycles::StackFrame;
use crate::human::bytes;
use crate::overhead::facts::LayoutFact;
use crate::overhead::{SlotsAdvice, Verdict};

/// Classes that waste less than this many bytes are not worth a finding.
pub const LEAST_WASTE: u64 = 1_000;

/// What is known of the classes of one trace, or of several together, by name.
#[derive(Debug, Default)]
pub struct Classes {
    pub attribute_cliff: Vec<LayoutFact>,
    pub unshared_keys: Vec<LayoutFact>,
    pub materialised_dict: Vec<LayoutFact>,
    pub slots_without_effect: Vec<LayoutFact>,
    /// Slots would do good, and nothing speaks against them.
    pub missing_slots: Vec<SlotsAdvice>,
}

impl Classes {
    pub fn of(profile: &crate::overhead::Profile) -> Classes {
        let facts = profile.facts();
        let advice = profile.advise(&crate::overhead::SlotsOptions::default());
        let recommended = advice.slots.into_iter().filter(|class| class.verdict == Verdict::Recommended);
        Classes {
            attribute_cliff: facts.attribute_cliff,
            unshared_keys: facts.unshared_keys,
            materialised_dict: facts.materialised_dict,
            slots_without_effect: facts.slots_without_effect,
            missing_slots: recommended.collect(),
        }
    }

    /// Adds those of another trace.
    pub fn add(&mut self, other: Classes) {
        add_facts(&mut self.attribute_cliff, other.attribute_cliff);
        add_facts(&mut self.unshared_keys, other.unshared_keys);
        add_facts(&mut self.materialised_dict, other.materialised_dict);
        add_facts(&mut self.slots_without_effect, other.slots_without_effect);
        for class in other.missing_slots {
            match self.missing_slots.iter_mut().find(|known| known.name == class.name) {
                Some(known) => {
                    known.peak += class.peak;
                    known.saved_at_peak += class.saved_at_peak;
                }
                None => self.missing_slots.push(class),
            }
        }
    }
}

fn add_facts(known: &mut Vec<LayoutFact>, more: Vec<LayoutFact>) {
    for fact in more {
        match known.iter_mut().find(|known| known.name == fact.name) {
            Some(known) => {
                known.instances += fact.instances;
                known.all_instances += fact.all_instances;
                known.wasted_bytes += fact.wasted_bytes;
            }
            None => known.push(fact),
        }
    }
}

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
        owner,
        types: vec![class.name.to_string()],
        files: Some(class.file.to_string()).filter(|file| !file.is_empty()).into_iter().collect(),
        count: 1,
        objects: instances,
        bytes,
        collected: 0,
        advice: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::{Facts, RULES, Severity};
    use crate::overhead::Cause;
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
        let classes =
            Classes { unshared_keys: vec![fact("app.Job", 44_800), fact("app.Few", 999)], ..Classes::default() };
        let facts = Facts { classes, ..Facts::default() };
        let found = crate::findings::find(&facts, &Ownership::default());
        let told: Vec<_> = found.iter().map(|found| (found.rule, found.message.as_str(), found.severity)).collect();
        let message = "app.Job: 44.8 KB more than need be: 200 instances have a key table of their own: another order of \
                       assignment, a deleted attribute, or one that came late";
        assert_eq!(told, [("unshared-keys", message, Severity::Note)]);
        assert_eq!((found[0].count, found[0].objects, found[0].owner.to_string()), (1, 200, "application".to_string()));
    }

    #[test]
    fn classes_of_several_traces_are_added_up_by_name() {
        let mut classes = Classes { attribute_cliff: vec![fact("app.Row", 1_000)], ..Classes::default() };
        classes.add(Classes { attribute_cliff: vec![fact("app.Row", 500), fact("app.Col", 1)], ..Classes::default() });
        let wasted: Vec<u64> = classes.attribute_cliff.iter().map(|fact| fact.wasted_bytes).collect();
        assert_eq!(wasted, [1_500, 1]);
        let notes = RULES.iter().filter(|rule| rule.severity == Severity::Note).count();
        assert_eq!(notes, 5);
    }
}
