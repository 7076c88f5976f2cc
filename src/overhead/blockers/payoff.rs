//! Checks the numbers: too few instances, nothing saved, less saved than the class costs.

use super::{Candidate, Objection, counted, never};
use crate::overhead::cpython::SharedKeys;
use crate::trace::DictState;

/// Fewer instances save next to nothing, whatever one saves.
const HANDFUL: u64 = 30;

/// Too few instances to save anything, or (3.11+) to tell what one more would cost.
pub(super) fn few_instances(candidate: &Candidate) -> Option<Objection> {
    let most = candidate.observed.most.instances;
    // While a fixed table still has places to take away, the size of one instance says little of the next.
    let settled = match candidate.comparison.recorded.shared_keys {
        SharedKeys::Fixed { places, .. } => Some(u64::from(places)),
        SharedKeys::Ordered => None,
    };
    if most >= settled.unwrap_or(HANDFUL) {
        return None;
    }
    let seen = format!("only {} {} seen", counted(most, "instance"), if most == 1 { "was" } else { "were" });
    never(
        if let Some(settled) = settled {
            format!(
                "{seen}: the first {settled} of a class differ in size, so they say little of the next ones, and a handful saves next to nothing"
            )
        } else {
            format!("{seen}: a handful saves next to nothing")
        },
        "leave it, or record a run with more of them",
    )
}

/// Slots would not make instances smaller.
pub(super) fn no_gain(candidate: &Candidate) -> Option<Objection> {
    let each = candidate.savings.each();
    if each > 0.0 {
        return None;
    }
    let sentence = if each == 0.0 {
        "slots would make no difference to the size of instances".to_owned()
    } else {
        format!(
            "slots would make instances bigger, by {} each: many names are set on few of them",
            counted(each.abs().round() as u64, "byte")
        )
    };
    never(sentence, "leave it as it is")
}

/// The descriptors of a slotted class cost more than all its instances save.
pub(super) fn class_cost(candidate: &Candidate) -> Option<Objection> {
    let (saved, cost) = (candidate.savings.saved_at_peak.max(candidate.savings.saved), candidate.savings.class_cost);
    if saved <= 0 || saved > cost {
        return None;
    }
    never(
        format!(
            "its {} would save {}, and the changed class costs {} more",
            counted(candidate.peak, "instance"),
            counted(saved.unsigned_abs(), "byte"),
            counted(cost.unsigned_abs(), "byte")
        ),
        "leave it as it is",
    )
}

/// Values arrays with more room than the names need.
pub(super) fn bloated_table(candidate: &Candidate) -> Option<String> {
    let names = candidate.observed.names.len() as u64;
    let comparison = candidate.comparison;
    let SharedKeys::Fixed { places, .. } = comparison.recorded.shared_keys else {
        return None;
    };
    let most = candidate.observed.most.instances;
    let bloated: u64 = candidate
        .observed
        .most
        .kinds
        .iter()
        .filter(|(kind, _)| kind.state == DictState::Inline && u64::from(kind.capacity) > names + 1)
        .map(|(_, count)| count)
        .sum();
    (most >= u64::from(places) && 2 * bloated > most).then(|| {
        format!("{bloated} instances have room for more attributes than the {names} that {} seen: names that early instances had, or that `dir()` or a copy of `__dict__` added, cost 8 bytes each", if names == 1 { "was" } else { "were" })
    })
}

/// Slots that no instance has set.
pub(super) fn never_set(candidate: &Candidate) -> Option<String> {
    let seen: Vec<&str> = candidate.seen_names().collect();
    let is_cached = |name: &str| candidate.class.words("cached").any(|word| name.strip_prefix('_') == Some(word));
    let unset = candidate
        .own_names()
        .filter(|name| !seen.contains(name) && !is_cached(name))
        .filter(|name| !candidate.class.own_slots().any(|slot| slot == *name));
    let names = super::listed(unset)?;
    let costs = if names.many { "as a slot each costs 8 bytes" } else { "as a slot it costs 8 bytes" };
    Some(format!("{} never set in this run; {costs} an instance", names.with("was", "were")))
}
