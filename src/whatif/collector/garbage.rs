//! Follows how much garbage lies in the heap of a collector that did not run, under one assumption of when it became garbage.
//!
//! Garbage goes only as a collection ends, so what lies there is most just before one, or at the end. Places are those of
//! the timeline.

use std::ops::{AddAssign, SubAssign};

use serde::Serialize;

use super::runs::{FROZEN, OLDEST};

/// Objects, and the bytes of their blocks and of those that they own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    pub objects: u64,
    pub bytes: u64,
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Amount) {
        self.objects = self.objects.saturating_add(more.objects);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, less: Amount) {
        self.objects = self.objects.saturating_sub(less.objects);
        self.bytes = self.bytes.saturating_sub(less.bytes);
    }
}

/// Garbage that is there, and how much there was before each collection.
#[derive(Debug, Clone, Default)]
pub(super) struct Lying {
    /// By generation; the last are those that `gc.freeze` hid from the collector.
    there: [Amount; FROZEN + 1],
    /// Before and after each moment of the timeline, without what was found out later.
    seen: Vec<[Amount; 2]>,
    /// Found out later: there from this moment on, and no longer before that one, or after that one.
    comes: Vec<Amount>,
    goes: Vec<[Amount; 2]>,
}

impl Lying {
    /// Garbage is there from the first moment on that it comes before, until the collection at `look` frees it; where none
    /// did by now, it lies in this generation.
    pub(super) fn add(&mut self, first: usize, look: Option<usize>, generation: usize, amount: Amount) {
        let end = look.map_or(self.seen.len(), |look| look + 1);
        if first < end {
            self.comes[first] += amount;
            self.goes[end][0] += amount;
            self.goes[look.unwrap_or(end)][1] += amount;
        }
        if look.is_none() {
            self.there[generation] += amount;
        }
    }

    /// A collection of this generation is over.
    pub(super) fn collect(&mut self, generation: usize) {
        let before = self.now();
        self.there[..=generation].fill(Amount::default());
        self.see([before, self.now()]);
    }

    /// A moment of the timeline that is no collection.
    pub(super) fn tick(&mut self) {
        self.see([self.now(); 2]);
    }

    fn see(&mut self, amounts: [Amount; 2]) {
        self.seen.push(amounts);
        self.comes.resize(self.seen.len() + 1, Amount::default());
        self.goes.resize(self.seen.len() + 1, <[Amount; 2]>::default());
    }

    /// What the collector had looked at is hidden from it.
    pub(super) fn freeze(&mut self) {
        for generation in 0..=OLDEST {
            let hidden = std::mem::take(&mut self.there[generation]);
            self.there[FROZEN] += hidden;
        }
    }

    /// What is there now.
    pub(super) fn now(&self) -> Amount {
        let mut sum = Amount::default();
        self.there.iter().for_each(|&amount| sum += amount);
        sum
    }

    /// How much there was before each moment of the timeline, and after it.
    pub(super) fn series(&self) -> impl Iterator<Item = [Amount; 2]> + '_ {
        let mut late = <[Amount; 2]>::default();
        self.seen.iter().enumerate().map(move |(place, &seen)| {
            std::array::from_fn(|side| {
                late[side] += self.comes[place];
                late[side] -= self.goes[place][side];
                let mut there = seen[side];
                there += late[side];
                there
            })
        })
    }

    /// The most that was there at once, by bytes.
    pub(super) fn peak(&self) -> Amount {
        let before = self.series().map(|[before, _]| before);
        before.chain([self.now()]).max_by_key(|amount| (amount.bytes, amount.objects)).unwrap_or_default()
    }
}
