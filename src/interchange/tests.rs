//! Writes heaps in each format, and reads them again with the reader of that format where there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use super::last_graph::LastGraph;
use super::*;
use crate::cycles::Garbage;
use crate::heap::{Observer, replay};
use crate::trace::open_bytes;

/// What the last whole graph of a trace has, and all garbage.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    /// Objects and bytes by type.
    types: BTreeMap<String, (u64, u64)>,
    references: usize,
    garbage: BTreeSet<u64>,
}

impl Observer for Content {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        let garbage = Garbage::of(graph).nodes;
        self.garbage.extend(garbage.iter().map(|&node| address(heap, graph, node)));
        if matches!(kind, SnapshotKind::FullCheckpoint | SnapshotKind::End) {
            self.types.clear();
            for node in objects(graph) {
                let (own, owned) = heap.bytes(graph.object(node));
                let sum = self.types.entry(type_name(heap, graph, node).to_owned()).or_default();
                *sum = (sum.0 + 1, sum.1 + own + owned);
            }
            self.references = objects(graph).map(|node| graph.referents(node).len()).sum();
        }
    }
}

fn content(trace: Vec<u8>) -> Content {
    let mut content = Content::default();
    let replayed = replay(open_bytes(trace).unwrap().as_mut(), &mut content, &mut |_| {});
    assert!(replayed.error.is_none(), "{:?}", replayed.error);
    content
}

fn written(format: &str, trace: &[u8]) -> Vec<u8> {
    let mut last = LastGraph::new(named(format).unwrap(), tempfile::tempfile().unwrap());
    replay(open_bytes(trace.to_vec()).unwrap().as_mut(), &mut last, &mut |_| {});
    let mut bytes = Vec::new();
    last.finish().unwrap().expect("a graph").read_to_end(&mut bytes).unwrap();
    bytes
}

/// Two orders whose lines refer back to them, one of them held by a module.
const ORDERS: &str = "reftrace 1 runtime=test
type 1 module
type 2 app.Order size=48 flags=gc
type 3 list
alloc 10 1 72
root 10 module:app
alloc 20 2 96
alloc 30 3 80
alloc 40 2 96
alloc 50 3 80
ref 10 20 ['last']
ref 20 30 .items
ref 30 20 [0]
incref 40
ref 40 50 .items
ref 50 40 [0]
decref 40
end
";

#[test]
fn a_log_of_firefox_has_the_same_heap_and_the_same_garbage() {
    for trace in [ORDERS.as_bytes().to_vec(), fixture("text/orders.reftrace")] {
        let (before, after) = (content(trace.clone()), content(written("cc-edges", &trace)));
        let objects = |of: &Content| of.types.iter().map(|(name, of)| (name.clone(), of.0)).collect::<BTreeMap<_, _>>();
        assert_eq!(objects(&before), objects(&after));
        assert_eq!(before.references, after.references);
        assert!(after.garbage.is_subset(&before.garbage));
    }
    assert_eq!(content(written("cc-edges", ORDERS.as_bytes())).garbage, [0x40, 0x50].into());
}

#[test]
fn a_graph_of_refcycle_has_the_same_garbage() {
    insta::assert_snapshot!(String::from_utf8(written("refcycle", ORDERS.as_bytes())).unwrap(), @r#"{"vertices": [{"id":64,"annotation":"object\\napp.Order"}, {"id":80,"annotation":"list[1]"}], "edges": [{"id":0,"annotation":"items","head":80,"tail":64}, {"id":1,"annotation":"item[0]","head":64,"tail":80}]}"#);
    assert_eq!(content(written("refcycle", ORDERS.as_bytes())).garbage, [0x40, 0x50].into());
}

#[test]
fn a_heap_snapshot_of_v8_has_the_same_objects_and_references() {
    for trace in [ORDERS.as_bytes().to_vec(), fixture("text/orders.reftrace"), fixture("meliae/shop.json")] {
        let (before, mut after) = (content(trace.clone()), content(written("v8", &trace)));
        assert_eq!(after.types.remove("(synthetic)"), Some((3, 0)));
        let unknown = before.types.get("").copied();
        assert_eq!(after.types, before.types, "{unknown:?}");
        assert!(after.references > before.references + 2);
        assert!(after.garbage.is_empty(), "each node is reached");
    }
}

#[test]
fn graphml_names_each_object_and_reference() {
    insta::assert_snapshot!(String::from_utf8(written("graphml", ORDERS.as_bytes())).unwrap().lines().skip(8).collect::<Vec<_>>().join("\n"), @r#"
        <node id="10"><data key="type">module</data><data key="bytes">72</data><data key="root">module:app</data></node>
        <node id="20"><data key="type">app.Order</data><data key="bytes">96</data><data key="count">2</data></node>
        <node id="30"><data key="type">list</data><data key="bytes">80</data><data key="count">1</data></node>
        <node id="40"><data key="type">app.Order</data><data key="bytes">96</data><data key="count">1</data></node>
        <node id="50"><data key="type">list</data><data key="bytes">80</data><data key="count">1</data></node>
        <edge source="10" target="20"><data key="slot">['last']</data></edge>
        <edge source="20" target="30"><data key="slot">.items</data></edge>
        <edge source="30" target="20"><data key="slot">[0]</data></edge>
        <edge source="40" target="50"><data key="slot">.items</data></edge>
        <edge source="50" target="40"><data key="slot">[0]</data></edge>
      </graph>
    </graphml>
    "#);
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}
