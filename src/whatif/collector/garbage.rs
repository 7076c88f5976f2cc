//! Follows how much garbage lies in the heap of a collector that did not run, under one assumption of when it became garbage.
//!
//! Garbage goes only as a collection ends, so what lies there is most just before one, or at the end.

use std::ops::AddAssign;

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

/// Garbage that is there, and how much there was before each collection.
#[derive(Debug, Clone, Default)]
pub(super) struct Lying {
    /// By generation; the last are those that `gc.freeze` hid from the collector.
    there: [Amount; FROZEN + 1],
    /// Before each collection, without what was found out later.
    before: Vec<Amount>,
    /// Found out later: from this collection on, and no longer from that one on.
    comes: Vec<Amount>,
    goes: Vec<Amount>,
}

impl Lying {
    /// Garbage is there from the first collection on that it comes before, until `look` frees it; where no collection did
    /// by now, it lies in this generation.
    pub(super) fn add(&mut self, first: usize, look: Option<usize>, generation: usize, amount: Amount) {
        let end = look.map_or(self.before.len(), |look| look + 1);
        if first < end {
            self.comes[first] += amount;
            self.goes[end] += amount;
        }
        if look.is_none() {
            self.there[generation] += amount;
        }
    }

    /// A collection of this generation is over.
    pub(super) fn collect(&mut self, generation: usize) {
        self.before.push(self.now());
        self.comes.resize(self.before.len() + 1, Amount::default());
        self.goes.resize(self.before.len() + 1, Amount::default());
        self.there[..=generation].fill(Amount::default());
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

    /// How much there was before each collection.
    fn series(&self) -> impl Iterator<Item = Amount> + '_ {
        let mut late = Amount::default();
        self.before.iter().enumerate().map(move |(place, &before)| {
            late += self.comes[place];
            let gone = self.goes[place];
            late = Amount {
                objects: late.objects.saturating_sub(gone.objects),
                bytes: late.bytes.saturating_sub(gone.bytes),
            };
            let mut there = before;
            there += late;
            there
        })
    }

    /// The most that was there at once, by bytes.
    pub(super) fn peak(&self) -> Amount {
        self.series().chain([self.now()]).max_by_key(|amount| (amount.bytes, amount.objects)).unwrap_or_default()
    }
}
