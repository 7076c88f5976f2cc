//! Keeps a record for each live block of the object domain, found by its address.
//!
//! Two levels of directories lead from an address to the 1 MiB of address space around it, and there each 16 bytes have
//! the index of a record. Neighbours in memory are neighbours in the table, so what the program has in the cache, the table has there as
//! well. Costs 4 bytes for each 16 of memory in use and 32 for each live block.

use std::ptr::NonNull;

use crate::memory::{self, Grow, filled};
use crate::system;

/// One live block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    /// Start of the block.
    pub block: usize,
    /// Bytes requested, 48 bits of them; 0 when the allocator hook did not see the block.
    bytes_low: u32,
    bytes_high: u16,
    /// [`IS_CODE`], [`IS_TYPE`], [`PENDING`], [`CONDEMNED`], [`INHERITED`].
    pub flags: u16,
    /// Node of the stack tree; of a free record, the next free one.
    pub node: u32,
    /// Number in the trace, 0 when not written; of a pending birth, its place among the pending.
    pub number: u32,
    /// Number of the type that the trace was told.
    pub class: u32,
    /// The last walk that met it.
    pub walk: u32,
}

impl Record {
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.bytes_high) << 32 | u64::from(self.bytes_low)
    }

    /// The block was made by this process, and not by the one that forked it.
    pub(crate) fn is_own(&self) -> bool {
        self.bytes() != 0 && self.flags & INHERITED == 0
    }

    pub(crate) fn set_bytes(&mut self, bytes: u64) {
        self.bytes_low = bytes as u32;
        self.bytes_high = (bytes >> 32) as u16;
    }
}

/// A code object that stacks refer to.
pub(crate) const IS_CODE: u16 = 1;
/// A type object that the trace has a number for.
pub(crate) const IS_TYPE: u16 = 2;
/// Born, but not yet written.
pub(crate) const PENDING: u16 = 4;
/// Found unreachable by the collection that is going on.
pub(crate) const CONDEMNED: u16 = 8;
/// Born before the fork that made this process.
pub(crate) const INHERITED: u16 = 16;

const EMPTY: Record = Record { block: 0, bytes_low: 0, bytes_high: 0, flags: 0, node: 0, number: 0, class: 0, walk: 0 };

const CHUNK_BITS: u32 = 20;
const GRANULE_BITS: u32 = 4;
const MIDDLE_BITS: u32 = 14;
const ROOT_BITS: u32 = 48 - CHUNK_BITS - MIDDLE_BITS;

/// Chunks that are found without the directories.
const RECENT: usize = 16;

type Chunk = [u32; 1 << (CHUNK_BITS - GRANULE_BITS)];
type Middle = [*mut Chunk; 1 << MIDDLE_BITS];

/// All live blocks.
pub(crate) struct LiveTable {
    /// Empty where there was no memory for it.
    root: Vec<*mut Middle>,
    /// Chunks that were looked up, each in the place that its number gives it.
    recent: [(usize, *mut Chunk); RECENT],
    records: Vec<Record>,
    /// Head of the list of free records.
    free: u32,
}

impl LiveTable {
    pub(crate) fn new() -> LiveTable {
        LiveTable {
            root: filled(std::ptr::null_mut(), 1 << ROOT_BITS),
            recent: [(usize::MAX, std::ptr::null_mut()); RECENT],
            records: filled(EMPTY, 1),
            free: 0,
        }
    }

    /// Bytes that the table takes.
    pub(crate) fn footprint(&self) -> usize {
        self.records.capacity() * size_of::<Record>() + self.chunks().count() * size_of::<Chunk>()
    }

    fn chunks(&self) -> impl Iterator<Item = *mut Chunk> {
        let middles = self.root.iter().copied().filter(|middle| !middle.is_null());
        // SAFETY: a directory that is not null is mapped as long as the table lives.
        middles.flat_map(|middle| unsafe { &*middle }.iter().copied()).filter(|chunk| !chunk.is_null())
    }

    /// The record of the block, 0 if there is none.
    #[inline]
    pub(crate) fn find(&mut self, block: usize) -> u32 {
        // SAFETY: as `place` says.
        self.place(block).map_or(0, |place| unsafe { place.read() })
    }

    /// The record of the block.
    pub(crate) fn peek(&self, block: usize) -> Option<&Record> {
        let high = block >> CHUNK_BITS;
        let middle = *self.root.get(high >> MIDDLE_BITS)?;
        // SAFETY: a directory that is not null is mapped as long as the table lives, and the place is in it.
        let index = unsafe {
            let chunk = (*NonNull::new(middle)?.as_ptr())[high & ((1 << MIDDLE_BITS) - 1)];
            (*NonNull::new(chunk)?.as_ptr())[granule(block)]
        };
        self.records.get(index as usize).filter(|_| index != 0)
    }

    /// Where the index of the block's record is, 0 if it has none: valid as long as the table lives. `None` where there is no block.
    #[inline]
    pub(crate) fn place(&mut self, block: usize) -> Option<NonNull<u32>> {
        let chunk = self.chunk(block);
        // SAFETY: a chunk that is not null is mapped as long as the table lives, and the place is in it.
        NonNull::new(chunk).map(|chunk| unsafe { NonNull::new_unchecked(&raw mut (*chunk.as_ptr())[granule(block)]) })
    }

    /// Where the index of the block's record goes. `None` when there is no memory for it.
    #[inline]
    pub(crate) fn place_for(&mut self, block: usize) -> Option<NonNull<u32>> {
        if let Some(place) = self.place(block) {
            return Some(place);
        }
        self.add_chunk(block);
        self.place(block)
    }

    /// The record of a block that has one.
    #[inline]
    pub(crate) fn get(&mut self, index: u32) -> &mut Record {
        &mut self.records[index as usize]
    }

    /// Marks the block of an object without a header; one that is older than the recorder gets a record first.
    pub(crate) fn mark(&mut self, block: usize, flag: u16) {
        let mut index = self.find(block);
        if index == 0 {
            index = self.insert(block, 0, 0);
        }
        if index != 0 {
            self.get(index).flags |= flag;
        }
    }

    /// Adds a block that has no record. 0 when there is no memory for it.
    pub(crate) fn insert(&mut self, block: usize, bytes: usize, node: u32) -> u32 {
        match self.place_for(block) {
            Some(place) => self.insert_at(place, block, bytes, node, (0, 0)),
            None => 0,
        }
    }

    /// Adds a block that has no record, in its place, with these flags and this number. 0 when there is no memory for it.
    #[inline]
    pub(crate) fn insert_at(
        &mut self,
        place: NonNull<u32>,
        block: usize,
        bytes: usize,
        node: u32,
        (flags, number): (u16, u32),
    ) -> u32 {
        if self.free == 0 && !self.grow() {
            return 0;
        }
        let index = self.free;
        // Field by field, as they are read: a copy of the whole would wait for the parts to be in the cache.
        let record = &mut self.records[index as usize];
        self.free = record.node;
        record.block = block;
        record.set_bytes(bytes as u64);
        record.flags = flags;
        record.node = node;
        record.number = number;
        record.class = 0;
        record.walk = 0;
        // SAFETY: as `place` says.
        unsafe {
            place.write(index);
        }
        index
    }

    /// One more record, that is free.
    #[cold]
    fn grow(&mut self) -> bool {
        match u32::try_from(self.records.len()) {
            Ok(index) if index != 0 && self.records.add(EMPTY) => {
                self.free = index;
                true
            }
            _ => {
                memory::refuse();
                false
            }
        }
    }

    /// Takes out a block that has this record.
    pub(crate) fn remove(&mut self, index: u32) {
        let block = self.records[index as usize].block;
        if let Some(place) = self.place(block) {
            self.remove_at(place, index);
        }
    }

    /// Takes out the block of this place, which has this record.
    #[inline]
    pub(crate) fn remove_at(&mut self, place: NonNull<u32>, index: u32) {
        // SAFETY: as `place` says.
        unsafe {
            place.write(0);
        }
        let record = &mut self.records[index as usize];
        record.block = 0;
        record.flags = 0;
        record.node = self.free;
        self.free = index;
    }

    /// The block is somewhere else now.
    pub(crate) fn relocate(&mut self, index: u32, block: usize, bytes: usize) {
        let old = self.records[index as usize].block;
        if old != block {
            let Some(place) = self.place_for(block) else { return };
            let before = self.place(old);
            // SAFETY: as `place` says.
            unsafe {
                place.write(index);
                before.inspect(|before| before.write(0));
            }
        }
        let record = &mut self.records[index as usize];
        record.block = block;
        record.set_bytes(bytes as u64);
    }

    /// All records of live blocks.
    pub(crate) fn records(&mut self) -> impl Iterator<Item = &mut Record> {
        self.records.iter_mut().filter(|record| record.block != 0)
    }

    #[inline]
    fn chunk(&mut self, block: usize) -> *mut Chunk {
        let high = block >> CHUNK_BITS;
        let recent = self.recent[high % RECENT];
        if recent.0 == high { recent.1 } else { self.look_up(high) }
    }

    fn look_up(&mut self, high: usize) -> *mut Chunk {
        let Some(&middle) = self.root.get(high >> MIDDLE_BITS) else { return std::ptr::null_mut() };
        if middle.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: a directory that is not null is mapped as long as the table lives, and the place is in it.
        let chunk = unsafe { (*middle)[high & ((1 << MIDDLE_BITS) - 1)] };
        if !chunk.is_null() {
            self.recent[high % RECENT] = (high, chunk);
        }
        chunk
    }

    #[cold]
    fn add_chunk(&mut self, block: usize) {
        let high = block >> CHUNK_BITS;
        // No process has an address beyond.
        let Some(middle) = self.root.get_mut(high >> MIDDLE_BITS) else { return };
        if middle.is_null() {
            let Ok(memory) = system::map_zeroed(size_of::<Middle>()) else { return memory::refuse() };
            *middle = memory.cast();
        }
        let Ok(memory) = system::map_zeroed(size_of::<Chunk>()) else { return memory::refuse() };
        // SAFETY: as in `chunk`.
        unsafe {
            (**middle)[high & ((1 << MIDDLE_BITS) - 1)] = memory.cast();
        }
    }
}

impl Drop for LiveTable {
    fn drop(&mut self) {
        let middles = self.root.iter().copied().filter(|middle| !middle.is_null());
        // SAFETY: they came from `map_zeroed`, and nobody looks a place up any more.
        unsafe {
            for chunk in self.chunks() {
                system::unmap(chunk.cast(), size_of::<Chunk>());
            }
            for middle in middles {
                system::unmap(middle.cast(), size_of::<Middle>());
            }
        }
    }
}

#[inline]
fn granule(block: usize) -> usize {
    (block & ((1 << CHUNK_BITS) - 1)) >> GRANULE_BITS
}

#[cfg(test)]
mod tests {
    use super::{EMPTY, LiveTable};
    use std::collections::BTreeMap;

    #[test]
    fn blocks_come_and_go_and_move_as_in_a_map() {
        let mut table = LiveTable::new();
        let mut oracle: BTreeMap<usize, usize> = BTreeMap::new();
        let mut random = 7_u64;
        for _ in 0..50_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            let block = 0x7f00_0000_0000 + ((random >> 33) as usize % 3_000) * 0x4010;
            let bytes = (random >> 20) as usize % 1_000 + 1;
            match (table.find(block), random >> 62) {
                (0, _) => {
                    table.insert(block, bytes, 3);
                    oracle.insert(block, bytes);
                }
                (index, 0) if !oracle.contains_key(&(block + 16)) => {
                    table.relocate(index, block + 16, bytes);
                    oracle.remove(&block);
                    oracle.insert(block + 16, bytes);
                }
                (index, _) => {
                    table.remove(index);
                    oracle.remove(&block);
                }
            }
        }
        for (&block, &bytes) in &oracle {
            let index = table.find(block);
            let record = *table.get(index);
            assert_eq!((record.block, record.bytes()), (block, bytes as u64));
        }
        assert_eq!(table.records().count(), oracle.len());
    }

    #[test]
    fn an_address_that_no_process_has_is_refused_and_not_looked_up() {
        let mut table = LiveTable::new();
        assert_eq!(table.find(usize::MAX), 0);
        assert_eq!(table.insert(usize::MAX & !15, 1, 0), 0);
        assert_eq!(table.get(0).block, EMPTY.block);
    }
}
