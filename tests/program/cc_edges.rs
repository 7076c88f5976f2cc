//! The replay's verdict on a log of Firefox's cycle collector is the one that the log itself has, and that of a naive
//! oracle on logs of any graph.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::support::root;
use proptest::prelude::*;
use refloop::cycles::Garbage;
use refloop::heap::{Heap, HeapGraph, ObjectIndex, Observer, SnapshotKind, replay};
use refloop::trace::open_bytes;

/// Addresses that the replay finds to be garbage, and that the log says are.
#[derive(Default)]
struct Verdicts {
    ours: BTreeSet<u64>,
    theirs: BTreeSet<u64>,
}

impl Observer for Verdicts {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, _: SnapshotKind) {
        let nodes = Garbage::of(graph).nodes;
        self.ours.extend(nodes.iter().map(|&node| heap.object(graph.object(node)).address));
    }

    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        self.theirs.insert(heap.object(object).address);
    }
}

fn verdicts(log: Vec<u8>) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let mut events = open_bytes(log).unwrap();
    let replayed = replay(events.as_mut(), &mut verdicts, &mut |_| {});
    assert!(replayed.error.is_none(), "{:?}", replayed.error);
    assert_eq!(replayed.heap.anomalies().kinds().count(), 0);
    verdicts
}

#[test]
fn the_replay_finds_what_the_log_itself_calls_garbage() {
    for name in ["window.log", "windows.log"] {
        let found = verdicts(std::fs::read(root().join("fixtures/cc-edges").join(name)).unwrap());
        assert!(!found.theirs.is_empty(), "{name}");
        assert_eq!(found.ours, found.theirs, "{name}");
    }
}

/// What keeps an object from outside of the log.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outside {
    Nothing,
    Count,
    Marked,
    Incremental,
}

/// The log of a graph, and what nothing from outside reaches.
fn log_of(objects: &[(bool, Outside)], edges: &[(usize, usize)]) -> (String, BTreeSet<u64>) {
    let address = |object: usize| 0x7f00 + 16 * object as u64;
    let mut log = String::from("# a log of any graph\n");
    for (object, &(is_counted, outside)) in objects.iter().enumerate() {
        let known = edges.iter().filter(|edge| edge.1 == object).count();
        let kind = match (is_counted, outside) {
            (true, Outside::Count | Outside::Marked) => format!("rc={}", known + 1),
            (true, _) => format!("rc={known}"),
            (false, Outside::Count | Outside::Marked) => "gc.marked".to_owned(),
            (false, _) => "gc".to_owned(),
        };
        writeln!(log, "{:#x} [{kind}] Object", address(object)).unwrap();
        for edge in edges.iter().filter(|edge| edge.0 == object) {
            writeln!(log, "> {:#x} slot", address(edge.1)).unwrap();
        }
        if outside == Outside::Incremental {
            writeln!(log, "IncrementalRoot {:#x}", address(object)).unwrap();
        }
    }
    let mut alive: Vec<bool> = objects.iter().map(|&(_, outside)| outside != Outside::Nothing).collect();
    for _ in objects {
        for &(from, to) in edges {
            alive[to] |= alive[from];
        }
    }
    log.push_str("==========\n");
    let garbage: BTreeSet<u64> = (0..objects.len()).filter(|&object| !alive[object]).map(address).collect();
    for address in &garbage {
        writeln!(log, "{address:#x} [garbage]").unwrap();
    }
    (log, garbage)
}

proptest! {
    #[test]
    fn the_verdict_on_any_graph_is_the_naive_one(
        objects in prop::collection::vec((any::<bool>(), 0..8u8), 1..12),
        edges in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..24),
        each_has_a_referrer: bool,
    ) {
        let outside = |number| match number {
            0 => Outside::Count,
            1 => Outside::Marked,
            2 => Outside::Incremental,
            _ => Outside::Nothing,
        };
        let objects: Vec<_> = objects.iter().map(|&(is_counted, number)| (is_counted, outside(number))).collect();
        let mut edges: Vec<_> =
            edges.iter().map(|(from, to)| (from.index(objects.len()), to.index(objects.len()))).collect();
        if each_has_a_referrer {
            edges.extend((0..objects.len()).map(|object| (object ^ 1, object)).filter(|edge| edge.0 < objects.len()));
            edges.extend([(objects.len() - 1, objects.len() - 1)]);
        }
        let (log, garbage) = log_of(&objects, &edges);
        let found = verdicts(log.into_bytes());
        prop_assert_eq!(&found.theirs, &garbage);
        prop_assert!(found.ours.is_subset(&garbage));
        // An object that nothing refers to is taken for one that was just made.
        if (0..objects.len()).all(|object| edges.iter().any(|edge| edge.1 == object)) {
            prop_assert_eq!(&found.ours, &garbage);
        }
    }
}
