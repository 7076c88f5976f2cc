//! Reports lost objects: those with a count that no root, referrer or loop explains.

use std::collections::BTreeMap;

use super::{Finding, Ownership, Rule, Severity, Sought, fingerprint_of};
use crate::growth::Lost;
use crate::human::{count, counted, counted_between};
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
        is_shown_by: |run| run.inputs.iter().any(|input| input.references == References::Events) || run.lost.is_some(),
    }),
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    let certain = run.garbage.lost.iter().map(|(name, &amount)| certain(name, amount, ownership));
    // One finding for each function, whose name a change of other lines leaves as it is.
    let mut functions: BTreeMap<String, Vec<&Lost>> = BTreeMap::new();
    for lost in run.lost.iter().flatten().filter(|lost| lost.is_searched) {
        let function = lost.stack.first().map_or("", |frame| frame.function.as_str());
        functions.entry(format!("{} made in {function}", lost.type_name)).or_default().push(lost);
    }
    certain.chain(functions.iter().filter_map(|(subject, lines)| suspected(subject, lines, ownership))).collect()
}

fn certain(name: &str, (objects, bytes): (u64, u64), ownership: &Ownership) -> Finding {
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        fingerprint: fingerprint_of(RULE.name, name),
        subject: name.to_string(),
        message: format!(
            "{name}: {} with a reference count that nothing explains",
            counted(objects, "object", "objects")
        ),
        cause: None,
        stack: Vec::new(),
        definitions: Vec::new(),
        owner: ownership.of_type(name),
        types: vec![name.to_string()],
        files: Vec::new(),
        count: objects,
        objects,
        bytes,
        bytes_at_peak: None,
        collected: 0,
        alive_at_exit: 0,
        advice: None,
    }
}

/// What is said of so many objects of which it is not known whether they are lost as the others are; nothing of none.
pub fn unclear(objects: u64) -> Option<String> {
    let (whose, stand) = if objects == 1 { ("address", "stands") } else { ("addresses", "stand") };
    let number = count(objects);
    (objects > 0)
        .then(|| format!("not known of {number} more, whose {whose} also {stand} elsewhere, as in freed memory"))
}

/// Of what one function made, at the line that made most of it. An address that is nowhere is no proof, so it is a warning.
fn suspected(subject: &str, lines: &[&Lost], ownership: &Ownership) -> Option<Finding> {
    let first = lines.first()?;
    let sum = |of: fn(&Lost) -> u64| lines.iter().map(|lost| of(lost)).sum::<u64>();
    let (objects, alive) = (sum(|lost| lost.objects), sum(|lost| lost.alive));
    let place =
        first.stack.first().map(|frame| format!(", made at {}:{},", frame.path, frame.line)).unwrap_or_default();
    let least = lines.iter().map(|lost| lost.references.0).min()?;
    let most = lines.iter().map(|lost| lost.references.1).max()?;
    let unclear = unclear(sum(|lost| lost.unclear)).map_or(String::new(), |unclear| format!("; {unclear}"));
    let references = counted_between(least.into(), most.into(), "reference", "references");
    Some(Finding {
        severity: Severity::Warning,
        fingerprint: fingerprint_of(RULE.name, subject),
        subject: subject.to_string(),
        message: format!(
            "suspected: {} of {} of {}{place} have {references} too many each, and there are more and more: nothing in the \
             program's memory has their addresses{unclear}",
            count(objects),
            counted(alive, "object", "objects"),
            first.type_name,
        ),
        stack: first.stack.clone(),
        // Who calls an extension is not who loses a reference, but has to know of it.
        owner: ownership.of_callers(&first.stack).unwrap_or_else(|| ownership.of_type(&first.type_name)),
        ..certain(&first.type_name, (objects, sum(|lost| lost.bytes)), ownership)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing::frame;

    fn lost(line: u32, objects: u64, is_searched: bool) -> Lost {
        Lost {
            type_name: "app.Handle".to_string(),
            stack: vec![frame("/srv/app.py", line, "load")],
            objects,
            alive: 50,
            references: (1, 1),
            bytes: objects * 48,
            is_searched,
            ..Lost::default()
        }
    }

    #[test]
    fn what_nothing_explains_is_a_warning_with_its_evidence() {
        let run = Run { lost: Some(vec![lost(12, 50, true)]), ..Run::default() };
        let [found] = find(&run, &Ownership::default()).try_into().unwrap();
        assert_eq!(
            (found.severity, found.subject.as_str(), found.objects),
            (Severity::Warning, "app.Handle made in load", 50)
        );
        assert_eq!(
            found.message,
            "suspected: 50 of 50 objects of app.Handle, made at /srv/app.py:12, have 1 reference too many each, and there are more \
             and more: nothing in the program's memory has their addresses"
        );
    }

    #[test]
    fn of_how_many_more_it_is_not_known_is_said() {
        let lost = Lost { unclear: 9, alive: 59, ..lost(12, 50, true) };
        let [found] =
            find(&Run { lost: Some(vec![lost]), ..Run::default() }, &Ownership::default()).try_into().unwrap();
        let expected =
            "has their addresses; not known of 9 more, whose addresses also stand elsewhere, as in freed memory";
        assert!(found.message.ends_with(expected), "{}", found.message);
        assert_eq!(unclear(1).unwrap(), "not known of 1 more, whose address also stands elsewhere, as in freed memory");
    }

    #[test]
    fn a_function_has_one_finding_and_what_was_not_searched_has_none() {
        let run =
            Run { lost: Some(vec![lost(12, 50, true), lost(14, 9, true), lost(20, 50, false)]), ..Run::default() };
        let found = find(&run, &Ownership::default());
        assert_eq!(found.iter().map(|finding| finding.objects).collect::<Vec<_>>(), [59]);
        assert_eq!(
            find(&Run { lost: Some(vec![lost(20, 50, false)]), ..Run::default() }, &Ownership::default()).len(),
            0
        );
    }
}
