//! Gives out small blocks in a copy of the process, where the C library's locks may be locked for ever.
//!
//! A block has a power of two as its size, and goes back to those of its size. A copy has one thread.

use std::alloc::Layout;
use std::ptr::{null_mut, with_exposed_provenance, with_exposed_provenance_mut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::system;

/// Bytes of the first chunk; each has twice as many as the one before.
const FIRST: usize = 1 << 20;
/// Chunks: a terabyte.
const CHUNKS: usize = 20;
/// Blocks of 16 bytes, 32 and so on, to 64 KiB.
const SIZES: usize = 13;
const SMALLEST: usize = 16;

pub(crate) struct Arena {
    is_open: AtomicBool,
    /// Where each chunk begins; 0 where it was not asked for yet.
    chunks: [AtomicUsize; CHUNKS],
    /// From here on nothing of the last chunk was given out.
    next: AtomicUsize,
    end: AtomicUsize,
    /// Of each size the first block that was given back; each has the next one's address in it.
    free: [AtomicUsize; SIZES],
}

impl Arena {
    pub(crate) const fn none() -> Arena {
        Arena {
            is_open: AtomicBool::new(false),
            chunks: [const { AtomicUsize::new(0) }; CHUNKS],
            next: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            free: [const { AtomicUsize::new(0) }; SIZES],
        }
    }

    /// From here on all blocks come from it.
    pub(crate) fn open(&self) {
        self.is_open.store(true, Relaxed);
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Relaxed)
    }

    /// A block, or null where it is too large or there is no memory.
    pub(crate) fn give(&self, layout: Layout) -> *mut u8 {
        let size = size(layout);
        let Some(free) = self.free.get(size) else { return null_mut() };
        let block = free.load(Relaxed);
        if block != 0 {
            // SAFETY: a block that was given back has an address in it.
            free.store(unsafe { *with_exposed_provenance::<usize>(block) }, Relaxed);
            return with_exposed_provenance_mut(block);
        }
        // A block lies on a multiple of its size, as large as its alignment may be.
        let bytes = SMALLEST << size;
        let mut block = self.next.load(Relaxed).next_multiple_of(bytes);
        if block + bytes > self.end.load(Relaxed) {
            let Some(start) = self.add_chunk() else { return null_mut() };
            block = start.next_multiple_of(bytes);
        }
        self.next.store(block + bytes, Relaxed);
        with_exposed_provenance_mut(block)
    }

    /// Takes a block back, if it is one of these. Others are of the time before the copy, and stay.
    ///
    /// # Safety
    /// Nobody has a reference to it, and if it is one of these it was given with this layout.
    pub(crate) unsafe fn take(&self, block: *mut u8, layout: Layout) {
        if self.has(block.addr())
            && let Some(free) = self.free.get(size(layout))
        {
            // SAFETY: the block has room for an address.
            unsafe { block.cast::<usize>().write(free.load(Relaxed)) };
            free.store(block.expose_provenance(), Relaxed);
        }
    }

    #[cold]
    fn add_chunk(&self) -> Option<usize> {
        let (nth, chunk) = self.chunks.iter().enumerate().find(|(_, chunk)| chunk.load(Relaxed) == 0)?;
        let start = system::map_private(FIRST << nth).ok()?.expose_provenance();
        chunk.store(start, Relaxed);
        self.end.store(start + (FIRST << nth), Relaxed);
        Some(start)
    }

    fn has(&self, address: usize) -> bool {
        let chunks = self.chunks.iter().map(|chunk| chunk.load(Relaxed)).take_while(|&start| start != 0);
        { chunks }.enumerate().any(|(nth, start)| address.wrapping_sub(start) < FIRST << nth)
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
        assert!(!arena.is_open());
        arena.open();
        assert!(arena.is_open());
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

    #[test]
    fn there_is_always_another_chunk() {
        let arena = Arena::none();
        let layout = Layout::from_size_align(60_000, 8).unwrap();
        let blocks: Vec<_> = (0..200).map(|_| arena.give(layout)).collect();
        let mut places: Vec<_> = blocks.iter().map(|block| block.addr()).collect();
        places.sort_unstable();
        assert!(places[0] > 0 && places.windows(2).all(|pair| pair[0] + 65_536 <= pair[1]));
        for block in blocks {
            // SAFETY: nobody uses it.
            unsafe { arena.take(block, layout) };
        }
        let mut again: Vec<_> = (0..200).map(|_| arena.give(layout).addr()).collect();
        again.sort_unstable();
        assert_eq!(again, places);
    }
}
