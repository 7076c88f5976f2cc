//! Maps objects to what was counted of them, in pages: neighbours in the heap are neighbours here.
//!
//! A hash of places would miss the cache at each of millions of objects. So places lead through small pages, which are
//! there only where an object was counted, to a table of what is known.

use crate::heap::ObjectIndex;

/// What is known of each of some objects. 4 bytes for each place of the pages in use, and a `T` for each object.
#[derive(Debug, Clone)]
pub(crate) struct ObjectMap<T> {
    pages: Vec<Option<Box<Page>>>,
    values: Vec<T>,
    /// Places in `known` that are free.
    vacant: Vec<u32>,
}

const PAGE: usize = 64;
const NOTHING: u32 = u32::MAX;

#[derive(Debug, Clone)]
struct Page {
    places: [u32; PAGE],
    used: u8,
}

impl<T> Default for ObjectMap<T> {
    fn default() -> Self {
        ObjectMap { pages: Vec::new(), values: Vec::new(), vacant: Vec::new() }
    }
}

impl<T: Copy> ObjectMap<T> {
    #[inline]
    pub(crate) fn get(&self, object: ObjectIndex) -> Option<&T> {
        let page = self.pages.get(object.0 as usize / PAGE)?.as_deref()?;
        // `NOTHING` is beyond the end of any table.
        self.values.get(page.places[object.0 as usize % PAGE] as usize)
    }

    pub(crate) fn get_mut(&mut self, object: ObjectIndex) -> Option<&mut T> {
        let page = self.pages.get(object.0 as usize / PAGE)?.as_deref()?;
        self.values.get_mut(page.places[object.0 as usize % PAGE] as usize)
    }

    /// Every object of which something is known, in the order of places.
    pub(crate) fn objects(&self) -> impl Iterator<Item = ObjectIndex> + '_ {
        let pages = self.pages.iter().enumerate().filter_map(|(number, page)| Some((number, page.as_deref()?)));
        pages.flat_map(|(number, page)| {
            let used = (0..PAGE).filter(|&place| page.places[place] != NOTHING);
            used.map(move |place| ObjectIndex((number * PAGE + place) as u32))
        })
    }

    /// What is known of each object.
    pub(crate) fn values(&self) -> impl Iterator<Item = T> + '_ {
        self.objects().filter_map(|object| self.get(object).copied())
    }

    /// Says what is known of an object, in place of what was.
    pub(crate) fn insert(&mut self, object: ObjectIndex, value: T) {
        let number = object.0 as usize / PAGE;
        if self.pages.len() <= number {
            self.pages.resize(number + 1, None);
        }
        let page = self.pages[number].get_or_insert_with(|| Box::new(Page { places: [NOTHING; PAGE], used: 0 }));
        let place = &mut page.places[object.0 as usize % PAGE];
        if *place != NOTHING {
            self.values[*place as usize] = value;
            return;
        }
        page.used += 1;
        *place = match self.vacant.pop() {
            Some(vacant) => {
                self.values[vacant as usize] = value;
                vacant
            }
            None => {
                self.values.push(value);
                self.values.len() as u32 - 1
            }
        };
    }

    pub(crate) fn remove(&mut self, object: ObjectIndex) -> Option<T> {
        let slot = self.pages.get_mut(object.0 as usize / PAGE)?;
        let page = slot.as_deref_mut()?;
        let place = std::mem::replace(&mut page.places[object.0 as usize % PAGE], NOTHING);
        let value = *self.values.get(place as usize)?;
        page.used -= 1;
        if page.used == 0 {
            *slot = None;
        }
        self.vacant.push(place);
        if self.vacant.len() == self.values.len() {
            self.vacant.clear();
            self.values.clear();
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_knows_what_a_map_knows(steps in prop::collection::vec((0u32..200, any::<bool>(), any::<u8>()), 0..300)) {
            let (mut ours, mut map) = (ObjectMap::default(), BTreeMap::new());
            for (object, insert, value) in steps {
                if insert {
                    ours.insert(ObjectIndex(object), value);
                    map.insert(object, value);
                } else {
                    prop_assert_eq!(ours.remove(ObjectIndex(object)), map.remove(&object));
                }
                prop_assert!(ours.objects().map(|object| object.0).eq(map.keys().copied()));
                for object in 0..200 {
                    prop_assert_eq!(ours.get(ObjectIndex(object)), map.get(&object));
                }
            }
            map.keys().for_each(|&object| { ours.remove(ObjectIndex(object)); });
            prop_assert!(ours.values.is_empty() && ours.pages.iter().all(Option::is_none));
        }
    }
}
