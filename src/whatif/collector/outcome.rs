//! Holds what a collector would have done.

use std::cmp::Reverse;

use serde::Serialize;

use super::garbage::Amount;
use super::runs::{OLDEST, Runs};
use crate::heap::{self, Generation};

/// What one collector would have done with the recorded program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// As it was asked for.
    pub setting: String,
    pub thresholds: [u64; 3],
    /// Whether the mark at which it freezes was met, where it does.
    pub frozen: Option<bool>,
    pub collections: Collections,
    /// Garbage where there was most, and at the end.
    pub peak: Span,
    pub left: Span,
    /// From the beginning to the end: of many moments, those with the most and the least garbage.
    pub over_time: Vec<Moment>,
    /// How many moments there were.
    pub moments: usize,
    /// Bytes × nanoseconds that garbage lay there, if it became garbage as early as it can have been.
    pub byte_ns: u128,
}

/// Collections by generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Collections {
    pub runs: [u64; 3],
    /// Objects that they looked at.
    pub looked: [u64; 3],
    /// Those among them that the program asked for.
    pub explicit: u64,
}

impl Collections {
    /// One more, that looked at so many objects.
    pub(super) fn add(&mut self, generation: usize, looked: u64) {
        self.runs[generation] += 1;
        self.looked[generation] = self.looked[generation].saturating_add(looked);
    }

    /// Objects that all of them looked at.
    pub fn looked_at(&self) -> u64 {
        self.looked.iter().fold(0, |sum, &objects| sum.saturating_add(objects))
    }
}

/// What the recorded collector did, by generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Collections that began.
    pub runs: [u64; 3],
    /// Objects that they looked at; `None` where the log does not tell it of each.
    pub looked: [Option<u64>; 3],
    /// Nanoseconds that the program waited for them; `None` likewise.
    pub pause_ns: [Option<u64>; 3],
    /// Those among them that the program asked for. `None` where the log does not say which: then all began by themselves.
    pub explicit: Option<u64>,
}

impl Recorded {
    /// Of those that began, and what is known of those that ended.
    pub(super) fn of(began: &Runs, collections: &heap::Collections, explicit: Option<u64>) -> Recorded {
        let runs = began.by_generation();
        let mut generations = [Generation::default(); OLDEST + 1];
        for (&generation, of_it) in &collections.by_generation {
            generations[usize::from(generation).min(OLDEST)].add(of_it);
        }
        let of_each = |known: fn(&Generation) -> Option<u64>| {
            std::array::from_fn(|place| match (runs[place], &generations[place]) {
                (0, _) => Some(0),
                (began, ended) => known(ended).filter(|_| ended.runs == began),
            })
        };
        let looked = of_each(|of| of.looked);
        Recorded { runs, looked, pause_ns: of_each(|of| of.pauses.map(|pauses| pauses.sum)), explicit }
    }

    /// Nanoseconds that the program would wait for so many objects looked at: as long for each as it waited in the same
    /// generation, or in all of them where that one had nothing to look at. `None` where no pause is known.
    pub fn pauses_of(&self, collections: &Collections) -> Option<u64> {
        let known: [Option<(u64, u64)>; 3] =
            std::array::from_fn(|place| self.pause_ns[place].zip(self.looked[place]).filter(|&(_, looked)| looked > 0));
        let sum = |(waited, looked): (u64, u64), (more, also): (u64, u64)| {
            (waited.saturating_add(more), looked.saturating_add(also))
        };
        let all = known.iter().flatten().copied().reduce(sum)?;
        let waits = collections.looked.iter().zip(known).map(|(&objects, of_it)| {
            let (waited, looked) = of_it.unwrap_or(all);
            u128::from(objects) * u128::from(waited) / u128::from(looked)
        });
        Some(u64::try_from(waits.sum::<u128>()).unwrap_or(u64::MAX))
    }
}

/// How much garbage lay there at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moment {
    pub event: u64,
    /// Nanoseconds since the recording began; `None` in a log without times.
    pub ns: Option<u64>,
    /// Bytes that lay there at least, likely, and at most.
    pub bytes: [u64; 3],
}

impl Moment {
    /// Where it stands between the others.
    fn at(&self) -> u64 {
        self.ns.unwrap_or(self.event)
    }

    /// Of moments in order, those that show the highest and the lowest garbage of each of so many equal stretches of time.
    pub(super) fn thinned(all: &[Moment], stretches: u64) -> Vec<Moment> {
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return Vec::new() };
        if all.len() as u64 <= 2 * stretches {
            return all.to_vec();
        }
        let width = (last.at().saturating_sub(first.at()) / stretches).saturating_add(1);
        let stretch = |moment: &Moment| moment.at().saturating_sub(first.at()) / width;
        let mut kept = Vec::new();
        for group in all.chunk_by(|a, b| stretch(a) == stretch(b)) {
            let bytes = |place: usize| group[place].bytes[1];
            let highest = (0..group.len()).min_by_key(|&place| Reverse(bytes(place))).unwrap_or(0);
            let lowest = (0..group.len()).min_by_key(|&place| bytes(place)).unwrap_or(0);
            kept.push(group[highest.min(lowest)]);
            if highest != lowest {
                kept.push(group[highest.max(lowest)]);
            }
        }
        kept
    }
}

/// What is known of an amount: when something became garbage is known between two moments only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    pub least: Amount,
    /// If it became garbage as early as it can have been.
    pub likely: Amount,
    pub most: Amount,
}
