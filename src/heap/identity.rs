//! Maps the producer's tags to places in the heap's table.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::objects::Objects;
use crate::page_table::PageTable;

/// How places are found. Dense numbers need no map: number `n` is place `n - 1`.
#[derive(Debug)]
pub(super) enum Identity {
    /// Number `n` is place `n - 1`.
    Direct,
    /// Dense numbers, after one of them came back while references to its last object were left: the place of number
    /// `n` plus one is at `n - 1`, 0 for a free number. 4 bytes a number.
    Table(Vec<u32>),
    /// Tags are anything: those that stand close together, as addresses do, go through pages, the others through a hash
    /// table of 6 to 11 bytes an object, whose keys are the addresses that the objects have anyway. Those that were named a
    /// moment ago are found before either is asked.
    Map { recent: Recent, pages: Box<PageTable>, others: HashTable<u32>, state: RandomState, dead: RecentlyDead },
}

impl Identity {
    pub(super) fn map() -> Identity {
        Identity::Map {
            recent: Recent::new(),
            pages: Box::new(PageTable::new()),
            others: HashTable::new(),
            state: RandomState::default(),
            dead: RecentlyDead::new(),
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Identity::Map { .. })
    }

    /// From now on dense numbers go through a table. `is_taken` tells which places are in use.
    pub(super) fn make_table(&mut self, n_places: u32, is_taken: impl Fn(u32) -> bool) {
        if let Identity::Direct = self {
            *self = Identity::Table((0..n_places).map(|place| if is_taken(place) { place + 1 } else { 0 }).collect());
        }
    }

    /// Forgets the numbers of these places where [`Identity::remove`] would not know them: objects whose `free` never
    /// came.
    pub(super) fn forget(&mut self, is_dead: impl Fn(u32) -> bool) {
        if let Identity::Table(places) = self {
            for place in places.iter_mut().filter(|place| **place != 0 && is_dead(**place - 1)) {
                *place = 0;
            }
        }
    }

    /// Whether a tag that is not alive was so, as far as is known.
    pub(super) fn is_dead(&self, tag: u64, n_places: usize) -> bool {
        match self {
            Identity::Direct => tag.wrapping_sub(1) < n_places as u64,
            Identity::Table(places) => tag.wrapping_sub(1) < places.len() as u64,
            Identity::Map { dead, .. } => dead.contains(tag),
        }
    }

    /// The place of a tag; with `Direct` only where it would be, and perhaps behind the last one.
    #[inline(always)]
    pub(super) fn get(&mut self, tag: u64, objects: &Objects) -> Option<u32> {
        match self {
            Identity::Direct => direct(tag),
            _ => self.look_up(tag, objects),
        }
    }

    /// The same, but none where it is not just the number.
    #[inline(always)]
    pub(super) fn direct(&self, tag: u64) -> Option<u32> {
        match self {
            Identity::Direct => direct(tag),
            _ => None,
        }
    }

    fn look_up(&mut self, tag: u64, objects: &Objects) -> Option<u32> {
        match self {
            Identity::Map { recent, pages, others, state, .. } => recent.get(tag).or_else(|| {
                let place = pages.get(tag).or_else(|| in_others(others, state, tag, objects))?;
                recent.add(tag, place);
                Some(place)
            }),
            _ => self.find(tag, objects),
        }
    }

    /// The same, without remembering where it was found.
    pub(super) fn find(&self, tag: u64, objects: &Objects) -> Option<u32> {
        match self {
            Identity::Direct => direct(tag),
            Identity::Table(places) => {
                let place = *places.get(usize::try_from(tag.wrapping_sub(1)).ok()?)?;
                place.checked_sub(1)
            }
            Identity::Map { pages, others, state, .. } => {
                pages.find(tag).or_else(|| in_others(others, state, tag, objects))
            }
        }
    }

    /// The tag must not be there yet, and its address must be set.
    #[inline]
    pub(super) fn insert(&mut self, tag: u64, place: u32, objects: &Objects) {
        match self {
            Identity::Direct => {}
            Identity::Table(places) => {
                let number = tag.wrapping_sub(1) as usize;
                if number == places.len() {
                    places.push(place + 1);
                } else {
                    places[number] = place + 1;
                }
            }
            Identity::Map { recent, pages, others, state, .. } => {
                recent.add(tag, place);
                if !pages.insert(tag, place) {
                    let state = &*state;
                    let hash = state.hash_one(tag);
                    others.insert_unique(hash, place, |&place| state.hash_one(objects.address(place)));
                }
            }
        }
    }

    /// Forgets a tag, while its object still has it.
    #[inline]
    pub(super) fn remove(&mut self, tag: u64, objects: &Objects) {
        match self {
            Identity::Direct => {}
            Identity::Table(places) => {
                if let Some(place) = places.get_mut(tag.wrapping_sub(1) as usize) {
                    *place = 0;
                }
            }
            Identity::Map { recent, pages, others, state, dead } => {
                recent.forget(tag);
                dead.add(tag);
                if !pages.remove(tag)
                    && let Ok(entry) = others.find_entry(state.hash_one(tag), |&place| objects.address(place) == tag)
                {
                    entry.remove();
                }
            }
        }
    }
}

#[inline(always)]
fn direct(tag: u64) -> Option<u32> {
    u32::try_from(tag.wrapping_sub(1)).ok()
}

#[inline]
fn in_others(others: &HashTable<u32>, state: &RandomState, tag: u64, objects: &Objects) -> Option<u32> {
    if others.is_empty() {
        return None;
    }
    others.find(state.hash_one(tag), |&place| objects.address(place) == tag).copied()
}

/// The places of tags that were looked up last, because a log names an object several times in a row. Of two tags that
/// fall on the same entry the later is remembered.
#[derive(Debug)]
pub(super) struct Recent(Vec<(u64, u32)>);

impl Recent {
    const ENTRIES: usize = 1 << 13;
    const NOBODY: u32 = u32::MAX;

    fn new() -> Recent {
        Recent(vec![(0, Self::NOBODY); Self::ENTRIES])
    }

    #[inline]
    fn get(&self, tag: u64) -> Option<u32> {
        let (known, place) = self.0[Self::entry(tag)];
        (known == tag && place != Self::NOBODY).then_some(place)
    }

    #[inline]
    fn add(&mut self, tag: u64, place: u32) {
        self.0[Self::entry(tag)] = (tag, place);
    }

    #[inline]
    fn forget(&mut self, tag: u64) {
        let entry = &mut self.0[Self::entry(tag)];
        if entry.0 == tag {
            entry.1 = Self::NOBODY;
        }
    }

    #[inline]
    fn entry(tag: u64) -> usize {
        // Addresses are multiples of 16: the low bits say nothing.
        (tag >> 4) as usize % Self::ENTRIES
    }
}

/// The tags of the last deaths, so that a use after free can be told from an object that never was. Of two tags that
/// fall on the same place the later is remembered.
#[derive(Debug)]
pub(super) struct RecentlyDead {
    tags: Vec<u64>,
    /// Tag 0 is remembered here: in `tags` it means nothing.
    zero: bool,
}

impl RecentlyDead {
    const PLACES: usize = 1 << 14;

    pub(super) fn new() -> RecentlyDead {
        RecentlyDead { tags: vec![0; Self::PLACES], zero: false }
    }

    #[inline]
    pub(super) fn add(&mut self, tag: u64) {
        self.tags[Self::place(tag)] = tag;
        self.zero |= tag == 0;
    }

    pub(super) fn contains(&self, tag: u64) -> bool {
        if tag == 0 { self.zero } else { self.tags[Self::place(tag)] == tag }
    }

    #[inline]
    fn place(tag: u64) -> usize {
        // Addresses are multiples of 16: the low bits say nothing.
        (tag.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - 14)) as usize
    }
}
