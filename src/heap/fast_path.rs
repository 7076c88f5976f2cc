//! Plays the common events of live objects with short lists, where nothing waits for them.
//!
//! Advice: this is what `lifecycle.rs` does with the same event, written out for the case that nine events in ten are,
//! with every question asked once. Each function does all of it, or changes nothing and answers `false`: then
//! `lifecycle.rs` does it. A case that is rare is not worth a line here. What is known of an object beside its tally is
//! another line of the cache, so it is not touched before its birth or death needs it.

use super::model::Heap;
use super::objects::Birth;
use super::replay::TIDY;
use super::state::State;
use crate::trace::{Frees, SiteId, Slot, Tag, TypeId};

impl Heap {
    /// Plays the next event if nothing is to be done but its own work (no snapshot of a collection before it, nothing to
    /// bury or to tidy after it), and `change` can do that. False if nothing was done.
    #[inline(always)]
    pub(super) fn fast_turn(&mut self, change: impl FnOnce(&mut Heap) -> bool) -> bool {
        let last = self.now.event;
        if last + 1 >= self.fast_until {
            return false;
        }
        self.now.event = last + 1;
        let is_done = change(self);
        if !is_done {
            self.now.event = last;
        }
        is_done
    }

    /// To be called after every turn that was not a fast one.
    #[inline(always)]
    pub(super) fn plan_fast_turns(&mut self) {
        let is_fast = self.pending_snapshot.is_none()
            && self.header.frees == Frees::Recorded
            && self.journal.is_none()
            && !self.is_heard;
        self.fast_until = if is_fast { (self.now.event / TIDY + 1) * TIDY } else { 0 };
    }

    /// A reference between two live objects.
    #[inline(always)]
    pub(super) fn refer_fast(&mut self, from: Tag, to: Tag, slot: Slot) -> bool {
        if let Some((from, to)) = self.live_pair(from, to)
            && slot.as_text().is_none_or(|text| self.texts.contains(text))
            && self.references.add_to_short(from, to, slot)
        {
            self.references.tally_mut(to).count += 1;
            self.references.listing_mut(to).incoming += 1;
            return true;
        }
        false
    }

    /// The end of a reference that is among the first of its list.
    #[inline(always)]
    pub(super) fn unrefer_fast(&mut self, from: Tag, to: Tag, slot: Slot) -> bool {
        if let Some((from, to)) = self.live_pair(from, to)
            && self.references.remove_from_short(from, to, slot)
        {
            self.drop_reference(to);
            return true;
        }
        false
    }

    /// The places of two objects that are alive, whose tallies can rise.
    #[inline(always)]
    fn live_pair(&mut self, from: Tag, to: Tag) -> Option<(u32, u32)> {
        let (from, to) = (self.identity.get(from.0, &self.objects)?, self.identity.get(to.0, &self.objects)?);
        let (referrer, referent) = (self.references.get(from)?, self.references.get(to)?);
        let both_live = referrer.state.is_live() && referent.state.is_live();
        (both_live && referent.count < u32::MAX && self.is_exact()).then_some((from, to))
    }

    /// An object with a dense number that is free or the next one, and fields that are known and not large.
    #[inline(always)]
    pub(super) fn bear_fast(&mut self, tag: Tag, address: u64, class: TypeId, bytes: u64, site: SiteId) -> bool {
        let Some(place) = self.identity.direct(tag.0) else { return false };
        let is_new = match self.references.get(place) {
            Some(tally) if tally.state == State::VACANT => false,
            None if place as usize == self.objects.len() && place < u32::MAX - 1 => true,
            _ => return false,
        };
        let is_known = self.types.contains(class) && (site == SiteId::NONE || self.sites.contains(site));
        if !is_known || bytes >= u64::from(u32::MAX) {
            return false;
        }
        if is_new {
            self.references.push();
            self.objects.push();
        }
        self.begin_life(place, Birth { id: self.now.event, address, class, site, bytes });
        true
    }

    /// The death of an object whose tally has said so, or of any where references are not events.
    #[inline(always)]
    pub(super) fn free_fast(&mut self, tag: Tag) -> bool {
        let Some(place) = self.identity.get(tag.0, &self.objects) else { return false };
        let Some(tally) = self.references.get(place) else { return false };
        if !self.is_exact() {
            if !tally.state.is_only(State::LIVE) || self.walk.is_some() {
                return false;
            }
            self.remove_live(place);
        } else {
            if !tally.state.is_only(State::DYING) || tally.count != 0 || self.references.listing(place).has_long_list()
            {
                return false;
            }
            self.n_dying -= 1;
            if self.queue.last() == Some(&place) {
                self.queue.pop();
            }
        }
        self.identity.remove(tag.0, &self.objects);
        self.end_life(place, false);
        true
    }
}
