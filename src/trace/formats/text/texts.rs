//! Numbers the texts of a trace, and remembers which of them are still to be defined.

use std::collections::HashMap;

use crate::trace::{Slot, TextDef, TextId};

/// So many lines' ends are remembered, of so many bytes each at most.
const REMEMBERED: usize = 1 << 14;
const LONGEST: usize = 128;

/// Every distinct text so far. Memory is that of the texts, each kept once.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: HashMap<Box<[u8]>, TextId, foldhash::fast::RandomState>,
    fresh: Vec<TextDef>,
    /// The slots that ends of lines stand for, so that they are taken apart once.
    slots: HashMap<Box<[u8]>, Slot, foldhash::fast::RandomState>,
}

impl Texts {
    /// The slot that this end of a line stood for before.
    #[inline]
    pub(super) fn known_slot(&self, tail: &[u8]) -> Option<Slot> {
        self.slots.get(tail).copied()
    }

    /// Remembers the slot that this end of a line stands for.
    #[cold]
    pub(super) fn remember_slot(&mut self, tail: &[u8], slot: Slot) {
        if self.slots.len() < REMEMBERED && tail.len() <= LONGEST {
            self.slots.insert(tail.into(), slot);
        }
    }

    /// The number of a text that was seen before.
    #[inline]
    pub(super) fn known(&self, text: &[u8]) -> Option<TextId> {
        self.numbers.get(text).copied()
    }

    /// Numbers a text that was not.
    #[cold]
    pub(super) fn add(&mut self, text: String) -> TextId {
        // A number is 31 bits wide; a log with more texts has them in more than 60 GB. The last number then serves for all.
        let number = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX).min(i32::MAX.cast_unsigned());
        let id = TextId(number);
        self.numbers.insert(text.as_bytes().into(), id);
        self.fresh.push(TextDef { id, text });
        id
    }

    /// Whether texts were added since the last [`Texts::take_fresh`].
    #[inline]
    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// The texts that were added, in order.
    pub(super) fn take_fresh(&mut self) -> Vec<TextDef> {
        std::mem::take(&mut self.fresh)
    }
}
