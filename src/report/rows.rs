//! Makes the rows of the tables of types and of slots, of memory over time, and of collections.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::build::{ReportOptions, SortKey};
use super::model::{
    ClosedRow, CollectionsRow, MemoryRow, MemoryRows, RetainedRow, RetainedRows, SlotsRow, TypeOverTimeRow, TypeRow,
    TypesOverTimeRows,
};
use super::section::Section;
use crate::cycles::{Memory, MemoryPoint, SeenAt};
use crate::findings::Owner;
use crate::heap::Generation;
use crate::overhead::{SlotsAdvice, TypeProfile};
use crate::retention::RetainedGroup;
use crate::run::{Run, Types};
use crate::trace::DictState;

/// One row for each type, or for each module.
pub fn types(types: &Types, options: &ReportOptions) -> Section<TypeRow> {
    let modules = options.by_module.then(|| modules(&types.rows));
    let mut profiles: Vec<&TypeProfile> = modules.as_ref().unwrap_or(&types.rows).iter().collect();
    profiles.sort_by_key(|&profile| {
        let quantity = match options.sort {
            SortKey::Bytes => profile.bytes,
            SortKey::Count => profile.live,
            SortKey::Objects => profile.ever,
            SortKey::Name => 0,
            SortKey::Time => profile.peak_bytes,
        };
        (Reverse(quantity), profile.name.as_str())
    });
    Section::first(profiles, options.top, |profile| TypeRow {
        bytes_per_instance: rounded(quotient(profile.bytes, profile.live), 10.0),
        share: rounded(100.0 * quotient(profile.bytes, types.heap_bytes), 100.0),
        states: match options.by_module {
            true => BTreeMap::new(),
            false => profile.states.iter().map(|(&state, &n)| (state_name(state), n)).collect(),
        },
        ..type_row(profile)
    })
}

/// What was alive and what was garbage over time, in the trace at this path.
pub fn memory(path: &str, memory: &Memory) -> MemoryRows {
    let row = |point: &MemoryPoint| MemoryRow {
        event: point.event,
        ns: point.ns,
        occasion: point.occasion,
        generation: point.generation,
        live_objects: point.live.map(|(objects, _)| objects),
        live_bytes: point.live.and_then(|(objects, bytes)| known_bytes(objects, bytes)),
        garbage_objects: point.garbage_objects,
        garbage_bytes: known_bytes(point.garbage_objects, point.garbage_bytes),
    };
    MemoryRows {
        trace: path.to_string(),
        moments: memory.moments,
        thinned: memory.is_thinned(),
        points: memory.points.iter().map(row).collect(),
    }
}

/// The bytes of types over time, of each trace.
pub fn types_over_time(run: &Run) -> Vec<TypesOverTimeRows> {
    let traces = run.inputs.iter().zip(&run.types_over_time);
    let rows = traces.map(|(input, of)| TypesOverTimeRows {
        trace: input.path.clone(),
        moments: of.moments.iter().map(|&(event, ns)| SeenAt { event, ns }).collect(),
        types: { of.types.iter() }
            .map(|(name, bytes)| TypeOverTimeRow { type_name: name.clone(), bytes: bytes.clone() })
            .collect(),
        others: of.others.clone(),
    });
    rows.collect()
}

/// The collections of one generation.
pub fn collections((&generation, of): (&u8, &Generation)) -> CollectionsRow {
    CollectionsRow {
        generation,
        collections: of.runs,
        looked_at: of.looked,
        freed: of.freed,
        uncollectable: of.uncollectable,
        pause_ns: of.pauses.map(|pauses| pauses.sum),
        longest_pause_ns: of.pauses.map(|pauses| pauses.longest),
    }
}

/// Objects whose memory nobody could read, most first.
pub fn closed(closed: &BTreeMap<String, u64>) -> Vec<ClosedRow> {
    let rows = closed.iter().map(|(name, &objects)| ClosedRow { type_name: name.clone(), objects });
    let mut rows: Vec<ClosedRow> = rows.collect();
    rows.sort_by_key(|row| Reverse(row.objects));
    rows
}

/// What objects weigh: no object has 0 bytes, so the log did not say.
pub fn known_bytes(objects: u64, bytes: u64) -> Option<u64> {
    (objects == 0 || bytes > 0).then_some(bytes)
}

/// The types of each module together, under its name.
fn modules(types: &[TypeProfile]) -> Vec<TypeProfile> {
    let mut modules: BTreeMap<&str, TypeProfile> = BTreeMap::new();
    for row in types {
        match modules.get_mut(row.module.as_str()) {
            Some(sum) => sum.add(row),
            None => drop(modules.insert(&row.module, TypeProfile { name: row.module.clone(), ..row.clone() })),
        }
    }
    modules.into_values().collect()
}

fn type_row(profile: &TypeProfile) -> TypeRow {
    TypeRow {
        type_name: profile.name.clone(),
        module: profile.module.clone(),
        instances: profile.live,
        peak_instances: profile.peak,
        ever_instances: profile.ever,
        bytes: profile.bytes,
        peak_bytes: profile.peak_bytes,
        split: profile.split,
        ..TypeRow::default()
    }
}

/// Whose class it is, and where, as far as the advice itself says it.
pub fn slots_row(advice: &SlotsAdvice) -> SlotsRow {
    let blockers = advice.blockers.iter().map(|blocker| format!("{}; {}", blocker.sentence, blocker.instead));
    SlotsRow {
        type_name: advice.name.clone(),
        instances: advice.instances,
        peak_instances: advice.peak,
        bytes_per_instance: rounded(advice.now.requested, 10.0),
        slotted_bytes_per_instance: rounded(advice.slotted.requested, 10.0),
        used_per_instance: rounded(advice.now.used, 10.0),
        slotted_used_per_instance: rounded(advice.slotted.used, 10.0),
        saved_bytes: advice.saved_bytes,
        saved_bytes_at_peak: advice.saved_at_peak,
        class_cost: advice.class_cost,
        verdict: advice.verdict,
        blockers: blockers.collect(),
        suggestion: advice.suggestion.clone(),
        place: advice.place.clone(),
        notes: advice.notes.clone(),
        owner: Owner::Application,
    }
}

fn state_name(state: DictState) -> &'static str {
    match state {
        DictState::None => "none",
        DictState::Inline => "inline",
        DictState::Split => "split",
        DictState::Combined => "combined",
        DictState::Detached => "detached",
    }
}

/// Who keeps how much alive in each trace of which it is known.
pub(super) fn retained(run: &Run) -> Vec<RetainedRows> {
    let known = run.inputs.iter().zip(&run.retained).filter_map(|(input, retained)| Some((input, retained.as_ref()?)));
    let rows = known.map(|(input, retained)| RetainedRows {
        trace: input.path.clone(),
        event: retained.event,
        ns: retained.ns,
        objects: retained.objects,
        bytes: retained.bytes,
        groups: retained.groups.iter().map(retained_row).collect(),
        left_out: retained.left_out,
    });
    rows.collect()
}

pub(super) fn retained_row(group: &RetainedGroup) -> RetainedRow {
    RetainedRow {
        above: group.above,
        name: group.name.clone(),
        type_name: group.type_name.clone(),
        objects: group.objects,
        bytes: group.bytes,
    }
}

pub(super) fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(super) fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
