//! Gives types and texts their numbers, and defines each before its first use.

use std::collections::HashMap;

use super::reader::Pending;
use crate::trace::{Event, Slot, TextDef, TextId, TypeDef, TypeId};

type Map<V> = HashMap<Box<[u8]>, V, foldhash::fast::RandomState>;

/// The types and texts of a log so far. Memory is that of the distinct ones.
#[derive(Default)]
pub(super) struct Definitions {
    types: Map<TypeId>,
    texts: Map<TextId>,
}

impl Definitions {
    /// The type of this name; unknown where it has none.
    pub(super) fn class(&mut self, name: &[u8], out: &mut Pending) -> TypeId {
        if name.is_empty() {
            return TypeId::UNKNOWN;
        }
        if let Some(&id) = self.types.get(name) {
            return id;
        }
        let id = TypeId(self.types.len() as u32 + 1);
        let text = String::from_utf8_lossy(name).into_owned();
        out.push_back(Event::Type(Box::new(TypeDef { id: id.0, name: text, ..TypeDef::default() })));
        self.types.insert(name.into(), id);
        id
    }

    pub(super) fn text(&mut self, name: &[u8], out: &mut Pending) -> TextId {
        if let Some(&id) = self.texts.get(name) {
            return id;
        }
        let id = TextId(self.texts.len() as u32 + 1);
        let text = String::from_utf8_lossy(name).into_owned();
        out.push_back(Event::Text(Box::new(TextDef { id, text })));
        self.texts.insert(name.into(), id);
        id
    }

    /// The slot of this name; unnamed where it has none.
    pub(super) fn slot(&mut self, name: &[u8], out: &mut Pending) -> Slot {
        if name.is_empty() { Slot::UNNAMED } else { Slot::text(self.text(name, out)) }
    }
}
