//! Reports loops: objects that only keep each other alive, freed by the collector later or never.

use std::collections::BTreeSet;

use super::pattern::{self, Tried};
use super::{Advice, Finding, Ownership, Rule, Severity, Sought};
use crate::cycles::LoopGroup;
use crate::human::{count, counted};
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "cyclic-garbage",
    summary: "objects that only keep each other alive",
    explanation: include_str!("cyclic_garbage.md"),
    severity: Severity::Error,
    find,
    sought: Some(Sought {
        plural: "reference loops",
        is_shown_by: |run| run.inputs.iter().any(|input| input.references.show_garbage()),
    }),
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    let nothing = Tried::default();
    let groups = run.garbage.groups.iter().filter(|group| group.hidden.is_empty());
    groups.map(|group| finding(group, &nothing, run.has_stacks, ownership)).collect()
}

/// What is said of loops, of which a replay has `tried` some references.
pub(super) fn finding(group: &LoopGroup, tried: &Tried, has_stacks: bool, ownership: &Ownership) -> Finding {
    let fate = match group.collected {
        0 => "never freed".to_string(),
        all if all == group.count => "freed only by the collector".to_string(),
        some => format!("{} of the loops freed later by the collector", count(some)),
    };
    let message = format!("{}: {}; {fate}", group.path, amount(group));
    let advice = pattern::recognise(group, tried);
    about(group, (RULE.name, RULE.severity, message), advice, has_stacks, ownership)
}

/// A finding of a rule about loops. It is whose the reference to cut is.
pub(super) fn about(
    group: &LoopGroup,
    (rule, severity, message): (&'static str, Severity, String),
    advice: Option<Advice>,
    has_stacks: bool,
    ownership: &Ownership,
) -> Finding {
    let steps = advice.as_ref().map(|advice| advice.steps.as_slice()).unwrap_or_default();
    Finding {
        rule,
        severity,
        fingerprint: group.fingerprint,
        message,
        cause: None,
        subject: group.path.to_string(),
        stack: group.site.clone(),
        definitions: group.definitions.clone(),
        owner: ownership.of_cut(group, steps).unwrap_or_else(|| ownership.of_loop(group, has_stacks)),
        types: types(group),
        files: group.member_files.clone(),
        count: group.count,
        objects: group.objects + group.held_objects,
        bytes: group.bytes + group.held_bytes,
        bytes_at_peak: Some(group.peak.bytes),
        collected: group.collected,
        alive_at_exit: group.alive_at_exit,
        advice,
    }
}

/// `4 loops of 3 objects each (12 together) that keep only each other alive, with 2 objects that they hold`.
pub(super) fn amount(group: &LoopGroup) -> String {
    let of_objects = |n| counted(n, "object", "objects");
    let members = match (group.count, group.objects) {
        (0 | 1, n) => of_objects(n),
        (loops, n) if n == loops => "1 object each".to_string(),
        (loops, n) if n % loops == 0 => format!("{} each ({} together)", of_objects(n / loops), count(n)),
        // Not all of them have as many.
        (_, n) => format!("{} together", of_objects(n)),
    };
    let keep = match (group.count, group.objects) {
        (0 | 1, 1) => "keeps only itself",
        (loops, n) if n == loops => "keep only themselves",
        _ => "keep only each other",
    };
    let they = if group.count > 1 { "they hold" } else { "it holds" };
    let held = match group.held_objects {
        0 => String::new(),
        n => format!(", with {} that {they}", of_objects(n)),
    };
    format!("{} of {members} that {keep} alive{held}", counted(group.count, "loop", "loops"))
}

/// Types of the members, and of the path where the members are not known by type.
fn types(group: &LoopGroup) -> Vec<String> {
    let of_path = group.path.steps.iter().map(|step| step.type_name.clone());
    group.member_types.keys().cloned().chain(of_path).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing;

    #[test]
    fn it_is_clear_whether_objects_are_those_of_one_loop_or_of_all() {
        let told = |count, objects, held_objects| {
            amount(&LoopGroup { count, objects, held_objects, ..testing::parent_and_child() })
        };
        assert_eq!(told(4, 12, 0), "4 loops of 3 objects each (12 together) that keep only each other alive");
        assert_eq!(told(4, 14, 0), "4 loops of 14 objects together that keep only each other alive");
        assert_eq!(
            told(2, 2, 2),
            "2 loops of 1 object each that keep only themselves alive, with 2 objects that they hold"
        );
        assert_eq!(told(1, 3, 1), "1 loop of 3 objects that keep only each other alive, with 1 object that it holds");
        assert_eq!(told(1, 1, 0), "1 loop of 1 object that keeps only itself alive");
        assert!(told(620, 1240, 0).starts_with("620 loops of 2 objects each (1,240 together) that keep"));
    }
}
