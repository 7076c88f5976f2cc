//! Finds the block of memory that an address points into: where it begins, and how long it is.
//!
//! The size is that of the allocator: of a pool of CPython's, by its header; of a chunk of glibc's `malloc`, by the words in
//! front of it and of the next one; of a block of Tcl's. Anything else, as a pointer into a block or a block of another allocator, is a window.

use super::reader::Reader;
use crate::cpython::memory::pool_block;
use crate::maps;
use crate::memory::Grow;

/// Bytes that are looked at where no size is known.
const WINDOW: usize = 256;
/// In front of a chunk: the size of the one before, and its own, whose low bits are flags.
const CHUNK_HEAD: usize = 16;
const PREVIOUS_IN_USE: usize = 1;
const IS_MAPPED: usize = 2;
const CHUNK_FLAGS: usize = 7;
const LEAST_CHUNK: usize = 32;
const PAGE: usize = 4096;
/// A pointer to a block may be one to what is behind a head of the library's own: SQLite's, or that of a `shared_ptr`.
const BEFORE: [usize; 4] = [0, 16, 32, 48];

/// Ranges of memory that allocators hand out: private, writable, and of no file.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    ranges: Vec<(usize, usize)>,
    /// The one that was found last.
    last: (usize, usize),
    lowest: usize,
    highest: usize,
}

/// A block, as far as it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub start: usize,
    pub bytes: usize,
}

impl Regions {
    /// Those of this process now.
    pub(crate) fn now() -> Regions {
        Regions::of(&maps::read())
    }

    /// Those of these mappings.
    pub(crate) fn of(maps: &str) -> Regions {
        let mut regions = Regions::default();
        regions.ranges.add_each(maps.lines().filter_map(range));
        regions.lowest = regions.ranges.first().map_or(0, |range| range.0);
        regions.highest = regions.ranges.last().map_or(0, |range| range.1);
        regions
    }

    /// Whether an address may be in one.
    #[inline]
    pub(crate) fn may_have(&self, address: usize) -> bool {
        address >= self.lowest && address < self.highest
    }

    /// The range that an address is in.
    pub(crate) fn find(&mut self, address: usize) -> Option<(usize, usize)> {
        if (self.last.0..self.last.1).contains(&address) {
            return Some(self.last);
        }
        let place = self.ranges.partition_point(|range| range.0 <= address);
        let range = *self.ranges.get(place.checked_sub(1)?)?;
        (address < range.1).then(|| {
            self.last = range;
            range
        })
    }
}

/// The block that an address points into, which is in this range.
pub(crate) fn block(reader: &mut Reader, pool_bytes: usize, (start, end): (usize, usize), address: usize) -> Block {
    let pool = address & !(pool_bytes - 1);
    if pool >= start
        && let Some((start, bytes)) = pool_block(reader.read(pool, PAGE.min(64)), pool_bytes, address - pool)
    {
        return Block { start: pool + start, bytes };
    }
    let block = tcl_block(reader, address).or_else(|| {
        let chunk = BEFORE.into_iter().find_map(|before| chunk(reader, address & !15, before, start, end));
        chunk.filter(|block| address < block.start + block.bytes)
    });
    block.unwrap_or(Block { start: address, bytes: WINDOW.min(end - address) })
}

/// The chunk of `malloc` that begins so many bytes before an address.
fn chunk(reader: &mut Reader, address: usize, before: usize, start: usize, end: usize) -> Option<Block> {
    let address = address.checked_sub(before).filter(|&address| address >= start + CHUNK_HEAD)?;
    let head = reader.read_word(address - 8);
    let size = head & !CHUNK_FLAGS;
    if size < LEAST_CHUNK || !size.is_multiple_of(16) {
        return None;
    }
    let next = (address - CHUNK_HEAD).checked_add(size).filter(|&next| next <= end)?;
    if head & IS_MAPPED != 0 {
        // From glibc 2.43 on the head is no part of the size.
        let pages = size.next_multiple_of(PAGE);
        let begins = address % PAGE == CHUNK_HEAD && [0, CHUNK_HEAD].contains(&(pages - size));
        return begins.then_some(Block { start: address, bytes: pages - CHUNK_HEAD });
    }
    let after = reader.read_word(next + 8);
    // The next one says that this one is in use; its first word is still this one's.
    (after & PREVIOUS_IN_USE != 0 && after & !CHUNK_FLAGS >= 16).then_some(Block { start: address, bytes: size - 8 })
}

/// The block of Tcl's allocator that begins at an address: behind `Block` of `generic/tclThreadAlloc.c` (8.5 and 8.6), which has
/// two marks and the bytes that were asked for.
fn tcl_block(reader: &mut Reader, address: usize) -> Option<Block> {
    const HEAD: usize = 16;
    const MARKS: [usize; 2] = [0, 3];
    const MARK: u8 = 0xEF;
    const LARGEST: usize = 1 << 20;
    let head = reader.read(address.checked_sub(HEAD)?, HEAD);
    let is_block = MARKS.iter().all(|&place| head.get(place) == Some(&MARK));
    let bytes = usize::from_ne_bytes(*head.last_chunk()?);
    (is_block && (1..=LARGEST).contains(&bytes)).then_some(Block { start: address, bytes })
}

/// The range of a mapping, if allocators hand it out.
fn range(line: &str) -> Option<(usize, usize)> {
    let mapping = maps::parse(line)?;
    let is_own = mapping.is_readable && mapping.is_writable && !mapping.is_shared;
    let is_handed_out = |name: &str| name == "[heap]" || name.starts_with("[anon:");
    (is_own && mapping.name.is_none_or(is_handed_out)).then_some(mapping.range)
}

#[cfg(test)]
mod tests {
    use super::{Block, Regions, block, range};
    use crate::scan::reader::Reader;

    fn found(reader: &mut Reader, address: usize) -> Option<Block> {
        let region = Regions::now().find(address)?;
        Some(block(reader, 1 << 14, region, address))
    }

    #[test]
    fn memory_of_files_and_of_others_is_no_region() {
        assert_eq!(range("10000-20000 rw-p 00000000 00:00 0 "), Some((0x10000, 0x20000)));
        assert_eq!(range("10000-20000 rw-p 00000000 00:00 0          [heap]"), Some((0x10000, 0x20000)));
        assert_eq!(range("10000-20000 rw-p 00000000 00:00 0 [anon:cpython:pymalloc]"), Some((0x10000, 0x20000)));
        assert_eq!(range("10000-20000 rw-p 00000000 fe:00 7     /usr/lib/libc.so"), None);
        assert_eq!(range("10000-20000 rw-s 00000000 00:00 0 "), None);
        assert_eq!(range("10000-20000 r--p 00000000 00:00 0 "), None);
        assert_eq!(range("10000-20000 rw-p 00000000 00:00 0 [stack]"), None);
    }

    #[test]
    fn a_block_of_tcl_has_the_size_that_stands_before_it() {
        let (mut reader, mut block) = (Reader::new().unwrap(), vec![0_u64; 1000].into_boxed_slice());
        (block[100], block[101]) = (0x55_ef81_06ef, 1000);
        let address = block.as_ptr().addr() + 102 * 8;
        assert_eq!(found(&mut reader, address), Some(Block { start: address, bytes: 1000 }));
    }

    #[test]
    fn a_block_of_malloc_has_its_size_and_a_pointer_into_it_a_window() {
        let (mut reader, block) = (Reader::new().unwrap(), vec![0_u8; 1000].into_boxed_slice());
        let address = block.as_ptr().addr();
        let whole = found(&mut reader, address).unwrap();
        assert!(whole.start == address && (1000..1100).contains(&whole.bytes), "{whole:?}");
        for head in [8, 16, 40] {
            assert_eq!(found(&mut reader, address + head), Some(whole));
        }
        assert_eq!(found(&mut reader, address + 500), Some(Block { start: address + 500, bytes: 256 }));
        assert_eq!(found(&mut reader, 64), None);
    }
}
