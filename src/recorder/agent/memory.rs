//! Asks for memory, and may be refused: then the recording stops, and the program goes on.
//!
//! What grows with the program grows through [`Grow`]: where memory is refused, the element is not added, and
//! [`is_refused`] says so from then on. Nothing is written any more then, so no record rests on what is missing. A small
//! thing that `std` asks for on the way to the end comes from a reserve.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::arena::Arena;
use crate::own_memory;
use crate::system;

#[cfg(not(test))]
static REFUSED: AtomicBool = AtomicBool::new(false);
#[cfg(test)]
thread_local!(static REFUSED: AtomicBool = const { AtomicBool::new(false) });

/// Whether memory was refused since the recording began.
#[inline]
pub(crate) fn is_refused() -> bool {
    flag(|refused| refused.load(Ordering::Relaxed))
}

/// Memory was refused. Nothing is written from here on.
#[cold]
pub(crate) fn refuse() {
    flag(|refused| refused.store(true, Ordering::Relaxed));
}

/// A recording begins.
pub(crate) fn forget_refusal() {
    flag(|refused| refused.store(false, Ordering::Relaxed));
}

#[cfg(not(test))]
fn flag<T>(with: impl FnOnce(&AtomicBool) -> T) -> T {
    with(&REFUSED)
}

/// The tests of other things go on beside.
#[cfg(test)]
fn flag<T>(with: impl FnOnce(&AtomicBool) -> T) -> T {
    REFUSED.with(with)
}

/// What grows by elements.
pub(crate) trait Grow<T> {
    /// Makes room for so many more; false where there is no memory for it.
    fn ask(&mut self, more: usize) -> bool;

    /// Adds an element; false where there is no memory for it.
    fn add(&mut self, element: T) -> bool;

    /// Adds one after the other, as far as there is memory for them.
    fn add_each(&mut self, elements: impl IntoIterator<Item = T>) {
        for element in elements {
            if !self.add(element) {
                break;
            }
        }
    }

    /// Adds all, or none.
    fn add_all(&mut self, elements: &[T]) -> bool
    where
        T: Clone;
}

impl<T> Grow<T> for Vec<T> {
    #[inline]
    fn ask(&mut self, more: usize) -> bool {
        self.capacity() - self.len() >= more || grow(self, more)
    }

    #[inline]
    fn add(&mut self, element: T) -> bool {
        let is_room = self.ask(1);
        if is_room {
            self.push(element);
        }
        is_room
    }

    fn add_all(&mut self, elements: &[T]) -> bool
    where
        T: Clone,
    {
        let is_room = self.ask(elements.len());
        if is_room {
            self.extend_from_slice(elements);
        }
        is_room
    }
}

/// By a half, or by a quarter where that is much: large memory is moved and not copied, so it need not double.
#[cold]
fn grow<T>(list: &mut Vec<T>, more: usize) -> bool {
    const MUCH: usize = 1 << 20;
    let used = list.len();
    let spare = if used * size_of::<T>() > MUCH { used / 4 } else { used.max(4) };
    let granted = !is_refused() && list.try_reserve_exact(more.max(spare)).is_ok();
    if !granted {
        refuse();
    }
    granted
}

/// What grows by pieces of text.
pub(crate) trait GrowText {
    /// Adds a piece, if there is memory for it.
    fn add_text(&mut self, piece: &str);

    /// Adds a character, if there is memory for it.
    fn add_char(&mut self, character: char) {
        self.add_text(character.encode_utf8(&mut [0; 4]));
    }
}

impl GrowText for String {
    fn add_text(&mut self, piece: &str) {
        if self.capacity() - self.len() < piece.len() && (is_refused() || self.try_reserve(piece.len()).is_err()) {
            return refuse();
        }
        self.push_str(piece);
    }
}

/// What becomes a list.
pub(crate) trait Gather: Iterator + Sized {
    /// The elements, as far as there is memory for them.
    fn gather(self) -> Vec<Self::Item> {
        let mut list = Vec::new();
        for element in self {
            if !list.add(element) {
                break;
            }
        }
        list
    }
}

impl<I: Iterator> Gather for I {}

/// The pieces in a row; fewer where there is no memory for them.
pub(crate) fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in pieces {
        all.add_all(piece);
    }
    all
}

/// A list of so many equal elements; empty where there is no memory for it.
pub(crate) fn filled<T: Clone>(element: T, length: usize) -> Vec<T> {
    let mut list = Vec::new();
    if list.ask(length) {
        provide(&list);
        list.resize(length, element);
    }
    list
}

/// Has all room of a list there that is going to be written to, where that is much.
pub(crate) fn provide<T>(list: &Vec<T>) {
    let bytes = (list.capacity() - list.len()) * size_of::<T>();
    if bytes >= LARGE {
        system::provide(list.as_ptr().addr() + list.len() * size_of::<T>(), bytes);
    }
}

/// An empty list in a mapping of its own. Where memory is searched for addresses, those that are in it are not found.
pub(crate) fn apart<T>() -> Vec<T> {
    let mut list = Vec::new();
    list.ask(LARGE.div_ceil(size_of::<T>()));
    list
}

/// The system's allocator, with a reserve behind it. What is large is mapped: freed by whatever thread of the program, it is the
/// system's again, while the C library would keep it for that thread.
///
/// `std` ends the process where it is refused memory, and cannot do otherwise. So small things are not refused: a name, a
/// path, a line of a message.
///
/// In a copy of the process what is small comes from an arena, and what is older stays where it is.
struct WithReserve;

const RESERVE: usize = 512 << 10;
/// Nothing larger comes from the reserve.
const SMALL: usize = 32 << 10;
/// What has so many bytes is mapped.
pub(crate) const LARGE: usize = 64 << 10;

#[repr(align(16))]
struct Reserve(UnsafeCell<[u8; RESERVE]>);

// SAFETY: each part of it is given away once.
unsafe impl Sync for Reserve {}

static MEMORY: Reserve = Reserve(UnsafeCell::new([0; RESERVE]));
static TAKEN: AtomicUsize = AtomicUsize::new(0);

static ARENA: Arena = Arena::none();

/// This process is a copy, and takes no lock of the C library from here on.
pub(crate) fn keep_apart() {
    ARENA.open();
}

impl WithReserve {
    #[cold]
    fn from_reserve(layout: Layout) -> *mut u8 {
        refuse();
        let bytes = layout.size().next_multiple_of(16);
        if bytes > SMALL || layout.align() > 16 {
            return std::ptr::null_mut();
        }
        let place = TAKEN.fetch_add(bytes, Ordering::Relaxed);
        if place + bytes > RESERVE {
            TAKEN.fetch_sub(bytes, Ordering::Relaxed);
            return std::ptr::null_mut();
        }
        // SAFETY: the place is within the reserve.
        unsafe { MEMORY.0.get().cast::<u8>().add(place) }
    }

    fn is_mapped(bytes: usize, align: usize) -> bool {
        bytes >= LARGE && align <= 4096
    }

    fn is_reserve(block: *mut u8) -> bool {
        block.addr().wrapping_sub(MEMORY.0.get().addr()) < RESERVE
    }
}

// SAFETY: blocks are the system's, mappings of their own, or parts of the reserve that are given away once and never taken back.
unsafe impl GlobalAlloc for WithReserve {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if WithReserve::is_mapped(layout.size(), layout.align()) {
            let Ok(block) = system::map_private(layout.size()) else { return std::ptr::null_mut() };
            own_memory::add(block.addr(), layout.size());
            return block;
        }
        // SAFETY: as the caller promises.
        let block = if ARENA.is_open() { ARENA.give(layout) } else { unsafe { System.alloc(layout) } };
        if block.is_null() { WithReserve::from_reserve(layout) } else { block }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises; what is mapped is zero.
        unsafe {
            let block = self.alloc(layout);
            if !block.is_null() && !WithReserve::is_mapped(layout.size(), layout.align()) {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WithReserve::is_mapped(layout.size(), layout.align()) {
            own_memory::remove(block.addr());
            // SAFETY: as the caller promises, it was mapped with so many bytes.
            unsafe { system::unmap(block, layout.size()) }
        } else if ARENA.is_open() {
            // SAFETY: as the caller promises.
            unsafe { ARENA.take(block, layout) }
        } else if !WithReserve::is_reserve(block) {
            // SAFETY: as the caller promises.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as the caller promises; the new block has room for what both have.
        unsafe {
            let [was, is] = [layout.size(), bytes].map(|bytes| WithReserve::is_mapped(bytes, layout.align()));
            if was && is {
                own_memory::remove(block.addr());
                let moved = system::resize(block, layout.size(), bytes);
                let (start, bytes) =
                    moved.as_ref().map_or((block.addr(), layout.size()), |moved| (moved.addr(), bytes));
                own_memory::add(start, bytes);
                return moved.unwrap_or(std::ptr::null_mut());
            }
            if !was && !is && !WithReserve::is_reserve(block) && !ARENA.is_open() {
                let moved = System.realloc(block, layout, bytes);
                if !moved.is_null() {
                    return moved;
                }
            }
            let moved = self.alloc(Layout::from_size_align_unchecked(bytes, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, bytes.min(layout.size()));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[global_allocator]
static ALLOCATOR: WithReserve = WithReserve;

#[cfg(test)]
mod tests {
    use super::{Gather, Grow, RESERVE, SMALL, WithReserve, forget_refusal, is_refused};
    use std::alloc::{GlobalAlloc, Layout};

    #[test]
    fn what_is_refused_is_said_and_small_things_come_from_the_reserve() {
        let mut list: Vec<[u8; 1 << 20]> = Vec::new();
        assert!(!list.ask(1 << 40) && is_refused());
        // From then on nothing grows, whatever the system has.
        assert!(!list.ask(1) && !Vec::new().add(1) && (0..10).gather().is_empty());
        forget_refusal();
        assert_eq!((0..1000).gather().len(), 1000);

        let small = Layout::from_size_align(100, 8).unwrap();
        let first = WithReserve::from_reserve(small);
        let second = WithReserve::from_reserve(small);
        assert!(WithReserve::is_reserve(first) && second.addr() >= first.addr() + 100 && is_refused());
        // SAFETY: a block of the reserve with its layout, which moves to the system.
        unsafe {
            first.write(7);
            let moved = WithReserve.realloc(first, small, 5000);
            assert!(!WithReserve::is_reserve(moved) && moved.read() == 7);
            WithReserve.dealloc(moved, Layout::from_size_align(5000, 8).unwrap());
        }
        assert!(WithReserve::from_reserve(Layout::from_size_align(SMALL + 1, 8).unwrap()).is_null());
        let until_full =
            std::iter::from_fn(|| Some(WithReserve::from_reserve(small))).take_while(|block| !block.is_null());
        assert!(until_full.count() < RESERVE / 100);
        forget_refusal();
    }
}
