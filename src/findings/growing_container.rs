//! Reports containers that grow from one look at the heap to the next.

use super::{Finding, Ownership, Rule, Severity, Sought, fingerprint_of};
use crate::growth::{GrowingContainer, LEAST_LOOKS};
use crate::human::{bytes, count};
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "growing-container",
    summary: "containers that keep growing from look to look at the heap",
    explanation: include_str!("growing_container.md"),
    severity: Severity::Warning,
    find,
    sought: Some(Sought { plural: "growing containers", is_shown_by: |run| run.growth.looks >= LEAST_LOOKS }),
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    run.growth.containers.iter().map(|container| finding(container, ownership)).collect()
}

fn finding(container: &GrowingContainer, ownership: &Ownership) -> Finding {
    let GrowingContainer { path, type_name, from, to, element, .. } = container;
    let gained = to - from;
    let what = match container.containers {
        1 => format!("a {type_name}"),
        n => format!("{} {type_name}s", count(n)),
    };
    let bound = if container.from_is_exact { "" } else { "at most " };
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        fingerprint: fingerprint_of(RULE.name, path),
        subject: path.clone(),
        message: format!(
            "{path}, {what}, kept growing: from {bound}{} references to {}, {} of mostly {element}",
            count(*from),
            count(*to),
            bytes(container.bytes),
        ),
        cause: None,
        stack: container.site.clone(),
        definitions: Vec::new(),
        // Who calls a library fills what grows, whatever function of it makes the objects.
        owner: ownership.of_callers(&container.site).unwrap_or_else(|| ownership.of_short_name(element)),
        types: vec![element.clone()],
        files: Vec::new(),
        count: 1,
        objects: gained,
        bytes: container.bytes,
        bytes_at_peak: None,
        collected: 0,
        advice: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Owner;
    use crate::findings::testing::frame;
    use crate::growth::Growth;

    #[test]
    fn a_growing_container_is_a_warning_about_its_path() {
        let container = GrowingContainer {
            path: "svc.CACHE".to_string(),
            type_name: "dict".to_string(),
            containers: 1,
            from: 1_000,
            to: 50_000,
            from_is_exact: true,
            element: "app.Report".to_string(),
            bytes: 6_200_000,
            site: vec![
                frame("/usr/lib/python3/dist-packages/numpy/numeric.py", 214, "ones"),
                frame("/srv/app.py", 12, "handle"),
            ],
            ..GrowingContainer::default()
        };
        let growth = Growth { looks: 5, containers: vec![container], ..Growth::default() };
        let found = crate::findings::find(&Run { growth, ..Run::default() }, &Ownership::default());
        assert_eq!(
            (found[0].subject.as_str(), found[0].severity, found[0].objects),
            ("svc.CACHE", Severity::Warning, 49_000)
        );
        assert_eq!(found[0].owner, Owner::Application, "whoever calls numpy");
        assert_eq!(
            found[0].message,
            "svc.CACHE, a dict, kept growing: from 1,000 references to 50,000, 6.2 MB of mostly app.Report"
        );
    }
}
