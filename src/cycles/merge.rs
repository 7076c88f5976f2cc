//! Puts together the cyclic garbage of several traces.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use crate::cycles::garbage::{Alike, CyclicGarbage, Fingerprint, Lingered, LoopGroup};

/// The cyclic garbage of several traces, as if it were of one: groups with the same fingerprint together.
///
/// Of a group the first trace that has it tells the path, the site and the moments. Sites are numbered in each trace
/// anew, so the sites of one trace are taken to be others than those of the next, except the first.
pub fn merge(parts: Vec<CyclicGarbage>) -> CyclicGarbage {
    let mut whole = CyclicGarbage::default();
    let is_sorted = parts.len() == 1;
    let mut places = [HashMap::<Fingerprint, usize, FixedState>::default(), HashMap::default()];
    whole.lingered = Some(Lingered::default()).filter(|_| !parts.is_empty());
    for part in parts {
        if part.peak.is_more_than(&whole.peak) {
            (whole.peak, whole.peak_at) = (part.peak, part.peak_at);
        }
        whole.end.add(&part.end);
        whole.lingered = Lingered::both(whole.lingered, part.lingered);
        let known = [&mut whole.groups, &mut whole.suspected];
        for ((known, places), of_part) in known.into_iter().zip(&mut places).zip([part.groups, part.suspected]) {
            merge_groups(known, places, of_part);
        }
        for (class, (objects, bytes)) in part.lost {
            let lost = whole.lost.entry(class).or_default();
            *lost = (lost.0 + objects, lost.1.saturating_add(bytes));
        }
        for (class, more) in part.unreachable {
            whole.unreachable.entry(class).or_default().add(more);
        }
        whole.objects += part.objects;
        whole.gc_objects += part.gc_objects;
        whole.bytes = whole.bytes.saturating_add(part.bytes);
        whole.collected_objects += part.collected_objects;
        whole.unproved_paths += part.unproved_paths;
        whole.imbalances += part.imbalances;
    }
    if !is_sorted {
        sort(&mut whole.groups);
        sort(&mut whole.suspected);
    }
    whole
}

/// `places` are those of the known groups. No trace has two with one fingerprint.
fn merge_groups(
    known: &mut Vec<LoopGroup>,
    places: &mut HashMap<Fingerprint, usize, FixedState>,
    others: Vec<LoopGroup>,
) {
    if known.is_empty() {
        places.extend(others.iter().map(|group| group.fingerprint).zip(0..));
        *known = others;
        return;
    }
    for group in others {
        match places.entry(group.fingerprint) {
            Entry::Occupied(place) => merge_group(&mut known[*place.get()], group),
            Entry::Vacant(place) => {
                place.insert(known.len());
                known.push(group);
            }
        }
    }
}

fn merge_group(known: &mut LoopGroup, other: LoopGroup) {
    known.residuals.iter_mut().zip(other.residuals).for_each(|(known, other)| known.and(other));
    known.alike.iter_mut().zip(other.alike).for_each(|(known, other)| and_alike(known, other));
    known.origins.iter_mut().zip(other.origins).for_each(|(known, other)| known.and(other));
    known.hidden.extend(other.hidden);
    known.types.and(other.types);
    known.count += other.count;
    known.objects += other.objects;
    known.gc_objects += other.gc_objects;
    known.bytes = known.bytes.saturating_add(other.bytes);
    known.held_objects += other.held_objects;
    known.held_bytes = known.held_bytes.saturating_add(other.held_bytes);
    add_all(&mut known.member_types, other.member_types);
    add_all(&mut known.held_types, other.held_types);
    add_all(&mut known.member_bytes, other.member_bytes);
    add_all(&mut known.held_bytes_by_type, other.held_bytes_by_type);
    add_all(&mut known.marks, other.marks);
    let differs = !other.site.is_empty() && !known.site.is_empty() && other.site != known.site;
    known.other_sites += other.other_sites + u64::from(differs);
    known.made_before += other.made_before;
    known.alive_at_exit += other.alive_at_exit;
    if known.site.is_empty() {
        known.site = other.site;
    }
    known.collected += other.collected;
    known.orphaned = known.orphaned.or(other.orphaned);
    if other.peak.is_more_than(&known.peak) {
        (known.peak, known.peak_at) = (other.peak, other.peak_at);
    }
    known.end.add(&other.end);
    known.lingered = Lingered::both(known.lingered, other.lingered);
    known.member_files.extend(other.member_files);
    known.member_files.sort();
    known.member_files.dedup();
    known.lacks_maker |= other.lacks_maker;
}

/// What is known of some of the loops only is not known of all.
pub(super) fn and_alike(known: &mut Option<Alike>, other: Option<Alike>) {
    match (known.as_mut(), other) {
        (Some(known), Some(other)) => known.and(other),
        _ => *known = None,
    }
}

fn add_all(known: &mut BTreeMap<String, u64>, other: BTreeMap<String, u64>) {
    for (name, n) in other {
        let sum = known.entry(name).or_default();
        *sum = sum.saturating_add(n);
    }
}

/// Most bytes at one time first, then most in all, then by path text.
pub(super) fn sort(groups: &mut [LoopGroup]) {
    groups.sort_by_cached_key(|group| {
        let bytes = (group.peak.bytes, group.bytes.saturating_add(group.held_bytes));
        (std::cmp::Reverse(bytes), group.path.to_string(), group.fingerprint)
    });
}
