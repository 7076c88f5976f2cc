//! Maps addresses to small numbers: open addressing, linear probing, no tombstones.

/// Keys are not 0; values are not 0.
#[derive(Debug, Default)]
pub(crate) struct NumberMap {
    /// Key and value; key 0 is a free place. The length is a power of two, or 0.
    places: Vec<(usize, u32)>,
    length: usize,
}

impl NumberMap {
    /// The value of the key, 0 if it has none.
    pub(crate) fn get(&self, key: usize) -> u32 {
        if self.places.is_empty() {
            return 0;
        }
        let (found, value) = self.places[self.place(key)];
        if found == key { value } else { 0 }
    }

    pub(crate) fn insert(&mut self, key: usize, value: u32) {
        if (self.length + 1) * 2 > self.places.len() {
            self.grow();
        }
        let place = self.place(key);
        if self.places[place].0 == 0 {
            self.length += 1;
        }
        self.places[place] = (key, value);
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
        self.length -= 1;
        let mut next = (hole + 1) & mask;
        while self.places[next].0 != 0 {
            let home = hash(self.places[next].0) & mask;
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.places[hole] = self.places[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.places[hole] = (0, 0);
    }

    /// Changes all values.
    pub(crate) fn update(&mut self, change: impl Fn(u32) -> u32) {
        for (_, value) in self.places.iter_mut().filter(|(key, _)| *key != 0) {
            *value = change(*value);
        }
    }

    /// Where the key is, or would go.
    fn place(&self, key: usize) -> usize {
        let mask = self.places.len() - 1;
        let mut place = hash(key) & mask;
        while self.places[place].0 != key && self.places[place].0 != 0 {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let larger = (self.places.len() * 2).max(64);
        let old = std::mem::replace(&mut self.places, vec![(0, 0); larger]);
        for (key, value) in old.into_iter().filter(|&(key, _)| key != 0) {
            let place = self.place(key);
            self.places[place] = (key, value);
        }
    }
}

/// Multiplies, and takes the high bits, which depend on all of the key.
pub(crate) fn hash(key: usize) -> usize {
    key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 29
}

#[cfg(test)]
mod tests {
    use super::NumberMap;
    use std::collections::HashMap;

    #[test]
    fn it_answers_as_the_standard_map_does_whatever_comes_and_goes() {
        let mut map = NumberMap::default();
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
            assert_eq!(map.length, oracle.len());
        }
        for key in (16..=500 * 16).step_by(16) {
            assert_eq!(map.get(key), oracle.get(&key).copied().unwrap_or(0));
        }
    }
}
