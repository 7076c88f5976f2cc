//! Counts in how many places of the memory of this process the addresses of objects stand.
//!
//! All memory is searched that can be read and written, and what is of no file; at each byte, for an address may stand anywhere. So
//! does one with something in its highest 16 bits, or one that is within the object: that may be how its owner knows it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::reader::{MOST, Reader};
use crate::address_map::AddressMap;
use crate::maps::{self, Mapping};
use crate::memory::{Grow, filled, is_refused};
use crate::own_memory;

/// More memory than this is not searched.
const MOST_BYTES: usize = 8 << 30;
const PAGE: usize = 4096;
const WORD: usize = size_of::<usize>();
/// Bits of an address.
const ADDRESS: usize = (1 << 48) - 1;
/// Pages that the kernel is asked about at once.
const ASKED: usize = 4096;
/// The program has written to the page, and it is in memory or was moved out of it.
const IS_THERE: u64 = (1 << 63) | (1 << 62);

/// An object whose address is sought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sought {
    pub start: usize,
    pub bytes: usize,
    pub number: u32,
    /// How many places have its address.
    pub places: u32,
}

/// Fills in the places of all objects, which are sorted by address. What is `given_up`, ranges by address, has no place. False where
/// not all memory could be searched.
pub(crate) fn count(sought: &mut [Sought], given_up: &[(usize, usize)]) -> bool {
    let (Some(mut reader), Some(own)) = (Reader::new(), own_memory::ranges()) else { return false };
    let pages = pages(sought);
    let written = written(&own);
    let bytes: usize = written.iter().map(|range| range.1 - range.0).sum();
    if is_refused() || written.is_empty() || bytes > MOST_BYTES {
        return false;
    }
    written.iter().for_each(|&range| count_in(range, &mut reader, &pages, given_up, sought));
    true
}

/// For each page with a part of an object in it the first such object.
fn pages(sought: &[Sought]) -> AddressMap<u32> {
    let mut pages = AddressMap::sparse_apart(sought.len());
    for (nth, object) in sought.iter().enumerate() {
        for page in object.start / PAGE..=(object.start + object.bytes - 1) / PAGE {
            pages.entry(page, nth as u32);
        }
    }
    pages
}

fn count_in(
    (start, end): (usize, usize),
    reader: &mut Reader,
    pages: &AddressMap<u32>,
    given_up: &[(usize, usize)],
    sought: &mut [Sought],
) {
    let [Some(first), Some(last)] = [sought.first(), sought.last()] else { return };
    let (lowest, span) = (first.start, last.start + last.bytes - first.start);
    let mut at = start;
    while end - at >= WORD {
        let memory = reader.fetch(at, MOST.min(end - at));
        let length = memory.len();
        if length < WORD {
            // What is behind may be there again.
            at = ((at + length) / PAGE + 1) * PAGE;
            if at >= end {
                break;
            }
            continue;
        }
        for (place, bytes) in memory.windows(WORD).enumerate() {
            let word = bytes.first_chunk().map_or(0, |&bytes| usize::from_ne_bytes(bytes)) & ADDRESS;
            if word.wrapping_sub(lowest) < span
                && let Some(nth) = pages.get(word / PAGE)
                && !is_within(at + place, given_up)
            {
                found(word, at + place, &mut sought[nth as usize..]);
            }
        }
        at += length + 1 - WORD;
    }
}

/// Is the place in one of these ranges?
fn is_within(place: usize, ranges: &[(usize, usize)]) -> bool {
    let before = ranges.partition_point(|range| range.0 <= place);
    before.checked_sub(1).and_then(|nth| ranges.get(nth)).is_some_and(|range| place < range.1)
}

/// The word stands at this place. It is one of these objects' address, or it is none's.
fn found(word: usize, place: usize, sought: &mut [Sought]) {
    for object in sought.iter_mut().take_while(|object| object.start <= word) {
        let end = object.start + object.bytes;
        let is_own = (object.start..end).contains(&place);
        if word == object.start || (word < end && !is_own) {
            object.places = object.places.saturating_add(1);
        }
    }
}

/// Ranges of memory to which the program has written, by address.
fn written(own: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let kernel = File::open("/proc/self/pagemap").ok();
    let mut asked = filled(0_u8, ASKED * size_of::<u64>());
    let mut written: Vec<(usize, usize)> = Vec::new();
    if asked.is_empty() {
        return written;
    }
    for range in maps::read().lines().filter_map(maps::parse).filter(may_have_references).map(|mapping| mapping.range) {
        for (start, end) in without(range, own) {
            let mut at = start;
            while at < end {
                let n_pages = ((end - at).div_ceil(PAGE)).min(ASKED);
                let entries = &mut asked[..n_pages * size_of::<u64>()];
                let place = (at / PAGE * size_of::<u64>()) as u64;
                let is_told = kernel.as_ref().is_some_and(|kernel| kernel.read_exact_at(entries, place).is_ok());
                for (nth, entry) in entries.chunks_exact(size_of::<u64>()).enumerate() {
                    let entry = entry.first_chunk().map_or(0, |&bytes| u64::from_ne_bytes(bytes));
                    let (from, to) = (at + nth * PAGE, (at + nth * PAGE + PAGE).min(end));
                    match written.last_mut() {
                        _ if is_told && entry & IS_THERE == 0 => {}
                        Some(last) if last.1 == from => last.1 = to,
                        _ => {
                            written.add((from, to));
                        }
                    }
                }
                at += n_pages * PAGE;
            }
        }
    }
    written
}

/// Memory that the program can write to, and what is of no file: what a compiler of the program makes may be read and run alone.
fn may_have_references(mapping: &Mapping<'_>) -> bool {
    let of_memory = |name: &str| ["/memfd:", "/SYSV", "/dev/zero", "/dev/shm"].iter().any(|of| name.starts_with(of));
    let is_memory = match mapping.name {
        None => true,
        Some("[vvar]" | "[vvar_vclock]" | "[vsyscall]" | "[vdso]") => false,
        Some(name) if name.starts_with('[') => true,
        Some(name) => {
            if mapping.is_shared {
                of_memory(name)
            } else {
                mapping.is_writable
            }
        }
    };
    mapping.is_readable && is_memory
}

/// The parts of a range that are in none of these, which are sorted.
fn without((start, end): (usize, usize), own: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut at = start;
    for &(from, to) in own.iter().filter(|range| range.0 < end && range.1 > start) {
        if from > at {
            parts.add((at, from));
        }
        at = at.max(to.next_multiple_of(PAGE));
    }
    if at < end {
        parts.add((at, end));
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::sync::{Mutex, PoisonError};

    use super::{Sought, count, without};
    use crate::memory::apart;

    const OBJECTS: usize = 100;

    /// Of the tests whose objects one after the other stand in the same memory, one at a time.
    static IN_MEMORY: Mutex<()> = Mutex::new(());

    /// In how many places the addresses of the objects stand, besides the list that owns them. What an address has left on a stack
    /// is there for a few of them: the number that most have counts.
    fn places(objects: &[Vec<usize>]) -> u32 {
        places_but(objects, &[])
    }

    /// The same but for what is in one of these ranges.
    fn places_but(objects: &[Vec<usize>], given_up: &[(usize, usize)]) -> u32 {
        let mut sought: Vec<Sought> = apart();
        let of = |(nth, object): (usize, &Vec<usize>)| Sought {
            start: object.as_ptr().addr(),
            bytes: size_of_val(object.as_slice()),
            number: nth as u32,
            places: 0,
        };
        sought.extend(objects.iter().enumerate().map(of));
        sought.sort_unstable_by_key(|object| object.start);
        assert!(count(&mut sought, given_up));
        let mut places: Vec<u32> = sought.iter().map(|object| object.places).collect();
        places.sort_unstable();
        places[OBJECTS / 2] - 1
    }

    fn objects() -> Vec<Vec<usize>> {
        vec![vec![0; 8]; OBJECTS]
    }

    #[test]
    fn an_address_is_found_wherever_it_stands_but_not_in_the_recorders_own_memory() {
        let _alone = IN_MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        let objects = objects();
        assert_eq!(places(&objects), 0);
        let mut own: Vec<usize> = apart();
        own.extend(objects.iter().map(|object| object.as_ptr().addr()));
        assert_eq!(places(&objects), 0);
        let mut owners = vec![[0_u8; 100]; OBJECTS];
        for (owner, object) in owners.iter_mut().zip(&objects) {
            owner[3..11].copy_from_slice(&object.as_ptr().addr().to_ne_bytes());
            owner[17..25].copy_from_slice(&((object.as_ptr().addr() + 24) | (0xfff8 << 48)).to_ne_bytes());
        }
        assert_eq!(places(&objects), 2, "{}", owners.len() + own.len());
        let mut given_up: Vec<(usize, usize)> =
            owners.iter().map(|owner| (owner.as_ptr().addr(), owner.as_ptr().addr() + 11)).collect();
        given_up.sort_unstable();
        assert_eq!(places_but(&objects, &given_up), 1);
        // No address stays in memory that is given back.
        black_box(&mut owners).iter_mut().for_each(|owner| black_box(owner).fill(0));
    }

    #[test]
    fn what_is_in_the_object_itself_counts_where_it_is_its_own_address() {
        let _alone = IN_MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        let mut objects = objects();
        for object in &mut objects {
            object[2] = object.as_ptr().addr();
            object[3] = object.as_ptr().addr() + 40;
        }
        assert_eq!(places(&objects), 1);
    }

    #[test]
    fn the_recorders_own_memory_is_left_out() {
        let page = |n: usize| n * 4096;
        let own = [(page(1), page(2)), (page(4), page(4) + 10), (page(8), page(20))];
        let expected = [(page(2), page(4)), (page(5), page(8))];
        assert_eq!(without((page(1), page(9)), &own), expected);
        assert_eq!(without((page(30), page(31)), &own), [(page(30), page(31))]);
    }
}
