//! What a collection frees is counted once for each life: objects whose memory comes back without a word to the
//! allocator, and objects of older generations that die with the garbage of a young one.

use std::fs;

use crate::each::{record, report};
use crate::support::pythons::Python;
use serde_json::Value;

on_each_python! {
    an_object_that_comes_back_from_a_free_list_is_another_object,
    instance_dicts_from_the_free_list_are_in_as_many_loops_as_there_were,
    what_a_finalizer_keeps_is_not_dead,
    what_only_young_garbage_held_dies_with_it,
}

/// Loops one after the other: each through something that rests in a free list of its own when it is dead.
const REUSED: &str = "
import gc
gc.disable()

def through_a_slice():
    items = []
    items.append(slice(items))

def generator():
    me = yield
    yield me

def through_a_frame():
    it = generator()
    next(it)
    it.send(it)

def through_a_method():
    owner = Owner()
    owner.bound = owner.call

class Owner:
    def call(self):
        pass

for make in (through_a_slice, through_a_frame, through_a_method):
    for _ in range(100):
        make()
        gc.collect()
";

const DICTS: &str = "
class Node:
    pass

def make():
    a, b = Node(), Node()
    a.b, b.a = b, a

for _ in range(1000):
    make()
";

const RESURRECTED: &str = "
import gc
gc.disable()
kept = []

class Phoenix:
    def __init__(self):
        self.name = 'phoenix %d' % len(kept)
        self.slice = slice(self)
    def __del__(self):
        kept.append(self)

for _ in range(10):
    Phoenix()
    gc.collect()
kept.append(gc.get_count())
";

/// `held` is in the oldest generation when the loop that holds it is collected among the youngest.
const OLDER: &str = "
import gc
gc.disable()

class Node:
    __slots__ = 'me', 'held'

class Held:
    __slots__ = 'more', 'back'

shared = Held()
for _ in range(50):
    held = Held()
    held.more = [Held(), (1.5 + _, shared)]
    ring = Held()
    ring.back = ring
    held.back = ring
    gc.collect()
    node = Node()
    node.me = node
    node.held = held
    del node, held, ring
    gc.collect(0)
";

/// Records a program, and gives what `analyze` says of it.
fn analyze(python: &Python, program: &str, options: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (script, trace) = (folder.path().join("app.py"), folder.path().join("app.reftrace"));
    fs::write(&script, program).unwrap();
    record(&python.path, options, &trace, &script, &[]);
    report("analyze", &trace)
}

/// The loops whose path holds this text: path, how many, members, held objects, how many were collected.
fn loops(report: &Value, of: &str) -> Vec<(String, [u64; 4])> {
    let loops = report["loops"].as_array().unwrap().iter();
    let numbers = |of: &Value| ["count", "objects", "held_objects", "collected"].map(|key| of[key].as_u64().unwrap());
    loops
        .map(|of| (of["path"].as_str().unwrap().to_owned(), numbers(of)))
        .filter(|(path, _)| path.contains(of))
        .collect()
}

fn an_object_that_comes_back_from_a_free_list_is_another_object(python: &Python) {
    for events in ["survivors", "full"] {
        let report = analyze(python, REUSED, &["--events", events]);
        for kind in ["slice", "generator", "Owner"] {
            let found = loops(&report, kind);
            let [(_, [count, objects, held, collected])] = found[..] else { panic!("{python} {kind}: {found:?}") };
            assert_eq!((count, held, collected), (100, 0, 100), "{python} {events}: {found:?}");
            assert_eq!(objects % 100, 0, "{python} {events}: {found:?}");
        }
        let all = &report["summary"]["cyclic_garbage"];
        assert_eq!(all["collected_objects"], all["objects"], "{python} {events}: {all}");
        assert_eq!(report["summary"]["anomalies"], 0, "{python} {events}");
    }
}

fn instance_dicts_from_the_free_list_are_in_as_many_loops_as_there_were(python: &Python) {
    let report = analyze(python, DICTS, &["--no-bypass"]);
    let dicts = u64::from(python.minor < 11) * 2000;
    let found = loops(&report, "Node");
    let [(_, [count, objects, ..])] = found[..] else { panic!("{python}: {found:?}") };
    assert_eq!((count, objects), (1000, 2000 + dicts), "{python}: {found:?}");
}

fn what_a_finalizer_keeps_is_not_dead(python: &Python) {
    let report = analyze(python, RESURRECTED, &[]);
    let found = loops(&report, "Phoenix");
    let [(_, [count, .., collected])] = found[..] else { panic!("{python}: {found:?}") };
    assert_eq!((count, collected), (10, 0), "{python}: {found:?}");
    assert_eq!(report["summary"]["cyclic_garbage"]["collected_objects"], 0, "{python}");
    assert_eq!(report["summary"]["anomalies"], 0, "{python}");
}

fn what_only_young_garbage_held_dies_with_it(python: &Python) {
    let report = analyze(python, OLDER, &[]);
    let found = loops(&report, "Node.me");
    // The first `Held`, its list, the second, the tuple, the float. Not what others hold, and not an older loop.
    let [(_, [count, objects, held, collected])] = found[..] else { panic!("{python}: {found:?}") };
    assert_eq!((count, objects, held, collected), (50, 50, 250, 50), "{python}: {found:?}");
    let older = loops(&report, "Held.back");
    let [(_, [count, objects, held, _])] = older[..] else { panic!("{python}: {older:?}") };
    assert_eq!((count, objects, held), (50, 50, 0), "{python}: {older:?}");
}
