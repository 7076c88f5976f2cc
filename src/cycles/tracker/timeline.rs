//! Keeps the memory of a run over time, in a bounded number of points.

use crate::cycles::garbage::{Memory, MemoryPoint};

/// Points that are kept at most, the first and the last among them.
const MOST: usize = 1_000;

/// Takes in one point after the other.
#[derive(Debug)]
pub(super) struct Timeline {
    points: Vec<MemoryPoint>,
    /// Moments that one point stands for: that with most garbage of them.
    stride: u64,
    /// The one with most garbage since the last point, and of how many.
    most: Option<MemoryPoint>,
    since: u64,
    /// The last moment, which may still be completed.
    last: Option<MemoryPoint>,
    moments: u64,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline { points: Vec::new(), stride: 1, most: None, since: 0, last: None, moments: 0 }
    }
}

impl Timeline {
    /// The last moment, to be completed.
    pub(super) fn last_mut(&mut self) -> Option<&mut MemoryPoint> {
        self.last.as_mut()
    }

    pub(super) fn push(&mut self, point: MemoryPoint) {
        self.moments += 1;
        if let Some(before) = self.last.replace(point) {
            self.keep(before);
        }
    }

    fn keep(&mut self, point: MemoryPoint) {
        self.most = Some(match self.most.take() {
            Some(most) => more_garbage(most, point),
            None => point,
        });
        self.since += 1;
        if self.since < self.stride && !self.points.is_empty() {
            return;
        }
        self.since = 0;
        self.points.extend(self.most.take());
        // The first one stays by itself; two places are left for what `finish` adds.
        if self.points.len() == MOST - 3 {
            let rest = self.points.split_off(1);
            self.points.extend(rest.chunks(2).map(|pair| pair.iter().copied().reduce(more_garbage).unwrap_or(pair[0])));
            self.stride *= 2;
        }
    }

    pub(super) fn finish(mut self) -> Memory {
        let most = self.most.take();
        self.points.extend(most);
        self.points.extend(self.last);
        Memory { points: self.points, moments: self.moments }
    }
}

/// Of two moments the one with more garbage; the later one where it is the same.
fn more_garbage(a: MemoryPoint, b: MemoryPoint) -> MemoryPoint {
    if a.garbage_bytes > b.garbage_bytes { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(n: u64, garbage_bytes: impl Fn(u64) -> u64) -> Memory {
        let mut timeline = Timeline::default();
        for event in 1..=n {
            timeline.push(MemoryPoint { event, garbage_bytes: garbage_bytes(event), ..MemoryPoint::default() });
        }
        timeline.finish()
    }

    #[test]
    fn few_moments_are_all_there() {
        let few = memory(900, |_| 0);
        assert_eq!((few.points.len(), few.moments, few.is_thinned()), (900, 900, false));
    }

    #[test]
    fn of_many_the_ends_and_the_peak_are_there_and_the_others_lie_evenly() {
        let many = memory(1_000_000, |event| if event == 654_321 { 9 } else { event % 3 });
        assert_eq!((many.moments, many.is_thinned()), (1_000_000, true));
        assert!((400..=MOST).contains(&many.points.len()), "{}", many.points.len());
        assert!(many.points.is_sorted_by(|a, b| a.event < b.event));
        assert_eq!(many.points.first().map(|point| point.event), Some(1));
        assert_eq!(many.points.last().map(|point| point.event), Some(1_000_000));
        assert!(many.points.iter().any(|point| point.event == 654_321));
        let widest = many.points.windows(2).map(|pair| pair[1].event - pair[0].event).max();
        assert!(widest <= Some(1_000_000 / 200), "{widest:?}");
    }
}
