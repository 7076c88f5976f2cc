//! Maps addresses to something small, in memory of the recorder's own (never Python's allocator).
//!
//! Open addressing with linear probing and no tombstones; [`AddressMap::clear`] keeps the memory, up to a limit, for the
//! next walk.

use crate::memory::{LARGE, filled};

/// Addresses are keys; a low bit or two of an aligned address may carry a kind.
#[derive(Debug, Default)]
pub(crate) struct AddressMap<V> {
    /// Key and value; key 0 is an empty place. Its length is a power of two, or zero.
    places: Vec<(usize, V)>,
    used: usize,
    /// What is handed out where there was no memory for a key.
    nowhere: V,
    /// Half of the places stay empty, not a quarter: for what is asked at each birth, mostly in vain.
    is_sparse: bool,
}

/// More places than this are given back by `clear`.
const KEPT: usize = 1 << 16;

impl<V: Copy + Default> AddressMap<V> {
    /// A map that answers quickly also for keys that it does not have.
    pub(crate) fn sparse() -> AddressMap<V> {
        AddressMap { is_sparse: true, ..AddressMap::default() }
    }

    /// The same, in a mapping of its own and with room for so many keys, where there is memory for it.
    pub(crate) fn sparse_apart(keys: usize) -> AddressMap<V> {
        let places = (2 * keys + 2).max(LARGE / size_of::<(usize, V)>()).next_power_of_two();
        AddressMap { places: filled((0, V::default()), places), ..AddressMap::sparse() }
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub(crate) fn get(&self, key: usize) -> Option<V> {
        if self.used == 0 {
            return None;
        }
        let place = self.places[self.place(key)];
        (place.0 == key).then_some(place.1)
    }

    /// The value of `key`, or the default.
    #[inline]
    pub(crate) fn value(&self, key: usize) -> V {
        if self.places.is_empty() {
            return V::default();
        }
        let (found, value) = self.places[self.place(key)];
        if found == key { value } else { V::default() }
    }

    pub(crate) fn contains(&self, key: usize) -> bool {
        self.get(key).is_some()
    }

    /// The value of `key`, which becomes `value` if there was none. Says whether it is new. Where memory is refused, the
    /// key is not kept.
    pub(crate) fn entry(&mut self, key: usize, value: V) -> (&mut V, bool) {
        debug_assert!(key != 0);
        let fullest = if self.is_sparse { 2 } else { 3 };
        if (self.used + 1) * 4 > self.places.len() * fullest && !self.grow() {
            self.nowhere = value;
            return (&mut self.nowhere, false);
        }
        let index = self.place(key);
        let place = &mut self.places[index];
        let new = place.0 == 0;
        if new {
            *place = (key, value);
            self.used += 1;
        }
        (&mut place.1, new)
    }

    pub(crate) fn insert(&mut self, key: usize, value: V) {
        *self.entry(key, value).0 = value;
    }

    /// Takes the key out, and moves back what was pushed past it.
    pub(crate) fn remove(&mut self, key: usize) {
        if self.places.is_empty() {
            return;
        }
        let mask = self.places.len() - 1;
        let mut hole = self.place(key);
        if self.places[hole].0 != key {
            return;
        }
        self.used -= 1;
        let mut next = (hole + 1) & mask;
        while self.places[next].0 != 0 {
            let first_choice = hash(self.places[next].0) & mask;
            if (next.wrapping_sub(first_choice) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.places[hole] = (0, V::default());
    }

    /// Changes all values.
    pub(crate) fn update(&mut self, change: impl Fn(V) -> V) {
        for (_, value) in self.places.iter_mut().filter(|(key, _)| *key != 0) {
            *value = change(*value);
        }
    }

    pub(crate) fn clear(&mut self) {
        if self.places.len() > KEPT {
            self.places = Vec::new();
        } else if self.used != 0 {
            self.places.fill((0, V::default()));
        }
        self.used = 0;
    }

    /// Where `key` is, or the empty place where it would go.
    fn place(&self, key: usize) -> usize {
        let mask = self.places.len() - 1;
        let mut index = hash(key) & mask;
        while self.places[index].0 != key && self.places[index].0 != 0 {
            index = (index + 1) & mask;
        }
        index
    }

    /// Whether there was memory for it.
    fn grow(&mut self) -> bool {
        let larger = filled((0, V::default()), (self.places.len() * 2).max(64));
        if larger.is_empty() {
            return false;
        }
        let old = std::mem::replace(&mut self.places, larger);
        for (key, value) in old {
            if key != 0 {
                let index = self.place(key);
                self.places[index] = (key, value);
            }
        }
        true
    }
}

/// Multiplies, and takes the high bits, which depend on all of the key.
pub(crate) fn hash(key: usize) -> usize {
    key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 29
}

#[cfg(test)]
mod tests {
    use super::AddressMap;
    use std::collections::HashMap;

    #[test]
    fn it_answers_as_the_standard_map_does_whatever_comes_and_goes() {
        for mut map in [AddressMap::default(), AddressMap::sparse(), AddressMap::sparse_apart(100)] {
            let mut oracle = HashMap::new();
            let mut random = 1_u64;
            for step in 1..20_000_u32 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let key = ((random >> 40) as usize % 500 + 1) * 16;
                if random >> 63 == 0 {
                    map.insert(key, step);
                    oracle.insert(key, step);
                } else {
                    map.remove(key);
                    oracle.remove(&key);
                }
                assert_eq!(map.used, oracle.len());
            }
            for key in (16..=500 * 16).step_by(16) {
                assert_eq!(map.get(key), oracle.get(&key).copied());
                assert_eq!(map.value(key), oracle.get(&key).copied().unwrap_or(0));
            }
            map.update(|value| value + 1);
            assert!(oracle.iter().all(|(&key, &value)| map.get(key) == Some(value + 1)));
        }
    }
}
