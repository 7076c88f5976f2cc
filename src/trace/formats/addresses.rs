//! Translates dense numbers to the producer's tags and back, for the converter.
//!
//! An event may name an object that is not there: it was never born, or has been freed. Such a name has no number and no
//! address, and has to come through both ways all the same. So the one becomes the other's complement (`!x`, all 64 bits
//! flipped): the unknown tag `10` is the number `ffffffffffffffef`, far above every dense number, and the unknown number
//! 16 is the tag `ffffffffffffffef`, far above every address. `docs/formats/binary.md` says so to other writers.

use std::collections::HashMap;
use std::io;

type Map = HashMap<u64, u32, foldhash::fast::RandomState>;

/// Dense numbers become the addresses that the objects were born with. Memory is proportional to the live objects.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// By number, the producer's tag of the live object; `None` where it is not live. The first is 1.
    names: Vec<Option<u64>>,
    /// Which live object is called so.
    owners: Map,
}

impl Addresses {
    /// An object is born. Where a live one has the same address already, it is called by the complement of its number.
    /// Refuses a number that skips one, as no sane writer does.
    pub(super) fn alloc(&mut self, number: u64, address: u64) -> io::Result<()> {
        self.free(number);
        let place = number.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        let (Some(place), Ok(short)) = (place.filter(|place| *place <= self.names.len()), u32::try_from(number)) else {
            let problem = format!("object number {number} skips a number");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        };
        let name = if self.owners.contains_key(&address) { !number } else { address };
        self.owners.insert(name, short);
        if place == self.names.len() {
            self.names.push(None);
        }
        self.names[place] = Some(name);
        Ok(())
    }

    pub(super) fn free(&mut self, number: u64) {
        if let Some(name) = self.place(number).and_then(|place| self.names.get_mut(place)).and_then(Option::take) {
            self.owners.remove(&name);
        }
    }

    /// What the object is called.
    pub(super) fn name(&self, number: u64) -> u64 {
        let known = self.place(number).and_then(|place| self.names.get(place).copied().flatten());
        known.unwrap_or(!number)
    }

    fn place(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(1)?).ok()
    }
}

/// The producer's tags become dense numbers. Memory is proportional to the most objects that were ever live at once.
#[derive(Debug, Default)]
pub(super) struct DenseNumbers {
    numbers: Map,
    freed: Vec<u32>,
    last: u32,
}

impl DenseNumbers {
    /// An object is born: it keeps the number of a live one with its tag, or gets one that was freed, or the next.
    pub(super) fn alloc(&mut self, tag: u64) -> io::Result<u64> {
        if let Some(number) = self.numbers.get(&tag) {
            return Ok(u64::from(*number));
        }
        let number = match self.freed.pop() {
            Some(number) => number,
            None => {
                let next = self.last.checked_add(1);
                self.last = next.ok_or_else(|| io::Error::other("more than 4,294,967,295 objects are live at once"))?;
                self.last
            }
        };
        self.numbers.insert(tag, number);
        Ok(u64::from(number))
    }

    /// An object dies; its number, as the record of its death has it.
    pub(super) fn free(&mut self, tag: u64) -> u64 {
        match self.numbers.remove(&tag) {
            Some(number) => {
                self.freed.push(number);
                u64::from(number)
            }
            None => !tag,
        }
    }

    /// The number of a live object.
    pub(super) fn number(&self, tag: u64) -> u64 {
        self.numbers.get(&tag).map_or(!tag, |number| u64::from(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_number_is_given_out_again() {
        let mut numbers = DenseNumbers::default();
        assert_eq!(numbers.alloc(0x7f10).unwrap(), 1);
        assert_eq!(numbers.alloc(0x7f20).unwrap(), 2);
        assert_eq!(numbers.free(0x7f10), 1);
        assert_eq!(numbers.alloc(0x7f30).unwrap(), 1);
        assert_eq!(numbers.alloc(0x7f40).unwrap(), 3);
    }

    #[test]
    fn an_alloc_on_a_live_tag_keeps_its_number() {
        let mut numbers = DenseNumbers::default();
        assert_eq!(numbers.alloc(0x7f10).unwrap(), 1);
        assert_eq!(numbers.alloc(0x7f10).unwrap(), 1);
    }

    #[test]
    fn a_name_of_nothing_comes_through_both_ways() {
        let (mut numbers, mut addresses) = (DenseNumbers::default(), Addresses::default());
        assert_eq!(addresses.name(numbers.number(0x7f10)), 0x7f10);
        addresses.alloc(numbers.alloc(0x7f10).unwrap(), 0x7f10).unwrap();
        assert_eq!(addresses.name(numbers.number(0x7f10)), 0x7f10);
        addresses.free(numbers.free(0x7f10));
        assert_eq!(addresses.name(numbers.number(0x7f10)), 0x7f10);
    }

    #[test]
    fn two_live_objects_never_have_one_name() {
        let mut addresses = Addresses::default();
        addresses.alloc(1, 0).unwrap();
        addresses.alloc(2, 0).unwrap();
        assert_eq!((addresses.name(1), addresses.name(2)), (0, !2));
        addresses.free(1);
        addresses.alloc(1, 0).unwrap();
        assert_eq!((addresses.name(1), addresses.name(2)), (0, !2));
    }

    #[test]
    fn a_number_that_skips_one_is_refused() {
        let mut addresses = Addresses::default();
        assert!(addresses.alloc(2, 0x10).is_err());
        assert!(addresses.alloc(0, 0x10).is_err());
        assert!(addresses.alloc(u64::MAX, 0x10).is_err());
    }
}
