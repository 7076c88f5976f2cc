//! Stores who refers to whom while references come and go one by one: a list for each object, all in one pool of 12 bytes
//! a reference, and the counts.
//!
//! A list is singly linked, the youngest reference first. Finding a reference walks the list, up to a limit; an object
//! with more references gets a [`LongList`], so that a million items of one list come and go in constant time each.

use std::collections::BTreeMap;

use super::event_number::EventNumber;
use super::long_list::LongList;
use super::state::State;
use crate::trace::{ObjectFlags, Slot};

/// No link; also more links than there can be.
pub(super) const NIL: u32 = u32::MAX >> 1;
/// The bit of a list's head that says that the object has a [`LongList`].
const LONG: u32 = 1 << 31;
/// So many links of a list are its first.
const FIRST: usize = 4;
/// A search that goes further makes the list a long one.
const SEARCH_LIMIT: usize = 64;

/// One reference, or a free place of the pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub to: u32,
    pub slot: Slot,
    pub next: u32,
}

/// What every event that names an object touches of it: 6 bytes, together because an array for each field
/// would miss the cache as often as there are fields.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(2))]
pub(super) struct Tally {
    /// Observed count, or the tally.
    pub count: u32,
    pub flags: ObjectFlags,
    pub state: State,
}

/// What is kept of an object besides where references are events: 14 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(2))]
pub(super) struct Listing {
    /// How many references there are to it; unlike the tally without roots and other external references.
    pub incoming: u32,
    /// Its first reference, and whether the list is a long one.
    head: u32,
    release: EventNumber,
}

/// The tallies of all places, and with references as events their lists.
#[derive(Debug, Clone)]
pub(super) struct References {
    tallies: Vec<Tally>,
    /// One for each tally with references as events, elsewhere none.
    listings: Vec<Listing>,
    has_lists: bool,
    links: Vec<Link>,
    /// First free link.
    free: u32,
    live: u64,
    long: BTreeMap<u32, LongList>,
}

impl Default for References {
    fn default() -> Self {
        References::new(false)
    }
}

impl Tally {
    /// Of a place without an object.
    pub(super) const VACANT: Tally = Tally { count: 0, flags: ObjectFlags(0), state: State::VACANT };
    /// Of an object that was just born.
    const NEW: Tally = Tally { state: State::LIVE, ..Tally::VACANT };
}

impl Listing {
    /// Of an object without references.
    const EMPTY: Listing = Listing { incoming: 0, head: NIL, release: EventNumber::NONE };

    #[inline]
    pub(super) fn has_long_list(&self) -> bool {
        self.head & LONG != 0
    }

    /// Event of the last release; of the death for a dropped object.
    pub(super) fn release(&self) -> u64 {
        self.release.get()
    }

    #[inline]
    pub(super) fn set_release(&mut self, event: u64) {
        self.release = EventNumber::of(event);
    }
}

impl References {
    /// No place yet. `has_lists`: references are events, and not only counted.
    pub(super) fn new(has_lists: bool) -> References {
        let (tallies, listings, links) = (Vec::new(), Vec::new(), Vec::new());
        References { tallies, listings, has_lists, links, free: NIL, live: 0, long: BTreeMap::new() }
    }

    /// One more place, without references.
    pub(super) fn push(&mut self) {
        self.tallies.push(Tally::VACANT);
        if self.has_lists {
            self.listings.push(Listing::EMPTY);
        }
    }

    /// An object comes to this place.
    #[inline(always)]
    pub(super) fn begin(&mut self, place: u32) {
        self.tallies[place as usize] = Tally::NEW;
        if self.has_lists {
            self.listings[place as usize] = Listing::EMPTY;
        }
    }

    /// The tally of a place, if there is such a place.
    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&Tally> {
        self.tallies.get(place as usize)
    }

    #[inline]
    pub(super) fn tally(&self, place: u32) -> &Tally {
        &self.tallies[place as usize]
    }

    #[inline]
    pub(super) fn tally_mut(&mut self, place: u32) -> &mut Tally {
        &mut self.tallies[place as usize]
    }

    /// Only with references as events.
    #[inline]
    pub(super) fn listing(&self, place: u32) -> &Listing {
        &self.listings[place as usize]
    }

    /// Only with references as events.
    #[inline]
    pub(super) fn listing_mut(&mut self, place: u32) -> &mut Listing {
        &mut self.listings[place as usize]
    }

    /// The event of its last release, none where it had none.
    pub(super) fn release(&self, place: u32) -> Option<u64> {
        self.listings.get(place as usize).map(Listing::release).filter(|&event| event != 0)
    }

    /// References in all lists, those of dead objects that wait for their `free` included.
    pub(super) fn len(&self) -> u64 {
        self.live
    }

    /// Adds a reference to a list; does not count it. False if the pool is full.
    #[inline]
    pub(super) fn add(&mut self, from: u32, to: u32, slot: Slot) -> bool {
        let listing = &mut self.listings[from as usize];
        let link = Link { to, slot, next: listing.head & NIL };
        let long = listing.head & LONG;
        if let Some(free) = self.links.get_mut(self.free as usize) {
            listing.head = self.free | long;
            self.free = free.next;
            *free = link;
        } else if self.links.len() < NIL as usize {
            listing.head = self.links.len() as u32 | long;
            self.links.push(link);
        } else {
            return false;
        }
        self.live += 1;
        if long != 0 {
            self.add_to_long(from, to, slot);
        }
        true
    }

    /// The same, only where the list is not a long one; false if it is.
    #[inline(always)]
    pub(super) fn add_to_short(&mut self, from: u32, to: u32, slot: Slot) -> bool {
        !self.listings[from as usize].has_long_list() && self.add(from, to, slot)
    }

    #[cold]
    fn add_to_long(&mut self, from: u32, to: u32, slot: Slot) {
        if let Some(long) = self.long.get_mut(&from) {
            long.add(to, slot);
        }
    }

    /// Takes a reference out of a list; does not uncount it. An unnamed slot stands for any slot if there is no unnamed
    /// reference. False if there is no such reference.
    #[inline]
    pub(super) fn remove(&mut self, from: u32, to: u32, slot: Slot) -> bool {
        let head = self.listings[from as usize].head;
        if head & LONG == 0 {
            let (mut previous, mut place) = (NIL, head);
            let mut of_other_slot = None;
            for _ in 0..SEARCH_LIMIT {
                if place == NIL {
                    return match of_other_slot {
                        Some((previous, place)) if slot == Slot::UNNAMED => {
                            self.unlink(from, previous, place);
                            true
                        }
                        _ => false,
                    };
                }
                let link = self.links[place as usize];
                if link.to == to {
                    if link.slot == slot {
                        self.unlink(from, previous, place);
                        return true;
                    }
                    of_other_slot.get_or_insert((previous, place));
                }
                (previous, place) = (place, link.next);
            }
            self.make_long(from);
        }
        self.remove_from_long(from, to, slot)
    }

    /// The same, only for a reference that is one of the first of a list that is not long.
    #[inline(always)]
    pub(super) fn remove_from_short(&mut self, from: u32, to: u32, slot: Slot) -> bool {
        let head = self.listings[from as usize].head;
        let (mut previous, mut place) = (NIL, head);
        for _ in 0..FIRST {
            // A long list's head is no link's place.
            let Some(link) = self.links.get(place as usize) else { return false };
            if (link.to, link.slot) == (to, slot) {
                self.unlink(from, previous, place);
                return true;
            }
            (previous, place) = (place, link.next);
        }
        false
    }

    #[cold]
    fn make_long(&mut self, from: u32) {
        let long = LongList::of(self.list(from));
        self.long.insert(from, long);
        self.listings[from as usize].head |= LONG;
    }

    #[cold]
    fn remove_from_long(&mut self, from: u32, to: u32, slot: Slot) -> bool {
        let Some(mut long) = self.long.remove(&from) else { return false };
        let found = long.remove(to, slot, || self.list(from));
        if found {
            self.live -= 1;
        }
        if long.worth_compacting() {
            self.compact(from, &mut long);
        }
        if long.len() > SEARCH_LIMIT / 2 {
            self.long.insert(from, long);
        } else {
            self.compact(from, &mut long);
            self.listings[from as usize].head &= NIL;
        }
        found
    }

    /// The references of a place, the youngest first, as linked. A long list may still have removed ones in it: see
    /// [`References::settle`].
    pub(super) fn list(&self, from: u32) -> impl Iterator<Item = Link> + '_ {
        let first = self.listings.get(from as usize).and_then(|listing| self.link(listing.head & NIL));
        std::iter::successors(first, move |at| self.link(at.next))
    }

    /// Takes the removed references out of all long lists, so that [`References::list`] shows the true ones.
    pub(super) fn settle(&mut self) {
        for (from, mut long) in std::mem::take(&mut self.long) {
            self.compact(from, &mut long);
            self.long.insert(from, long);
        }
    }

    /// The first link of a list, to be followed with [`References::link`]; a long list is settled first.
    pub(super) fn settled_head(&mut self, from: u32) -> u32 {
        if self.listings[from as usize].head & LONG != 0
            && let Some(mut long) = self.long.remove(&from)
        {
            self.compact(from, &mut long);
            self.long.insert(from, long);
        }
        self.listings[from as usize].head & NIL
    }

    #[inline]
    pub(super) fn link(&self, at: u32) -> Option<Link> {
        self.links.get(at as usize).copied()
    }

    /// Takes a whole list away from its object. The links stay in use until [`References::pop`] gives them back.
    #[inline]
    pub(super) fn detach(&mut self, from: u32) -> u32 {
        if self.listings[from as usize].head & LONG != 0 {
            self.end_long(from);
        }
        let listing = &mut self.listings[from as usize];
        let head = listing.head & NIL;
        listing.head = NIL;
        head
    }

    #[cold]
    fn end_long(&mut self, from: u32) {
        if let Some(mut long) = self.long.remove(&from) {
            self.compact(from, &mut long);
        }
    }

    /// The first reference of a detached list and the rest of it; the link is free then.
    #[inline]
    pub(super) fn pop(&mut self, list: u32) -> Option<Link> {
        if list == NIL {
            return None;
        }
        let link = self.links[list as usize];
        self.links[list as usize].next = std::mem::replace(&mut self.free, list);
        self.live -= 1;
        Some(link)
    }

    /// Keeps the references that `keep` says, which is told the state of each referent; of an object whose list is not
    /// long or settled. Answers how many there were.
    pub(super) fn retain(&mut self, from: u32, mut keep: impl FnMut(Link, State) -> bool) -> u64 {
        let mut list = self.detach(from);
        let mut kept = Vec::new();
        let mut all = 0;
        while let Some(link) = self.pop(list) {
            list = link.next;
            all += 1;
            if keep(link, self.tally(link.to).state) {
                kept.push(link);
            }
        }
        for link in kept.into_iter().rev() {
            self.add(from, link.to, link.slot);
        }
        all
    }

    fn unlink(&mut self, from: u32, previous: u32, place: u32) {
        self.live -= 1;
        self.free_link(from, previous, place);
    }

    fn free_link(&mut self, from: u32, previous: u32, place: u32) {
        let next = std::mem::replace(&mut self.links[place as usize].next, self.free);
        self.free = place;
        if previous == NIL {
            let listing = &mut self.listings[from as usize];
            listing.head = next | (listing.head & LONG);
        } else {
            self.links[previous as usize].next = next;
        }
    }

    fn compact(&mut self, from: u32, long: &mut LongList) {
        let (mut previous, mut place) = (NIL, self.listings[from as usize].head & NIL);
        while place != NIL && long.n_removed() > 0 {
            let link = self.links[place as usize];
            if long.forget(link.to, link.slot) {
                self.free_link(from, previous, place);
            } else {
                previous = place;
            }
            place = link.next;
        }
        long.compacted();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What a list has, in any order, and the true multiset.
    fn same(references: &mut References, truth: &BTreeMap<(u32, Slot), u32>) -> Result<(), TestCaseError> {
        references.settle();
        let mut listed = BTreeMap::new();
        for link in references.list(0) {
            *listed.entry((link.to, link.slot)).or_default() += 1;
        }
        prop_assert_eq!(&listed, truth);
        prop_assert_eq!(references.len(), u64::from(truth.values().sum::<u32>()));
        Ok(())
    }

    proptest! {
        /// Runs of additions and removals, long enough that the list becomes a long one and a short one again.
        #[test]
        fn a_list_of_any_length_is_a_multiset(
            runs in prop::collection::vec((any::<bool>(), 0..3u32, 0..4u32, 1..120u32), 1..12),
        ) {
            let mut references = References::new(true);
            references.push();
            let mut truth = BTreeMap::<(u32, Slot), u32>::new();
            for (adds, to, slots, times) in runs {
                for at in 0..times {
                    // Slot 0 is unnamed.
                    let slot = Slot::from_raw(if slots == 0 { 0 } else { at % (3 * slots) });
                    if adds {
                        prop_assert!(references.add(0, to, slot));
                        *truth.entry((to, slot)).or_default() += 1;
                        continue;
                    }
                    let named = truth.contains_key(&(to, slot));
                    let any = truth.keys().any(|key| key.0 == to);
                    prop_assert_eq!(references.remove(0, to, slot), named || (any && slot == Slot::UNNAMED));
                    if !named && any && slot == Slot::UNNAMED {
                        // Some reference went: which one, the list says.
                        references.settle();
                        let left = |key: &(u32, Slot)| {
                            references.list(0).filter(|link| (link.to, link.slot) == *key).count() as u32
                        };
                        let gone = truth.iter().find(|(key, count)| left(key) < **count).map(|(key, _)| *key);
                        prop_assert_eq!(gone.map(|key| key.0), Some(to));
                        take(&mut truth, gone.unwrap_or((to, slot)));
                    } else if named {
                        take(&mut truth, (to, slot));
                    }
                }
                same(&mut references, &truth)?;
            }
        }
    }

    fn take(truth: &mut BTreeMap<(u32, Slot), u32>, key: (u32, Slot)) {
        match truth.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(truth.remove(&key)),
        }
    }
}
