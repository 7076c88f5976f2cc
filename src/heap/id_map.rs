//! Maps the producer's numbers to values: small ones index an array, absurd ones go through a map, so that memory
//! stays in proportion to what is in the table.

use std::collections::HashMap;

/// Values by number, each number once.
#[derive(Debug, Clone)]
pub(crate) struct IdMap<T> {
    /// Place of a small number in `entries`, plus one; 0 where there is none.
    small: Vec<u32>,
    /// Place of the other numbers.
    large: HashMap<u32, u32>,
    /// In the order of definition.
    entries: Vec<(u32, T)>,
}

impl<T> Default for IdMap<T> {
    fn default() -> Self {
        IdMap { small: Vec::new(), large: HashMap::new(), entries: Vec::new() }
    }
}

impl<T> IdMap<T> {
    /// The place of `number`, stable for as long as the table lives.
    #[inline]
    pub(crate) fn place(&self, number: u32) -> Option<u32> {
        match self.small.get(number as usize) {
            Some(&place) if place != 0 => Some(place - 1),
            _ => self.place_of_large(number),
        }
    }

    #[cold]
    fn place_of_large(&self, number: u32) -> Option<u32> {
        self.large.get(&number).copied()
    }

    #[inline]
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.place(number).is_some()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.place(number).map(|place| &self.entries[place as usize].1)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.place(number).map(|place| self.at_mut(place))
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, place: u32) -> &mut T {
        &mut self.entries[place as usize].1
    }

    #[inline]
    pub(crate) fn at(&self, place: u32) -> &T {
        &self.entries[place as usize].1
    }

    /// The value of `number`, put there now if there was none.
    #[inline]
    pub(crate) fn entry(&mut self, number: u32, value: impl FnOnce() -> T) -> &mut T {
        let place = match self.place(number) {
            Some(place) => place,
            None => self.insert(number, value()),
        };
        self.at_mut(place)
    }

    /// In the order of definition, each with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.entries.iter().map(|(number, value)| (*number, value))
    }

    /// In the order of definition.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// In the order of definition, each with its number.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (u32, T)> {
        self.entries.into_iter()
    }

    /// In the order of the numbers.
    pub(crate) fn sorted(&self) -> Vec<(u32, &T)> {
        let mut all: Vec<(u32, &T)> = self.entries.iter().map(|(number, value)| (*number, value)).collect();
        all.sort_unstable_by_key(|&(number, _)| number);
        all
    }

    /// The place of a number that has none yet.
    #[cold]
    pub(crate) fn insert(&mut self, number: u32, value: T) -> u32 {
        let place = self.entries.len() as u32;
        self.entries.push((number, value));
        // A gap of four numbers for each one used costs no more than a map would.
        if (number as usize) < 4 * self.entries.len() + 1024 {
            if self.small.len() <= number as usize {
                self.small.resize(number as usize + 1, 0);
            }
            self.small[number as usize] = place + 1;
        } else {
            self.large.insert(number, place);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_numbers_cost_no_more_than_others() {
        let mut table = IdMap::default();
        for number in [0, 7, u32::MAX, 4_000_000_000, 3] {
            *table.entry(number, || 0) += number as u64;
        }
        assert!(table.small.capacity() < 5000);
        assert_eq!(table.get(u32::MAX), Some(&(u32::MAX as u64)));
        assert_eq!(table.get(8), None);
        let numbers: Vec<u32> = table.sorted().into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [0, 3, 7, 4_000_000_000, u32::MAX]);
    }

    #[test]
    fn a_number_that_was_absurd_at_first_keeps_its_place_when_the_table_has_grown() {
        let mut table = IdMap::default();
        table.entry(5000, || 'x');
        for number in 0..6000 {
            table.entry(number, || 'y');
        }
        assert_eq!(table.get(5000), Some(&'x'));
        assert_eq!(table.sorted().len(), 6000);
    }
}
