//! Makes reports for the tests of the formats.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::*;
use crate::cycles::{MadeHere, Makers, Memory, MemoryPoint, Occasion, StackFrame};
use crate::findings::config::Config;
use crate::findings::gate::Gate;
use crate::findings::{Advice, Ownership, testing};
use crate::growth::{Lost, TypesOverTime};
use crate::heap::{Generation, Pauses};
use crate::overhead::{Blocker, Cost, Effect, SlotsAdvice, TypeProfile, Verdict};
use crate::retention::{Retained, RetainedGroup};
use crate::run::{Anomaly, Run, Slots, Types};
use crate::trace::{References, TypeId};
use crate::whatif::{self, Early};

/// Three loops, of which one is the standard library's; a lost object; an anomaly; two types.
pub(crate) fn report(gate: Option<&str>) -> Report {
    report_of_first(None, gate)
}

/// The same with so many rows in each table.
pub(crate) fn report_of_first(top: Option<usize>, gate: Option<&str>) -> Report {
    let mut garbage =
        testing::garbage(vec![testing::parent_and_child(), testing::of_the_library(), testing::of_itself()]);
    garbage.lost.insert("app.Handle".to_string(), (3, 216));
    let anomaly = Anomaly {
        kind: "below-zero",
        meaning: "a refcount falls below zero".to_string(),
        count: 2,
        examples: vec!["event 17, 0x7f3a10".to_string()],
        is_imbalance: true,
        types: ["app.Handle".to_string()].into(),
        stack: vec![testing::frame("/srv/app.py", 12, "load")],
    };
    let input = Input {
        path: "shop.reftrace".to_string(),
        runtime: "cpython-3.13.0".to_string(),
        references: References::Checkpoints,
        events: 1_204_331,
        snapshots: 3,
        known: Extent::End,
        ..Input::default()
    };
    let run = Run {
        inputs: vec![input],
        garbage,
        anomalies: vec![anomaly],
        lost: Some(vec![lost(true), lost(false)]),
        has_stacks: true,
        live: Some((12_331, 2_400_000)),
        collections: collections(),
        closed: BTreeMap::from([("pyarrow.lib.Buffer".to_string(), 12), ("app.Image".to_string(), 3)]),
        memory: vec![memory()],
        types_over_time: vec![TypesOverTime {
            moments: vec![(60, Some(60_000)), (120, Some(120_000))],
            types: vec![("dict".to_string(), vec![400_000, 912_000]), ("app.Order".to_string(), vec![0, 31_000])],
            others: vec![1_000_000, 1_457_000],
        }],
        retained: vec![Some(retained())],
        makers: makers(),
        types: Types {
            rows: vec![type_profile("app.Order", 620, 31_000), type_profile("dict", 4_000, 912_000)],
            heap_bytes: 2_400_000,
            ..Types::default()
        },
        slots: Slots { classes: vec![slots_advice()], ..Slots::default() },
        ..Run::default()
    };
    let ownership = Ownership::default();
    let mut findings = crate::findings::find(&run, &ownership);
    findings.iter_mut().find_map(|finding| finding.advice.as_mut()).into_iter().for_each(add_replay);
    let verdict = gate.map(|config| {
        let config = Config::parse(config, "refloop.toml", false).unwrap().unwrap();
        Gate::new(&config, None).unwrap().judge(&findings, NaiveDate::from_ymd_opt(2026, 1, 1).unwrap())
    });
    let options = ReportOptions { root: Some(Path::new("/srv")), top, ..ReportOptions::default() };
    Report::new(&run, &findings, verdict.as_ref(), &ownership, &options)
}

/// Objects with a reference too many each.
fn lost(is_searched: bool) -> Lost {
    Lost {
        type_name: "app.Handle".to_string(),
        stack: vec![testing::frame("/srv/app.py", 12, "load")],
        objects: 50,
        alive: if is_searched { 50 } else { 59 },
        unclear: if is_searched { 0 } else { 9 },
        references: (1, if is_searched { 1 } else { 3 }),
        bytes: 2_400,
        from: 10,
        per_second: Some(4.0),
        is_searched,
    }
}

/// What a replay showed of the cut, and of the other reference of the loop.
fn add_replay(advice: &mut Advice) {
    let (type_name, reference) = ("app.Line".to_string(), "Order.items[*]".to_string());
    advice.refuted = vec![Early { type_name, reference, event: 20_000 }];
    advice.replay = Some(whatif::Outcome {
        proof: whatif::Proof::Snapshots,
        snapshots: 3,
        loops: 620,
        freed_loops: 620,
        living: 12,
        ..whatif::Outcome::default()
    });
}

/// A cache that keeps orders alive.
fn retained() -> Retained {
    let group = |above, name: &str, type_name: &str, objects, bytes| RetainedGroup {
        above,
        name: name.to_string(),
        type_name: type_name.to_string(),
        objects,
        bytes,
    };
    let groups = vec![
        group(None, "module app", "module", 1, 1_900_000),
        group(Some(0), ".CACHE", "dict", 1, 1_500_000),
        group(Some(1), "[*]", "app.Order", 620, 1_400_000),
    ];
    Retained { event: 120, ns: None, objects: 12_331, bytes: 2_400_000, groups, left_out: 7 }
}

/// Young collections of which all is known, and an old one of which a part is.
fn collections() -> BTreeMap<u8, Generation> {
    let pauses = Some(Pauses { sum: 34_500_000, longest: 1_200_000 });
    let young = Generation { runs: 120, freed: 1_240, uncollectable: 0, looked: Some(84_000), pauses };
    let old = Generation { runs: 1, freed: 12, uncollectable: 2, looked: Some(12_331), pauses: None };
    BTreeMap::from([(0, young), (2, old)])
}

/// What a request made, what it left alive, and something of the interpreter's.
fn makers() -> Makers {
    let frame =
        |line, function: &str| StackFrame { path: "/srv/app.py".to_string(), line, function: function.to_string() };
    let stack = vec![frame(42, "make_order"), frame(80, "main;<lambda>")];
    let made = |stack: &[StackFrame], objects, bytes| MadeHere { stack: stack.to_vec(), before: false, objects, bytes };
    Makers {
        garbage: vec![made(&stack, 4, 640)],
        alive: Some(vec![made(&[], 9, 1_000), made(&stack, 2, 320), made(&stack[1..], 1, 56)]),
    }
}

/// A collection that frees a loop, and the checkpoint at the end.
fn memory() -> Memory {
    let point = |event, occasion, garbage_bytes| MemoryPoint {
        event,
        ns: Some(event * 1_000),
        occasion,
        garbage_objects: garbage_bytes / 48,
        garbage_bytes,
        ..MemoryPoint::default()
    };
    let points = vec![
        MemoryPoint { generation: Some(0), ..point(80, Occasion::Collection, 96) },
        point(90, Occasion::Collected, 0),
        MemoryPoint { live: Some((12_331, 2_400_000)), ..point(120, Occasion::Checkpoint, 480) },
    ];
    Memory { moments: points.len() as u64, points }
}

fn type_profile(name: &str, live: u64, bytes: u64) -> TypeProfile {
    TypeProfile {
        class: TypeId(1),
        name: name.to_string(),
        module: String::new(),
        file: String::new(),
        live,
        peak: live + 10,
        ever: live * 3,
        bytes,
        peak_bytes: bytes + 1_000,
        split: Split::default(),
        states: BTreeMap::new(),
    }
}

fn slots_advice() -> SlotsAdvice {
    SlotsAdvice {
        class: TypeId(1),
        name: "app.Order".to_string(),
        instances: 620,
        peak: 630,
        now: Cost { requested: 96.0, used: 96.0 },
        slotted: Cost { requested: 56.0, used: 64.0 },
        saved_bytes: 19_840,
        saved_at_peak: 20_160,
        class_cost: 120,
        verdict: Verdict::PossibleAfter,
        blockers: vec![Blocker {
            name: "weak-references",
            effect: Effect::After,
            sentence: "somebody takes weak references to instances".to_string(),
            instead: "name __weakref__ among the slots".to_string(),
        }],
        suggestion: Some("__slots__ = ('items', '__weakref__')".to_string()),
        place: Some("app.py:12".to_string()),
        notes: Vec::new(),
    }
}
