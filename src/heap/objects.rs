//! Stores what is known of each object, at its place in the table; a place is used again after a death.
//! 28 bytes an object; what does not fit its field stands in a map beside. That is so of an object of 64 KiB or more, beside
//! which its entry is nothing.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::event_number::EventNumber;
use crate::trace::{DictState, SiteId, TextId, TypeId};

/// Rare things of an object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside {
    pub name: Option<TextId>,
    pub code: Option<SiteId>,
    bytes: Option<u64>,
    owned: Option<u64>,
    dict_capacity: Option<u32>,
}

/// An object that comes to life.
#[derive(Debug, Clone, Copy)]
pub(super) struct Birth {
    pub id: u64,
    pub address: u64,
    pub class: TypeId,
    pub site: SiteId,
    pub bytes: u64,
}

/// What birth and death touch, of one object: 28 bytes, together because an array for each field would miss the cache as
/// often as there are fields.
#[derive(Debug, Clone, Copy)]
struct Record {
    /// Lower and upper half.
    address: [u32; 2],
    id: EventNumber,
    /// State in the upper 3 bits, then [`BESIDE`], capacity in the others.
    dict: u16,
    class: TypeId,
    site: SiteId,
    bytes: u16,
    owned: u16,
}

#[derive(Debug)]
pub(super) struct Objects {
    records: Vec<Record>,
    beside: HashMap<u32, Beside, RandomState>,
    /// First free place; each names the next one in `site`.
    free: u32,
}

const NIL: u32 = u32::MAX;
/// The bytes stand in the map beside.
const ELSEWHERE: u16 = u16::MAX;
const DICT_STATES: [DictState; 5] =
    [DictState::None, DictState::Inline, DictState::Split, DictState::Combined, DictState::Detached];
/// Something of the object stands in the map beside.
const BESIDE: u16 = 1 << 12;
const DICT_CAPACITY: u16 = BESIDE - 1;

impl Default for Objects {
    fn default() -> Self {
        Objects { records: Vec::new(), beside: HashMap::default(), free: NIL }
    }
}

impl Objects {
    /// Number of places, vacant ones included.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// One more place, vacant, and not in the list of free ones.
    pub(super) fn push(&mut self) -> u32 {
        let place = self.records.len() as u32;
        self.records.push(Record {
            address: [0; 2],
            id: EventNumber::NONE,
            dict: 0,
            class: TypeId::UNKNOWN,
            site: SiteId::NONE,
            bytes: 0,
            owned: 0,
        });
        place
    }

    /// A vacant place from the list of free ones.
    pub(super) fn pop_free(&mut self) -> Option<u32> {
        let place = self.free;
        self.free = self.records.get(place as usize)?.site.0;
        Some(place)
    }

    /// Puts a vacant place into the list of free ones.
    pub(super) fn push_free(&mut self, place: u32) {
        self.records[place as usize].site = SiteId(std::mem::replace(&mut self.free, place));
    }

    /// Fills a vacant place.
    #[inline(always)]
    pub(super) fn fill(&mut self, place: u32, birth: Birth) {
        self.records[place as usize] = Record {
            address: [birth.address as u32, (birth.address >> 32) as u32],
            id: EventNumber::of(birth.id),
            dict: 0,
            class: birth.class,
            site: birth.site,
            bytes: short(birth.bytes),
            owned: 0,
        };
        if short(birth.bytes) == ELSEWHERE {
            self.set_bytes(place, birth.bytes);
        }
    }

    /// Forgets what stands beside the record of a dead object.
    #[inline]
    pub(super) fn vacate(&mut self, place: u32) {
        let record = &mut self.records[place as usize];
        if record.dict & BESIDE != 0 {
            record.dict &= !BESIDE;
            self.beside.remove(&place);
        }
    }

    #[inline]
    pub(super) fn id(&self, place: u32) -> u64 {
        self.records[place as usize].id.get()
    }

    #[inline]
    pub(super) fn address(&self, place: u32) -> u64 {
        let [low, high] = self.records[place as usize].address;
        u64::from(low) | u64::from(high) << 32
    }

    #[inline]
    pub(super) fn class(&self, place: u32) -> TypeId {
        self.records[place as usize].class
    }

    pub(super) fn class_mut(&mut self, place: u32) -> &mut TypeId {
        &mut self.records[place as usize].class
    }

    pub(super) fn site(&self, place: u32) -> SiteId {
        self.records[place as usize].site
    }

    #[inline]
    pub(super) fn bytes(&self, place: u32) -> u64 {
        match self.records[place as usize].bytes {
            ELSEWHERE => self.beside(place).bytes.unwrap_or_default(),
            bytes => u64::from(bytes),
        }
    }

    #[inline]
    pub(super) fn set_bytes(&mut self, place: u32, bytes: u64) {
        self.records[place as usize].bytes = short(bytes);
        if short(bytes) == ELSEWHERE {
            self.beside_mut(place).bytes = Some(bytes);
        }
    }

    #[inline]
    pub(super) fn owned(&self, place: u32) -> u64 {
        match self.records[place as usize].owned {
            ELSEWHERE => self.beside(place).owned.unwrap_or_default(),
            bytes => u64::from(bytes),
        }
    }

    pub(super) fn set_owned(&mut self, place: u32, bytes: u64) {
        self.records[place as usize].owned = short(bytes);
        if short(bytes) == ELSEWHERE {
            self.beside_mut(place).owned = Some(bytes);
        }
    }

    /// Places of objects whose block, or what they own, is of [`LARGE`](super::Heap::LARGE) bytes or more, in no order. Costs a
    /// visit to each object that has something beside.
    pub(super) fn large(&self) -> impl Iterator<Item = u32> + '_ {
        let is_large = |beside: &Beside| beside.bytes.is_some() || beside.owned.is_some();
        let places = self.beside.iter().filter(move |(_, beside)| is_large(beside)).map(|(&place, _)| place);
        places.filter(|&place| self.size(place) >= u64::from(ELSEWHERE))
    }

    /// Bytes of its block and of those that it owns.
    #[inline]
    pub(super) fn size(&self, place: u32) -> u64 {
        self.bytes(place) + self.owned(place)
    }

    #[inline]
    pub(super) fn dict(&self, place: u32) -> (DictState, u32) {
        let dict = self.records[place as usize].dict;
        let capacity = match dict & DICT_CAPACITY {
            DICT_CAPACITY => self.beside(place).dict_capacity.unwrap_or(u32::from(DICT_CAPACITY)),
            capacity => u32::from(capacity),
        };
        (DICT_STATES[usize::from(dict >> 13)], capacity)
    }

    pub(super) fn set_dict(&mut self, place: u32, state: DictState, capacity: u32) {
        let code = DICT_STATES.iter().position(|&known| known == state).unwrap_or(0) as u16;
        let short = u16::try_from(capacity).unwrap_or(DICT_CAPACITY).min(DICT_CAPACITY);
        let dict = &mut self.records[place as usize].dict;
        *dict = code << 13 | *dict & BESIDE | short;
        if short == DICT_CAPACITY {
            self.beside_mut(place).dict_capacity = Some(capacity);
        }
    }

    pub(super) fn beside(&self, place: u32) -> Beside {
        if self.records[place as usize].dict & BESIDE != 0 {
            self.beside.get(&place).copied().unwrap_or_default()
        } else {
            Beside::default()
        }
    }

    pub(super) fn beside_mut(&mut self, place: u32) -> &mut Beside {
        self.records[place as usize].dict |= BESIDE;
        self.beside.entry(place).or_default()
    }
}

/// The bytes, or [`ELSEWHERE`].
#[inline(always)]
fn short(bytes: u64) -> u16 {
    u16::try_from(bytes).unwrap_or(ELSEWHERE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Objects {
        let mut objects = Objects::default();
        objects.push();
        objects.fill(
            0,
            Birth {
                id: (1 << 48) - 1,
                address: u64::MAX - 1,
                class: TypeId(7),
                site: SiteId(9),
                bytes: u64::from(u32::MAX),
            },
        );
        objects
    }

    #[test]
    fn large_values_come_back_as_they_went_in() {
        let mut objects = one();
        objects.set_owned(0, 1 << 39);
        objects.set_dict(0, DictState::Detached, 1_000_000);
        assert_eq!((objects.bytes(0), objects.owned(0)), (u64::from(u32::MAX), 1 << 39));
        assert_eq!(objects.dict(0), (DictState::Detached, 1_000_000));
        assert_eq!((objects.id(0), objects.address(0)), ((1 << 48) - 1, u64::MAX - 1));
        for bytes in [u64::from(ELSEWHERE) - 1, ELSEWHERE.into(), u64::from(ELSEWHERE) + 1, 3] {
            objects.set_bytes(0, bytes);
            objects.set_owned(0, 2 * bytes);
            assert_eq!((objects.bytes(0), objects.owned(0)), (bytes, 2 * bytes));
        }
        objects.set_bytes(0, 17);
        objects.set_dict(0, DictState::Split, 30);
        assert_eq!((objects.bytes(0), objects.dict(0)), (17, (DictState::Split, 30)));
    }

    #[test]
    fn a_place_forgets_its_last_object() {
        let mut objects = one();
        objects.set_owned(0, 1 << 39);
        objects.beside_mut(0).name = Some(TextId(3));
        objects.vacate(0);
        objects.push_free(0);
        assert_eq!(objects.pop_free(), Some(0));
        assert_eq!(objects.pop_free(), None);
        objects.fill(0, Birth { id: 2, address: 1, class: TypeId(7), site: SiteId::NONE, bytes: 16 });
        assert_eq!((objects.size(0), objects.beside(0).name), (16, None));
        assert!(objects.beside.is_empty());
    }
}
