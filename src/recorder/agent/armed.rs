//! Knows which births get a stack in `leaks`: those of types that have leaked before, until they cease, and those in code that
//! was named.
//!
//! A block has no type yet when it is allocated, so what is asked at a birth is its size, and the type when the object is
//! written. A type that a free list of CPython keeps is never in here: its memory comes back without a birth.

use std::ops::RangeInclusive;

use crate::address_map::AddressMap;
use crate::cpython::memory::type_of;
use crate::live_table::{IS_CODE, IS_TYPE, Record};
use crate::memory::{Gather, Grow};
use crate::recorder::Recorder;
use crate::stacks::Stacks;

/// Sizes are told apart in steps of 8 bytes; from the last on they are one.
const SIZES: usize = 128;

/// A type is forgotten after so many collections that found none of its objects,
const PATIENCE: u32 = 256;
/// of which one of the oldest generation counts as many of the younger.
const OLDEST: u32 = 80;

/// The types that leaked lately.
#[derive(Debug)]
pub(crate) struct Armed {
    /// Asked at each birth.
    sizes: [bool; SIZES],
    types: Vec<Type>,
    /// One more than the place in `types`.
    places: AddressMap<u32>,
}

#[derive(Debug)]
struct Type {
    address: usize,
    /// A bit for each size that its objects had, or will have.
    sizes: u128,
    shrinks: bool,
    patience: u32,
}

impl Armed {
    pub(crate) fn new() -> Armed {
        Armed { sizes: [false; SIZES], types: Vec::new(), places: AddressMap::default() }
    }

    /// Whether a block of so many bytes may be an object of one of the types.
    #[inline]
    pub(crate) fn wants(&self, bytes: usize) -> bool {
        self.sizes[size(bytes)]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    pub(crate) fn contains(&self, type_object: usize) -> bool {
        self.places.contains(type_object)
    }

    /// An object of this type leaked, and the next one has so many bytes: a range where the instances of a class become
    /// smaller as more are made, which ends as that does.
    pub(crate) fn leaked(&mut self, type_object: usize, bytes: RangeInclusive<usize>) {
        let new = Type { address: type_object, sizes: 0, shrinks: false, patience: PATIENCE };
        let place = match self.places.value(type_object) {
            0 if !self.types.add(new) => return,
            0 => {
                self.places.insert(type_object, self.types.len() as u32);
                self.types.len() - 1
            }
            place => place as usize - 1,
        };
        let known = &mut self.types[place];
        known.patience = PATIENCE;
        let (first, last) = (size(*bytes.start()), size(*bytes.end()));
        let sizes = u128::MAX >> (SIZES - 1 - last) & u128::MAX << first;
        known.shrinks |= first < last;
        let sizes = if known.shrinks { sizes } else { known.sizes | sizes };
        if known.sizes != sizes {
            known.sizes = sizes;
            self.index();
        }
    }

    /// A collection of this generation is over.
    pub(crate) fn collected(&mut self, generation: u8) {
        let cost = if generation >= 2 { OLDEST } else { 1 };
        let mut is_one_out = false;
        for known in &mut self.types {
            known.patience = known.patience.saturating_sub(cost);
            is_one_out |= known.patience == 0;
        }
        if is_one_out {
            self.types.retain(|known| known.patience != 0);
            self.index();
        }
    }

    /// The type object is gone.
    pub(crate) fn forget(&mut self, type_object: usize) {
        if self.places.contains(type_object) {
            self.types.retain(|known| known.address != type_object);
            self.index();
        }
    }

    fn index(&mut self) {
        self.places.clear();
        self.sizes = [false; SIZES];
        for (place, known) in (1..).zip(&self.types) {
            self.places.insert(known.address, place);
            for (size, is_wanted) in self.sizes.iter_mut().enumerate() {
                *is_wanted |= known.sizes >> size & 1 != 0;
            }
        }
    }
}

impl Recorder {
    /// Whether the birth of a block of so many bytes is noted.
    #[inline]
    pub(crate) fn wants_birth(&self, bytes: usize) -> bool {
        self.keeps_births || self.armed.as_ref().is_some_and(|armed| armed.wants(bytes))
    }

    /// Whether births are asked about from the start, and not from the first leak on.
    pub(crate) fn takes_births(&self) -> bool {
        self.keeps_births || self.has_sites()
    }

    /// Whether births are noted though nothing has leaked: those of code that was named.
    pub(crate) fn has_sites(&self) -> bool {
        self.stacks.as_ref().is_some_and(Stacks::has_sites)
    }

    /// Whether such code runs.
    ///
    /// # Safety
    /// `thread` must be the thread state that runs.
    pub(crate) unsafe fn is_at_site(&mut self, thread: usize) -> bool {
        let table = &mut self.table;
        // SAFETY: as the caller promises.
        self.stacks
            .as_mut()
            .is_some_and(|stacks| unsafe { stacks.is_at_site(thread, |code| table.mark(code, IS_CODE)) })
    }

    /// A collection of this generation is over.
    pub(crate) fn is_over(&mut self, generation: u8) {
        if let Some(armed) = &mut self.armed {
            armed.collected(generation);
        }
    }

    /// The hook is about to go: the blocks that are noted may be others' when it is back, and the code objects too.
    pub(crate) fn forget_births(&mut self) {
        let Some(stacks) = self.stacks.as_mut().filter(|stacks| stacks.knows_code()) else { return };
        stacks.forget_codes();
        let unwritten = |record: &&mut Record| record.number == 0 && record.flags & IS_TYPE == 0;
        let blocks: Vec<usize> = self.table.records().filter(unwritten).map(|record| record.block).gather();
        for block in blocks {
            let index = self.table.find(block);
            self.table.remove(index);
        }
        self.table.records().for_each(|record| record.flags &= !IS_CODE);
    }

    /// Whether the stack of the object's block is that of its birth: where not all births are noted, another object may
    /// have been there before, and have come to rest in a free list.
    pub(crate) fn knows_birth(&self, object: usize) -> bool {
        // SAFETY: the walk has met a live object.
        self.armed.as_ref().is_none_or(|armed| armed.contains(unsafe { type_of(object) }))
    }
}

#[inline]
fn size(bytes: usize) -> usize {
    (bytes / 8).min(SIZES - 1)
}

#[cfg(test)]
mod tests {
    use super::{Armed, OLDEST, PATIENCE};

    #[test]
    fn a_type_is_armed_when_it_leaks_and_disarmed_when_it_ceases() {
        let mut armed = Armed::new();
        armed.leaked(0x1000, 64..=64);
        armed.leaked(0x2000, 64..=64);
        armed.leaked(0x2000, 5000..=5000);
        assert!(armed.wants(64) && armed.wants(9999) && !armed.wants(56) && !armed.wants(72));
        for _ in 0..PATIENCE - 1 {
            armed.collected(0);
        }
        armed.leaked(0x1000, 64..=64);
        armed.collected(0);
        assert!(armed.contains(0x1000) && !armed.contains(0x2000));
        assert!(armed.wants(64) && !armed.wants(9999));
        for _ in 0..PATIENCE.div_ceil(OLDEST) {
            armed.collected(2);
        }
        assert!(armed.is_empty() && !armed.wants(64));
    }

    #[test]
    fn sizes_that_a_class_has_left_behind_are_not_asked_for() {
        let mut armed = Armed::new();
        armed.leaked(0x1000, 64..=9999);
        assert!(armed.wants(64) && armed.wants(200) && armed.wants(9999) && !armed.wants(56));
        armed.leaked(0x1000, 64..=80);
        armed.leaked(0x1000, 64..=64);
        assert!(armed.wants(64) && !armed.wants(72) && !armed.wants(9999));
    }

    #[test]
    fn a_type_that_is_gone_takes_its_sizes_with_it() {
        let mut armed = Armed::new();
        armed.leaked(0x1000, 64..=64);
        armed.leaked(0x2000, 80..=80);
        armed.forget(0x1000);
        armed.forget(0x1000);
        assert!(!armed.contains(0x1000) && armed.contains(0x2000));
        assert!(!armed.wants(64) && armed.wants(80));
    }
}
