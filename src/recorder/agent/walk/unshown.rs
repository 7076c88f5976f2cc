//! Writes the references that an object holds and does not show to the collector, where the layout of its type has them.

use super::classes::{Kind, Place};
use super::describe::Walk;
use super::edges::Edges;
use super::labels::index_label;
use crate::cpython::memory::{GC_HEAD, flag, tuple_items, type_flags, type_of, word};
use crate::layouts::{self, Found, HidingType, Where};
use crate::memory::Grow;
use crate::sink::Sink;

/// The layout of the referrer's type has it.
const LAYOUT: u8 = 0;

impl<S: Sink> Walk<'_, S> {
    /// Writes what `object` refers to beside `edges`, which its `tp_traverse` shows.
    pub(super) unsafe fn write_unshown(&mut self, object: usize, class: usize, number: u64, edges: &Edges) {
        let mut found = std::mem::take(&mut self.scratch.unshown);
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            self.scratch.classes[class].hiding.read(&self.context.interpreter, object, &mut found);
            self.unshown_dict(object, class, &mut found);
            for (target, place) in found.drain(..) {
                let is_unshown = match place {
                    Where::Memory(_) => self.is_own_memory(target, edges),
                    Where::Field(_) | Where::Item(_) => self.is_unshown(target, edges),
                };
                if is_unshown {
                    let label = match place {
                        Where::Field(name) | Where::Memory(name) => self.fixed(name),
                        Where::Item(index) => index_label(index),
                    };
                    let class = self.class_of(target);
                    let target = self.write_hidden(number, target, label);
                    if self.scratch.classes[class].may_lead() {
                        self.scratch.survey.leads_to(target);
                    }
                }
            }
            if self.scratch.classes[class].kind == Kind::WeakReference {
                self.write_nurse(object);
            }
        }
        self.scratch.unshown = found;
    }

    /// Writes who holds a weak reference to itself. A dead one refers to `None`.
    unsafe fn write_nurse(&mut self, weak_reference: usize) {
        // SAFETY: as the caller promises, the reference is alive, and so is what it refers to.
        unsafe {
            let Some(nurse) = layouts::nurse(weak_reference).filter(|&nurse| self.is_told(nurse)) else { return };
            let class = self.class_of(nurse);
            if self.has_weak_references(nurse, class) {
                let (nurse, label) = (self.number(nurse), self.fixed(".__weakref__"));
                self.write_hidden(nurse, weak_reference, label);
            }
        }
    }

    /// The dict of attributes of an instance of a C type: `tp_dictoffset` says that it owns it, whether it shows it or not.
    pub(super) unsafe fn unshown_dict(&self, object: usize, class: usize, found: &mut Found) {
        let known = &self.scratch.classes[class];
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            if known.kind != Kind::Plain || !matches!(known.dict, Place::At(_)) {
                return;
            }
            let is_whole = known.flags & flag::HAVE_GC == 0 || self.is_tracked(object);
            let dict = self.dict_of(object, class);
            if is_whole && dict != 0 && type_of(dict) == self.context.interpreter.dict {
                found.add((dict, Where::Field(".__dict__")));
            }
        }
    }

    /// Is it an object that can be in a loop, and that the traversal did not show?
    unsafe fn is_unshown(&mut self, target: usize, edges: &Edges) -> bool {
        // SAFETY: as the caller promises, a place that holds a reference has the address of a live object, or 0.
        unsafe {
            if target == 0 || edges.targets.contains(&target) || self.sink.hidden(target) {
                return false;
            }
            let flags = type_flags(type_of(target));
            if flags & (flag::UNICODE_SUBCLASS | flag::BYTES_SUBCLASS | flag::LONG_SUBCLASS) != 0 {
                return flags & flag::HAVE_GC != 0 && self.is_tracked(target);
            }
            let (count, immortal) = self.context.interpreter.count(target);
            if count == 0 || immortal {
                return false;
            }
            let class = self.class_of(target);
            if self.scratch.classes[class].kind == Kind::Tuple {
                let items = tuple_items(self.context.interpreter.row, target);
                return self.is_tracked(target) && items.iter().any(|&item| self.is_tracked(item));
            }
            let known = &self.scratch.classes[class];
            let may_lead = known.hiding != HidingType::Unknown || known.dict != Place::Nowhere;
            self.is_tracked(target) || flags & flag::HAVE_GC == 0 && may_lead
        }
    }

    /// Is it an object that the traversal did not show, and that is in no table of the interpreter?
    unsafe fn is_own_memory(&self, target: usize, edges: &Edges) -> bool {
        // SAFETY: as the caller promises, a place that holds a reference has the address of a live object, or 0.
        target != 0
            && !edges.targets.contains(&target)
            && !self.sink.hidden(target)
            && matches!(unsafe { self.context.interpreter.count(target) }, (1.., false))
    }

    /// Does the collector look at it?
    unsafe fn is_tracked(&self, object: usize) -> bool {
        // SAFETY: as the caller promises, the object is alive.
        unsafe {
            let class = type_of(object);
            object != 0
                && self.context.interpreter.is_gc(object, class, type_flags(class))
                && word(object - GC_HEAD) != 0
        }
    }

    /// Answers the target's number.
    unsafe fn write_hidden(&mut self, number: u64, target: usize, label: u32) -> u64 {
        // SAFETY: as the caller promises, the target is alive.
        unsafe {
            let target_number = self.number(target);
            self.queue(target);
            self.scratch.survey.explain(target_number);
            // What is shown comes first.
            self.write_unchanged();
            self.sink.emit(|encoder| encoder.hidden(number, target_number, label, LAYOUT));
            target_number
        }
    }
}
