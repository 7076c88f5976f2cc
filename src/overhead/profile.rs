//! Makes the table of types, whose bytes add up to the heap.

use std::collections::BTreeMap;

use serde::Serialize;

use super::census::Census;
use super::class::Classes;
use super::cpython::{Layout, UnknownLayout};
use super::observed::Observed;
use super::profiler::Profiler;
use crate::heap::Heap;
use crate::trace::{DictState, TypeFlags, TypeId};

/// What the types of a trace cost.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Most bytes first, then by name.
    pub types: Vec<TypeProfile>,
    pub coverage: Coverage,
    /// The layout of the CPython that was recorded, or why it is not known. Without one headers and fields stay in
    /// `object`.
    pub layout: Result<&'static Layout, UnknownLayout>,
    pub(super) classes: Classes,
    pub(super) observed: BTreeMap<u32, Box<Observed>>,
    /// Some instance has an attribute state: without any, nothing can be said of slots.
    pub(super) has_dict_states: bool,
    pub(super) looks: u64,
}

/// What the instances of one type cost. Bytes are requested bytes unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeProfile {
    pub class: TypeId,
    pub name: String,
    /// `builtins` for a name without a module.
    pub module: String,
    /// File of the module; empty where unknown.
    pub file: String,
    /// At the last full checkpoint (or the end). Instance dicts count with their instances.
    pub live: u64,
    pub peak: u64,
    pub ever: u64,
    pub bytes: u64,
    /// The most at any time, of the objects' own blocks; and what they owned, where the trace says.
    pub peak_bytes: u64,
    /// The parts of `bytes`, and the padding beside them.
    pub split: Split,
    /// Instances by state of their dict; empty for types whose instances have none.
    pub states: BTreeMap<DictState, u64>,
}

/// Where the bytes of a type go. The sum without `padding` is [`TypeProfile::bytes`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Split {
    /// Bodies, slots included.
    pub object: u64,
    pub gc_header: u64,
    /// Pointers to dict and weak references in front of the collector's header (3.11+).
    pub pre_header: u64,
    /// Pointer to the weak references, where it is in the body.
    pub weakref_field: u64,
    /// Dict objects.
    pub dict_object: u64,
    /// Values arrays, inside the object or not, and key tables that no other instance shares.
    pub attributes: u64,
    /// Items of lists, tables of dicts and sets.
    pub items: u64,
    /// What the allocator adds to round each block up.
    pub padding: u64,
}

/// How much of the heap the table covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Bytes of all live objects of the trace when the table was made.
    pub heap_bytes: u64,
    /// Bytes of the table.
    pub listed_bytes: u64,
    /// Bytes and objects of the table whose type is not known.
    pub unknown_bytes: u64,
    pub unknown_objects: u64,
}

impl Profiler {
    /// Ends the observation: call it after the replay, with its heap.
    pub fn finish(self, heap: &Heap) -> Profile {
        let classes = Classes::new(heap.types());
        let layout = Layout::of(heap.header());
        let (looks, heap_bytes) = (self.looks(), self.heap_bytes());
        let observed = self.into_observed();
        let has_dict_states =
            observed.values().any(|seen| seen.most.kinds.keys().any(|kind| kind.state != DictState::None));
        let mut types: Vec<TypeProfile> = if looks == 0 {
            heap.types().iter().map(|def| TypeId(def.id)).map(|class| of_counts(heap, class)).collect()
        } else {
            let layout = layout.as_ref().ok().copied();
            let seen = observed.iter().map(|(&id, seen)| of_census(heap, &classes, layout, TypeId(id), seen));
            let unseen = heap.types().iter().map(|def| TypeId(def.id)).filter(|id| !observed.contains_key(&id.0));
            let gone = |id| row(heap, id, 0, Split::default(), BTreeMap::new());
            seen.chain(unseen.map(gone)).collect()
        };
        types.retain(|row| row.live > 0 || row.ever > 0);
        types.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)).then(a.class.cmp(&b.class)));
        let unknown = |row: &&TypeProfile| heap.types().get(row.class).is_none();
        let coverage = Coverage {
            heap_bytes: if looks == 0 { heap.live_bytes() } else { heap_bytes },
            listed_bytes: types.iter().map(|row| row.bytes).sum(),
            unknown_bytes: types.iter().filter(unknown).map(|row| row.bytes).sum(),
            unknown_objects: types.iter().filter(unknown).map(|row| row.live).sum(),
        };
        Profile { types, coverage, layout, classes, observed, has_dict_states, looks }
    }
}

impl TypeProfile {
    /// Requested bytes of the average instance.
    pub fn bytes_per_instance(&self) -> f64 {
        match self.live {
            0 => 0.0,
            live => self.bytes as f64 / live as f64,
        }
    }
}

impl TypeProfile {
    /// Adds the type of the same name from another trace, or another type of this name.
    pub fn add(&mut self, other: &TypeProfile) {
        self.live += other.live;
        self.peak += other.peak;
        self.ever += other.ever;
        self.bytes += other.bytes;
        self.peak_bytes += other.peak_bytes;
        self.split.add(&other.split);
        for (&state, n) in &other.states {
            *self.states.entry(state).or_default() += n;
        }
    }
}

impl Split {
    pub fn add(&mut self, other: &Split) {
        self.object += other.object;
        self.gc_header += other.gc_header;
        self.pre_header += other.pre_header;
        self.weakref_field += other.weakref_field;
        self.dict_object += other.dict_object;
        self.attributes += other.attributes;
        self.items += other.items;
        self.padding += other.padding;
    }

    /// All but the padding.
    pub fn bytes(&self) -> u64 {
        self.object
            + self.gc_header
            + self.pre_header
            + self.weakref_field
            + self.dict_object
            + self.attributes
            + self.items
    }
}

impl Coverage {
    /// Adds that of another trace.
    pub fn add(&mut self, other: &Coverage) {
        self.heap_bytes += other.heap_bytes;
        self.listed_bytes += other.listed_bytes;
        self.unknown_bytes += other.unknown_bytes;
        self.unknown_objects += other.unknown_objects;
    }

    /// Bytes of the heap that no row has.
    pub fn missing_bytes(&self) -> u64 {
        self.heap_bytes.saturating_sub(self.listed_bytes)
    }
}

/// A row from the counts alone: no full checkpoint showed the objects.
fn of_counts(heap: &Heap, class: TypeId) -> TypeProfile {
    let counts = heap.types().counts(class);
    let split = Split { object: counts.live_bytes, ..Split::default() };
    row(heap, class, counts.live, split, BTreeMap::new())
}

fn of_census(heap: &Heap, classes: &Classes, layout: Option<&Layout>, class: TypeId, seen: &Observed) -> TypeProfile {
    let now = &seen.now;
    let mut split = Split {
        object: now.object_bytes,
        dict_object: now.dict_bytes,
        attributes: now.attribute_bytes,
        items: now.item_bytes,
        padding: now.padding,
        ..Split::default()
    };
    if let Some(layout) = layout {
        split_object(&mut split, classes, layout, class, now);
    }
    let mut states = BTreeMap::new();
    let has_dict = heap.types().get(class).is_some_and(|def| def.flags.has(TypeFlags::DICT));
    for (kind, count) in now.kinds.iter().filter(|_| has_dict) {
        *states.entry(kind.state).or_insert(0) += count;
    }
    row(heap, class, now.instances, split, states)
}

/// Takes headers, fields and inline values out of the bodies.
fn split_object(split: &mut Split, classes: &Classes, layout: &Layout, class: TypeId, now: &Census) {
    let Some(class) = classes.get(class) else {
        return;
    };
    let take = |part: &mut u64, object: &mut u64, bytes: u64| {
        let bytes = bytes.min(*object);
        *part += bytes;
        *object -= bytes;
    };
    let Some(build) = classes.build(class, layout) else {
        let is_collected = class.def.flags.has(TypeFlags::GC);
        if is_collected && split.object >= now.instances * (class.def.size + layout.gc_header) {
            take(&mut split.gc_header, &mut split.object, now.instances * layout.gc_header);
        }
        return;
    };
    let parts = layout.parts(&build);
    take(&mut split.gc_header, &mut split.object, now.instances * parts.gc_header);
    take(&mut split.pre_header, &mut split.object, now.instances * parts.pre_header);
    take(&mut split.weakref_field, &mut split.object, now.instances * parts.weakref_field);
    if layout.has_inline_values(&build) {
        let behind: u64 =
            now.kinds.iter().map(|(kind, count)| kind.object.saturating_sub(parts.requested()) * count).sum();
        take(&mut split.attributes, &mut split.object, behind);
    }
}

fn row(heap: &Heap, class: TypeId, live: u64, split: Split, states: BTreeMap<DictState, u64>) -> TypeProfile {
    let counts = heap.types().counts(class);
    let name = heap.types().name(class).to_owned();
    TypeProfile {
        class,
        module: module_of(&name).to_owned(),
        name,
        file: heap.types().get(class).map(|def| def.file.clone()).unwrap_or_default(),
        live,
        peak: counts.peak.max(live),
        ever: counts.ever.max(live),
        bytes: split.bytes(),
        peak_bytes: counts.peak_bytes.max(split.bytes()),
        split,
        states,
    }
}

/// `app.models` of `app.models.Order.Line`: what stands before the first part with a capital, or before the function
/// that a local class is in; all but the last part where neither helps.
pub fn module_of(name: &str) -> &str {
    let before_local = name.split(".<locals>").next().unwrap_or(name);
    let mut end = 0;
    for part in before_local.split_inclusive('.') {
        if !part.ends_with('.') || part.chars().next().is_some_and(char::is_uppercase) {
            break;
        }
        end += part.len();
    }
    match &name[..end.saturating_sub(1).min(end)] {
        "" => "builtins",
        module => module,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_ends_where_the_qualified_name_begins() {
        let cases =
            ["int", "app.Order", "app.models.Order.Line", "app.make.<locals>.Order", "collections.deque", "Order"];
        let modules = cases.map(module_of);
        assert_eq!(modules, ["builtins", "app", "app.models", "app", "collections", "builtins"]);
    }
}
