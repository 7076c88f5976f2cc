//! Reports containers that grow from one look at the heap to the next.

use super::{Finding, Ownership, Rule, Severity, Sought, fingerprint_of};
use crate::growth::{GrowingContainer, LEAST_LOOKS, Unit};
use crate::human::{bytes, count, counted, size};
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "growing-container",
    summary: "containers and buffers that keep growing from look to look at the heap",
    explanation: include_str!("growing_container.md"),
    severity: Severity::Warning,
    find,
    sought: Some(Sought { plural: "growing containers", is_shown_by: |run| run.growth.looks >= LEAST_LOOKS }),
};

/// What is said of a growing container, on whatever page.
pub struct Facts<'a> {
    pub type_name: &'a str,
    pub containers: u64,
    pub unit: Unit,
    pub from: u64,
    pub to: u64,
    pub from_is_exact: bool,
    pub element: &'a str,
    pub bytes: Option<u64>,
}

impl Facts<'_> {
    fn of(container: &GrowingContainer) -> Facts<'_> {
        Facts {
            type_name: &container.type_name,
            containers: container.containers,
            unit: container.unit,
            from: container.from,
            to: container.to,
            from_is_exact: container.from_is_exact,
            element: &container.element,
            bytes: Some(container.bytes),
        }
    }

    /// `1 dict`, `40 lists`.
    pub fn what(&self) -> String {
        let Facts { type_name, .. } = self;
        counted(self.containers, type_name, &format!("{type_name}s"))
    }

    /// `at most 15 → 1,200 references`, `2.0 MB → 14.0 MB`: at the first look and at the last.
    pub fn from_to(&self) -> String {
        let bound = if self.from_is_exact { "" } else { "at most " };
        match self.unit {
            Unit::References => format!("{bound}{} → {} references", count(self.from), count(self.to)),
            Unit::Bytes => format!("{bound}{} → {}", bytes(self.from), bytes(self.to)),
        }
    }

    /// `at least 12 a second`, `1.2 MB a second`: so much was gained.
    pub fn a_second(&self, rate: f64) -> String {
        format!("{} a second", self.rate(rate))
    }

    /// The same without the words.
    pub fn rate(&self, rate: f64) -> String {
        let bound = if self.from_is_exact { "" } else { "at least " };
        match self.unit {
            Unit::References => format!("{bound}{}", count(rate as u64)),
            Unit::Bytes => format!("{bound}{}", bytes(rate as u64)),
        }
    }

    /// `6.2 MB with what it holds, mostly app.Report`; nothing of a buffer, which holds itself alone.
    pub fn holds(&self) -> Option<String> {
        let it = if self.containers == 1 { "it holds" } else { "they hold" };
        (self.unit == Unit::References).then(|| format!("{} with what {it}, mostly {}", size(self.bytes), self.element))
    }
}

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    run.growth.containers.iter().map(|container| finding(container, ownership)).collect()
}

fn finding(container: &GrowingContainer, ownership: &Ownership) -> Finding {
    let GrowingContainer { path, element, .. } = container;
    let facts = Facts::of(container);
    let grew = [Some(facts.from_to()), facts.holds()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        fingerprint: fingerprint_of(RULE.name, path),
        subject: path.clone(),
        message: format!("{path}, {}, kept growing: {grew}", facts.what()),
        cause: None,
        stack: container.site.clone(),
        definitions: Vec::new(),
        // Who calls a library fills what grows, whatever function of it makes the objects.
        owner: ownership.of_callers(&container.site).unwrap_or_else(|| ownership.of_short_name(element)),
        types: vec![element.clone()],
        files: Vec::new(),
        count: 1,
        objects: match container.unit {
            Unit::References => container.to - container.from,
            Unit::Bytes => container.containers,
        },
        bytes: container.bytes,
        bytes_at_peak: None,
        collected: 0,
        alive_at_exit: 0,
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
    fn a_buffer_is_told_by_its_bytes() {
        let buffer = GrowingContainer {
            path: "svc.BUFFER".to_string(),
            type_name: "bytearray".to_string(),
            containers: 1,
            unit: Unit::Bytes,
            from: 2_000_000,
            to: 14_000_000,
            from_is_exact: true,
            element: "bytearray".to_string(),
            bytes: 14_000_000,
            ..GrowingContainer::default()
        };
        let finding = finding(&buffer, &Ownership::default());
        assert_eq!(finding.message, "svc.BUFFER, 1 bytearray, kept growing: 2.0 MB → 14.0 MB");
        assert_eq!((finding.objects, finding.bytes), (1, 14_000_000));
        assert_eq!(Facts::of(&buffer).a_second(1_200_000.4), "1.2 MB a second");
    }

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
            "svc.CACHE, 1 dict, kept growing: 1,000 → 50,000 references, 6.2 MB with what it holds, mostly app.Report"
        );
    }
}
