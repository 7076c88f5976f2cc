//! Checkpoints go in, what they showed of the instances of each type comes out.
//!
//! Costs one pass over objects and references at each full checkpoint, and memory in proportion to the number of types
//! and of the different kinds of instances, not to the number of instances.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::kinds::{PickleSites, Plain, SlotKind, Texts, TypeKind, TypeRow};
use super::layout::block;
use crate::heap::{Heap, HeapGraph, IdMap, Node, Object, Observer, Reference, SnapshotKind};
use crate::trace::{DictState, ObjectFlags, Slot, TypeDef, TypeFlags, TypeId, TypeRef};

/// Kinds of instances kept apart for one type; instances of further kinds are counted with none.
const MOST_KINDS: usize = 4096;

/// Attribute names kept for one type; a class with more uses its instances as dicts.
const MOST_NAMES: usize = 4096;

/// Looks at every full checkpoint, and at the end of a trace that keeps the tally.
#[derive(Debug, Default)]
pub struct Profiler {
    types: IdMap<Observed>,
    /// Number of looks so far.
    looks: u64,
    /// Bytes of the heap at the last look.
    heap_bytes: u64,
    texts: Texts,
    /// Of the node at hand.
    references: Vec<Reference>,
}

/// What the checkpoints showed of one type.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// At the last checkpoint.
    pub now: Census,
    /// At the checkpoint with the most instances.
    pub most: Census,
    /// Attributes kept in the instance's dict or values, in the order of first sight, with the number of instances
    /// that had them at the checkpoint with the most instances.
    pub names: Vec<(String, u64)>,
    /// A checkpoint showed instances with different attributes.
    pub names_differ: bool,
    /// Somebody held a weak reference to an instance.
    pub weakly_referenced: bool,
    /// Instances that `pickle` made were seen: a function of `pickle.py`, or `copyreg._reconstructor`, stands
    /// on their stack. The unpickler of C leaves no trace on it.
    pub unpickled: bool,
    look: u64,
    /// Place in `names` of each slot that was met; nothing for slots that are not kept in the dict or the values.
    places: HashMap<u32, Option<usize>, RandomState>,
    by_name: BTreeMap<String, usize>,
    /// Slots of the classes, and fields that a built-in base has.
    excluded: Option<BTreeSet<String>>,
    /// The references of the last instance, and the places of its names, sorted.
    last_slots: Vec<Slot>,
    last_places: Vec<usize>,
    /// Instances in a row like it, not yet counted.
    last_count: u64,
    counts: Vec<u64>,
    /// What instances in a row had in common, and how many of them are not yet in `now`.
    run: Option<Bytes>,
    run_length: u64,
}

/// What an instance costs, as the trace has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bytes {
    object: u64,
    owned: u64,
    state: DictState,
    capacity: u32,
    n_names: u32,
    /// Dict object, and the table that it owns.
    dict: u64,
    table: u64,
    /// The dict object is not in the trace.
    hidden: bool,
}

/// The instances of one type at one checkpoint. All bytes are sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    pub instances: u64,
    /// Own blocks, collector's headers included.
    pub object_bytes: u64,
    /// Dict objects of instances.
    pub dict_bytes: u64,
    /// Values arrays and key tables.
    pub attribute_bytes: u64,
    /// Other separate blocks: items of a list, tables of dicts and sets.
    pub item_bytes: u64,
    /// What rounding to blocks adds to all of them.
    pub padding: u64,
    pub kinds: BTreeMap<Kind, u64>,
}

/// Instances that cost the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    pub state: DictState,
    /// Attributes that the dict or the values have room for.
    pub capacity: u32,
    /// Attributes kept in the dict or the values.
    pub n_names: u32,
    /// Bytes of the instance's own block.
    pub object: u64,
    /// Bytes of its dict object; 0 where there is none.
    pub dict: u64,
    /// Bytes of its separate values array or key table.
    pub attributes: u64,
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

    pub(super) fn into_observed(self) -> BTreeMap<u32, Observed> {
        self.types.into_entries().collect()
    }

    fn look(&mut self, heap: &Heap, graph: &HeapGraph) {
        self.looks += 1;
        self.heap_bytes = heap.live_bytes();
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
                    row.plain.add(bytes, owned);
                }
                kind @ (TypeKind::Class | TypeKind::BuiltIn) => {
                    let object = heap.object(index);
                    names.clear();
                    let mut dict = self.read_attributes(heap, graph, node, &mut claimed, &mut names);
                    if dict.is_none() && kind == TypeKind::Class && has_hidden_dict(heap, &object) {
                        hidden_dicts += 1;
                        dict = Some(Object { bytes: HIDDEN_DICT, owned_bytes: 0, ..object });
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
                if hidden_dicts > 0 && alone && object.bytes == HIDDEN_DICT && object.owned_bytes == 0 {
                    hidden_dicts -= 1;
                    continue;
                }
                let row = types.entry(object.class.0, || TypeRow::of(heap, object.class));
                row.plain.add(object.bytes, object.owned_bytes);
            }
        }
        for row in types.values_mut().filter(|row| row.plain.instances > 0) {
            self.observed_now(row.class).now.add_plain(&row.plain);
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
        let observed = self.types.entry(class.0, Observed::default);
        if observed.look != look {
            observed.begin_look(look);
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

impl Observed {
    fn begin_look(&mut self, look: u64) {
        self.look = look;
        self.now = Census::default();
        self.counts.clear();
        self.counts.resize(self.names.len(), 0);
        self.last_slots.clear();
        self.last_places.clear();
        self.last_count = 0;
    }

    fn add_instance(&mut self, heap: &Heap, object: &Object, dict: Option<&Object>, slots: &[Slot]) {
        self.weakly_referenced |= object.flags.has(ObjectFlags::WEAKLY_REFERENCED);
        let is_first = self.now.instances == 0 && self.run_length == 0;
        if is_first || slots != self.last_slots {
            self.count_names();
            self.last_slots.clear();
            self.last_slots.extend_from_slice(slots);
            let places = self.places_of(heap, object.class, slots);
            self.names_differ |= !is_first && places != self.last_places;
            self.last_places = places;
        }
        self.last_count += 1;
        let bytes = Bytes {
            object: object.bytes,
            owned: object.owned_bytes,
            state: object.dict,
            capacity: object.dict_capacity,
            n_names: self.last_places.len() as u32,
            dict: dict.map_or(0, |dict| dict.bytes),
            table: dict.map_or(0, |dict| dict.owned_bytes),
            hidden: dict.is_some_and(|dict| dict.bytes == HIDDEN_DICT && dict.class == object.class),
        };
        if self.run != Some(bytes) {
            self.count_run();
            self.run = Some(bytes);
        }
        self.run_length += 1;
    }

    fn places_of(&mut self, heap: &Heap, class: TypeId, slots: &[Slot]) -> Vec<usize> {
        let mut places = Vec::with_capacity(slots.len());
        for slot in slots {
            let place = match self.places.get(&slot.raw()) {
                Some(place) => *place,
                None => {
                    let name = attribute_name(&heap.slot_name(*slot));
                    let excluded = self.excluded.get_or_insert_with(|| excluded_names(heap, class));
                    let place = match self.by_name.get(&name) {
                        Some(&place) => Some(place),
                        None if excluded.contains(&name) => None,
                        None if self.names.len() >= MOST_NAMES => None,
                        None => {
                            self.by_name.insert(name.clone(), self.names.len());
                            self.names.push((name, 0));
                            self.counts.push(0);
                            Some(self.names.len() - 1)
                        }
                    };
                    self.places.insert(slot.raw(), place);
                    place
                }
            };
            places.extend(place);
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Books the names of the last run of equal instances.
    fn count_names(&mut self) {
        for &place in &self.last_places {
            self.counts[place] += self.last_count;
        }
        self.last_count = 0;
    }

    /// Books the last run of instances that cost the same.
    fn count_run(&mut self) {
        if let Some(bytes) = self.run.take() {
            self.now.add_instances(&bytes, self.run_length);
        }
        self.run_length = 0;
    }

    fn finish_look(&mut self, look: u64) {
        if self.look != look {
            self.begin_look(look);
        }
        self.count_names();
        self.count_run();
        if self.now.instances >= self.most.instances {
            self.most = self.now.clone();
            for ((_, most), count) in self.names.iter_mut().zip(&self.counts) {
                *most = *count;
            }
        }
    }
}

impl Census {
    /// Objects that are no instances of a class statement's type, or whose parts are not looked at.
    fn add_plain(&mut self, plain: &Plain) {
        self.instances += plain.instances;
        self.object_bytes += plain.object_bytes;
        self.item_bytes += plain.item_bytes;
        self.padding += plain.padding;
    }

    fn add_instances(&mut self, bytes: &Bytes, count: u64) {
        let values = if bytes.hidden { 0 } else { values_of(bytes) };
        let items = bytes.owned - values;
        let blocks = [bytes.object, bytes.dict, bytes.table, values, items];
        self.instances += count;
        self.object_bytes += count * bytes.object;
        self.dict_bytes += count * bytes.dict;
        self.attribute_bytes += count * (bytes.table + values);
        self.item_bytes += count * items;
        self.padding += count * blocks.into_iter().map(|bytes| block(bytes) - bytes).sum::<u64>();
        let kind = Kind {
            state: bytes.state,
            capacity: bytes.capacity,
            n_names: bytes.n_names,
            object: bytes.object,
            dict: bytes.dict,
            attributes: bytes.table + values,
        };
        if let Some(known) = self.kinds.get_mut(&kind) {
            *known += count;
        } else if self.kinds.len() < MOST_KINDS {
            self.kinds.insert(kind, count);
        }
    }

    /// Requested bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.object_bytes + self.dict_bytes + self.attribute_bytes + self.item_bytes
    }

    /// Instances whose kind is known.
    pub fn kept(&self) -> u64 {
        self.kinds.values().sum()
    }
}

impl Kind {
    /// Bytes really used by the blocks of one such instance, list items and the like left out.
    pub fn used(&self) -> u64 {
        block(self.object) + block(self.dict) + block(self.attributes)
    }

    pub fn requested(&self) -> u64 {
        self.object + self.dict + self.attributes
    }
}

/// Bytes of a dict object.
const HIDDEN_DICT: u64 = 64;

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

/// The part of an instance's separate blocks that is its values array; the rest are items.
fn values_of(object: &Bytes) -> u64 {
    let capacity = u64::from(object.capacity);
    match object.state {
        DictState::Inline | DictState::Split | DictState::Detached => {
            // One array with one of the heads and orders that CPython has had; a list's items may come on top.
            let order = (capacity + 9) & !7;
            let with_order = 8 * capacity + order;
            match object.owned {
                owned if owned >= with_order => with_order,
                owned if owned >= 8 * capacity => 8 * capacity,
                owned => owned,
            }
        }
        DictState::None | DictState::Combined => 0,
    }
}

/// Names of references that are neither in an instance's dict nor in its values.
fn excluded_names(heap: &Heap, class: TypeId) -> BTreeSet<String> {
    let mut names: BTreeSet<String> =
        ["__traceback__", "__context__", "__cause__"].into_iter().map(str::to_owned).collect();
    let mut open = vec![class];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let Some(def) = heap.types().get(id).filter(|_| seen.insert(id)) else {
            continue;
        };
        names.extend(def.slots.iter().flatten().cloned());
        if !def.flags.has(TypeFlags::HEAP) || heap.types().is_of_c(def) {
            names.extend(def.defines.iter().cloned());
        }
        if def.name == "BaseException" {
            names.extend(["args".to_owned()]);
        }
        open.extend(def.bases.iter().filter_map(|base| match base {
            TypeRef::Id(id) => Some(*id),
            TypeRef::Name(_) => None,
        }));
    }
    names
}

/// `x` for `.x` and for `['x']`.
fn attribute_name(slot: &str) -> String {
    if let Some(name) = slot.strip_prefix('.') {
        return name.to_owned();
    }
    let inner = slot.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(slot);
    let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'));
    match quote {
        Some(quote) => inner.trim_matches(quote).to_owned(),
        None => inner.to_owned(),
    }
}
