//! Learns from the recorded collections which part of the objects the collector tracks.
//!
//! A tuple or a dict has a collector's head, and the collector does not track it where it holds numbers and texts alone: some are
//! never tracked, others no more once a collection has looked at them. No birth says which. A recorded collection says how many
//! objects it looked at, and the log how many of those that can be tracked there were.

use super::runs::OLDEST;

/// Fewer objects than this tell nothing.
const FEWEST: u64 = 100;

/// Which part of the objects is tracked: before the first collection, and after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shares {
    pub young: f64,
    pub old: f64,
}

impl Default for Shares {
    /// All, as long as nothing is known.
    fn default() -> Self {
        Shares { young: 1.0, old: 1.0 }
    }
}

/// Follows the recorded collector.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    /// Objects of each generation that can be tracked.
    objects: [u64; OLDEST + 1],
    /// The generation of the collection that is going on, and the objects before it.
    going_on: Option<(usize, [u64; OLDEST + 1])>,
    shares: Shares,
    /// The log says what collections look at.
    learns: bool,
}

impl Tracked {
    pub(super) fn learns(&self) -> bool {
        self.learns
    }

    pub(super) fn shares(&self) -> Shares {
        self.shares
    }

    /// So many were there as the recording began.
    pub(super) fn has(&mut self, objects: [u64; OLDEST + 1]) {
        self.objects = objects;
    }

    pub(super) fn born(&mut self) {
        self.objects[0] = self.objects[0].saturating_add(1);
    }

    /// One of this generation dies.
    pub(super) fn died(&mut self, generation: usize) {
        if let Some(objects) = self.objects.get_mut(generation) {
            *objects = objects.saturating_sub(1);
        }
    }

    pub(super) fn begins(&mut self, generation: usize) {
        self.going_on = Some((generation, self.objects));
        let looked_at = self.objects[..=generation].iter().fold(0, |sum: u64, &objects| sum.saturating_add(objects));
        self.objects[..=generation].fill(0);
        let next = &mut self.objects[(generation + 1).min(OLDEST)];
        *next = next.saturating_add(looked_at);
    }

    /// The collection that is going on looks at so many: whether it is one of an older generation.
    pub(super) fn looked(&mut self, objects: u64) -> bool {
        let part = |of_them: f64, all: u64| (of_them / all as f64).clamp(0.0, 1.0);
        self.learns = true;
        let going_on = self.going_on.take();
        match going_on {
            Some((0, [young, ..])) if young >= FEWEST => self.shares.young = part(objects as f64, young),
            // What is in the middle has seen a collection of the youngest.
            Some((1, [young, middle, _])) if middle >= FEWEST => {
                self.shares.old = part(objects as f64 - young as f64 * self.shares.young, middle);
            }
            _ => {}
        }
        going_on.is_some_and(|(generation, _)| generation > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Shares, Tracked};

    #[test]
    fn what_a_collection_looked_at_says_which_part_is_tracked() {
        let mut tracked = Tracked::default();
        tracked.has([0, 0, 5_000]);
        assert_eq!(tracked.shares(), Shares { young: 1.0, old: 1.0 });
        let births = |tracked: &mut Tracked, n: u64| (0..n).for_each(|_| tracked.born());
        births(&mut tracked, 1_000);
        tracked.begins(0);
        assert!(!tracked.learns() && !tracked.looked(250) && tracked.learns());
        assert_eq!(tracked.shares(), Shares { young: 0.25, old: 1.0 });
        // Half of the thousand die in the middle generation; a tenth of the others is tracked, and a quarter of the young.
        births(&mut tracked, 400);
        (0..500).for_each(|_| tracked.died(1));
        tracked.begins(1);
        assert!(tracked.looked(50 + 100));
        assert_eq!(tracked.shares(), Shares { young: 0.25, old: 0.1 });
        // Few objects, a number beyond all, and one that belongs to nothing.
        births(&mut tracked, 99);
        tracked.begins(0);
        tracked.looked(0);
        births(&mut tracked, 100);
        tracked.begins(0);
        tracked.looked(u64::MAX);
        tracked.looked(0);
        assert_eq!(tracked.shares().young, 1.0);
    }
}
