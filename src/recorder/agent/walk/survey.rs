//! Notes for each object of a walk how many of its references are explained, and which objects may hide the others.

use crate::address_map::AddressMap;
use crate::memory::Grow;

/// More references than any object has.
const FOR_EVER: i64 = 1 << 40;

/// What is known of an object, by its number in the trace.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Note {
    /// 0 where it was not described.
    pub object: usize,
    /// The walk's number of its class.
    pub class: usize,
    /// Its count, less the references that were written.
    pub unexplained: i64,
}

/// Notes of one walk.
#[derive(Debug, Default)]
pub(super) struct Survey {
    is_on: bool,
    pub notes: Vec<Note>,
    /// Namespaces of modules: they lead to everything.
    pub shared: AddressMap<u32>,
}

impl Survey {
    pub(super) fn begin(&mut self) {
        *self = Survey { is_on: true, ..Survey::default() };
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    pub(super) fn described(&mut self, number: u64, object: usize, class: usize, count: u64, is_immortal: bool) {
        if let Some(note) = self.note(number) {
            (note.object, note.class) = (object, class);
            note.unexplained += if is_immortal { -FOR_EVER } else { count.min(FOR_EVER as u64).cast_signed() };
        }
    }

    /// A reference to it was written.
    pub(super) fn explain(&mut self, number: u64) {
        if let Some(note) = self.note(number) {
            note.unexplained -= 1;
        }
    }

    /// It is alive, whatever else refers to it.
    pub(super) fn root(&mut self, number: u64) {
        if let Some(note) = self.note(number) {
            note.unexplained -= FOR_EVER;
        }
    }

    fn note(&mut self, number: u64) -> Option<&mut Note> {
        if !self.is_on {
            return None;
        }
        let place = usize::try_from(number).ok()?;
        if place >= self.notes.len() {
            let more = place + 1 - self.notes.len();
            if !self.notes.ask(more) {
                return None;
            }
            self.notes.resize(place + 1, Note::default());
        }
        self.notes.get_mut(place)
    }
}
