//! The collector's lists: where the rings of tracked objects begin, found once by their shape, and how to go round one.
//!
//! `struct _gc_runtime_state` is part of the interpreter (3.8: of the runtime). Its offset changes from version to version,
//! but in it stand, since 3.8, three generations of 24 bytes (a head of two pointers, threshold, count), and behind them a
//! pointer to the first of them. A word that points to 72 bytes before itself, where a ring begins, is unmistakable.

use super::abi::Abi;
use super::memory::{GC_HEAD, PREV_FLAGS, word};

const GENERATIONS: usize = 3;
const GENERATION: usize = 24;
/// How far into the interpreter the search goes, bytes. It ends at the first hit, which is at 112 to 7,500.
const SEARCHED: usize = 16 << 10;

/// Where the heads of the rings are.
#[derive(Debug, Clone, Copy)]
pub struct Rings {
    first: usize,
}

impl Rings {
    pub unsafe fn find(abi: &Abi) -> Option<Rings> {
        let span = GENERATIONS * GENERATION;
        let start = abi.collector_owner;
        (start + span..start + SEARCHED).step_by(8).find_map(|address| unsafe {
            let first = address - span;
            let found = word(address) == first && (0..GENERATIONS).all(|g| is_ring(first + g * GENERATION));
            // The permanent generation of `gc.freeze` stands behind the pointer.
            (found && is_ring(address + 8)).then_some(Rings { first })
        })
    }

    /// The heads of the generations that a collection of `generation` looks at, the youngest first.
    pub fn young(self, generation: usize) -> impl Iterator<Item = usize> {
        (0..=generation.min(GENERATIONS - 1)).map(move |g| self.first + g * GENERATION)
    }

    /// All heads, that of the permanent generation last.
    pub fn all(self) -> impl Iterator<Item = usize> {
        self.young(GENERATIONS - 1).chain([self.first + GENERATIONS * GENERATION + 8])
    }
}

unsafe fn is_ring(head: usize) -> bool {
    unsafe {
        let (next, previous) = (word(head), word(head + 8) & !PREV_FLAGS);
        next != 0
            && previous != 0
            && next.is_multiple_of(8)
            && (next == head) == (previous == head)
            && word(next + 8) & !PREV_FLAGS == head
    }
}

/// Calls `each` with every collector's head of the ring that begins at `head`.
pub unsafe fn each_head(head: usize, mut each: impl FnMut(usize)) {
    unsafe {
        let mut node = word(head) & !PREV_FLAGS;
        while node != head {
            let next = word(node) & !PREV_FLAGS;
            each(node);
            node = next;
        }
    }
}

/// Calls `each` with every object of the ring that begins at `head`.
pub unsafe fn each_object(head: usize, mut each: impl FnMut(usize)) {
    unsafe { each_head(head, |node| each(node + GC_HEAD)) }
}
