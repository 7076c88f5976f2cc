//! Gives out small blocks in a copy of the process, where the C library's locks may be locked for ever.
//!
//! A block has a power of two as its size, and goes back to those of its size. A copy has one thread.

use std::alloc::Layout;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::system;

/// Address space for all blocks: as much of these as the system grants.
const SPACES: [usize; 3] = [1 << 36, 1 << 32, 1 << 28];
/// Blocks of 16 bytes, 32 and so on, to 64 KiB.
const SIZES: usize = 13;
const SMALLEST: usize = 16;

pub(crate) struct Arena {
    /// 0 where there is none.
    start: AtomicUsize,
    end: AtomicUsize,
    /// From here on nothing was given out.
    next: AtomicUsize,
    /// Of each size the first block that was given back; each has the next one's address in it.
    free: [AtomicUsize; SIZES],
}

impl Arena {
    pub(crate) const fn none() -> Arena {
        const fn zero() -> AtomicUsize {
            AtomicUsize::new(0)
        }
        Arena { start: zero(), end: zero(), next: zero(), free: [const { zero() }; SIZES] }
    }

    /// Takes the address space; false where the system does not grant it.
    pub(crate) fn open(&self) -> bool {
        let granted =
            SPACES.into_iter().find_map(|bytes| Some((system::map_zeroed(bytes).ok()?.expose_provenance(), bytes)));
        let Some((start, bytes)) = granted else { return false };
        self.next.store(start, Relaxed);
        self.end.store(start + bytes, Relaxed);
        self.start.store(start, Relaxed);
        true
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.start.load(Relaxed) != 0
    }

    /// A block, or null where it is too large or there is no room.
    pub(crate) fn give(&self, layout: Layout) -> *mut u8 {
        let size = size(layout);
        let Some(free) = self.free.get(size) else { return null_mut() };
        let mut block = free.load(Relaxed);
        if block == 0 {
            let bytes = SMALLEST << size;
            // A block lies on a multiple of its size, as large as its alignment may be.
            block = self.next.load(Relaxed).next_multiple_of(bytes);
            if block + bytes > self.end.load(Relaxed) {
                return null_mut();
            }
            self.next.store(block + bytes, Relaxed);
        } else {
            // SAFETY: a block that was given back has an address in it.
            free.store(unsafe { *std::ptr::with_exposed_provenance::<usize>(block) }, Relaxed);
        }
        std::ptr::with_exposed_provenance_mut(block)
    }

    /// Takes a block back, if it is one of these. Others are of the time before the copy, and stay.
    ///
    /// # Safety
    /// Nobody has a reference to it, and if it is one of these it was given with this layout.
    pub(crate) unsafe fn take(&self, block: *mut u8, layout: Layout) {
        if (self.start.load(Relaxed)..self.end.load(Relaxed)).contains(&block.addr())
            && let Some(free) = self.free.get(size(layout))
        {
            // SAFETY: the block has room for an address.
            unsafe { block.cast::<usize>().write(free.load(Relaxed)) };
            free.store(block.expose_provenance(), Relaxed);
        }
    }
}

/// Which of the sizes a block has.
fn size(layout: Layout) -> usize {
    let bytes = layout.size().max(layout.align()).max(SMALLEST).next_power_of_two();
    (bytes / SMALLEST).trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use super::Arena;
    use std::alloc::Layout;

    #[test]
    fn a_block_comes_again_when_it_was_given_back_and_never_before() {
        let arena = Arena::none();
        assert!(!arena.is_open() && arena.open() && arena.is_open());
        let layout = |bytes, align| Layout::from_size_align(bytes, align).unwrap();
        let mut blocks = Vec::new();
        for bytes in [1, 16, 17, 100, 4000, 65_536] {
            for align in [1, 8, 64] {
                let block = arena.give(layout(bytes, align));
                assert_eq!(block.addr() % align.max(16), 0);
                // SAFETY: the arena gave so many bytes.
                unsafe { block.write_bytes(0xff, bytes) };
                blocks.push((block, layout(bytes, align)));
            }
        }
        let mut places: Vec<_> = blocks.iter().map(|(block, layout)| (block.addr(), layout.size())).collect();
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{places:?}");
        for &(block, layout) in &blocks {
            // SAFETY: nobody uses it.
            unsafe { arena.take(block, layout) };
        }
        let mut again: Vec<_> = blocks.iter().map(|&(_, layout)| arena.give(layout).addr()).collect();
        again.sort_unstable();
        assert_eq!(again, places.iter().map(|place| place.0).collect::<Vec<_>>());

        assert!(arena.give(layout(65_537, 8)).is_null());
        let mut other = [0_u64; 4];
        // SAFETY: what is not of the arena is left as it is.
        unsafe { arena.take(other.as_mut_ptr().cast(), layout(32, 8)) };
        assert_ne!(arena.give(layout(32, 8)), other.as_mut_ptr().cast());
        assert_eq!(other, [0; 4]);
    }
}
