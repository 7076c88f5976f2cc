//! Sums up what the cyclic collector of the recorded program did, by generation.

use std::collections::BTreeMap;

/// What the trace says of the cyclic collector's runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collections {
    pub runs: u64,
    /// Those that ended, by the generation that they looked at.
    pub by_generation: BTreeMap<u8, Generation>,
}

/// The collections of one generation, which look at the younger ones too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Generation {
    pub runs: u64,
    /// Objects that the collector says it freed, and that it gave up.
    pub freed: u64,
    pub uncollectable: u64,
    /// Objects that it looked at, over all runs; `None` where the log does not tell it of each.
    pub looked: Option<u64>,
    /// How long the program waited; `None` where the log does not tell it of each.
    pub pauses: Option<Pauses>,
}

/// Nanoseconds that a program waited for its collector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pauses {
    pub sum: u64,
    pub longest: u64,
}

/// What the log said of the collection that began last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reported {
    pub generation: u8,
    /// Objects that it called unreachable.
    pub named: u64,
    pub looked: Option<u64>,
    pub pause: Option<u64>,
}

impl Collections {
    /// A collection ended, and freed so many.
    pub(super) fn add(&mut self, reported: &Reported, freed: u64, uncollectable: u64) {
        let pauses = reported.pause.map(|ns| Pauses { sum: ns, longest: ns });
        let one = Generation { runs: 1, freed, uncollectable, looked: reported.looked, pauses };
        self.by_generation.entry(reported.generation).or_default().add(&one);
    }
}

impl Generation {
    /// Adds the collections of the same generation in another trace. What is not known of all is not known of the sum.
    pub fn add(&mut self, other: &Generation) {
        if self.runs == 0 {
            *self = *other;
            return;
        }
        if other.runs == 0 {
            return;
        }
        self.runs += other.runs;
        self.freed = self.freed.saturating_add(other.freed);
        self.uncollectable = self.uncollectable.saturating_add(other.uncollectable);
        self.looked = self.looked.zip(other.looked).map(|(a, b)| a.saturating_add(b));
        self.pauses = self
            .pauses
            .zip(other.pauses)
            .map(|(a, b)| Pauses { sum: a.sum.saturating_add(b.sum), longest: a.longest.max(b.longest) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;

    #[test]
    fn collections_are_summed_up_and_what_one_does_not_tell_is_not_known() {
        let replayed = play(
            "reftrace 1 runtime=test references=checkpoints\n\
             gc start 0\ngc looked 700\ngc pause 2000\ngc stop 12 1\n\
             gc start 0\ngc looked 300\ngc pause 5000\ngc stop 0 0\n\
             gc start 2\ngc looked 9000\ngc pause 7\ngc stop 1 0\ngc start 2\ngc stop 2 0\n\
             gc start 1\nend\n",
            &mut (),
        );
        let collections = replayed.heap.collections();
        let pauses = Some(Pauses { sum: 7000, longest: 5000 });
        let young = Generation { runs: 2, freed: 12, uncollectable: 1, looked: Some(1000), pauses };
        let old = Generation { runs: 2, freed: 3, uncollectable: 0, looked: None, pauses: None };
        assert_eq!(collections.by_generation, BTreeMap::from([(0, young), (2, old)]));
        assert_eq!(collections.runs, 5, "one did not end");
    }
}
