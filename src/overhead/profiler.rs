//! Observes at checkpoints what the instances of each type look like.
//!
//! Costs one pass over objects and references at each full checkpoint, and memory in proportion to the number of types
//! and of the different kinds of instances, not to the number of instances.

use std::collections::BTreeMap;

use super::cpython::Layout;
use super::kinds::{PickleSites, SlotKind, Texts, TypeKind, TypeRow};
use super::observed::Observed;
use crate::heap::{Heap, HeapGraph, IdMap, Node, Object, Observer, Reference, SnapshotKind};
use crate::trace::{DictState, Slot, TypeDef, TypeFlags, TypeId};

/// Looks at every full checkpoint, and at the end of a trace that keeps the tally.
#[derive(Debug, Default)]
pub struct Profiler {
    types: IdMap<Box<Observed>>,
    /// Number of looks so far.
    looks: u64,
    /// Bytes of the heap at the last look.
    heap_bytes: u64,
    /// Of the CPython that was recorded, where it is known.
    layout: Option<&'static Layout>,
    texts: Texts,
    /// Of the node at hand.
    references: Vec<Reference>,
}

impl Profiler {
    pub fn new() -> Profiler {
        Profiler::default()
    }

    /// The number of checkpoints that were looked at.
    pub fn looks(&self) -> u64 {
        self.looks
    }

    /// Bytes of all live objects at the last look.
    pub(super) fn heap_bytes(&self) -> u64 {
        self.heap_bytes
    }

    pub(super) fn into_observed(self) -> BTreeMap<u32, Box<Observed>> {
        self.types.into_entries().collect()
    }

    fn look(&mut self, heap: &Heap, graph: &HeapGraph) {
        self.looks += 1;
        self.heap_bytes = heap.live_bytes();
        self.layout = Layout::of(heap.header()).ok();
        let dict_object = self.layout.map(|layout| layout.dict_object);
        let mut claimed = vec![false; graph.n_nodes()];
        let mut types: IdMap<TypeRow> = IdMap::default();
        let mut pickle_sites = PickleSites::default();
        let mut dicts: Vec<Node> = Vec::new();
        let mut hidden_dicts = 0;
        let mut names: Vec<Slot> = Vec::new();
        for node in graph.nodes() {
            if graph.state(node).vacant {
                continue;
            }
            let index = graph.object(node);
            let class = heap.class(index);
            let row = types.entry(class.0, || TypeRow::of(heap, class));
            match row.kind {
                TypeKind::Dict => dicts.push(node),
                TypeKind::Other => {
                    let (bytes, owned) = heap.bytes(index);
                    row.totals.add(bytes, owned);
                }
                kind @ (TypeKind::Class | TypeKind::BuiltIn) => {
                    let object = heap.object(index);
                    names.clear();
                    let mut dict = self.read_attributes(heap, graph, node, &mut claimed, &mut names);
                    if let (None, Some(bytes), TypeKind::Class) = (&dict, dict_object, kind)
                        && has_hidden_dict(heap, &object)
                    {
                        hidden_dicts += 1;
                        dict = Some(Object { bytes, owned_bytes: 0, ..object });
                    }
                    if kind == TypeKind::BuiltIn {
                        names.clear();
                    }
                    let pickled = pickle_sites.has(heap, object.site);
                    let observed = self.observed_now(class);
                    observed.add_instance(heap, &object, dict.as_ref(), &names);
                    observed.unpickled |= pickled;
                }
            }
        }
        let referenced = if hidden_dicts > 0 { referenced_nodes(graph) } else { Vec::new() };
        for node in dicts {
            if !claimed[node.0 as usize] {
                let object = heap.object(graph.object(node));
                let alone = referenced.get(node.0 as usize) == Some(&false);
                if hidden_dicts > 0 && alone && Some(object.bytes) == dict_object && object.owned_bytes == 0 {
                    hidden_dicts -= 1;
                    continue;
                }
                let row = types.entry(object.class.0, || TypeRow::of(heap, object.class));
                row.totals.add(object.bytes, object.owned_bytes);
            }
        }
        for row in types.values_mut().filter(|row| row.totals.instances > 0) {
            self.observed_now(row.class).add_totals(&row.totals);
        }
        let look = self.looks;
        for observed in self.types.values_mut() {
            observed.finish_look(look);
        }
    }

    /// The names of an instance's attributes, and its dict object if it has one that no other instance has.
    fn read_attributes(
        &mut self,
        heap: &Heap,
        graph: &HeapGraph,
        node: Node,
        claimed: &mut [bool],
        names: &mut Vec<Slot>,
    ) -> Option<Object> {
        let mut dict = None;
        graph.references_into(node, &mut self.references);
        for &reference in &self.references {
            match self.texts.kind(heap, reference.slot) {
                SlotKind::Attribute => names.push(reference.slot),
                SlotKind::InstanceDict if !claimed[reference.to.0 as usize] => {
                    claimed[reference.to.0 as usize] = true;
                    dict = Some(reference.to);
                }
                _ => {}
            }
        }
        let dict = dict?;
        graph.references_into(dict, &mut self.references);
        for &reference in &self.references {
            if self.texts.kind(heap, reference.slot) == SlotKind::Key {
                names.push(reference.slot);
            }
        }
        Some(heap.object(graph.object(dict)))
    }

    fn observed_now(&mut self, class: TypeId) -> &mut Observed {
        let look = self.looks;
        let observed = self.types.entry(class.0, Box::default);
        if observed.look != look {
            observed.begin_look(look, self.layout);
        }
        observed
    }
}

impl Observer for Profiler {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        match kind {
            SnapshotKind::FullCheckpoint | SnapshotKind::End => self.look(heap, graph),
            SnapshotKind::Garbage | SnapshotKind::CollectionStart => {}
        }
    }
}

/// A dict that shares the values inside its instance is not visited by the `tp_traverse` of the first micro versions of
/// 3.13 (gh-130327), so that no reference leads to it.
fn has_hidden_dict(heap: &Heap, object: &Object) -> bool {
    let inline = |def: &TypeDef| def.flags.has(TypeFlags::INLINE_VALUES);
    object.dict == DictState::Split && heap.types().get(object.class).is_some_and(inline)
}

/// By node: something refers to it.
fn referenced_nodes(graph: &HeapGraph) -> Vec<bool> {
    let mut referenced = vec![false; graph.n_nodes()];
    for node in graph.nodes().filter(|&node| !graph.state(node).vacant) {
        for referent in graph.referents(node) {
            referenced[referent.0 as usize] = true;
        }
    }
    referenced
}
