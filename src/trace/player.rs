//! Defines what takes the events of a trace one by one.

use super::event::{Event, SiteId, Slot, Tag, TypeId};

/// What takes the events of a trace one by one.
///
/// The common ones have a method each, so that no [`Event`] is made of them on the way and nobody has to ask twice what
/// it is. A player that overrides one does what it would do with the event.
pub trait Player {
    fn event(&mut self, event: Event);

    fn reference(&mut self, from: Tag, to: Tag, slot: Slot) {
        self.event(Event::Ref { from, to, slot });
    }

    fn unreference(&mut self, from: Tag, to: Tag, slot: Slot) {
        self.event(Event::Unref { from, to, slot });
    }

    fn birth(&mut self, object: Tag, address: u64, class: TypeId, bytes: u64, site: SiteId) {
        self.event(Event::Alloc { object, address, class, bytes, site });
    }

    fn free(&mut self, object: Tag) {
        self.event(Event::Free { object });
    }

    fn incref(&mut self, object: Tag) {
        self.event(Event::Incref { object });
    }

    fn decref(&mut self, object: Tag) {
        self.event(Event::Decref { object });
    }
}

/// Keeps them.
impl Player for Vec<Event> {
    #[inline]
    fn event(&mut self, event: Event) {
        self.push(event);
    }
}

/// Keeps the last one.
impl Player for Option<Event> {
    #[inline]
    fn event(&mut self, event: Event) {
        *self = Some(event);
    }
}
