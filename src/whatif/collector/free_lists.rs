//! Counts the dead objects that rest in CPython's free lists, which the recorder keeps empty.

use super::rules::{FreeList, Rules};
use crate::trace::{TypeDef, TypeFlags};

/// Bytes of the collector's head in front of an object.
const GC_HEAD: u64 = 16;
/// Bytes of an item of a tuple.
const ITEM: u64 = 8;

/// What the collector has to know of a type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Its objects have a collector's head.
    pub gc: bool,
    lists: Option<Lists>,
}

/// The free lists of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lists {
    /// Number of the first.
    first: usize,
    like: &'static FreeList,
    /// Bytes of an object without items.
    bare: u64,
}

/// How many objects each list holds.
#[derive(Debug, Clone, Default)]
pub(super) struct FreeLists {
    held: Vec<u16>,
}

impl Counted {
    pub(super) fn of(def: &TypeDef, rules: &Rules) -> Counted {
        let gc = def.flags.has(TypeFlags::GC);
        let mut first = 0;
        let mut lists = None;
        for like in rules.free_lists {
            if gc && like.type_name == def.name {
                lists = Some(Lists { first, like, bare: def.size.saturating_add(GC_HEAD) });
            }
            first += like.n_lists();
        }
        Counted { gc, lists }
    }

    /// The number of the list for an object of so many bytes, and its room.
    fn list(self, bytes: u64) -> Option<(usize, u16)> {
        let Lists { first, like, bare } = self.lists?;
        let place = match like.by_items {
            0 => 0,
            most => {
                let items = bytes.checked_sub(bare)? / ITEM;
                (1..=u64::from(most)).contains(&items).then(|| items - 1)?
            }
        };
        Some((first + place as usize, like.room))
    }
}

impl FreeLists {
    pub(super) fn new(rules: &Rules) -> FreeLists {
        FreeLists { held: vec![0; rules.free_lists.iter().map(FreeList::n_lists).sum()] }
    }

    /// An object is made: whether one that rested is used again.
    pub(super) fn take(&mut self, counted: Counted, bytes: u64) -> bool {
        let Some((place, _)) = counted.list(bytes) else { return false };
        let is_there = self.held[place] > 0;
        self.held[place] -= u16::from(is_there);
        is_there
    }

    /// An object dies: whether it is put there.
    pub(super) fn put(&mut self, counted: Counted, bytes: u64) -> bool {
        let Some((place, room)) = counted.list(bytes) else { return false };
        let fits = self.held[place] < room;
        self.held[place] += u16::from(fits);
        fits
    }

    /// As many die together.
    pub(super) fn put_many(&mut self, dead: &FreeLists, rules: &Rules) {
        let lists = rules.free_lists.iter();
        let rooms = lists.flat_map(|list| std::iter::repeat_n(list.room, list.n_lists()));
        for ((held, &more), room) in self.held.iter_mut().zip(&dead.held).zip(rooms) {
            *held = held.saturating_add(more).min(room);
        }
    }

    /// Counts one that is going to die.
    pub(super) fn count(&mut self, counted: Counted, bytes: u64) {
        if let Some((place, _)) = counted.list(bytes) {
            self.held[place] = self.held[place].saturating_add(1);
        }
    }

    pub(super) fn clear(&mut self) {
        self.held.fill(0);
    }
}
