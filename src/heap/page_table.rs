//! Addresses become places by a table of two levels, because neighbours in memory are neighbours in the log: a lookup
//! costs one miss of the cache or none, where a hash table costs two or three.
//!
//! A page covers a kibibyte of address space, and costs a quarter of that. Where objects are large or far apart pages
//! would cost more than the objects, so there is a limit: whatever has no page must go elsewhere.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Addresses in a page, each a multiple of 16.
const PAGE: usize = 64;
/// Bytes of a page with its entry in the directory.
const PAGE_BYTES: usize = 4 * PAGE + 32;
/// No more bytes of pages than so many an object, and so many besides.
const BYTES_EACH: usize = 24;
const BYTES_FREE: usize = 64 << 10;
const CACHED: usize = 4096;

#[derive(Debug)]
pub(super) struct PageTable {
    directory: HashMap<u64, u32, RandomState>,
    /// Each entry is a place plus one, or 0.
    pages: Vec<[u32; PAGE]>,
    /// How many objects are in each page.
    used: Vec<u8>,
    free: Vec<u32>,
    n_objects: usize,
    /// The pages used last, by the low bits of their numbers: the number of the span plus one, and the page.
    cache: Vec<(u64, u32)>,
}

impl PageTable {
    pub fn new() -> PageTable {
        PageTable {
            directory: HashMap::default(),
            pages: Vec::new(),
            used: Vec::new(),
            free: Vec::new(),
            n_objects: 0,
            cache: vec![(0, 0); CACHED],
        }
    }

    #[inline]
    pub fn get(&mut self, tag: u64) -> Option<u32> {
        let page = self.page(tag)?;
        self.pages[page as usize][entry(tag)].checked_sub(1)
    }

    /// The same without the cache.
    pub fn find(&self, tag: u64) -> Option<u32> {
        let page = *self.directory.get(&(tag >> 10)).filter(|_| tag.is_multiple_of(16))?;
        self.pages[page as usize][entry(tag)].checked_sub(1)
    }

    /// False if there is no page for it, and there should be none.
    #[inline]
    pub fn insert(&mut self, tag: u64, place: u32) -> bool {
        let Some(page) = self.page(tag).or_else(|| self.new_page(tag)) else { return false };
        self.pages[page as usize][entry(tag)] = place + 1;
        self.used[page as usize] += 1;
        self.n_objects += 1;
        true
    }

    /// False if it is not here.
    #[inline]
    pub fn remove(&mut self, tag: u64) -> bool {
        let Some(page) = self.page(tag) else { return false };
        if std::mem::take(&mut self.pages[page as usize][entry(tag)]) == 0 {
            return false;
        }
        self.n_objects -= 1;
        self.used[page as usize] -= 1;
        if self.used[page as usize] == 0 {
            self.directory.remove(&(tag >> 10));
            self.cache[cached(tag)] = (0, 0);
            self.free.push(page);
        }
        true
    }

    #[inline]
    fn page(&mut self, tag: u64) -> Option<u32> {
        if !tag.is_multiple_of(16) {
            return None;
        }
        let span = tag >> 10;
        let (cached_span, page) = self.cache[cached(tag)];
        if cached_span == span + 1 {
            return Some(page);
        }
        let page = *self.directory.get(&span)?;
        self.cache[cached(tag)] = (span + 1, page);
        Some(page)
    }

    #[cold]
    fn new_page(&mut self, tag: u64) -> Option<u32> {
        let n_pages = self.directory.len() + 1;
        if !tag.is_multiple_of(16) || n_pages * PAGE_BYTES > BYTES_EACH * self.n_objects + BYTES_FREE {
            return None;
        }
        let page = self.free.pop().unwrap_or(self.pages.len() as u32);
        if page as usize == self.pages.len() {
            self.pages.push([0; PAGE]);
            self.used.push(0);
        }
        self.directory.insert(tag >> 10, page);
        Some(page)
    }
}

#[inline]
fn entry(tag: u64) -> usize {
    (tag >> 4) as usize % PAGE
}

#[inline]
fn cached(tag: u64) -> usize {
    (tag >> 10) as usize % CACHED
}

#[cfg(test)]
mod tests {
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
    fn objects_that_are_far_apart_get_no_pages() {
        let mut table = PageTable::new();
        let taken = (0..10_000).filter(|n| table.insert(n << 20, 7)).count();
        assert!(taken < 500, "{taken}");
        assert!(!table.insert(8, 7));
    }
}
