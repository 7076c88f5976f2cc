//! Computes what a change would save for the instances of a class, in bytes of blocks.

use std::collections::BTreeSet;

use super::census::{Census, Kind};
use super::class::{Class, Classes};
use super::cpython::{Layout, SharedKeys};
use super::layout::{Blocks, Build, InstanceDict, SharedNames, block};
use super::observed::Observed;
use super::plan::{Means, Plan};
use crate::trace::DictState;

/// Bytes of the average instance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Asked from the allocator: what `tracemalloc` shows.
    pub requested: f64,
    /// Really used, padding included.
    pub used: f64,
}

/// What a change does to the instances of one class. List items and the like are left out: they stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Savings {
    pub now: Cost,
    pub after: Cost,
    /// Of the instances at the last checkpoint; negative where the change makes them bigger.
    pub saved: i64,
    /// Of as many instances as there were at once at any time.
    pub saved_at_peak: i64,
    /// What the changed class itself costs more, once; negative where less.
    pub class_cost: i64,
}

/// The recorded CPython and the one that is asked about, and the class on both.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    pub recorded: &'a Layout,
    pub target: &'a Layout,
    pub build: Build,
    pub target_build: Build,
    /// What the class's shared key table has on the target.
    pub shared: SharedNames,
}

impl<'a> Comparison<'a> {
    pub fn of(
        classes: &Classes,
        class: &Class,
        observed: &Observed,
        build: Build,
        recorded: &'a Layout,
        target: &'a Layout,
    ) -> (Comparison<'a>, bool) {
        let (target_build, known) = classes.build_elsewhere(class, &build, recorded, target);
        let assigned = class.compiled().count() as u64;
        let can_seed = matches!(target.shared_keys, SharedKeys::Fixed { seeded: true, .. });
        let all_assigned = if class.says("static") {
            observed.names.iter().all(|(name, _)| class.compiled().any(|other| other == name))
        } else {
            !class.is_dataclass()
        };
        // A field that no instance has is not set by an `__init__` that a decorator wrote: a method assigns it.
        let unseen = class.assigned().filter(|name| !observed.names.iter().any(|(other, _)| other == name)).count();
        let shared = SharedNames {
            count: observed.names.len() as u64 + if can_seed { unseen as u64 } else { 0 },
            seeded: can_seed && all_assigned && (assigned > 0 || !class.says("static")),
            first_outside: first_outside(class, observed, target),
        };
        (Comparison { recorded, target, build, target_build, shared }, known)
    }

    /// Whether both are the same layout, so that the recorded blocks are the answer and not an estimate.
    pub fn is_recorded(&self) -> bool {
        std::ptr::eq(self.recorded, self.target) || self.recorded == self.target
    }

    /// The blocks of an instance of this kind on the CPython that is asked about.
    fn blocks(&self, kind: &Kind) -> Blocks {
        if self.is_recorded() {
            return Blocks { object: kind.object, values: 0, dict: kind.dict, keys: kind.attributes };
        }
        let materialised = self.recorded.shows_materialised
            && kind.state == DictState::Split
            && self.recorded.begins_with_values(&self.build);
        let mut blocks = self.target.settled(&self.target_build, u64::from(kind.n_names), &self.shared, materialised);
        if self.build.item_size != 0 {
            let recorded = self.recorded.object_bytes(&self.build, 0, 0);
            let target = self.target.object_bytes(&self.target_build, 0, 0);
            blocks.object = (kind.object + target).saturating_sub(recorded);
        }
        blocks
    }

    /// The own block of an instance of this kind once it is built as `slotted` (given for the recorded CPython).
    fn slotted_object(&self, kind: &Kind, slotted: &Build) -> u64 {
        let slotted = Build { body: self.target_build.body, ..*slotted };
        let after = self.target.object_bytes(&slotted, 0, 0);
        if self.build.item_size == 0 {
            return after;
        }
        let recorded = self.recorded.object_bytes(&self.build, 0, 0);
        (kind.object + after).saturating_sub(recorded)
    }

    /// What instances would cost if only this class had slots and its unslotted ancestors stayed as they are.
    pub fn cost_alone(&self, plan: &Plan, assigned: u64) -> u64 {
        let build = Build { slots: plan.slotted.slots, ..self.target_build };
        self.target.settled(&build, 0, &SharedNames { count: assigned, ..self.shared }, false).used()
    }

    /// What instances would cost with `__dict__` among the slots, for the `left` names that stay in it.
    pub fn cost_with_dict(&self, plan: &Plan, left: u64) -> u64 {
        let slots = plan.slotted.slots.saturating_sub(left);
        let build = Build { slots, dict: true, ..self.target_build };
        self.target.settled(&build, left, &self.shared, true).used()
    }
}

impl Savings {
    pub fn of(comparison: &Comparison, observed: &Observed, peak: u64, plan: &Plan) -> Savings {
        let (now, after) = costs(comparison, &observed.most, plan);
        let (now_used, after_used) = totals(comparison, &observed.now, plan);
        let each = now.used - after.used;
        Savings {
            now,
            after,
            saved: now_used as i64 - after_used as i64,
            saved_at_peak: (each * peak as f64).round() as i64,
            class_cost: class_cost(comparison.target, plan),
        }
    }

    /// Bytes saved for the average instance.
    pub fn each(&self) -> f64 {
        self.now.used - self.after.used
    }
}

/// How many attributes an instance sets before the first for which the class's table has no room, see
/// [`SharedNames::first_outside`]. The names are taken in the order of first sight.
fn first_outside(class: &Class, observed: &Observed, target: &Layout) -> Option<u64> {
    let SharedKeys::Fixed { places, seeded: true } = target.shared_keys else {
        return None;
    };
    let known: BTreeSet<&str> = class.compiled().collect();
    let last = known.iter().nth(places as usize - 1)?;
    let is_outside = |(name, _): &(String, u64)| !known.contains(name.as_str()) || name.as_str() > *last;
    observed.names.iter().position(is_outside).map(|before| before as u64)
}

fn costs(comparison: &Comparison, census: &Census, plan: &Plan) -> (Cost, Cost) {
    let (mut now, mut after) = (Cost::default(), Cost::default());
    for (kind, &count) in &census.kinds {
        let blocks = comparison.blocks(kind);
        let slotted = comparison.slotted_object(kind, &plan.slotted);
        now.requested += blocks.requested() as f64 * count as f64;
        now.used += blocks.used() as f64 * count as f64;
        after.requested += slotted as f64 * count as f64;
        after.used += block(slotted) as f64 * count as f64;
    }
    let kept = census.kept().max(1) as f64;
    let each = |cost: Cost| Cost { requested: cost.requested / kept, used: cost.used / kept };
    (each(now), each(after))
}

/// Used bytes of all instances, now and after. Kinds that were not kept count like the average of the others.
fn totals(comparison: &Comparison, census: &Census, plan: &Plan) -> (u64, u64) {
    let (now, after) = costs(comparison, census, plan);
    let all = census.instances as f64;
    ((now.used * all).round() as u64, (after.used * all).round() as u64)
}

fn class_cost(layout: &Layout, plan: &Plan) -> i64 {
    let costs = layout.class_cost;
    plan.changes()
        .map(|change| {
            let ghost =
                if change.means == Means::Dataclass && layout.dataclass.keeps_original { costs.plain } else { 0 };
            (costs.slotted + ghost + costs.each_slot * change.n_slots) as i64 - costs.plain as i64
        })
        .sum()
}

/// The state of an instance dict as the layout model names it. `class_capacity` is the capacity of the class's table,
/// for the states whose own capacity is that of the dict's table.
pub fn instance_dict(state: DictState, capacity: u32) -> InstanceDict {
    let capacity = u64::from(capacity);
    match state {
        DictState::None => InstanceDict::None,
        DictState::Inline => InstanceDict::Values { capacity },
        DictState::Split => InstanceDict::Split { capacity },
        DictState::Combined => InstanceDict::Combined { places: super::layout::places_for(capacity), text_keys: true },
        DictState::Detached => InstanceDict::Detached { capacity },
    }
}
