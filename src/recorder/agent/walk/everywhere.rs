//! Looks in all memory for the addresses of objects of which many have more references than the walk has found.
//!
//! Whoever holds a reference has the address of the object somewhere. Where no place has it but those of the references that are
//! shown, nobody is going to release the others.

use super::classes::{Class, Kind};
use super::describe::Walk;
use super::survey::{Note, Numbers, Survey};
use crate::cpython::object::list_room;
use crate::memory::{Gather, Grow, apart};
use crate::scan::everywhere::{self, Sought};
use crate::sink::Sink;

/// Objects of a class that are many.
const MANY: u32 = 50;
/// Objects that are looked for.
const MOST: usize = 1 << 20;

impl<S: Sink> Walk<'_, S> {
    /// Writes in how many places the address stands of each such object that a stack is known of. At the first walk of the whole heap
    /// nothing has grown, so nothing is looked for; a class is looked for again when there are more of its objects, and one whose
    /// objects somebody has when there are twice as many.
    pub(super) unsafe fn look_everywhere(&mut self, survey: &Survey, targets: &[u32], of_class: &Numbers) {
        if self.scratch.full_walks < 2 {
            return;
        }
        let may_be_lost = |(place, class): (usize, &Class)| {
            of_class.of(place) >= self.scratch.looked_for.get(class.number as usize).unwrap_or(MANY)
        };
        let are_sought = self.scratch.classes.iter().enumerate().map(may_be_lost).gather();
        if !are_sought.contains(&true) {
            return;
        }
        let mut sought: Vec<Sought> = apart();
        for &number in targets {
            let note = &survey.notes[number as usize];
            // SAFETY: as the caller promises, what was described is alive.
            unsafe {
                let is_sought = are_sought.get(note.class()) == Some(&true);
                if is_sought && self.sink.has_stack(self.block_of(note.object)) && sought.len() < MOST {
                    let bytes = self.scratch.classes[note.class()].body(&self.context.interpreter, note.object).max(1);
                    sought.add(Sought { start: note.object, bytes, number, places: 0 });
                }
            }
        }
        let note = |object: &Sought| &survey.notes[object.number as usize];
        let with_stack = self.by_class(sought.iter().map(note));
        sought.retain(|object| with_stack.of(note(object).class()) >= MANY);
        if sought.is_empty() {
            return;
        }
        sought.sort_unstable_by_key(|object| object.start);
        // SAFETY: as above.
        let given_up = unsafe { self.given_up(survey) };
        let is_whole = everywhere::count(&mut sought, &given_up);
        sought.sort_unstable_by_key(|object| object.number);
        for &Sought { number, places, .. } in &sought {
            let places = is_whole.then_some(places);
            self.sink.emit(|encoder| encoder.places(number.into(), places));
        }
        if is_whole {
            // SAFETY: as above.
            unsafe { self.remember(survey, &sought, of_class) };
        }
    }

    /// Memory of described objects, by address, in which stands what they held once: the values of a function that has returned, whose
    /// frame is kept, and what is behind the items of a list.
    unsafe fn given_up(&self, survey: &Survey) -> Vec<(usize, usize)> {
        let interpreter = &self.context.interpreter;
        let of_object = |note: &Note| {
            let class = self.scratch.classes.get(note.class()).filter(|_| note.object != 0)?;
            // SAFETY: as the caller promises, what was described is alive.
            let (from, to) = unsafe {
                match class.kind {
                    Kind::List => list_room(note.object),
                    Kind::Frame => {
                        let values = interpreter.values_of_returned(note.object)?;
                        (values, note.object + class.body(interpreter, note.object))
                    }
                    _ => return None,
                }
            };
            (from < to).then_some((from, to))
        };
        let mut ranges: Vec<(usize, usize)> = apart();
        ranges.add_each(survey.notes.iter().filter_map(of_object));
        ranges.sort_unstable();
        ranges
    }

    /// Remembers which classes were looked for, and of how many objects on they are again.
    unsafe fn remember(&mut self, survey: &Survey, sought: &[Sought], of_class: &Numbers) {
        let is_held = |&&Sought { number, places, .. }: &&Sought| {
            let note = &survey.notes[number as usize];
            // SAFETY: as the caller promises, what was described is alive.
            let (count, _) = unsafe { self.count_of(note.object) };
            u64::from(places) > count.saturating_sub(note.unexplained.unsigned_abs().into())
        };
        let note = |object: &Sought| &survey.notes[object.number as usize];
        let held = self.by_class(sought.iter().filter(is_held).map(note));
        let all = self.by_class(sought.iter().map(note));
        for class in (0..self.scratch.classes.len()).filter(|&class| all.of(class) > 0) {
            let (number, now) = (self.scratch.classes[class].number as usize, of_class.of(class));
            let again = if all.of(class) == held.of(class) { now.saturating_mul(2) } else { now.saturating_add(1) };
            if number != 0 {
                self.scratch.looked_for.insert(number, again);
            }
        }
    }
}
