//! Keeps something for each address of a log: neighbours in memory are neighbours in the log, so their places are in pages.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::page_table::PageTable;

/// Values by address. Memory is 5 to 12 bytes an address beside the values, where objects stand close together; else 16 to 32.
pub(super) struct AddressMap<T> {
    pages: PageTable,
    /// Places of the addresses that have no page.
    others: HashMap<u64, u32, RandomState>,
    values: Vec<Option<(u64, T)>>,
    /// Places of what was removed.
    free: Vec<u32>,
}

impl<T> Default for AddressMap<T> {
    fn default() -> AddressMap<T> {
        AddressMap { pages: PageTable::new(), others: HashMap::default(), values: Vec::new(), free: Vec::new() }
    }
}

impl<T> AddressMap<T> {
    pub(super) fn get(&mut self, address: u64) -> Option<&mut T> {
        let place = self.place(address)?;
        self.value(place)
    }

    /// The value of an address, put there now if there was none.
    pub(super) fn entry(&mut self, address: u64, value: impl FnOnce() -> T) -> &mut T {
        let place = self.place(address).unwrap_or_else(|| self.new_place(address));
        let (_, value) = self.values[place as usize].get_or_insert_with(|| (address, value()));
        value
    }

    pub(super) fn remove(&mut self, address: u64) -> Option<T> {
        let place = self.place(address)?;
        if !self.pages.remove(address) {
            self.others.remove(&address);
        }
        self.free.push(place);
        self.values[place as usize].take().map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.values.iter().flatten().map(|(address, value)| (*address, value))
    }

    fn place(&mut self, address: u64) -> Option<u32> {
        self.pages.get(address).or_else(|| self.others.get(&address).copied())
    }

    fn value(&mut self, place: u32) -> Option<&mut T> {
        self.values[place as usize].as_mut().map(|(_, value)| value)
    }

    fn new_place(&mut self, address: u64) -> u32 {
        let place = self.free.pop().unwrap_or(self.values.len() as u32);
        if place as usize == self.values.len() {
            self.values.push(None);
        }
        if !self.pages.insert(address, place) {
            self.others.insert(address, place);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_and_go_wherever_their_addresses_are() {
        let addresses: Vec<u64> = (0..5_000).flat_map(|n| [0x7f00_0000_0000 + 16 * n, n << 33 | 7]).collect();
        let mut map = AddressMap::default();
        for round in 0..3 {
            for &address in &addresses {
                assert!(map.get(address).is_none());
                *map.entry(address, || 1) += address + round;
                assert_eq!(map.entry(address, || 0), &(address + round + 1));
            }
            assert_eq!(map.iter().filter(|(address, value)| **value == address + round + 1).count(), addresses.len());
            for &address in &addresses {
                assert_eq!((map.remove(address), map.remove(address)), (Some(address + round + 1), None));
            }
            assert_eq!((map.iter().count(), map.values.len()), (0, addresses.len()));
        }
    }
}
