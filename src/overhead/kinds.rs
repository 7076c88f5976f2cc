//! What a look at a checkpoint asks again and again, answered by number: what kind of type, of slot, of site is this?

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::layout::block;
use crate::heap::Heap;
use crate::trace::{SiteId, Slot, TypeFlags, TypeId};

/// What the text of a slot is to us, by the slot's word.
#[derive(Debug, Default)]
pub struct Texts(Vec<SlotKind>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SlotKind {
    #[default]
    Unknown,
    Attribute,
    Key,
    InstanceDict,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    Dict,
    /// Its instances may have attributes.
    Class,
    /// Its instances may have a dict, whose names are of no interest: modules, functions.
    BuiltIn,
    Other,
}

/// The types of a look by number: their kinds, and the sums of those of which no instance is looked at.
#[derive(Default)]
pub struct TypeRows {
    /// Row of each type whose number is small, plus one.
    small: Vec<u32>,
    large: BTreeMap<u32, u32>,
    rows: Vec<TypeRow>,
}

/// One type of a look. Bytes are sums.
pub struct TypeRow {
    pub class: TypeId,
    pub kind: TypeKind,
    pub plain: Plain,
    /// Where the profiler has what it observed of the instances.
    pub observed: Option<usize>,
}

/// Objects without attributes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain {
    pub instances: u64,
    pub object_bytes: u64,
    pub item_bytes: u64,
    pub padding: u64,
}

impl TypeRows {
    #[inline]
    pub fn row(&mut self, heap: &Heap, class: TypeId) -> &mut TypeRow {
        let found = match self.small.get(class.0 as usize) {
            Some(&row) => row,
            None => self.large.get(&class.0).copied().unwrap_or_default(),
        };
        let row = if found == 0 { self.add(heap, class) } else { found as usize - 1 };
        &mut self.rows[row]
    }

    /// The rows, in the order of first sight.
    pub fn rows(&self) -> &[TypeRow] {
        &self.rows
    }

    #[cold]
    fn add(&mut self, heap: &Heap, class: TypeId) -> usize {
        const SMALL: u32 = 1 << 16;
        let (kind, plain) = (TypeKind::of(heap, class), Plain::default());
        self.rows.push(TypeRow { class, kind, plain, observed: None });
        let row = self.rows.len() as u32;
        if class.0 < SMALL {
            let place = class.0 as usize;
            self.small.resize(self.small.len().max(place + 1), 0);
            self.small[place] = row;
        } else {
            self.large.insert(class.0, row);
        }
        self.rows.len() - 1
    }
}

impl TypeKind {
    fn of(heap: &Heap, class: TypeId) -> TypeKind {
        match heap.types().get(class) {
            Some(def) if def.name == "dict" => TypeKind::Dict,
            Some(def) if def.flags.has(TypeFlags::CLASS) => TypeKind::Other,
            Some(def) if def.flags.has(TypeFlags::HEAP) => TypeKind::Class,
            Some(def) if def.flags.has(TypeFlags::DICT) => TypeKind::BuiltIn,
            _ => TypeKind::Other,
        }
    }
}

impl Plain {
    pub fn add(&mut self, bytes: u64, owned: u64) {
        self.instances += 1;
        self.object_bytes += bytes;
        self.item_bytes += owned;
        self.padding += block(bytes) - bytes + block(owned) - owned;
    }
}

impl Texts {
    #[inline]
    pub fn kind(&mut self, heap: &Heap, slot: Slot) -> SlotKind {
        if slot.as_text().is_none() {
            return SlotKind::Other;
        }
        match self.0.get(slot.raw() as usize) {
            None | Some(SlotKind::Unknown) => self.add(heap, slot),
            Some(kind) => *kind,
        }
    }

    #[cold]
    fn add(&mut self, heap: &Heap, slot: Slot) -> SlotKind {
        let place = slot.raw() as usize;
        self.0.resize(self.0.len().max(place + 1), SlotKind::Unknown);
        self.0[place] = SlotKind::of(&heap.slot_name(slot));
        self.0[place]
    }
}

impl SlotKind {
    fn of(text: &str) -> SlotKind {
        match text {
            ".__dict__" => SlotKind::InstanceDict,
            ".__class__" | ".__weakref__" => SlotKind::Other,
            _ if text.starts_with('.') => SlotKind::Attribute,
            _ if text.starts_with("['") || text.starts_with("[\"") => SlotKind::Key,
            _ => SlotKind::Other,
        }
    }
}

/// Sites below a function of `pickle`. A copy stores nothing, so `copy` is no sign of stored pickles.
#[derive(Default)]
pub struct PickleSites {
    known: HashMap<u32, bool, RandomState>,
    last: Option<(u32, bool)>,
}

impl PickleSites {
    #[inline]
    pub fn has(&mut self, heap: &Heap, site: SiteId) -> bool {
        if let Some((last, has)) = self.last
            && last == site.0
        {
            return has;
        }
        let has = *self.known.entry(site.0).or_insert_with(|| {
            heap.sites().stack(site).into_iter().filter_map(|site| heap.sites().get(site)).any(|def| {
                let path = heap.text(def.path);
                let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
                match (file, heap.text(def.function)) {
                    ("pickle.py", "<module>") => false, // made by the body of the module, not from a pickle
                    ("pickle.py", _) | ("copyreg.py", "_reconstructor") => true,
                    _ => false,
                }
            })
        });
        self.last = Some((site.0, has));
        has
    }
}
