//! Says what must be known to read the tables of types and of slots, one sentence each.

use crate::heap::printable;
use crate::human::{bytes, counted};
use crate::overhead::{Coverage, Unlisted};
use crate::run::{Run, Slots};

/// What the types come to, and what they do not cover.
pub(super) fn of_types(run: &Run) -> Vec<String> {
    let mut notes = Vec::from_iter(total(run));
    for path in &run.types.without_sizes_in {
        notes.push(format!("{} has no sizes, so what its types cost is not known", printable(path)));
    }
    notes.extend(coverage(&run.types.coverage));
    notes.extend(not_known_in(&run.types.not_known_in));
    notes
}

/// Why there is no advice on slots, what it rests on, and what was left out.
pub(super) fn of_slots(slots: &Slots) -> Vec<String> {
    let mut notes: Vec<String> = slots.impossible.iter().map(|why| format!("no advice on slots: {why}")).collect();
    notes.extend(slots.estimates.iter().cloned());
    let left_out = |of: &Unlisted, what: &str| {
        let classes = counted(of.classes.len() as u64, "class", "classes");
        format!("{classes} {what} left out: {} together", bytes(of.bytes))
    };
    if !slots.hidden.classes.is_empty() {
        notes.push(left_out(&slots.hidden, &format!("that would save less than {} each", bytes(slots.min_saving))));
    }
    if !slots.library.classes.is_empty() {
        notes.push(left_out(&slots.library, "of the standard library and of packages"));
    }
    notes
}

/// What the table of types does not cover; nothing where it covers the heap.
fn coverage(coverage: &Coverage) -> Option<String> {
    match (coverage.missing_bytes(), coverage.unknown_bytes) {
        (0, 0) => None,
        (0, unknown) => Some(format!("{unknown} bytes of {} objects have no known type", coverage.unknown_objects)),
        (missing, unknown) => Some(format!(
            "{missing} of {} bytes are in no row: the last checkpoint did not reach those objects; {unknown} bytes have no known type",
            coverage.heap_bytes
        )),
    }
}

/// What all types come to, and what was alive at the end beside them; nothing where there are none.
fn total(run: &Run) -> Option<String> {
    let (live_objects, live_bytes) = run.live.unwrap_or_default();
    let alive = || run.types.rows.iter().filter(|row| row.live > 0);
    let objects: u64 = alive().map(|row| row.live).sum();
    let of_bytes: u64 = alive().map(|row| row.bytes).sum();
    let of_types = counted(alive().count() as u64, "type", "types");
    let of_objects = |n| counted(n, "object", "objects");
    let rest = match (live_objects.checked_sub(objects), live_bytes.checked_sub(of_bytes)) {
        (Some(0), _) => String::new(),
        (Some(1), Some(0)) => "; 1 object more, the dict of an instance, is in the row of the instance".to_string(),
        (Some(more), Some(0)) => {
            format!("; {} more, the dicts of instances, are in the rows of the instances", of_objects(more))
        }
        (Some(more), Some(more_bytes)) => {
            format!(", at the last full checkpoint; {} more at the end, {}", of_objects(more), bytes(more_bytes))
        }
        _ => ", at the last full checkpoint".to_string(),
    };
    (objects > 0).then(|| format!("in all {} of {of_types}, {}{rest}", of_objects(objects), bytes(of_bytes)))
}

/// The traces of whose types nothing is known.
fn not_known_in(paths: &[String]) -> Option<String> {
    let (first, others) = paths.split_first()?;
    let (first, why) = (printable(first), "without a full checkpoint nothing is known of the types");
    Some(match others.len() {
        0 => format!("{why} of {first}"),
        1 => format!("{why} of {first} and 1 more trace"),
        n => format!("{why} of {first} and {n} more traces"),
    })
}
