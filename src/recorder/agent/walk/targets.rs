//! Finds objects by their addresses, page by page: objects that were made one after the other are found in memory that lies together.

use super::survey::Survey;
use crate::address_map::AddressMap;
use crate::memory::{Grow, apart, filled};

const PAGE: usize = 4096;
/// Addresses of objects are multiples of this.
const STEP: usize = size_of::<usize>();
const BITS: usize = u64::BITS as usize;

/// Which addresses of a page are those of targets, a bit for each, and how many targets the pages before have.
#[derive(Debug, Clone, Copy, Default)]
struct Page {
    bits: [u64; PAGE / STEP / BITS],
    before: u32,
}

/// The objects whose count is not explained, by address.
#[derive(Debug)]
pub(super) struct Targets {
    /// The places of pages, by their number.
    places: AddressMap<u32>,
    pages: Vec<Page>,
    /// The numbers of the targets of one page after the other, by address.
    numbers: Vec<u32>,
}

impl Targets {
    /// The objects of these numbers, as far as there is memory for them.
    pub(super) fn of(survey: &Survey, numbers: &[u32]) -> Targets {
        let all = || numbers.iter().map(|&number| (number, survey.notes[number as usize].object));
        let mut targets = Targets { places: AddressMap::sparse_apart(0), pages: apart(), numbers: apart() };
        all().for_each(|(_, address)| targets.mark(address));
        targets.count_pages();
        targets.numbers = filled(0, numbers.len());
        for (number, address) in all() {
            if let Some(place) = targets.place(address)
                && let Some(of_place) = targets.numbers.get_mut(place)
            {
                *of_place = number;
            }
        }
        targets
    }

    fn mark(&mut self, address: usize) {
        let (&mut place, is_new) = self.places.entry(address / PAGE, self.pages.len() as u32);
        if is_new {
            self.pages.add(Page::default());
        }
        if let Some(page) = self.pages.get_mut(place as usize) {
            let bit = address % PAGE / STEP;
            page.bits[bit / BITS] |= 1 << (bit % BITS);
        }
    }

    fn count_pages(&mut self) {
        let mut before = 0;
        for page in &mut self.pages {
            page.before = before;
            before += page.bits.iter().map(|bits| bits.count_ones()).sum::<u32>();
        }
    }

    /// The number of the target that is at an address, a multiple of [`STEP`].
    pub(super) fn get(&self, address: usize) -> Option<u32> {
        self.numbers.get(self.place(address)?).copied()
    }

    /// Where its number stands.
    fn place(&self, address: usize) -> Option<usize> {
        let page = self.pages.get(self.places.get(address / PAGE)? as usize)?;
        let bit = address % PAGE / STEP;
        let (word, bit) = (bit / BITS, 1 << (bit % BITS));
        if page.bits[word] & bit == 0 {
            return None;
        }
        let nearer = page.bits[..word].iter().map(|bits| bits.count_ones()).sum::<u32>();
        Some((page.before + nearer + (page.bits[word] & (bit - 1)).count_ones()) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::super::survey::{Note, Survey};
    use super::{STEP, Targets};
    use std::collections::HashMap;

    #[test]
    fn each_object_is_found_at_its_address_and_nothing_elsewhere() {
        let mut random = 1_usize;
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random >> 33
        };
        // Pages that are full, pages with some, and objects far away from all others.
        let mut addresses: Vec<usize> = (0x10000..0x14000).step_by(STEP).filter(|_| next() % 3 != 0).collect();
        addresses.extend((0x20000..0x22000).step_by(16));
        addresses.extend((0..50).map(|_| next() * STEP + (1 << 40)));
        addresses.sort_unstable();
        addresses.dedup();
        // In the order in which a walk meets them.
        for place in 0..addresses.len() {
            let other = next() % addresses.len();
            addresses.swap(place, other);
        }
        let mut survey = Survey::default();
        survey.notes = addresses.iter().map(|&address| Note::new(address, 0, true)).collect();
        let numbers: Vec<u32> = (0..addresses.len() as u32).filter(|number| number % 7 != 0).collect();
        let targets = Targets::of(&survey, &numbers);
        let expected: HashMap<usize, u32> =
            numbers.iter().map(|&number| (addresses[number as usize], number)).collect();
        let near = (0x0F000..0x24000).step_by(STEP);
        for address in near.chain(addresses.iter().flat_map(|&address| [address - STEP, address, address + STEP])) {
            assert_eq!(targets.get(address), expected.get(&address).copied(), "{address:x}");
        }
    }
}
