//! Answers by number what a checkpoint asks again and again: what kind of type, of slot, of site is this?

use super::layout::block;
use crate::heap::{Heap, IdMap};
use crate::trace::{SiteId, Slot, TypeFlags, TypeId};

/// What the text of a slot is to us, by the slot's word.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<SlotKind>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum SlotKind {
    #[default]
    Unknown,
    Attribute,
    Key,
    InstanceDict,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeKind {
    Dict,
    /// Its instances may have attributes.
    Class,
    /// Its instances may have a dict, whose names are of no interest: modules, functions.
    BuiltIn,
    Other,
}

/// One type of a look: its kind, and the sums if no instance of it is looked at.
pub(super) struct TypeRow {
    pub class: TypeId,
    pub kind: TypeKind,
    pub totals: Totals,
}

/// Objects without attributes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub instances: u64,
    pub object_bytes: u64,
    pub item_bytes: u64,
    pub padding: u64,
}

impl TypeRow {
    /// Of a type of which nothing was seen yet.
    pub(super) fn of(heap: &Heap, class: TypeId) -> TypeRow {
        TypeRow { class, kind: TypeKind::of(heap, class), totals: Totals::default() }
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

impl Totals {
    pub(super) fn add(&mut self, bytes: u64, owned: u64) {
        self.instances += 1;
        self.object_bytes += bytes;
        self.item_bytes += owned;
        self.padding += block(bytes) - bytes + block(owned) - owned;
    }
}

impl Texts {
    #[inline]
    pub(super) fn kind(&mut self, heap: &Heap, slot: Slot) -> SlotKind {
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
pub(super) struct PickleSites {
    known: IdMap<bool>,
}

impl PickleSites {
    #[inline]
    pub(super) fn has(&mut self, heap: &Heap, site: SiteId) -> bool {
        *self.known.entry(site.0, || {
            heap.sites().stack(site).into_iter().filter_map(|site| heap.sites().get(site)).any(|def| {
                let path = heap.text(def.path);
                let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
                match (file, heap.text(def.function)) {
                    ("pickle.py", "<module>") => false, // made by the body of the module, not from a pickle
                    ("pickle.py", _) | ("copyreg.py", "_reconstructor") => true,
                    _ => false,
                }
            })
        })
    }
}
