//! Finds the classes that instances were given in place of their own, by `o.__class__ = …`.
//!
//! An instance keeps the dict that it had. Where that dict shares its keys with a class, it goes on to share them with
//! the class that it had first.

use super::describe::Walk;
use crate::cpython::dict;
use crate::cpython::memory::{flag, type_flags, word};
use crate::memory::{Gather, Grow};
use crate::sink::Sink;

/// Different key tables that are remembered, so that no program makes the search long.
const MOST: usize = 1000;

impl<S: Sink> Walk<'_, S> {
    /// Remembers the keys of an instance's dict, if they are shared and not those of its class.
    pub(super) unsafe fn remember_keys(&mut self, object: usize, class: usize) {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let own = self.dict_of(object, class);
            if own == 0 {
                return;
            }
            let keys = word(own + dict::KEYS);
            let address = self.scratch.classes[class].address;
            let strange = &mut self.scratch.strange_keys;
            if keys != 0
                && keys != word(address + self.context.interpreter.row.type_cached_keys)
                && strange.last() != Some(&(address, keys))
                && strange.len() < MOST
                && !strange.contains(&(address, keys))
            {
                strange.add((address, keys));
            }
        }
    }

    /// Remembers whose the key table of a class is.
    pub(super) unsafe fn remember_class_keys(&mut self, class: usize) {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            if type_flags(class) & flag::HEAP_TYPE != 0 {
                let keys = word(class + self.context.interpreter.row.type_cached_keys);
                if keys != 0 {
                    self.scratch.key_tables.insert(keys, class);
                }
            }
        }
    }

    /// Writes the definitions of the classes once more that instances were given in place of each other.
    pub(super) unsafe fn find_exchanges(&mut self) {
        for (class, keys) in std::mem::take(&mut self.scratch.strange_keys) {
            let Some(first) = self.scratch.key_tables.get(keys).filter(|&first| first != class) else {
                continue;
            };
            // SAFETY: as the caller promises, the object is alive and of this class.
            unsafe {
                for (one, other) in [(class, first), (first, class)] {
                    let (number, name) = (self.define(one), self.class_name(other));
                    let exchange = (number, name);
                    if !self.scratch.exchanged.contains(&exchange) {
                        self.scratch.exchanged.add(exchange);
                        self.define_again(one, number);
                    }
                }
            }
        }
    }

    /// Names of the classes that instances of this one had before, or were given.
    pub(super) fn exchanged(&mut self, class: usize) -> Vec<String> {
        let number = self.sink.type_number(class);
        let exchanged = self.scratch.exchanged.iter().filter(|(known, _)| number != 0 && *known == number);
        exchanged.map(|(_, name)| name.clone()).gather()
    }
}
