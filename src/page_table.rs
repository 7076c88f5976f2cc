//! Maps addresses to places by a table of two levels, because neighbours in memory are neighbours in the log: a lookup
//! costs one miss of the cache or two, where a hash table costs two or three.
//!
//! A page covers four kibibytes of address space, as a pool of CPython does at least. It has a bit for each address that
//! has had an object, and their places in order, in a run of a common pool: 5 bytes an object in a heap of small ones. The
//! place of a dead object is a hole until another one comes to its address, which is soon, as allocators go. Where objects are
//! large or far apart a page would cost more than a hash table, so there is a limit: whatever has no page must go
//! elsewhere.

use std::collections::HashMap;

use foldhash::fast::RandomState;

const SPAN_BITS: u32 = 12;
/// Addresses in a page, each a multiple of 16; and the words that have a bit for each.
const PAGE: usize = 1 << (SPAN_BITS - 4);
const WORDS: usize = PAGE / 32;
/// Bytes of a page with its entry in the directory, without its run.
const PAGE_BYTES: usize = size_of::<Page>() + 24;
/// A run has room for a multiple of so many places.
const STEP: u16 = 8;
/// No more bytes of pages and runs than so many an object, and so many besides.
const BYTES_EACH: usize = 12;
const BYTES_FREE: usize = 64 << 10;
/// Places in unused runs that are no harm.
const UNUSED_FREE: usize = 1 << 12;
const CACHED: usize = 4096;

#[derive(Debug)]
pub(crate) struct PageTable {
    directory: HashMap<u64, u32, RandomState>,
    pages: Vec<Page>,
    /// Pages without an object.
    free: Vec<u32>,
    /// The runs of all pages: places plus one, 0 for a hole.
    places: Vec<u32>,
    /// Where unused runs begin, by their room in steps.
    runs: Vec<Vec<u32>>,
    /// How many places the unused runs have.
    unused: usize,
    n_objects: usize,
    /// The pages used last, by the low bits of their numbers: the number of the span plus one, and the page.
    cache: Vec<(u64, u32)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Page {
    /// A bit for each address that is in the run.
    known: [u32; WORDS],
    /// How many bits are set in the words before each.
    before: [u8; WORDS],
    /// Its run: where it begins, how long it is, and how long it may become.
    start: u32,
    length: u16,
    room: u16,
    /// How many of the run are no holes.
    live: u16,
}

impl Page {
    /// Where an address is in the run, or would be; and whether it is there.
    #[inline]
    fn rank(&self, entry: usize) -> (usize, bool) {
        let (word, bit) = (entry / 32 % WORDS, 1u32 << (entry % 32));
        let within = (self.known[word] & (bit - 1)).count_ones() as usize;
        (usize::from(self.before[word]) + within, self.known[word] & bit != 0)
    }

    fn add(&mut self, entry: usize) {
        let word = entry / 32 % WORDS;
        self.known[word] |= 1 << (entry % 32);
        for before in &mut self.before[word + 1..] {
            // There are at most seven words of 32 bits before one.
            *before += 1;
        }
        self.length += 1;
    }
}

impl PageTable {
    pub(crate) fn new() -> PageTable {
        PageTable {
            directory: HashMap::default(),
            pages: Vec::new(),
            free: Vec::new(),
            places: Vec::new(),
            runs: vec![Vec::new(); PAGE / usize::from(STEP) + 1],
            unused: 0,
            n_objects: 0,
            cache: vec![(0, 0); CACHED],
        }
    }

    #[inline]
    pub(crate) fn get(&mut self, tag: u64) -> Option<u32> {
        let page = self.page(tag)?;
        self.place_in(page, tag)
    }

    /// The same without the cache.
    pub(crate) fn find(&self, tag: u64) -> Option<u32> {
        let page = *self.directory.get(&(tag >> SPAN_BITS)).filter(|_| tag.is_multiple_of(16))?;
        self.place_in(page, tag)
    }

    /// The page that a tag is in, if there is one.
    #[inline]
    fn page(&mut self, tag: u64) -> Option<u32> {
        if !tag.is_multiple_of(16) {
            return None;
        }
        let span = tag >> SPAN_BITS;
        let (cached_span, page) = self.cache[cached(tag)];
        if cached_span == span + 1 {
            return Some(page);
        }
        let page = *self.directory.get(&span)?;
        self.cache[cached(tag)] = (span + 1, page);
        Some(page)
    }

    /// The place of a tag that is in this page.
    #[inline]
    fn place_in(&self, page: u32, tag: u64) -> Option<u32> {
        let page = &self.pages[page as usize];
        let (rank, is_known) = page.rank(entry(tag));
        if is_known { self.places[page.start as usize + rank].checked_sub(1) } else { None }
    }

    /// False if there is no page for it, and there should be none. It must not be there yet.
    #[inline]
    pub(crate) fn insert(&mut self, tag: u64, place: u32) -> bool {
        let Some(number) = self.page(tag).or_else(|| self.new_page(tag)) else { return false };
        let (rank, is_known) = self.pages[number as usize].rank(entry(tag));
        if !is_known {
            self.make_hole(number, rank, entry(tag));
        }
        let page = &mut self.pages[number as usize];
        self.places[page.start as usize + rank] = place + 1;
        page.live += 1;
        self.n_objects += 1;
        true
    }

    /// False if it is not here.
    #[inline]
    pub(crate) fn remove(&mut self, tag: u64) -> bool {
        let Some(number) = self.page(tag) else { return false };
        let page = &mut self.pages[number as usize];
        let (rank, is_known) = page.rank(entry(tag));
        if !is_known || std::mem::take(&mut self.places[page.start as usize + rank]) == 0 {
            return false;
        }
        page.live -= 1;
        self.n_objects -= 1;
        if 2 * page.live + STEP < page.length || page.live == 0 {
            self.close_holes(number, tag);
        }
        true
    }

    /// Room in the run for an address that it does not know.
    fn make_hole(&mut self, number: u32, rank: usize, entry: usize) {
        let Page { length, room, .. } = self.pages[number as usize];
        if length == room {
            self.resize(number, room + STEP);
        }
        let page = &mut self.pages[number as usize];
        let (start, end) = (page.start as usize, page.start as usize + usize::from(length));
        self.places.copy_within(start + rank..end, start + rank + 1);
        page.add(entry);
    }

    /// Takes the holes out of a run, which are most of it; without an object there is no page.
    #[cold]
    fn close_holes(&mut self, number: u32, tag: u64) {
        let page = &mut self.pages[number as usize];
        let old = *page;
        *page = Page { start: old.start, room: old.room, live: old.live, ..Page::default() };
        for entry in 0..PAGE {
            let (rank, is_known) = old.rank(entry);
            let place = if is_known { self.places[old.start as usize + rank] } else { 0 };
            if place != 0 {
                self.places[old.start as usize + usize::from(page.length)] = place;
                page.add(entry);
            }
        }
        let room = page.live.next_multiple_of(STEP);
        self.resize(number, room);
        if room == 0 {
            self.directory.remove(&(tag >> SPAN_BITS));
            self.cache[cached(tag)] = (0, 0);
            self.free.push(number);
        }
    }

    #[cold]
    fn new_page(&mut self, tag: u64) -> Option<u32> {
        let bytes = (self.directory.len() + 1) * PAGE_BYTES + self.places.len() * size_of::<u32>();
        if !tag.is_multiple_of(16) || bytes > BYTES_EACH * self.n_objects + BYTES_FREE {
            return None;
        }
        let page = self.free.pop().unwrap_or(self.pages.len() as u32);
        if page as usize == self.pages.len() {
            self.pages.push(Page::default());
        }
        self.directory.insert(tag >> SPAN_BITS, page);
        Some(page)
    }

    /// Gives the page another run, with room for so many places.
    #[inline(never)]
    fn resize(&mut self, number: u32, room: u16) {
        let page = &mut self.pages[number as usize];
        let start = match self.runs[usize::from(room / STEP)].pop() {
            Some(start) => {
                self.unused -= usize::from(room);
                start
            }
            None => {
                let start = self.places.len() as u32;
                self.places.resize(self.places.len() + usize::from(room), 0);
                start
            }
        };
        let old = page.start as usize;
        self.places.copy_within(old..old + usize::from(page.length), start as usize);
        if page.room > 0 {
            self.runs[usize::from(page.room / STEP)].push(page.start);
            self.unused += usize::from(page.room);
        }
        (page.start, page.room) = (start, room);
        if self.unused > self.places.len() / 4 + UNUSED_FREE {
            self.pack();
        }
    }

    /// Moves all runs together, where a quarter of their pool is not used: pages that grow at the same time have no use
    /// for each other's old runs.
    #[cold]
    fn pack(&mut self) {
        let mut places = Vec::with_capacity(self.places.len() - self.unused);
        for page in &mut self.pages {
            let start = places.len() as u32;
            let run = page.start as usize..page.start as usize + usize::from(page.room);
            places.extend_from_slice(&self.places[run]);
            page.start = start;
        }
        self.places = places;
        self.runs.iter_mut().for_each(Vec::clear);
        self.unused = 0;
    }
}

#[inline]
fn entry(tag: u64) -> usize {
    (tag >> 4) as usize % PAGE
}

#[inline]
fn cached(tag: u64) -> usize {
    (tag >> SPAN_BITS) as usize % CACHED
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_put_in_is_found_until_it_is_taken_out() {
        let mut table = PageTable::new();
        let tags: Vec<u64> = (0..1000).map(|n| 0x7f00_0000_0000 + 48 * n).collect();
        for (place, &tag) in tags.iter().enumerate() {
            assert!(table.insert(tag, place as u32));
        }
        for (place, &tag) in tags.iter().enumerate() {
            assert_eq!((table.get(tag), table.find(tag)), (Some(place as u32), Some(place as u32)));
            assert_eq!((table.get(tag + 16), table.find(tag + 1), table.get(tag ^ 1 << 40)), (None, None, None));
        }
        for &tag in &tags {
            assert!(table.remove(tag) && !table.remove(tag));
            assert_eq!((table.get(tag), table.find(tag)), (None, None));
        }
        assert!(table.directory.is_empty() && table.n_objects == 0);
    }

    #[test]
    fn objects_come_and_go_as_in_a_map() {
        let (mut table, mut truth) = (PageTable::new(), BTreeMap::new());
        let mut dice = 1u64;
        for step in 0..200_000u32 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let tag = 0x7f00_0000_0000 + 16 * ((dice >> 40) % 2000);
            // Fills up for a while, then empties.
            let grows = (step / 20_000).is_multiple_of(2);
            let adds = if grows { !(dice >> 33).is_multiple_of(4) } else { (dice >> 33).is_multiple_of(4) };
            if adds && !truth.contains_key(&tag) {
                assert!(table.insert(tag, step));
                truth.insert(tag, step);
            } else if !adds {
                assert_eq!(table.remove(tag), truth.remove(&tag).is_some());
            }
            assert_eq!(table.get(tag), truth.get(&tag).copied());
        }
        for n in 0..2000 {
            let tag = 0x7f00_0000_0000 + 16 * n;
            assert_eq!((table.get(tag), table.find(tag)), (truth.get(&tag).copied(), truth.get(&tag).copied()));
        }
        let most = 2000 + 8 * usize::from(STEP);
        assert!(table.places.len() <= most * 4 / 3 + 2 * UNUSED_FREE, "{} places", table.places.len());
    }

    #[test]
    fn objects_that_are_far_apart_get_no_pages() {
        let mut table = PageTable::new();
        let taken = (0..10_000).filter(|n| table.insert(n << 20, 7)).count();
        assert!(taken * PAGE_BYTES < 2 * BYTES_FREE, "{taken}");
        assert!(!table.insert(8, 7));
    }
}
