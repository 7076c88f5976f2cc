//! Indexes a long list of references, so that nothing ever searches it: how often each reference is in it, and which of its
//! links are removed but still linked.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::references::Link;
use crate::trace::Slot;

type Key = (u32, Slot);

/// The multiset of the references in one long list: 16 to 30 bytes a reference, for objects with many references some
/// of which were removed.
#[derive(Debug, Clone, Default)]
pub(super) struct LongList {
    present: HashMap<Key, u32, RandomState>,
    /// References that are no longer there, though their links are.
    removed: HashMap<Key, u32, RandomState>,
    n_present: usize,
    n_removed: usize,
    /// For removals that do not name the slot: slots by referent, the youngest last. Some may be gone.
    slots: Option<HashMap<u32, Vec<Slot>, RandomState>>,
}

impl LongList {
    pub(super) fn of(list: impl Iterator<Item = Link>) -> LongList {
        let mut long = LongList::default();
        list.for_each(|link| long.add(link.to, link.slot));
        long
    }

    pub(super) fn len(&self) -> usize {
        self.n_present
    }

    pub(super) fn n_removed(&self) -> usize {
        self.n_removed
    }

    /// At least half of the links are of removed references: walking the list now costs a constant for each of them.
    pub(super) fn worth_compacting(&self) -> bool {
        self.n_removed > self.n_present
    }

    pub(super) fn add(&mut self, to: u32, slot: Slot) {
        *self.present.entry((to, slot)).or_default() += 1;
        self.n_present += 1;
        if let Some(slots) = &mut self.slots {
            slots.entry(to).or_default().push(slot);
        }
    }

    /// Removes a reference; an unnamed one stands for the youngest to the same object if there is no unnamed one.
    /// `list` is asked at most once between two compactions. False if there is no such reference.
    pub(super) fn remove<L: Iterator<Item = Link>>(&mut self, to: u32, slot: Slot, list: impl FnOnce() -> L) -> bool {
        if take(&mut self.present, (to, slot)) {
            self.note_removed((to, slot));
            return true;
        }
        if slot != Slot::UNNAMED {
            return false;
        }
        let slots = self.slots.get_or_insert_with(|| {
            let mut slots: HashMap<u32, Vec<Slot>, RandomState> = HashMap::default();
            list().for_each(|link| slots.entry(link.to).or_default().push(link.slot));
            slots.values_mut().for_each(|slots| slots.reverse());
            slots
        });
        let Some(slots) = slots.get_mut(&to) else { return false };
        while let Some(slot) = slots.pop() {
            if take(&mut self.present, (to, slot)) {
                self.note_removed((to, slot));
                return true;
            }
        }
        false
    }

    /// Whether a link like this one is to be taken out; it is forgotten then.
    pub(super) fn forget(&mut self, to: u32, slot: Slot) -> bool {
        let found = take(&mut self.removed, (to, slot));
        self.n_removed -= usize::from(found);
        found
    }

    /// No removed reference is linked any more.
    pub(super) fn compacted(&mut self) {
        self.slots = None;
        if self.present.capacity() > 8 * self.present.len() {
            self.present.shrink_to_fit();
        }
        self.removed = HashMap::default();
        self.n_removed = 0;
    }

    fn note_removed(&mut self, key: Key) {
        self.n_present -= 1;
        self.n_removed += 1;
        *self.removed.entry(key).or_default() += 1;
    }
}

/// Takes one out of a multiset.
fn take(set: &mut HashMap<Key, u32, RandomState>, key: Key) -> bool {
    match set.get_mut(&key) {
        None => false,
        Some(1) => set.remove(&key).is_some(),
        Some(count) => {
            *count -= 1;
            true
        }
    }
}
