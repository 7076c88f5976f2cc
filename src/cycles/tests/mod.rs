//! Plays traces in the text form, and makes small graphs, for tests.

mod over_time;
mod properties;
mod scenarios;

use std::fmt::Write;

use proptest::prelude::*;

use crate::cycles::path::loop_graph::{LoopGraph, Name};
use crate::cycles::{CyclicGarbage, Tracker};
use crate::heap::{HeapGraph, Node, NodeState, testing};
use crate::trace::Slot;

/// Plays a script. Without a header of its own it has every reference and every free in it.
pub(super) fn play(script: &str) -> CyclicGarbage {
    let mut tracker = Tracker::new();
    let played = testing::play(script, &mut tracker);
    tracker.finish(&played.heap)
}

pub(super) fn check(script: &str) -> String {
    tell(&play(script))
}

pub(super) fn tell(found: &CyclicGarbage) -> String {
    let mut text = String::new();
    for group in &found.groups {
        let loops = if group.count == 1 { "loop" } else { "loops" };
        write!(text, "{} {loops}, {} bytes: {}", group.count, group.bytes, group.path).unwrap();
        if group.held_objects > 0 {
            write!(text, ", holding {} objects, {} bytes", group.held_objects, group.held_bytes).unwrap();
        }
        if group.collected > 0 {
            write!(text, ", {} collected", group.collected).unwrap();
        }
        text.push('\n');
    }
    for (class, (objects, bytes)) in &found.lost {
        writeln!(text, "lost: {class}, {objects} objects, {bytes} bytes").unwrap();
    }
    if text.is_empty() { "nothing".to_string() } else { text }
}

/// A graph of tracked objects with these counts and references.
pub(crate) fn graph_of(counts: &[u32], edges: &[(u32, u32)]) -> HeapGraph {
    let (rows, targets) = rows_of(counts.len(), edges);
    HeapGraph::from_rows(
        rows,
        targets.iter().copied().map(Node).collect(),
        vec![Slot::UNNAMED; edges.len()],
        Vec::new(),
        counts.to_vec(),
        vec![NodeState { tracked: true, ..NodeState::default() }; counts.len()],
    )
}

/// Compressed rows of `n` nodes.
pub(super) fn rows_of(n: usize, edges: &[(u32, u32)]) -> (Vec<u32>, Vec<u32>) {
    let mut edges = edges.to_vec();
    edges.sort_by_key(|&(from, _)| from);
    let mut rows = vec![0; n + 1];
    for &(from, _) in &edges {
        rows[from as usize + 1] += 1;
    }
    for i in 0..n {
        rows[i + 1] += rows[i];
    }
    (rows, edges.iter().map(|&(_, to)| to).collect())
}

/// A loop of members as label and type, and references as from, to, slot.
pub(super) fn loop_graph(members: &[(&str, &str)], references: &[(u32, u32, &str)]) -> LoopGraph {
    let names: Vec<Name> = members
        .iter()
        .map(|&(label, type_name)| Name { label: label.to_string(), type_name: type_name.to_string() })
        .collect();
    let slots: Vec<String> = references.iter().map(|&(.., slot)| slot.to_string()).collect();
    let mut numbered: Vec<(u32, u32, u32)> =
        references.iter().enumerate().map(|(i, &(from, to, _))| (from, to, i as u32)).collect();
    numbered.sort();
    LoopGraph::of(names, (0..members.len() as u32).collect(), &slots, &numbered)
}

/// A number of nodes, references between them, and for each node how many references from outside it has.
pub(crate) fn random_graphs(nodes: usize, edges: usize) -> impl Strategy<Value = (usize, Vec<(u32, u32)>, Vec<u32>)> {
    (1..=nodes).prop_flat_map(move |n| {
        let end = n as u32;
        let extra = prop_oneof![3 => Just(0u32), 1 => 1..3u32];
        (Just(n), prop::collection::vec((0..end, 0..end), 0..=edges), prop::collection::vec(extra, n))
    })
}
