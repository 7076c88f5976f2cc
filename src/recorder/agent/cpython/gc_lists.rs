//! Finds the collector's lists by their shape, and goes round one.
//!
//! `struct _gc_runtime_state` is part of the interpreter (3.8: of the runtime). Its offset changes from version to version,
//! but in it stand, since 3.8, three generations of 24 bytes (a head of two pointers, threshold, count), the permanent
//! generation of `gc.freeze`, and a pointer to the first of them. Four rings in a row with such a pointer are unmistakable.

use super::interpreter::Interpreter;
use super::memory::{GC_HEAD, GC_PREV, PREV_FLAGS, gc_prev, half, set_gc_prev, set_word, word};
use super::versions::Lists;

const GENERATIONS: usize = 3;
const GENERATION: usize = 24;
const SPAN: usize = GENERATIONS * GENERATION;
/// How far into the interpreter the search goes, bytes. It ends at the first hit, which is at 112 to 7,500.
const SEARCHED: usize = 16 << 10;
/// How far behind the first ring its pointer may stand (3.14.10: 232, 3.15.2: 160).
const POINTER_BEHIND: std::ops::Range<usize> = SPAN + GENERATION..400;
/// No object lies below, and none above.
const ADDRESSES: std::ops::Range<usize> = 0x1_0000..1 << 47;

/// Where the heads of the rings are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GcLists {
    first: usize,
    permanent: usize,
}

impl GcLists {
    pub(crate) unsafe fn find(interpreter: &Interpreter) -> Option<GcLists> {
        let start = interpreter.collector_owner;
        let mut places = (start..start + SEARCHED).step_by(8);
        match interpreter.row.lists {
            // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
            Lists::PointerBetween => places.find_map(|place| unsafe { pointer_between(place) }),
            // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
            Lists::PointerBehind => places.find_map(|place| unsafe { pointer_behind(place) }),
        }
    }

    pub(crate) fn first(self) -> usize {
        self.first
    }

    pub(crate) fn head(self, generation: usize) -> usize {
        self.first + generation * GENERATION
    }

    /// The heads of the generations that a collection of `generation` looks at, the youngest first.
    pub(crate) fn young(self, generation: usize) -> impl Iterator<Item = usize> {
        (0..=generation.min(GENERATIONS - 1)).map(move |generation| self.head(generation))
    }

    /// Whether a collection is going on: `collecting`, behind the permanent generation and three statistics (3.8 to 3.13,
    /// `pycore_pymem.h` and `pycore_gc.h`).
    pub(crate) unsafe fn is_collecting(self) -> bool {
        // SAFETY: as the caller promises, this is memory of the interpreter.
        unsafe { half(self.permanent + GENERATION + SPAN) != 0 }
    }

    /// All heads, that of the permanent generation last.
    pub(crate) fn all(self) -> impl Iterator<Item = usize> {
        self.young(GENERATIONS - 1).chain([self.permanent])
    }
}

/// The rings whose pointer stands at `place`. Debian's 3.13.5 and later align the heads to four bytes, so that four more
/// lie between them and the pointer.
unsafe fn pointer_between(place: usize) -> Option<GcLists> {
    // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
    unsafe {
        let first = word(place);
        let fits = [SPAN, SPAN + 4].iter().any(|span| first.wrapping_add(*span) == place);
        let lists = GcLists { first, permanent: place + 8 };
        (fits && lists.all().all(|head| is_ring(head))).then_some(lists)
    }
}

/// The rings whose pointer stands at `place`, some way behind them.
unsafe fn pointer_behind(place: usize) -> Option<GcLists> {
    // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
    unsafe {
        let first = word(place);
        let fits = POINTER_BEHIND.contains(&place.wrapping_sub(first)) && first.is_multiple_of(8);
        let lists = GcLists { first, permanent: first.wrapping_add(SPAN) };
        (fits && lists.all().all(|head| is_ring(head))).then_some(lists)
    }
}

unsafe fn is_ring(head: usize) -> bool {
    // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
    unsafe {
        let (next, previous) = (word(head), word(head + 8) & !PREV_FLAGS);
        [next, previous].iter().all(|node| ADDRESSES.contains(node) && node.is_multiple_of(4))
            && (next == head) == (previous == head)
            && word(next + 8) & !PREV_FLAGS == head
    }
}

/// The end of a ring: what comes behind `before`, up to the ring's own head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub before: usize,
    head: usize,
}

impl Stretch {
    /// All of the ring.
    pub(crate) fn whole(head: usize) -> Stretch {
        Stretch { before: head, head }
    }

    /// What was added to the ring after `node`; `None` if that is not in it. Costs as many steps as that has objects.
    pub(crate) unsafe fn behind(node: usize, head: usize) -> Option<Stretch> {
        let mut last = head;
        // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
        while unsafe { gc_prev(last) } & !PREV_FLAGS != head {
            // SAFETY: as above.
            last = unsafe { gc_prev(last) } & !PREV_FLAGS;
            if last == node {
                return Some(Stretch { before: node, head });
            }
        }
        None
    }

    /// Calls `each` with every collector's head in it.
    pub(crate) unsafe fn each_head(self, mut each: impl FnMut(usize)) {
        // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
        unsafe {
            let mut node = word(self.before) & !PREV_FLAGS;
            while node != self.head {
                let next = word(node) & !PREV_FLAGS;
                each(node);
                node = next;
            }
        }
    }

    /// Calls `each` with every object in it.
    pub(crate) unsafe fn each_object(self, mut each: impl FnMut(usize)) {
        // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
        unsafe { self.each_head(|node| each(node + GC_HEAD)) }
    }
}

/// Calls `each` with every object of the ring that begins at `head`.
pub(crate) unsafe fn each_object(head: usize, each: impl FnMut(usize)) {
    // SAFETY: as the caller promises, this is memory of the interpreter, and what the lists hold is alive.
    unsafe { Stretch::whole(head).each_object(each) }
}

/// Puts a head that is in no ring in front of the one that begins at `head`.
pub(crate) unsafe fn put_in_front(node: usize, head: usize) {
    // SAFETY: as the caller promises, this is a ring of the interpreter.
    unsafe {
        let first = word(head);
        set_word(node, first);
        set_gc_prev(node, head);
        set_word(head, node);
        set_gc_prev(first, node | gc_prev(first) & PREV_FLAGS);
    }
}

/// Takes a head out of the ring that it is in, if it is in one.
pub(crate) unsafe fn take_out(node: usize) {
    // SAFETY: as the caller promises, this is a ring of the interpreter.
    unsafe {
        let (next, previous) = (word(node) & !PREV_FLAGS, gc_prev(node) & !PREV_FLAGS);
        if next == 0 {
            return;
        }
        set_word(previous, next | word(previous) & PREV_FLAGS);
        set_gc_prev(next, previous | gc_prev(next) & PREV_FLAGS);
        set_word(node, 0);
        set_word(node + GC_PREV, 0);
    }
}
