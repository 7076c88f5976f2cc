//! Maps addresses to something small, in memory of the recorder's own (never Python's allocator).
//!
//! Open addressing, no removal; [`AddressMap::clear`] keeps the memory, up to a limit, for the next walk.

/// Addresses are keys; a low bit or two of an aligned address may carry a kind.
#[derive(Debug, Default)]
pub(crate) struct AddressMap<V> {
    /// Key and value; key 0 is an empty place. Its length is a power of two, or zero.
    places: Vec<(usize, V)>,
    used: usize,
}

/// More places than this are given back by `clear`.
const KEPT: usize = 1 << 16;

impl<V: Copy + Default> AddressMap<V> {
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

    pub(crate) fn contains(&self, key: usize) -> bool {
        self.get(key).is_some()
    }

    /// The value of `key`, which becomes `value` if there was none. Says whether it is new.
    pub(crate) fn entry(&mut self, key: usize, value: V) -> (&mut V, bool) {
        debug_assert!(key != 0);
        if (self.used + 1) * 4 > self.places.len() * 3 {
            self.grow();
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
        let mut index = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) & mask;
        while self.places[index].0 != key && self.places[index].0 != 0 {
            index = (index + 1) & mask;
        }
        index
    }

    fn grow(&mut self) {
        let length = (self.places.len() * 2).max(64);
        let old = std::mem::replace(&mut self.places, vec![(0, V::default()); length]);
        for (key, value) in old {
            if key != 0 {
                let index = self.place(key);
                self.places[index] = (key, value);
            }
        }
    }
}
