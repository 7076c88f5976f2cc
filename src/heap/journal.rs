//! Notes how an event changed who counts whom, for an observer that keeps counts of its own.

use super::model::{Heap, ObjectIndex};
use crate::trace::Slot;

/// One change of a count, in the order in which an event made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// A reference came and counts.
    Refers { from: ObjectIndex, to: ObjectIndex, slot: Slot },
    /// A reference that counted is gone.
    Unrefers { from: ObjectIndex, to: ObjectIndex, slot: Slot },
    /// A root or another external reference went.
    Lowered(ObjectIndex),
    /// The object is dead, or waits for its `free`. What it held is gone by the end of the event.
    Died(ObjectIndex),
    /// What the shifts before it said is no longer sure: an object came back from death, or became of another kind.
    Unclear,
}

impl Heap {
    /// From now on shifts are noted.
    pub(super) fn follow(&mut self) {
        self.journal = Some(Vec::new());
    }

    #[inline(always)]
    pub(super) fn note(&mut self, shift: Shift) {
        if let Some(journal) = &mut self.journal {
            journal.push(shift);
        }
    }

    /// An object became of another kind, which matters where it refers to something already.
    pub(super) fn note_kind(&mut self, place: u32) {
        if self.journal.is_some() && self.references.list(place).next().is_some() {
            self.note(Shift::Unclear);
        }
    }

    /// The object is alive, and its count tells for how long.
    pub(crate) fn is_counted(&self, index: ObjectIndex) -> bool {
        let object = self.object(index);
        let immortal = object.flags.has(crate::trace::ObjectFlags::IMMORTAL) || object.count == u64::from(u32::MAX);
        self.state(index.0).is_live() && !immortal
    }

    /// The program's collector runs.
    pub(crate) fn is_collecting(&self) -> bool {
        self.collecting
    }

    /// What an object refers to at this moment. Costs its length.
    pub(crate) fn referents(&mut self, index: ObjectIndex) -> Vec<(ObjectIndex, Slot)> {
        let mut at = self.references.settled_head(index.0);
        let mut referents = Vec::new();
        while let Some(link) = self.references.link(at) {
            at = link.next;
            referents.push((ObjectIndex(link.to), link.slot));
        }
        referents
    }
}
