//! Makes loops for the tests of this folder and of the reports.

use std::collections::{BTreeMap, BTreeSet};

use crate::cycles::{
    Amount, CyclicGarbage, Fingerprint, Lingered, LoopGroup, LoopPath, MemberTypes, PathStep, Residual, SeenAt,
    StackFrame,
};

/// A path from its steps: `("Order", "app.Order", ".items[*]")`.
pub fn path(steps: &[(&str, &str, &str)]) -> LoopPath {
    let step = |&(label, type_name, slot): &(&str, &str, &str)| PathStep {
        label: label.to_string(),
        type_name: type_name.to_string(),
        slot: slot.to_string(),
    };
    LoopPath { steps: steps.iter().map(step).collect() }
}

pub fn frame(path: &str, line: u32, function: &str) -> StackFrame {
    StackFrame { path: path.to_string(), line, function: function.to_string() }
}

pub fn counts(entries: &[(&str, u64)]) -> BTreeMap<String, u64> {
    entries.iter().map(|&(name, n)| (name.to_string(), n)).collect()
}

/// 620 orders with one line each, 580 of them freed by the collector.
pub fn parent_and_child() -> LoopGroup {
    LoopGroup {
        fingerprint: Fingerprint(0x3f9c_0a11_5e8d_7b42),
        path: path(&[("Order", "app.Order", ".items[*]"), ("Line", "app.Line", ".order")]),
        alike: Vec::new(),
        origins: Vec::new(),
        step_files: Vec::new(),
        hidden: BTreeSet::new(),
        types: MemberTypes::default(),
        residuals: vec![Residual::Nothing, Residual::Nothing],
        count: 620,
        objects: 1240,
        gc_objects: 1240,
        bytes: 119_040,
        held_objects: 620,
        held_bytes: 1_870_000,
        member_types: counts(&[("app.Order", 620), ("app.Line", 620)]),
        held_types: counts(&[("bytes", 620)]),
        member_bytes: counts(&[("app.Order", 69_440), ("app.Line", 49_600)]),
        held_bytes_by_type: counts(&[("bytes", 1_870_000)]),
        site: vec![frame("/srv/app.py", 42, "make_order"), frame("/srv/app.py", 80, "main")],
        other_sites: 0,
        made_before: 0,
        alive_at_exit: 0,
        definitions: Vec::new(),
        first_seen: SeenAt { event: 4_100, ns: Some(12_000_000) },
        last_seen: SeenAt { event: 96_500, ns: Some(3_400_000_000) },
        collected: 580,
        orphaned: Some((SeenAt { event: 4_000, ns: Some(11_500_000) }, SeenAt { event: 4_000, ns: Some(11_500_000) })),
        peak: Amount { loops: 40, objects: 120, bytes: 128_400 },
        peak_at: SeenAt { event: 20_000, ns: Some(1_900_000_000) },
        end: Amount { loops: 40, objects: 120, bytes: 128_400 },
        lingered: Some(Lingered { at_least: 1_200_000_000_000_000, at_most: 4_200_000_000_000_000 }),
        member_files: vec!["/srv/app.py".to_string()],
        lacks_maker: false,
        marks: counts(&[("test tests/test_cart.py::test_login", 620)]),
    }
}

/// Two loops of the standard library.
pub fn of_the_library() -> LoopGroup {
    LoopGroup {
        fingerprint: Fingerprint(0x00a1_77c0_ffee_0001),
        path: path(&[("class EnumMeta", "type", ".__mro__[*]")]),
        alike: Vec::new(),
        origins: Vec::new(),
        step_files: Vec::new(),
        hidden: BTreeSet::new(),
        types: MemberTypes::default(),
        residuals: vec![Residual::Unknown],
        count: 2,
        objects: 8,
        gc_objects: 6,
        bytes: 4_400,
        held_objects: 0,
        held_bytes: 0,
        member_types: counts(&[("type", 2), ("tuple", 6)]),
        held_types: BTreeMap::new(),
        member_bytes: BTreeMap::new(),
        held_bytes_by_type: BTreeMap::new(),
        site: vec![frame("/usr/lib/python3.13/enum.py", 500, "__new__")],
        other_sites: 3,
        made_before: 0,
        alive_at_exit: 0,
        definitions: Vec::new(),
        first_seen: SeenAt { event: 900, ns: None },
        last_seen: SeenAt { event: 900, ns: None },
        collected: 2,
        orphaned: Some((SeenAt { event: 0, ns: None }, SeenAt { event: 900, ns: None })),
        peak: Amount { loops: 2, objects: 8, bytes: 4_400 },
        peak_at: SeenAt::default(),
        end: Amount::default(),
        lingered: None,
        member_files: vec!["/usr/lib/python3.13/enum.py".to_string()],
        lacks_maker: false,
        marks: BTreeMap::new(),
    }
}

/// One loop of an object that refers to itself.
pub fn of_itself() -> LoopGroup {
    LoopGroup {
        fingerprint: Fingerprint(0xbeef_0000_0000_0001),
        path: path(&[("Worker", "app.Worker", ".run")]),
        alike: Vec::new(),
        origins: Vec::new(),
        step_files: Vec::new(),
        hidden: BTreeSet::new(),
        types: MemberTypes::default(),
        residuals: vec![Residual::Loop {
            path: path(&[("Worker", "app.Worker", ".jobs[*]"), ("Job", "app.Job", ".worker")]),
            residuals: vec![Residual::Nothing, Residual::Nothing],
            stay: 2,
            of: 2,
        }],
        count: 1,
        objects: 2,
        gc_objects: 2,
        bytes: 160,
        held_objects: 0,
        held_bytes: 0,
        member_types: counts(&[("app.Worker", 1), ("method", 1)]),
        held_types: BTreeMap::new(),
        member_bytes: BTreeMap::new(),
        held_bytes_by_type: BTreeMap::new(),
        site: vec![frame("/srv/worker.py", 7, "start")],
        other_sites: 0,
        made_before: 0,
        alive_at_exit: 0,
        definitions: Vec::new(),
        first_seen: SeenAt { event: 50, ns: None },
        last_seen: SeenAt { event: 50, ns: None },
        collected: 0,
        orphaned: None,
        peak: Amount { loops: 1, objects: 2, bytes: 160 },
        peak_at: SeenAt { event: 50, ns: None },
        end: Amount { loops: 1, objects: 2, bytes: 160 },
        lingered: None,
        member_files: vec!["/srv/worker.py".to_string()],
        lacks_maker: false,
        marks: BTreeMap::new(),
    }
}

pub fn garbage(groups: Vec<LoopGroup>) -> CyclicGarbage {
    let together = |amount: fn(&LoopGroup) -> Amount| {
        groups.iter().map(amount).fold(Amount::default(), |a, b| Amount {
            loops: a.loops + b.loops,
            objects: a.objects + b.objects,
            bytes: a.bytes + b.bytes,
        })
    };
    CyclicGarbage {
        peak: together(|group| group.peak),
        peak_at: SeenAt { event: 20_000, ns: Some(1_900_000_000) },
        end: together(|group| group.end),
        lingered: groups.iter().find_map(|group| group.lingered),
        objects: groups.iter().map(|group| group.objects + group.held_objects).sum(),
        gc_objects: groups.iter().map(|group| group.gc_objects).sum(),
        bytes: groups.iter().map(|group| group.bytes + group.held_bytes).sum(),
        collected_objects: groups.iter().map(|group| group.collected * group.objects / group.count).sum(),
        groups,
        ..CyclicGarbage::default()
    }
}
