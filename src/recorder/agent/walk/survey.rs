//! Notes for each object of a walk how many of its references are explained, which objects may hide the others, and what leads
//! from one to the next.

use crate::memory::{Gather, Grow, apart, filled, provide};

/// More references than any object has.
const FOR_EVER: i32 = 1 << 30;

/// What is known of an object, by its number in the trace.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Note {
    /// 0 where it was not described.
    pub object: usize,
    /// Its count, less the references that were written.
    pub unexplained: i32,
    class: u32,
    /// Where its references begin, in those of all.
    references: u32,
    /// It has references of its own, and is no part of the program: something may hold it that does not show it.
    may_be_held: bool,
    /// The namespace of a module, which leads to everything.
    is_namespace: bool,
}

impl Note {
    /// Of an object, and of the walk's number of its class.
    pub(super) fn new(object: usize, class: usize, may_be_held: bool) -> Note {
        Note { object, class: class as u32, may_be_held, ..Note::default() }
    }

    pub(super) fn class(&self) -> usize {
        self.class as usize
    }

    /// It has references that nothing explains, and does not lead to everything.
    fn is_target(&self) -> bool {
        self.object != 0 && self.unexplained > 0 && self.may_be_held && !self.is_namespace
    }
}

/// How many objects there are, by the walk's number of their class.
#[derive(Debug)]
pub(super) struct Numbers(Vec<u32>);

impl Numbers {
    /// Of so many classes.
    pub(super) fn of_each<'n>(classes: usize, notes: impl Iterator<Item = &'n Note>) -> Numbers {
        let mut numbers = Numbers(filled(0, classes));
        notes.for_each(|note| numbers.add(note));
        numbers
    }

    /// Keeps those of these objects, by number, that have references which are not explained, and says of which classes they are.
    pub(super) fn of_unexplained(classes: usize, survey: &Survey, objects: &mut Vec<u32>) -> Numbers {
        let mut numbers = Numbers(filled(0, classes));
        objects.retain(|&object| {
            let note = &survey.notes[object as usize];
            let is_unexplained = note.unexplained > 0;
            if is_unexplained {
                numbers.add(note);
            }
            is_unexplained
        });
        numbers
    }

    fn add(&mut self, note: &Note) {
        if let Some(number) = self.0.get_mut(note.class()) {
            *number += 1;
        }
    }

    /// 0 where there was no memory for it.
    pub(super) fn of(&self, class: usize) -> u32 {
        self.0.get(class).copied().unwrap_or(0)
    }
}

/// Notes of one walk.
#[derive(Debug, Default)]
pub(super) struct Survey {
    is_on: bool,
    pub notes: Vec<Note>,
    /// What objects refer to, one object after the other, with a 0 behind each.
    references: Vec<u32>,
    /// How many of both the last walk had.
    expected: (usize, usize),
}

impl Survey {
    pub(super) fn begin(&mut self) {
        *self = Survey { is_on: true, notes: apart(), references: apart(), ..*self };
        make_room(&mut self.notes, self.expected.0);
        make_room(&mut self.references, self.expected.1);
        self.references.add(0);
    }

    /// The notes are needed no more.
    pub(super) fn end(&mut self) {
        let expected = (self.notes.len(), self.references.len());
        *self = Survey { expected, ..Survey::default() };
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// An object is described. What it refers to follows.
    pub(super) fn described(&mut self, number: u64, new: Note, count: u64, is_immortal: bool) {
        let references = self.references.len() as u32;
        if let Some(note) = self.note(number) {
            let count = if is_immortal { -FOR_EVER } else { count.min(FOR_EVER as u64) as i32 };
            let unexplained = note.unexplained.saturating_add(count);
            *note = Note { unexplained, references, is_namespace: note.is_namespace, ..new };
            self.add_end();
        }
    }

    /// The object that was described last refers to one that may lead on.
    #[inline]
    pub(super) fn leads_to(&mut self, number: u64) {
        if let Some(end) = self.references.len().checked_sub(1).filter(|_| self.is_on) {
            self.references[end] = number as u32;
            self.add_end();
        }
    }

    /// The references of an object end here, unless there is another.
    #[inline]
    fn add_end(&mut self) {
        if self.references.len() == self.references.capacity() {
            make_room(&mut self.references, 1);
        }
        self.references.add(0);
    }

    /// A reference to it was written.
    pub(super) fn explain(&mut self, number: u64) {
        if let Some(note) = self.note(number) {
            note.unexplained = note.unexplained.saturating_sub(1);
        }
    }

    /// It is alive, whatever else refers to it.
    pub(super) fn root(&mut self, number: u64) {
        if let Some(note) = self.note(number) {
            note.unexplained = note.unexplained.saturating_sub(FOR_EVER);
        }
    }

    /// It is the namespace of a module.
    pub(super) fn namespace(&mut self, number: u64) {
        if let Some(note) = self.note(number) {
            note.is_namespace = true;
        }
    }

    /// Numbers of the objects whose references are not explained.
    pub(super) fn targets(&self) -> Vec<u32> {
        let all = self.notes.iter().enumerate().filter(|(_, note)| note.is_target());
        all.map(|(number, _)| number as u32).gather()
    }

    /// What a described object refers to, as far as that was described and is not what everything leads to.
    pub(super) fn referents(&self, number: u32) -> impl Iterator<Item = u32> {
        let first = self.notes.get(number as usize).map_or(0, |note| note.references as usize);
        let own = self.references[first..].iter().copied().take_while(|&next| next != 0);
        own.filter(|&next| self.notes.get(next as usize).is_some_and(|note| note.object != 0 && !note.is_namespace))
    }

    fn note(&mut self, number: u64) -> Option<&mut Note> {
        if !self.is_on {
            return None;
        }
        let place = usize::try_from(number).ok()?;
        if place >= self.notes.len() && !self.reach(place) {
            return None;
        }
        self.notes.get_mut(place)
    }

    /// Has notes up to this one, and some more where there is room for them.
    #[cold]
    fn reach(&mut self, place: usize) -> bool {
        const STEP: usize = 1 << 10;
        let more = place + 1 - self.notes.len();
        let is_room = make_room(&mut self.notes, more) && self.notes.ask(more);
        if is_room {
            self.notes.resize((place + STEP).min(self.notes.capacity()), Note::default());
        }
        is_room
    }
}

/// Has room for so many more in a list, all of it there to be written to.
#[cold]
fn make_room<T>(list: &mut Vec<T>, more: usize) -> bool {
    let before = list.capacity();
    let is_room = list.ask(more);
    if list.capacity() > before {
        provide(list);
    }
    is_room
}
