//! Chooses, of the places where the address of an object was found, those that may be references which close a loop.
//!
//! An address in memory says nothing of who owns the object: it may be borrowed, or left there long since. So a place counts
//! only where the object itself is or reaches the holder, by references that the trace has, and not by way of a module or a class;
//! and an object has at most as many as its count has references that nothing else explains, the nearest first.

use std::collections::{BTreeMap, BTreeSet};

use crate::heap::{External, Heap, HeapGraph, HiddenReference, Node};
use crate::trace::{Evidence, TypeFlags};

/// From one object the holders of its address are looked for among so many.
const REACHED: usize = 20_000;

/// The graph with what may be references; `None` where nothing may be one.
pub fn with_suspected(heap: &Heap, graph: &HeapGraph) -> Option<HeapGraph> {
    let mut places: BTreeMap<Node, Vec<HiddenReference>> = BTreeMap::new();
    for &place in graph.hidden().iter().filter(|place| place.evidence == Evidence::Address) {
        places.entry(place.to).or_default().push(place);
    }
    if places.is_empty() {
        return None;
    }
    let external = External::of(graph);
    let mut chosen = Vec::new();
    for (object, mut places) in places {
        let reached = holders_reached(heap, graph, object, &places);
        places.retain(|place| place.from == object || reached.contains(&place.from));
        places.sort_by_cached_key(|place| (depth(heap, place), place.from));
        places.truncate(external.references(graph, object) as usize);
        chosen.extend(places);
    }
    (!chosen.is_empty()).then(|| graph.with_references(chosen)).flatten()
}

/// How many pointers lead from the holder to the place.
fn depth(heap: &Heap, place: &HiddenReference) -> usize {
    place.slot.as_text().map_or(0, |text| heap.text(text).matches('+').count())
}

fn holders_reached(heap: &Heap, graph: &HeapGraph, object: Node, places: &[HiddenReference]) -> BTreeSet<Node> {
    let wanted: BTreeSet<Node> = places.iter().map(|place| place.from).collect();
    let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::from([object]));
    let mut waiting = vec![object];
    while let Some(node) = waiting.pop() {
        if node != object && is_shared(heap, graph, node) {
            continue;
        }
        for &referent in graph.referents(node) {
            if seen.len() < REACHED && seen.insert(referent) {
                waiting.push(referent);
                if wanted.contains(&referent) {
                    found.insert(referent);
                }
            }
        }
        if found.len() == wanted.len() {
            break;
        }
    }
    found
}

/// A module or a class leads to all that is beside it.
fn is_shared(heap: &Heap, graph: &HeapGraph, node: Node) -> bool {
    let class = heap.class(graph.object(node));
    heap.types().get(class).is_some_and(|def| def.name == "module" || def.flags.has(TypeFlags::CLASS))
}
