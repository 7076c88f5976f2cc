//! What a log becomes, and whether the replay's verdict is the one that the log itself has.

use std::collections::BTreeSet;

use super::super::tests::{converted, plain};
use crate::cycles::Garbage;
use crate::heap::{Heap, HeapGraph, Moment, ObjectIndex, Watch, replay};
use crate::trace::open_bytes;

/// Addresses that the replay finds to be garbage, and that the log says are.
#[derive(Default)]
struct Verdicts {
    ours: BTreeSet<u64>,
    theirs: BTreeSet<u64>,
}

impl Watch for Verdicts {
    fn judge(&mut self, heap: &mut Heap, graph: &HeapGraph, _: Moment) {
        let nodes = Garbage::of(graph).nodes;
        self.ours.extend(nodes.iter().map(|&node| heap.object(graph.object(node)).address));
    }

    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        self.theirs.insert(heap.object(object).address);
    }
}

#[test]
fn the_replay_finds_what_the_log_itself_calls_garbage() {
    for name in ["window.log", "windows.log"] {
        let path = format!("{}/fixtures/cc-edges/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut verdicts = Verdicts::default();
        let mut events = open_bytes(std::fs::read(path).unwrap()).unwrap();
        let replayed = replay(events.as_mut(), &mut verdicts, &mut |_| {});
        assert!(replayed.error.is_none() && !verdicts.theirs.is_empty(), "{name}");
        assert_eq!(replayed.heap.anomalies().kinds().count(), 0, "{name}");
        assert_eq!(verdicts.ours, verdicts.theirs, "{name}");
    }
}

#[test]
fn a_log_becomes_a_walk_of_the_heap_and_its_checkpoint() {
    let log = "\
0x10 [rc=2] nsDocument normal (xhtml) https://shop.example/
> 0x20 mChild
0x20 [gc] JS Object (Function - f)
> 0x10 doc
0x30 [gc.marked] JS Object (Window)
==========
0x10 [known=1]
";
    let text = converted("text", plain(), log.as_bytes()).unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap(), @"
    reftrace 1 runtime=firefox pointer=8 references=checkpoints frees=recorded format=cc-edges
    walk full
    alloc 10 0 0
    type 1 \"nsDocument normal\"
    retype 10 1
    count 10 2
    alloc 20 0 0
    ref 10 20 mChild
    type 2 \"JS Object\"
    retype 20 2
    ref 20 10 doc
    alloc 30 0 0
    retype 30 2
    root 30 gc.marked
    count 20 1
    count 30 0
    checkpoint full
    end
    ");
}
