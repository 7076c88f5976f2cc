//! Reports as the tests of the formats use them.

use super::*;
use crate::findings::config::Config;
use crate::findings::date::Date;
use crate::findings::gate::Gate;
use crate::findings::{AnomalyFact, Facts, Owner, Ownership, testing};
use crate::overhead::Verdict;
use crate::trace::References;

/// Three loops, of which one is the standard library's; a lost object; an anomaly; two types.
pub fn report(gate: Option<&str>) -> Report {
    let mut garbage =
        testing::garbage(vec![testing::parent_and_child(), testing::of_the_library(), testing::of_itself()]);
    garbage.lost.insert("app.Handle".to_string(), (3, 216));
    let anomaly = AnomalyFact {
        kind: "below-zero".to_string(),
        meaning: "a refcount falls below zero".to_string(),
        count: 2,
        examples: vec!["event 17, 0x7f3a10".to_string()],
        imbalance: true,
    };
    let facts = Facts { garbage, anomalies: vec![anomaly], has_stacks: true, ..Facts::default() };
    let ownership = Ownership::default();
    let findings = crate::findings::find(&facts, &ownership);
    let verdict = gate.map(|config| {
        let config = Config::parse(config, "refloop.toml", false).unwrap().unwrap();
        Gate::new(&config, None).unwrap().judge(&findings, Date { year: 2026, month: 1, day: 1 })
    });
    let input = Input {
        path: "shop.reftrace".to_string(),
        runtime: "cpython-3.13.0".to_string(),
        references: References::Checkpoints,
        events: 1_204_331,
        snapshots: 3,
        known: Known::End,
        ..Input::default()
    };
    Report::new(Material {
        inputs: vec![input],
        live_objects: 12_331,
        live_bytes: 2_400_000,
        profiled_bytes: 2_400_000,
        types: vec![type_row("app.Order", 620, 31_000), type_row("dict", 4_000, 912_000)],
        slots: vec![slots_row()],
        findings: &findings,
        verdict: verdict.as_ref(),
        facts,
        ownership,
        root: Some(std::path::Path::new("/srv")),
        ..Material::default()
    })
}

fn type_row(name: &str, instances: u64, bytes: u64) -> TypeRow {
    TypeRow {
        type_name: name.to_string(),
        instances,
        peak_instances: instances + 10,
        ever_instances: instances * 3,
        bytes,
        peak_bytes: bytes + 1_000,
        ..TypeRow::default()
    }
}

fn slots_row() -> SlotsRow {
    SlotsRow {
        type_name: "app.Order".to_string(),
        instances: 620,
        peak_instances: 630,
        bytes_per_instance: 96.0,
        slotted_bytes_per_instance: 56.0,
        used_per_instance: 96.0,
        slotted_used_per_instance: 64.0,
        saved_bytes: 19_840,
        saved_bytes_at_peak: 20_160,
        class_cost: 120,
        verdict: Verdict::PossibleAfter,
        blockers: vec!["somebody takes weak references to instances; name __weakref__ among the slots".to_string()],
        suggestion: Some("__slots__ = ('items', '__weakref__')".to_string()),
        place: Some("app.py:12".to_string()),
        notes: Vec::new(),
        owner: Owner::Application,
    }
}
