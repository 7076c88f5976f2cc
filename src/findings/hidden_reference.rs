//! Reports loops that no collector frees: the type of one of their objects holds a reference that it does not show.

use std::collections::BTreeSet;

use super::cyclic_garbage::{about, amount};
use super::{Advice, Cut, Finding, Ownership, Rule, Severity};
use crate::cycles::{HiddenLink, LoopGroup};
use crate::overhead::standard::is_standard_module;
use crate::run::Run;
use crate::trace::Evidence;

pub const RULE: Rule = Rule {
    name: "hidden-reference",
    summary: "loops that no collector frees, for a type in them hides a reference",
    explanation: include_str!("hidden_reference.md"),
    severity: Severity::Error,
    find,
    sought: None,
};

/// What says with which tool the type was made, and what its author has to write there.
const CURES: [(&str, &str); 4] = [
    ("pybind11_type", "pybind11: custom_type_setup with tp_traverse and tp_clear"),
    ("nb_type", "nanobind: type_slots with Py_tp_traverse and Py_tp_clear"),
    ("Boost.Python.class", "Boost.Python: it has no way to do so; the object must hold weakly"),
    ("SwigPyType", "SWIG: it has no way to do so; the object must hold weakly"),
];

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    let certain = run.garbage.groups.iter().filter(|group| !group.hidden.is_empty());
    let suspected = run.garbage.suspected.iter();
    let found = certain.map(|group| (group, Severity::Error)).chain(suspected.map(|group| (group, Severity::Warning)));
    found.map(|(group, severity)| finding(group, severity, run.has_stacks, ownership)).collect()
}

fn finding(group: &LoopGroup, severity: Severity, has_stacks: bool, ownership: &Ownership) -> Finding {
    let (subject, hides) = (&group.path, hides(&group.hidden));
    let message = match severity {
        Severity::Error => format!("{subject}: {}; no collector frees them: {hides}", amount(group)),
        _ => format!("suspected: {subject}: {}, if {hides}", amount(group)),
    };
    about(group, (RULE.name, severity, message), Some(advice(group)), has_stacks, ownership)
}

/// `datetime.datetime (standard library) does not show the collector its .tzinfo, a app.TZ`.
fn hides(links: &BTreeSet<HiddenLink>) -> String {
    let one = |link: &HiddenLink| {
        let HiddenLink { holder, referent, .. } = link;
        let whose = whose(holder).map(|whose| format!(" ({whose})")).unwrap_or_default();
        match (link.evidence, link.is_an_address()) {
            (Evidence::Address, _) => format!("the {referent} that {holder}{whose} has the address of is its own"),
            (_, true) => format!("{holder}{whose} does not show the collector that it holds a {referent}"),
            (_, false) => format!("{holder}{whose} does not show the collector its {}, a {referent}", link.place),
        }
    };
    let mut texts: Vec<String> = links.iter().map(one).collect();
    texts.dedup();
    texts.join(", and ")
}

/// The package that a type is of; `None` for the application's own, as far as its name tells.
fn whose(type_name: &str) -> Option<String> {
    match type_name.split_once('.') {
        None => Some("standard library".to_string()),
        Some(("__main__", _)) => None,
        Some((module, _)) if is_standard_module(module) => Some("standard library".to_string()),
        Some((module, _)) => Some(format!("package {module}")),
    }
}

/// What to do: which reference of the path can be taken back by hand, and who can cure it.
fn advice(group: &LoopGroup) -> Advice {
    let steps = &group.path.steps;
    let n = steps.len();
    let is_hidden = |place: usize| group.hidden.iter().any(|link| steps[place % n].slot.starts_with(link.slot()));
    // The reference that leads to the type which hides: that one is Python's.
    let step = (0..n).find(|&place| is_hidden(place + 1) && !is_hidden(place) && !steps[place].slot.is_empty());
    let cut = step.map(|place| Cut {
        reference: steps[place].to_string(),
        replacement: "None when the object is done with, as in a close()".to_string(),
        changes: Vec::new(),
    });
    let cures: BTreeSet<&str> = group.hidden.iter().map(cure).collect();
    let holders: BTreeSet<&str> = group.hidden.iter().map(|link| link.holder.as_str()).collect();
    let holders = holders.into_iter().collect::<Vec<_>>().join(" and ");
    Advice {
        pattern: "reference that the collector is not shown",
        sentence: format!(
            "gc.collect() does not help; what can be done today is to take the reference to {holders} back by hand; the cure is its author's ({})",
            cures.into_iter().collect::<Vec<_>>().join("; ")
        ),
        evidence: None,
        cut,
        steps: step.into_iter().collect(),
        or: Vec::new(),
        more: Vec::new(),
        after: step.and_then(|step| group.residuals.get(step).cloned()).unwrap_or_default(),
        replay: None,
        is_question: false,
        refuted: Vec::new(),
    }
}

fn cure(link: &HiddenLink) -> &'static str {
    let made_with = link.metaclass.as_deref().unwrap_or_default();
    let known = CURES.iter().find(|(metaclass, _)| made_with.contains(metaclass) || link.holder.contains(metaclass));
    match known {
        Some((_, cure)) => cure,
        None if link.shows_others => "its tp_traverse and tp_clear leave it out",
        None => "it takes Py_TPFLAGS_HAVE_GC, tp_traverse and tp_clear",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::testing;

    fn group(evidence: Evidence, place: &str) -> LoopGroup {
        let link = HiddenLink {
            holder: "datetime.datetime".to_string(),
            referent: "app.TZ".to_string(),
            place: place.to_string(),
            evidence,
            metaclass: None,
            shows_others: false,
        };
        LoopGroup {
            path: testing::path(&[("TZ", "app.TZ", ".e"), ("datetime", "datetime.datetime", place)]),
            hidden: [link].into(),
            collected: 0,
            ..testing::parent_and_child()
        }
    }

    fn found(run: &Run) -> Vec<(Severity, String, Option<Cut>)> {
        let found = find(run, &Ownership::default()).into_iter();
        found.map(|finding| (finding.severity, finding.message, finding.advice.and_then(|advice| advice.cut))).collect()
    }

    #[test]
    fn a_loop_through_a_known_layout_fails_and_names_the_reference_to_take_back() {
        let garbage = testing::garbage(vec![group(Evidence::Layout, ".tzinfo"), testing::parent_and_child()]);
        let run = Run { garbage, ..Run::default() };
        let [(severity, message, cut)] = found(&run).try_into().unwrap();
        assert_eq!(severity, Severity::Error);
        assert_eq!(
            message,
            "TZ.e → datetime.tzinfo → TZ: 620 loops of 2 objects each (1,240 together) that keep only each other alive, with \
             620 objects that they hold; no collector frees them: datetime.datetime (standard library) does not show the \
             collector its .tzinfo, a app.TZ"
        );
        assert_eq!(cut.unwrap().reference, "TZ.e");
    }

    #[test]
    fn a_loop_of_hidden_references_alone_has_none_to_take_back() {
        let path = testing::path(&[("ndarray", "numpy.ndarray", "[*]")]);
        let group = LoopGroup { path, ..group(Evidence::Layout, "[*]") };
        let run = Run { garbage: testing::garbage(vec![group]), ..Run::default() };
        assert_eq!(found(&run)[0].2, None);
    }

    #[test]
    fn an_address_alone_is_a_suspicion_and_a_warning() {
        let mut garbage = testing::garbage(Vec::new());
        garbage.suspected = vec![group(Evidence::Address, "(+24)")];
        let run = Run { garbage, ..Run::default() };
        let [(severity, message, _)] = found(&run).try_into().unwrap();
        assert_eq!(severity, Severity::Warning);
        assert!(message.starts_with("suspected: TZ.e → "), "{message}");
        assert!(
            message.ends_with("if the app.TZ that datetime.datetime (standard library) has the address of is its own")
        );
    }

    #[test]
    fn each_tool_that_makes_types_has_its_own_cure() {
        let link = |metaclass: Option<&str>, holder: &str, shows_others| HiddenLink {
            holder: holder.to_string(),
            metaclass: metaclass.map(str::to_string),
            shows_others,
            ..group(Evidence::Layout, ".x").hidden.into_iter().next().unwrap()
        };
        assert!(cure(&link(Some("pybind11_builtins.pybind11_type"), "highspy.Highs", true)).starts_with("pybind11"));
        assert!(cure(&link(Some("nanobind.nb_type_0"), "x.Y", false)).starts_with("nanobind"));
        assert!(cure(&link(None, "lru.LRU", false)).starts_with("it takes"));
        assert!(cure(&link(None, "sqlite3.Connection", true)).starts_with("its tp_traverse"));
    }
}
