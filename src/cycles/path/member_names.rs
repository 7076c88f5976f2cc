//! Names the members of a loop: by a key for many loops, by text for one.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use foldhash::fast::FixedState;

use super::inherited::{Inherited, inherited};
use super::loop_graph::{Kind, LoopGraph, Name};
use super::provenance;
use crate::cycles::graph::shape::{any_index, key_of};
use crate::cycles::graph::subgraph::GarbageGraph;
use crate::heap::{Heap, ObjectIndex};
use crate::trace::{Slot, TypeFlags, TypeId};

/// What is known of the names of objects, by type.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemberNames {
    /// Whether they have a name of their own.
    has_name: HashMap<TypeId, bool, FixedState>,
    inherited: HashMap<TypeId, Rc<Inherited>, FixedState>,
}

impl MemberNames {
    /// Equal for objects that are called the same.
    pub(crate) fn key(&mut self, heap: &Heap, object: ObjectIndex) -> u64 {
        let class = heap.object(object).class;
        let has_name = *self.has_name.entry(class).or_insert_with(|| has_name(heap, class));
        if !has_name {
            return key_of([u64::from(class.0), 0, 0]);
        }
        let code = heap.code(object).map_or(0, |site| u64::from(site.0) + 1);
        key_of([u64::from(class.0), code, heap.name(object).map_or(0, hash)])
    }

    /// The loop graph of the component with these members, each numbered as `place` says, and the files that they come from.
    pub(crate) fn loop_graph(
        &mut self,
        heap: &Heap,
        graph: &GarbageGraph,
        members: &[u32],
        object: impl Fn(u32) -> ObjectIndex,
        place: impl Fn(u32) -> Option<u32>,
    ) -> (LoopGraph, BTreeSet<String>) {
        let mut files = BTreeSet::new();
        let (mut names, mut name_of) = (Vec::new(), Vec::with_capacity(members.len()));
        let (mut slots, mut references) = (Vec::new(), Vec::new());
        let mut names_by_key: HashMap<u64, u32, FixedState> = HashMap::default();
        let mut slots_by_word: HashMap<Slot, u32, FixedState> = HashMap::default();
        let mut inherited_by_type: HashMap<String, Rc<Inherited>, FixedState> = HashMap::default();
        for (from, &member) in members.iter().enumerate() {
            let index = object(member);
            let key = self.key(heap, index);
            name_of.push(*names_by_key.entry(key).or_insert_with(|| {
                let name = name(heap, index);
                if let Some(inherited) = self.inherited(heap, index) {
                    inherited_by_type.insert(name.type_name.clone(), inherited);
                }
                names.push(name);
                files.extend(provenance::of_kind(heap, index));
                names.len() as u32 - 1
            }));
            for (to, slot) in graph.references(member) {
                let Some(to) = place(to) else { continue };
                let slot = *slots_by_word.entry(any_index(slot)).or_insert_with_key(|&slot| {
                    slots.push(heap.slot_name(slot).into_owned());
                    slots.len() as u32 - 1
                });
                references.push((from as u32, to, slot));
            }
        }
        (LoopGraph::of(names, name_of, &slots, &references).with_inherited(&inherited_by_type), files)
    }

    /// What the class of an instance has from its bases, if anything.
    fn inherited(&mut self, heap: &Heap, index: ObjectIndex) -> Option<Rc<Inherited>> {
        let class = heap.object(index).class;
        if self.has_name.get(&class) == Some(&true) {
            return None;
        }
        let known = self.inherited.entry(class).or_insert_with(|| Rc::new(inherited(heap.types(), class)));
        (!known.is_empty()).then(|| Rc::clone(known))
    }
}

/// Instances of classes are called after the class alone; only the interpreter's own kinds have names, and classes.
fn has_name(heap: &Heap, class: TypeId) -> bool {
    let kind = Kind::of_type(heap.types().name(class));
    kind == Kind::Builtin || heap.types().get(class).is_some_and(|class| class.flags.has(TypeFlags::CLASS))
}

fn name(heap: &Heap, index: ObjectIndex) -> Name {
    let named = heap.named(index);
    Name { label: named.label(), type_name: named.type_name.to_string() }
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(key_of([text.len() as u64, 1, 0]), |hash, byte| key_of([hash, u64::from(byte), 0]))
}
