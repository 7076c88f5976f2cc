//! Applies births and frees, and with references as events keeps the tally that decides who lives.
//!
//! An object is born with a tally of zero and lives until its tally *returns* to zero. Then it dies, and what it held is
//! no longer held by it; that goes on in a queue, never by recursion.
//!
//! With implied frees this is the end of it. With recorded frees the object is *dying*: a `free` must confirm it. It may
//! come back before that (a finalizer keeps it), and then its references count again. Only for that its list is kept,
//! and dropping what it held is put off until somebody can see the difference: a finalizer that runs for a while takes
//! and gives back references to a dying object all the time.
//!
//! An object that dies while references to it are left in other lists (the collector freed it, or the log is broken)
//! leaves a *husk*: its place is not used again before they are gone, so no list ever has a wrong referent.

use std::collections::BTreeMap;

use super::anomaly::{AnomalyExample, AnomalyKind};
use super::identity::Identity;
use super::journal::Shift;
use super::model::{Heap, ObjectIndex, names_of};
use super::objects::Birth;
use super::observer::{Happening, Observer};
use super::references::Link;
use super::state::State;
use crate::trace::{Frees, ObjectFlags, References as Exactness, SiteId, Slot, Tag, TextId, TypeId};

/// No object has more bytes than this, in its block and in those that it owns each.
const MAX_BYTES: u64 = 1 << 40;
/// So many dying objects, husks, or places in the queue cost nothing to keep.
const SLACK: u64 = 1 << 14;
/// References that may be counted anew for objects that come back: at first, and for each event. Only a log that is
/// made for it needs more.
const REVIVALS: u64 = 1 << 26;
const REVIVALS_PER_EVENT: u64 = 64;

impl Heap {
    pub(super) fn is_exact(&self) -> bool {
        self.header.references == Exactness::Events
    }

    #[inline]
    pub(super) fn limited(&mut self, bytes: u64) -> u64 {
        if bytes > MAX_BYTES {
            self.anomaly(AnomalyKind::AbsurdSize);
        }
        bytes.min(MAX_BYTES)
    }

    pub(super) fn alloc(&mut self, tag: Tag, birth: Birth, observer: &mut dyn Observer) {
        let Some(place) = self.vacant(tag, observer) else { return };
        self.begin_life(place, birth);
        self.identity.insert(tag.0, place, &self.objects);
        if self.is_heard {
            observer.happened(self, Happening::Born(ObjectIndex(place)));
        }
    }

    /// An object comes to a vacant place.
    #[inline(always)]
    pub(super) fn begin_life(&mut self, place: u32, birth: Birth) {
        self.objects.fill(place, birth);
        self.references.begin(place);
        self.add_live(birth.class, birth.bytes, true);
    }

    /// A vacant place for a new object; an anomaly if there is none.
    #[inline(never)]
    fn vacant(&mut self, tag: Tag, observer: &mut dyn Observer) -> Option<u32> {
        if let Some(old) = self.lookup(tag) {
            self.settle(observer);
            let dying = self.state(old).is_dying();
            self.anomaly_of(if dying { AnomalyKind::MissingFree } else { AnomalyKind::AllocOnLive }, old);
            self.bury(old, Some(tag), false, observer);
        }
        let n_places = self.objects.len() as u64;
        let next = match &self.identity {
            Identity::Direct => Some(n_places),
            Identity::Table(places) => Some(places.len() as u64),
            Identity::Map { .. } => None,
        };
        if next.is_some_and(|next| tag.0.wrapping_sub(1) > next) {
            self.anomalies.add(AnomalyKind::NumberOutOfOrder, AnomalyExample::of_log(self.now.event, Some(tag.0)));
            return None;
        }
        if let Identity::Direct = self.identity
            && tag.0 <= n_places
        {
            let place = (tag.0 - 1) as u32;
            if self.state(place).life() != State::HUSK {
                return Some(place);
            }
            self.make_table();
        }
        if let Some(place) = self.objects.pop_free() {
            return Some(place);
        }
        if n_places >= u64::from(u32::MAX) - 1 {
            self.anomaly(AnomalyKind::TooMany);
            return None;
        }
        self.references.push();
        Some(self.objects.push())
    }

    /// Dense numbers are no longer places: the next object of this number needs another place than the last one.
    #[cold]
    fn make_table(&mut self) {
        let n_places = self.objects.len() as u32;
        let references = &self.references;
        self.identity.make_table(n_places, |place| references.tally(place).state.is_there());
        for place in (0..n_places).rev() {
            if self.state(place).life() == State::VACANT {
                self.objects.push_free(place);
            }
        }
    }

    pub(super) fn free(&mut self, tag: Tag, observer: &mut dyn Observer) {
        let Some(place) = self.resolve(tag) else { return };
        if self.is_exact() && self.references.tally(place).count > 0 {
            // What dies with those that are dying may be just this object.
            self.settle(observer);
            if self.references.tally(place).count > 0 && !self.collecting {
                self.anomaly_of(AnomalyKind::FreeWhileCounted, place);
            }
        }
        self.bury(place, Some(tag), self.collecting, observer);
    }

    #[inline]
    pub(super) fn add_reference(&mut self, from: Tag, to: Tag, slot: Slot) {
        let (Some(from), Some(to)) = (self.resolve(from), self.resolve(to)) else { return };
        if self.state(from).has(State::DROPPED) {
            self.take_again(from);
        }
        if !self.references.add(from, to, slot) {
            return self.anomaly_of(AnomalyKind::TooMany, from);
        }
        self.references.listing_mut(to).incoming += 1;
        self.note(Shift::Refers { from: ObjectIndex(from), to: ObjectIndex(to), slot });
        self.raise(to);
    }

    /// A dropped object takes a reference: those that it had count again, until it is dropped anew.
    #[cold]
    fn take_again(&mut self, from: u32) {
        self.undrop(from);
        self.enqueue(from);
    }

    #[inline]
    pub(super) fn remove_reference(&mut self, from: Tag, to: Tag, slot: Slot) {
        let (Some(from), Some(to)) = (self.resolve(from), self.resolve(to)) else { return };
        let dropped = self.state(from).has(State::DROPPED);
        // A place that was filled after the drop has another object than the one in the list.
        let is_other = dropped && self.objects.id(to) >= self.references.listing(from).release();
        if is_other || !self.references.remove(from, to, slot) {
            self.anomaly_of(AnomalyKind::MissingReference, from);
        } else if !dropped {
            // Which reference an unnamed one stood for is not told.
            let unclear = slot == Slot::UNNAMED && self.journal.is_some();
            let gone = Shift::Unrefers { from: ObjectIndex(from), to: ObjectIndex(to), slot };
            self.note(if unclear { Shift::Unclear } else { gone });
            self.drop_reference(to);
        }
    }

    /// One external reference more.
    #[inline]
    pub(super) fn raise(&mut self, place: u32) {
        let tally = self.references.tally_mut(place);
        tally.count = tally.count.saturating_add(1);
        if tally.count == 1 && tally.state.is_dying() {
            self.revive(place);
        }
    }

    /// One reference less, that was in no list.
    #[inline]
    pub(super) fn lower(&mut self, place: u32) {
        let tally = self.references.tally_mut(place);
        match tally.count {
            u32::MAX => {}
            0 => self.anomaly_of(AnomalyKind::BelowZero, place),
            1 => {
                tally.count = 0;
                self.die(place);
            }
            _ => {
                tally.count -= 1;
                self.references.listing_mut(place).set_release(self.now.event);
            }
        }
    }

    pub(super) fn root(&mut self, place: u32, name: TextId) {
        *self.roots.entry((place, name)).or_default() += 1;
        self.set(place, State::ROOTED, true);
        if self.is_exact() {
            self.raise(place);
        }
    }

    pub(super) fn unroot(&mut self, place: u32, name: TextId) {
        match self.roots.get_mut(&(place, name)) {
            None => return self.anomaly_of(AnomalyKind::MissingRoot, place),
            Some(1) => {
                self.roots.remove(&(place, name));
                self.update_rooted(place);
            }
            Some(count) => *count -= 1,
        }
        if self.is_exact() {
            self.note(Shift::Lowered(ObjectIndex(place)));
            self.lower(place);
        }
    }

    pub(super) fn update_rooted(&mut self, place: u32) {
        let any = |roots: &BTreeMap<_, _>| roots.range(names_of(place)).next().is_some();
        let rooted = any(&self.roots) || any(&self.walked_roots);
        self.set(place, State::ROOTED, rooted);
    }

    /// Drops what dying objects hold, and what that kills. With implied frees they are dead then.
    #[inline]
    pub(super) fn settle(&mut self, observer: &mut dyn Observer) {
        if !self.queue.is_empty() {
            self.settle_all(observer);
        }
    }

    fn settle_all(&mut self, observer: &mut dyn Observer) {
        let implied = self.header.frees == Frees::Implied;
        while let Some(place) = self.queue.pop() {
            if !self.state(place).has(State::QUEUED) {
                continue;
            }
            self.set(place, State::QUEUED, false);
            if !self.state(place).is_dying() {
                continue;
            }
            if implied {
                let tag = Tag(self.objects.address(place));
                self.bury(place, Some(tag), self.collecting, observer);
            } else {
                self.drop_held(place);
            }
        }
    }

    /// Keeps the number of objects that wait for something in proportion to the live ones. To be called now and then.
    pub(super) fn tidy(&mut self, observer: &mut dyn Observer) {
        let places = self.objects.len() as u64;
        if self.queue.len() as u64 > SLACK + 2 * self.n_dying {
            self.settle(observer);
        }
        if self.n_dying > SLACK + 2 * self.n_live + places / 4 {
            self.bury_dying(observer);
        }
        if self.n_husks > SLACK + (self.n_live + self.references.len()) / 2 + places / 4 {
            self.sweep_husks();
        }
    }

    /// Objects that still wait for their `free` will not get it.
    pub(super) fn bury_dying(&mut self, observer: &mut dyn Observer) {
        self.settle(observer);
        if self.n_dying == 0 {
            return;
        }
        let is_map = self.identity.is_map();
        let references = &self.references;
        self.identity.forget(|place| references.tally(place).state.is_dying());
        for place in 0..self.objects.len() as u32 {
            if self.state(place).is_dying() {
                self.anomaly_of(AnomalyKind::MissingFree, place);
                let tag = is_map.then(|| Tag(self.objects.address(place)));
                self.bury(place, tag, false, observer);
            }
        }
    }

    /// Takes references to husks out of all lists.
    fn sweep_husks(&mut self) {
        let references = &mut self.references;
        references.settle();
        for place in 0..self.objects.len() as u32 {
            let state = references.tally(place).state;
            let is_husk = |link: Link| references.tally(link.to).state.life() == State::HUSK;
            if state.life() != State::VACANT && !state.has(State::DROPPED) && references.list(place).any(is_husk) {
                references.retain(place, |_, state| state.life() != State::HUSK);
            }
        }
        for place in 0..self.objects.len() as u32 {
            if self.state(place).life() == State::HUSK {
                self.references.listing_mut(place).incoming = 0;
                self.vacate_husk(place);
            }
        }
    }

    #[inline(always)]
    pub(super) fn add_live(&mut self, class: TypeId, bytes: u64, new: bool) {
        self.n_live += 1;
        self.live_bytes = self.live_bytes.wrapping_add(bytes);
        self.peak_live = self.peak_live.max(self.n_live);
        self.peak_bytes = self.peak_bytes.max(self.live_bytes);
        self.types.add(class, bytes, new);
    }

    #[inline(always)]
    pub(super) fn remove_live(&mut self, place: u32) {
        let bytes = self.objects.size(place);
        self.n_live -= 1;
        self.live_bytes = self.live_bytes.wrapping_sub(bytes);
        self.types.remove(self.objects.class(place), bytes);
    }

    /// The tally returned to zero.
    fn die(&mut self, place: u32) {
        let tally = self.references.tally_mut(place);
        if !tally.state.is_live() || tally.flags.has(ObjectFlags::IMMORTAL) {
            return;
        }
        tally.state.set_life(State::DYING);
        self.note(Shift::Died(ObjectIndex(place)));
        self.remove_live(place);
        self.n_dying += 1;
        self.enqueue(place);
    }

    fn enqueue(&mut self, place: u32) {
        let state = &mut self.references.tally_mut(place).state;
        if !state.has(State::QUEUED) {
            state.set(State::QUEUED, true);
            self.queue.push(place);
        }
    }

    #[cold]
    fn revive(&mut self, place: u32) {
        self.come_back(place);
        if self.state(place).has(State::DROPPED) {
            self.undrop(place);
        }
    }

    fn come_back(&mut self, place: u32) {
        self.note(Shift::Unclear);
        self.n_dying -= 1;
        self.set_life(place, State::LIVE);
        self.add_live(self.objects.class(place), self.objects.size(place), false);
    }

    /// The references of a dying object no longer count; its list stays.
    fn drop_held(&mut self, place: u32) {
        self.set(place, State::DROPPED, true);
        self.references.listing_mut(place).set_release(self.now.event);
        let mut at = self.references.settled_head(place);
        while let Some(link) = self.references.link(at) {
            at = link.next;
            self.note(Shift::Unrefers { from: ObjectIndex(place), to: ObjectIndex(link.to), slot: link.slot });
            self.drop_reference(link.to);
        }
    }

    /// The references of a dropped object count again, and those of objects that live again by that. What died in
    /// between is no longer referred to: a place that another object has now was filled after the drop.
    fn undrop(&mut self, place: u32) {
        self.note(Shift::Unclear);
        let mut work = vec![place];
        while let Some(place) = work.pop() {
            if !self.state(place).has(State::DROPPED) {
                continue;
            }
            self.set(place, State::DROPPED, false);
            let dropped = self.references.listing(place).release();
            let allowance = REVIVALS + REVIVALS_PER_EVENT.saturating_mul(self.now.event);
            let bare = self.revivals > allowance;
            if bare {
                self.anomaly_of(AnomalyKind::RevivedBare, place);
            }
            let objects = &self.objects;
            let mut counted = Vec::new();
            let all = self.references.retain(place, |link, state| {
                let there = state.is_there() && objects.id(link.to) < dropped && !bare;
                if there {
                    counted.push(link.to);
                }
                there
            });
            self.revivals += all;
            for to in counted {
                self.references.listing_mut(to).incoming += 1;
                let tally = self.references.tally_mut(to);
                tally.count = tally.count.saturating_add(1);
                if self.state(to).is_dying() {
                    self.come_back(to);
                    work.push(to);
                }
            }
        }
    }

    /// One reference less that was in a list.
    #[inline]
    pub(super) fn drop_reference(&mut self, to: u32) {
        let listing = self.references.listing_mut(to);
        let incoming = listing.incoming.saturating_sub(1);
        listing.incoming = incoming;
        if self.state(to).life() != State::HUSK {
            self.lower(to);
        } else if incoming == 0 {
            self.vacate_husk(to);
        }
    }

    /// The end of an object, live or dying: it drops what it held, and leaves its place. No `tag`: it is forgotten
    /// already.
    pub(super) fn bury(&mut self, place: u32, tag: Option<Tag>, by_collector: bool, observer: &mut dyn Observer) {
        let state = self.state(place);
        if state.has(State::WATCHED) {
            observer.freed(self, ObjectIndex(place), by_collector);
        }
        if state.is_live() {
            self.note(Shift::Died(ObjectIndex(place)));
            self.remove_live(place);
        } else {
            self.n_dying -= 1;
        }
        if state.has(State::ROOTED) {
            self.forget_roots(place);
        }
        if state.has(State::QUEUED) && self.queue.last() == Some(&place) {
            self.queue.pop();
        }
        if let Some(tag) = tag {
            self.identity.remove(tag.0, &self.objects);
        }
        if let Some(walk) = &mut self.walk {
            walk.died(place);
            self.anomaly_of(AnomalyKind::DiedInWalk, place);
        }
        self.end_life(place, state.has(State::DROPPED));
    }

    /// An object leaves its place. What it held, it drops, unless it did so as it began to die.
    #[inline(always)]
    pub(super) fn end_life(&mut self, place: u32, dropped: bool) {
        self.objects.vacate(place);
        self.references.tally_mut(place).state = State::HUSK;
        self.n_husks += 1;
        if !self.is_exact() {
            return self.vacate_husk(place);
        }
        let mut list = self.references.detach(place);
        while let Some(link) = self.references.pop(list) {
            list = link.next;
            if dropped {
                continue;
            }
            self.note(Shift::Unrefers { from: ObjectIndex(place), to: ObjectIndex(link.to), slot: link.slot });
            if link.to == place {
                self.references.listing_mut(place).incoming -= 1;
            } else {
                self.drop_reference(link.to);
            }
        }
        if self.references.listing(place).incoming == 0 {
            self.vacate_husk(place);
        }
    }

    #[cold]
    fn forget_roots(&mut self, place: u32) {
        remove_roots(&mut self.roots, place);
        remove_roots(&mut self.walked_roots, place);
    }

    /// The roots that the last walk of everything met.
    pub(super) fn forget_walked_roots(&mut self, place: u32) {
        if self.state(place).has(State::ROOTED) {
            remove_roots(&mut self.walked_roots, place);
            self.update_rooted(place);
        }
    }

    /// Nothing refers to the dead object any more: its place can be used again.
    #[inline]
    fn vacate_husk(&mut self, place: u32) {
        self.n_husks -= 1;
        self.references.tally_mut(place).state = State::VACANT;
        if !matches!(self.identity, Identity::Direct) {
            self.objects.push_free(place);
        }
    }

    /// The type number as it is stored: unknown if it is not defined.
    #[inline]
    pub(super) fn known_type(&mut self, class: TypeId) -> TypeId {
        if self.types.contains(class) {
            return class;
        }
        self.anomaly(AnomalyKind::UnknownType);
        TypeId::UNKNOWN
    }

    /// The site number as it is stored: none if it is not defined.
    #[inline]
    pub(super) fn known_site(&mut self, site: SiteId) -> SiteId {
        if site == SiteId::NONE || self.sites.contains(site) {
            return site;
        }
        self.anomaly(AnomalyKind::UnknownSite);
        SiteId::NONE
    }

    /// Notes a text that is not defined.
    #[inline]
    pub(super) fn check_text(&mut self, text: TextId) {
        if !self.texts.contains(text) {
            self.anomaly(AnomalyKind::UnknownText);
        }
    }
}

fn remove_roots(roots: &mut BTreeMap<(u32, TextId), u32>, place: u32) {
    let names: Vec<(u32, TextId)> = roots.range(names_of(place)).map(|(&name, _)| name).collect();
    for name in names {
        roots.remove(&name);
    }
}
