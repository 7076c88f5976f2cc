//! Corrects what the collector says of how many objects it looked at, where it counts them (3.15).
//!
//! `struct gc_stats` of `pycore_interp_structs.h` has a ring of the last collections for each generation, eleven of the
//! youngest and three of the others, and the place of the last one. `gc.get_stats()` tells what that one says, with all
//! that were before it. Measured on 3.15.2; what is in memory is compared with `gc.get_stats()` before anything is changed.

use super::gc_lists::GcLists;
use super::memory::{byte, set_word, word};

/// Where the collector keeps what it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatsRow {
    /// From the first list to the pointer.
    pub behind_lists: usize,
}

/// Collections that a ring remembers, by generation.
const REMEMBERED: [usize; 3] = [11, 3, 3];
/// Bytes of one collection, and of the place of the last one, padded.
const COLLECTION: usize = 64;
const PLACE: usize = 8;
/// In a collection: how many there were with it, and how many objects they looked at.
const COLLECTIONS: usize = 16;
const CANDIDATES: usize = 40;

/// The rings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcStats {
    pointer: usize,
}

impl GcStats {
    pub(crate) fn new(lists: GcLists, row: StatsRow) -> GcStats {
        GcStats { pointer: lists.first() + row.behind_lists }
    }

    /// Whether the rings say that there were so many collections in all.
    ///
    /// # Safety
    /// As of this folder.
    pub(crate) unsafe fn agree(self, collections: u64) -> bool {
        // SAFETY: as the caller promises.
        let counted =
            (0..REMEMBERED.len()).map(|generation| unsafe { Some(word(self.last_two(generation)?.1 + COLLECTIONS)) });
        counted.sum::<Option<usize>>() == Some(collections as usize)
    }

    /// Takes so many objects from those that the last collection of a generation looked at, and says how many it did look at.
    ///
    /// # Safety
    /// As of this folder, and the rings [agreed](GcStats::agree) once.
    pub(crate) unsafe fn take(self, generation: usize, objects: usize) -> Option<u64> {
        // SAFETY: as the caller promises.
        unsafe {
            let (before, last) = self.last_two(generation)?;
            let counted = word(last + CANDIDATES).saturating_sub(objects);
            set_word(last + CANDIDATES, counted);
            Some(counted.saturating_sub(word(before + CANDIDATES)) as u64)
        }
    }

    /// The last collection of a generation, and the one before it: what they counted is with all that were before them.
    unsafe fn last_two(self, generation: usize) -> Option<(usize, usize)> {
        let bytes = |remembered: usize| remembered * COLLECTION + PLACE;
        let before: usize = REMEMBERED.get(..generation)?.iter().map(|&remembered| bytes(remembered)).sum();
        let remembered = *REMEMBERED.get(generation)?;
        // SAFETY: as the caller promises, the pointer is the interpreter's.
        unsafe {
            let ring = word(self.pointer) + before;
            let place = usize::from(byte(ring + remembered * COLLECTION));
            let previous = (place + remembered - 1) % remembered;
            (place < remembered).then_some((ring + previous * COLLECTION, ring + place * COLLECTION))
        }
    }
}
