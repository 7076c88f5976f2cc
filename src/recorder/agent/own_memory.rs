//! Remembers what the recorder has mapped for itself: an address that stands there is no reference of the program.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use crate::memory::Gather;

/// Mappings that are remembered at most.
const MOST: usize = 512;

/// A mapping; its start is 0 where there is none.
struct Mapping {
    start: AtomicUsize,
    bytes: AtomicUsize,
}

static MAPPINGS: [Mapping; MOST] = [const { Mapping { start: AtomicUsize::new(0), bytes: AtomicUsize::new(0) } }; MOST];

/// There was no room for one.
static IS_FULL: AtomicBool = AtomicBool::new(false);

/// So many bytes were mapped.
pub(crate) fn add(start: usize, bytes: usize) {
    let is_free = |mapping: &&Mapping| mapping.start.compare_exchange(0, start, Relaxed, Relaxed).is_ok();
    match MAPPINGS.iter().find(is_free) {
        Some(mapping) => mapping.bytes.store(bytes, Relaxed),
        None => IS_FULL.store(true, Relaxed),
    }
}

/// What begins there is about to be given back.
pub(crate) fn remove(start: usize) {
    if let Some(mapping) = MAPPINGS.iter().find(|mapping| mapping.start.load(Relaxed) == start) {
        mapping.bytes.store(0, Relaxed);
        mapping.start.store(0, Relaxed);
    }
}

/// All of them by address, as ranges; `None` where they are not all known.
pub(crate) fn ranges() -> Option<Vec<(usize, usize)>> {
    if IS_FULL.load(Relaxed) {
        return None;
    }
    let mapped = MAPPINGS.iter().map(|mapping| (mapping.start.load(Relaxed), mapping.bytes.load(Relaxed)));
    let mut ranges = mapped.filter(|&(start, _)| start != 0).map(|(start, bytes)| (start, start + bytes)).gather();
    ranges.sort_unstable();
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use super::ranges;
    use crate::memory::apart;

    #[test]
    fn what_is_mapped_is_known_until_it_is_given_back() {
        let list: Vec<u64> = apart();
        let address = list.as_ptr().addr();
        let is_known = || ranges().unwrap().iter().any(|range| (range.0..range.1).contains(&address));
        assert!(is_known());
        drop(list);
        assert!(!is_known());
    }
}
