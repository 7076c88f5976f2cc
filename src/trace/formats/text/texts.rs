//! Texts of a trace get their numbers: bytes of a line go in, a [`TextId`] comes out, and the definitions to be told of.

use std::collections::HashMap;

use crate::trace::{TextDef, TextId};

/// Every distinct text so far. Memory is that of the texts, each kept once.
#[derive(Debug, Default)]
pub struct Texts {
    numbers: HashMap<Box<[u8]>, TextId, foldhash::fast::RandomState>,
    fresh: Vec<TextDef>,
}

impl Texts {
    /// The number of a text that was seen before.
    #[inline]
    pub fn known(&self, text: &[u8]) -> Option<TextId> {
        self.numbers.get(text).copied()
    }

    /// Numbers a text that was not.
    #[cold]
    pub fn add(&mut self, text: String) -> TextId {
        // A number is 31 bits wide; a log with more texts has them in more than 60 GB. The last number then serves for all.
        let number = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX).min(i32::MAX.cast_unsigned());
        let id = TextId(number);
        self.numbers.insert(text.as_bytes().into(), id);
        self.fresh.push(TextDef { id, text });
        id
    }

    /// Whether texts were added since the last [`Texts::take_fresh`].
    #[inline]
    pub fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// The texts that were added, in order.
    pub fn take_fresh(&mut self) -> Vec<TextDef> {
        std::mem::take(&mut self.fresh)
    }
}
