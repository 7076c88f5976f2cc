//! Profiles and advice of one trace become rows of the report; rows of several traces are added up by name.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{SlotsRow, SplitRow, TypeRow};
use crate::findings::Owner;
use crate::heap::Heap;
use crate::human::{bytes, counted};
use crate::overhead::profile::module_of;
use crate::overhead::{Advice, Profile, SlotsAdvice, TypeProfile};
use crate::trace::{DictState, TypeId};

/// What the types of one trace cost; those of which nothing is alive any more stand there with what they once were.
pub fn types_of(profile: &Profile, heap: &Heap) -> Vec<TypeRow> {
    let listed: BTreeSet<TypeId> = profile.types.iter().map(|row| row.class).collect();
    let gone = heap.types().iter().filter(|def| !listed.contains(&TypeId(def.id))).filter_map(|def| {
        let counts = heap.types().counts(TypeId(def.id));
        (counts.ever > 0).then(|| TypeRow {
            type_name: def.name.clone(),
            module: module_of(&def.name).to_string(),
            peak_instances: counts.peak,
            ever_instances: counts.ever,
            peak_bytes: counts.peak_bytes,
            ..TypeRow::default()
        })
    });
    profile.types.iter().map(type_row).chain(gone).collect()
}

/// What slots would change in one trace.
pub fn slots_of(advice: &Advice) -> Vec<SlotsRow> {
    advice.slots.iter().map(slots_row).collect()
}

/// What must be known to read the advice, one sentence each. `least` is the saving that was asked for.
pub fn notes_of(advice: &Advice, least: u64) -> Vec<String> {
    let mut notes: Vec<String> = advice.impossible.iter().map(|why| format!("no advice on slots: {why}")).collect();
    notes.extend(advice.estimate.clone());
    if advice.hidden_classes > 0 {
        let classes = counted(advice.hidden_classes, "class", "classes");
        let together = bytes(advice.hidden_bytes);
        notes.push(format!("{classes} that would save less than {} each left out: {together} together", bytes(least)));
    }
    if advice.library_classes > 0 {
        let classes = counted(advice.library_classes, "class", "classes");
        let together = bytes(advice.library_bytes);
        notes.push(format!("{classes} of the standard library and of packages left out: {together} together"));
    }
    notes
}

/// Adds up types of several traces by name, and computes what each weighs in a heap of `heap_bytes`.
pub fn merge_types(types: impl IntoIterator<Item = TypeRow>, heap_bytes: u64) -> Vec<TypeRow> {
    let mut by_name: BTreeMap<String, TypeRow> = BTreeMap::new();
    for row in types {
        let sum = by_name.entry(row.type_name.clone()).or_insert_with(|| TypeRow {
            type_name: row.type_name.clone(),
            module: row.module.clone(),
            ..TypeRow::default()
        });
        sum.instances += row.instances;
        sum.peak_instances += row.peak_instances;
        sum.ever_instances += row.ever_instances;
        sum.bytes += row.bytes;
        sum.peak_bytes += row.peak_bytes;
        sum.split.add(&row.split);
        for (state, n) in row.states {
            *sum.states.entry(state).or_default() += n;
        }
    }
    let mut rows: Vec<TypeRow> = by_name.into_values().collect();
    for row in &mut rows {
        row.bytes_per_instance = rounded(quotient(row.bytes, row.instances), 10.0);
        row.share = rounded(100.0 * quotient(row.bytes, heap_bytes), 100.0);
    }
    rows
}

/// The types of one module together, each in one row; what is told of single types goes away.
pub fn by_module(types: Vec<TypeRow>, heap_bytes: u64) -> Vec<TypeRow> {
    let rows = types.into_iter().map(|row| TypeRow { type_name: row.module.clone(), states: BTreeMap::new(), ..row });
    merge_types(rows, heap_bytes)
}

/// Advice on one class from several traces: savings are added up, costs are averaged over the instances, and the least
/// favourable verdict holds, with every blocker.
pub fn merge_slots(rows: impl IntoIterator<Item = SlotsRow>) -> Vec<SlotsRow> {
    let mut by_name: BTreeMap<String, SlotsRow> = BTreeMap::new();
    for row in rows {
        let Some(sum) = by_name.get_mut(&row.type_name) else {
            by_name.insert(row.type_name.clone(), row);
            continue;
        };
        let weights = [sum.instances as f64, row.instances as f64];
        let mean = |a: f64, b: f64| match weights[0] + weights[1] {
            0.0 => a,
            all => rounded((a * weights[0] + b * weights[1]) / all, 10.0),
        };
        sum.bytes_per_instance = mean(sum.bytes_per_instance, row.bytes_per_instance);
        sum.slotted_bytes_per_instance = mean(sum.slotted_bytes_per_instance, row.slotted_bytes_per_instance);
        sum.used_per_instance = mean(sum.used_per_instance, row.used_per_instance);
        sum.slotted_used_per_instance = mean(sum.slotted_used_per_instance, row.slotted_used_per_instance);
        sum.instances += row.instances;
        sum.peak_instances += row.peak_instances;
        sum.saved_bytes += row.saved_bytes;
        sum.saved_bytes_at_peak += row.saved_bytes_at_peak;
        if row.verdict > sum.verdict {
            (sum.verdict, sum.suggestion) = (row.verdict, row.suggestion);
        }
        for text in row.blockers {
            if !sum.blockers.contains(&text) {
                sum.blockers.push(text);
            }
        }
        for text in row.notes {
            if !sum.notes.contains(&text) {
                sum.notes.push(text);
            }
        }
    }
    by_name.into_values().collect()
}

fn type_row(profile: &TypeProfile) -> TypeRow {
    let split = &profile.split;
    TypeRow {
        type_name: profile.name.clone(),
        module: profile.module.clone(),
        instances: profile.live,
        peak_instances: profile.peak,
        ever_instances: profile.ever,
        bytes: profile.bytes,
        peak_bytes: profile.peak_bytes,
        split: SplitRow {
            object: split.object,
            gc_header: split.gc_header,
            pre_header: split.pre_header,
            weakref_field: split.weakref_field,
            dict_object: split.dict_object,
            attributes: split.attributes,
            items: split.items,
            padding: split.padding,
        },
        states: profile.states.iter().map(|(&state, &n)| (state_name(state), n)).collect(),
        ..TypeRow::default()
    }
}

fn slots_row(advice: &SlotsAdvice) -> SlotsRow {
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

impl SplitRow {
    fn add(&mut self, other: &SplitRow) {
        self.object += other.object;
        self.gc_header += other.gc_header;
        self.pre_header += other.pre_header;
        self.weakref_field += other.weakref_field;
        self.dict_object += other.dict_object;
        self.attributes += other.attributes;
        self.items += other.items;
        self.padding += other.padding;
    }
}

pub(super) fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(super) fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
