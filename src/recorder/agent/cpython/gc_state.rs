//! Reads what the collector counts: thresholds, allocations since the last collection, and how old its objects are.
//!
//! Each generation has its threshold and its count behind the head of its list. What else there is stands in front of the
//! three and behind them, as the row of the version says; where Debian moved the lists (3.13.5 and later), it stands four
//! bytes further from them behind, and four bytes nearer in front.

use super::gc_lists::GcLists;
use super::memory::{half, word};

/// Where the collector's numbers are, from the first list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateRow {
    /// In front of it: whether collections begin by themselves.
    pub enabled: usize,
    /// Behind it: `long_lived_total`, and `long_lived_pending` in the next word.
    pub long_lived: usize,
}

/// In a generation, behind the head of its list.
const THRESHOLD: usize = 16;
const COUNT: usize = 20;

/// What the collector counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GcState {
    pub enabled: bool,
    pub thresholds: [u32; 3],
    pub counts: [u32; 3],
    pub pending: u64,
    pub total: u64,
}

impl GcState {
    /// # Safety
    /// As of this folder.
    pub(crate) unsafe fn read(lists: GcLists, row: StateRow) -> GcState {
        let first = lists.first();
        let moved = first % 8;
        let heads: [usize; 3] = std::array::from_fn(|generation| lists.head(generation));
        // SAFETY: as the caller promises, this is memory of the interpreter.
        unsafe {
            let long_lived = first + row.long_lived + moved;
            GcState {
                enabled: half(first + moved - row.enabled) != 0,
                thresholds: heads.map(|head| half(head + THRESHOLD) as u32),
                counts: heads.map(|head| half(head + COUNT) as u32),
                pending: word(long_lived + 8) as u64,
                total: word(long_lived) as u64,
            }
        }
    }
}
