//! Loops become findings: objects that only keep each other alive, freed by the collector later or never.

use std::collections::BTreeSet;

use super::{Facts, Finding, Ownership, Rule, Severity, counted, pattern};
use crate::cycles::LoopGroup;

pub const RULE: Rule = Rule {
    name: "cyclic-garbage",
    summary: "objects that only keep each other alive",
    page: include_str!("cyclic_garbage.md"),
    severity: Severity::Error,
    find,
};

fn find(facts: &Facts, ownership: &Ownership) -> Vec<Finding> {
    facts.garbage.groups.iter().map(|group| finding(group, facts.has_stacks, ownership)).collect()
}

fn finding(group: &LoopGroup, has_stacks: bool, ownership: &Ownership) -> Finding {
    let subject = group.path.to_string();
    let loops = counted(group.count, "loop", "loops");
    let held = match group.held_objects {
        0 => String::new(),
        held => format!(" and {held} that they hold"),
    };
    let fate = match group.collected {
        0 => "never freed".to_string(),
        all if all == group.count => "freed only by the collector".to_string(),
        some => format!("{some} of them freed later by the collector"),
    };
    let objects = counted(group.objects, "object", "objects");
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        fingerprint: group.fingerprint,
        message: format!("{subject}: {loops} of {objects}{held} keep only each other alive, {fate}"),
        subject,
        stack: group.site.clone(),
        owner: ownership.of_loop(group, has_stacks),
        types: types(group),
        files: group.member_files.clone(),
        count: group.count,
        objects: group.objects + group.held_objects,
        bytes: group.bytes + group.held_bytes,
        collected: group.collected,
        advice: pattern::recognise(&group.path, &group.left, &group.types, &group.site),
    }
}

/// Types of the members, and of the path where the members are not known by type.
fn types(group: &LoopGroup) -> Vec<String> {
    let of_path = group.path.steps.iter().map(|step| step.type_name.clone());
    group.member_types.keys().cloned().chain(of_path).collect::<BTreeSet<_>>().into_iter().collect()
}
