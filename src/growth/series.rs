//! Decides whether a number keeps growing in the windows between looks at the heap.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::heap::{Heap, TypeCounts};
use crate::trace::TypeId;

/// Moments that are kept; of more, every second one is forgotten.
const MOST: usize = 64;

/// Gains from which on something grows: a number of things, or bytes of fewer.
pub(super) const LEAST_GAIN: u64 = 50;
pub(super) const LEAST_BYTES: u64 = 1 << 20;

/// When the heap was looked at.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// Event, and nanoseconds where the trace has times.
    all: Vec<(u64, Option<u64>)>,
}

/// The windows between the moments, and which of them are long: not much shorter than the others.
#[derive(Debug)]
pub(super) struct Windows {
    are_long: Vec<bool>,
}

/// A number at each moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    values: Vec<u64>,
    /// Before it was first seen it was at most what stands there.
    begins_later: bool,
    /// It was smaller than at the moment before, once.
    fell: bool,
}

/// A number of each type.
#[derive(Debug, Default)]
pub(super) struct TypeSeries {
    pub(super) of: HashMap<TypeId, Series, FixedState>,
}

impl TypeSeries {
    /// Each type has this number at the moment with the number `place`.
    pub(super) fn push(&mut self, heap: &Heap, place: usize, number: impl Fn(TypeCounts) -> u64) {
        for def in heap.types().iter() {
            let class = TypeId(def.id);
            let series = self.of.entry(class).or_insert_with(|| Series::new(place));
            series.push(number(heap.types().counts(class)));
        }
    }

    pub(super) fn thin(&mut self) {
        self.of.values_mut().for_each(Series::thin);
    }
}

impl Moments {
    pub(super) fn push(&mut self, event: u64, ns: Option<u64>) {
        self.all.push((event, ns));
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The numbers of their events.
    pub(super) fn events(&self) -> impl Iterator<Item = u64> + '_ {
        self.all.iter().map(|&(event, _)| event)
    }

    pub(super) fn all(self) -> Vec<(u64, Option<u64>)> {
        self.all
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= MOST
    }

    /// Forgets every second moment, and keeps the first and the last.
    pub(super) fn thin(&mut self) {
        thin(&mut self.all);
    }

    /// The windows as they are at this look: worked out once for all series.
    pub(super) fn windows(&self) -> Windows {
        let widths: Vec<u64> = self.all.windows(2).map(|pair| width(pair[0], pair[1])).collect();
        let mut sorted = widths.clone();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
        Windows { are_long: widths.into_iter().map(|width| width >= median / 2).collect() }
    }

    /// The event of the first look, or 0.
    pub(super) fn first(&self) -> u64 {
        self.all.first().map_or(0, |&(event, _)| event)
    }

    /// The event of the look before the last, or 0.
    pub(super) fn before(&self) -> u64 {
        self.all.iter().rev().nth(1).map_or(0, |&(event, _)| event)
    }

    /// A gain from the first moment to the last, a second, where times are known.
    pub(super) fn per_second(&self, gained: u64) -> Option<f64> {
        let ((_, first), (_, last)) = (*self.all.first()?, *self.all.last()?);
        let seconds = last?.checked_sub(first?).filter(|&ns| ns > 0)? as f64 / 1e9;
        Some(gained as f64 / seconds)
    }
}

impl Windows {
    /// Whether the number never fell, and grew in each window that counts since it first did, in the end as much as before. So a
    /// table that is filled at the beginning does not grow, and one that a program came to later does, by three windows more.
    /// One window of three may be without growth, as where nobody asks for anything; and the last of three or more: it ends
    /// with the program, which may have had nothing to do any more. What comes in lumps grows too, if it did in each third of six
    /// windows or more.
    ///
    /// A short window without growth says nothing and does not count. One with growth may: a machine that is busy makes windows longer
    /// in which no more happens.
    pub(super) fn show_growth(&self, series: &Series) -> bool {
        self.show_growth_within(series, 0)
    }

    /// The same of a number that may fall by `slack` in a window.
    pub(super) fn show_growth_within(&self, series: &Series, slack: u64) -> bool {
        let values = &series.values;
        if slack == 0 && series.fell {
            return false;
        }
        if values.len() != self.are_long.len() + 1 || series.gained() == 0 {
            return false;
        }
        let (mut of_long, mut of_all) = (Vec::new(), Vec::new());
        for (pair, &is_long) in values.windows(2).zip(&self.are_long) {
            if pair[1].saturating_add(slack) < pair[0] {
                return false;
            }
            let gain = pair[1].saturating_sub(pair[0]);
            if is_long {
                of_long.push(gain);
            }
            if is_long || gain > 0 {
                of_all.push(gain);
            }
        }
        are_growth(&of_long) || are_growth(&of_all)
    }
}

/// Whether these gains, one a window, are those of something that grows.
fn are_growth(gains: &[u64]) -> bool {
    let began = gains.iter().position(|&gain| gain > 0).unwrap_or(gains.len());
    let mut gains = &gains[began..];
    if let [before @ .., 0] = gains
        && before.len() >= 2
    {
        gains = before;
    }
    gains.len() >= if began == 0 { 2 } else { 3 } && (are_steady(gains) || come_in_lumps(gains))
}

/// In at most one window of three nothing was gained, and in the last one at least a quarter of the mean.
fn are_steady(gains: &[u64]) -> bool {
    let idle = gains.iter().filter(|&&gain| gain == 0).count();
    let mean = gains.iter().sum::<u64>() / gains.len().max(1) as u64;
    idle <= gains.len() / 3 && gains.last().is_some_and(|&last| last > 0 && last >= mean / 4)
}

/// Of six windows or more, in each third of them something was gained, and in the last third at least a quarter of its part.
fn come_in_lumps(gains: &[u64]) -> bool {
    let thirds = gains.chunks(gains.len().div_ceil(3).max(1)).map(|third| third.iter().sum::<u64>());
    let thirds: Vec<u64> = thirds.collect();
    let all: u64 = thirds.iter().sum();
    gains.len() >= 6 && thirds.iter().all(|&gain| gain > 0) && thirds.last().is_some_and(|&last| last >= all / 12)
}

/// So many things more are worth a row, or so many bytes of fewer.
pub(super) fn is_much(gained: u64, bytes: impl FnOnce() -> u64) -> bool {
    gained >= LEAST_GAIN || (gained > 0 && bytes() >= LEAST_BYTES)
}

/// Between two moments: nanoseconds, or events where there are no times.
fn width((event, ns): (u64, Option<u64>), (next_event, next_ns): (u64, Option<u64>)) -> u64 {
    let (from, to) = ns.zip(next_ns).unwrap_or((event, next_event));
    to.saturating_sub(from)
}

impl Series {
    /// First seen at the moment with this number; before, it was 0.
    pub(super) fn new(place: usize) -> Series {
        Series::below(place, 0)
    }

    /// First seen at the moment with this number; before, it was not more than `most`.
    pub(super) fn below(place: usize, most: u64) -> Series {
        Series { values: vec![most; place], begins_later: place > 0 && most > 0, fell: false }
    }

    /// The first number is exact, and not the most that it can have been.
    pub(super) fn is_exact(&self) -> bool {
        !self.begins_later
    }

    /// It did not change in the last window.
    pub(super) fn rests(&self) -> bool {
        matches!(self.values.as_slice(), [.., before, last] if before == last)
    }

    pub(super) fn push(&mut self, value: u64) {
        self.fell |= self.values.last().is_some_and(|&last| value < last);
        self.values.push(value);
    }

    pub(super) fn values(self) -> Vec<u64> {
        self.values
    }

    pub(super) fn first(&self) -> u64 {
        self.values.first().copied().unwrap_or(0)
    }

    pub(super) fn last(&self) -> u64 {
        self.values.last().copied().unwrap_or(0)
    }

    pub(super) fn gained(&self) -> u64 {
        self.last().saturating_sub(self.first())
    }

    /// So many things more are worth a row. `bytes` are those of all that is counted: a few large things are worth as much as many
    /// small ones.
    pub(super) fn is_much(&self, bytes: impl FnOnce() -> u64) -> bool {
        is_much(self.gained(), || self.gained_of(bytes()))
    }

    /// The part of the bytes that what was gained has, if one has as many as another.
    fn gained_of(&self, bytes: u64) -> u64 {
        let part = u128::from(bytes) * u128::from(self.gained()) / u128::from(self.last().max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    pub(super) fn thin(&mut self) {
        thin(&mut self.values);
    }
}

/// Every second one, the first and the last among them.
fn thin<T: Copy>(all: &mut Vec<T>) {
    let last = all.len().saturating_sub(1);
    let mut place = 0;
    all.retain(|_| {
        place += 1;
        (place - 1) % 2 == 0 || place - 1 == last
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grows(values: &[u64], seconds: &[u64]) -> bool {
        grows_with(values, seconds, 0)
    }

    fn grows_with(values: &[u64], seconds: &[u64], bytes: u64) -> bool {
        let mut moments = Moments::default();
        let mut series = Series::new(0);
        for (i, (&value, &second)) in values.iter().zip(seconds).enumerate() {
            moments.push(i as u64 + 1, Some(second * 1_000_000_000));
            series.push(value);
        }
        moments.windows().show_growth(&series) && series.is_much(|| bytes)
    }

    #[test]
    fn few_large_things_grow_as_many_small_ones_do() {
        assert!(grows_with(&[5, 10, 15, 20], &[1, 2, 3, 4], 4 << 20));
        assert!(!grows_with(&[5, 10, 15, 20], &[1, 2, 3, 4], 1 << 20), "three quarters of a megabyte");
        assert!(!grows_with(&[20, 20, 20, 20], &[1, 2, 3, 4], 1 << 30));
    }

    #[test]
    fn what_grows_in_every_window_grows_and_what_is_filled_once_does_not() {
        assert!(grows(&[0, 100, 200, 300], &[1, 2, 3, 4]));
        assert!(grows(&[0, 100, 200, 200], &[1, 2, 3, 4]), "done with its work");
        assert!(!grows(&[0, 100, 200, 200, 200], &[1, 2, 3, 4, 5]), "filled, and then at rest");
        assert!(!grows(&[0, 900, 950, 951], &[1, 2, 3, 4]), "nearly filled");
        assert!(!grows(&[0, 900, 950, 950], &[1, 2, 3, 4]), "nearly filled, and done");
        assert!(!grows(&[0, 100, 90, 300], &[1, 2, 3, 4]), "fell");
        assert!(!grows(&[0, 10, 20, 30], &[1, 2, 3, 4]), "too little");
        assert!(!grows(&[0, 100], &[1, 2]), "one window is no growth");
    }

    #[test]
    fn what_begins_to_grow_later_grows_and_rests_now_and_then() {
        let seconds: Vec<u64> = (1..=9).collect();
        assert!(grows(&[0, 0, 0, 100, 200, 300], &seconds[..6]));
        assert!(grows(&[0, 0, 0, 100, 200, 300, 300], &seconds[..7]), "done with its work");
        assert!(!grows(&[0, 0, 0, 0, 100, 200], &seconds[..6]), "two windows may be its filling");
        assert!(!grows(&[0, 0, 100, 200, 300, 300, 300], &seconds[..7]), "filled later");
        assert!(grows(&[0, 100, 200, 200, 300, 400, 500], &seconds[..7]), "nobody asked in one of six");
        assert!(grows(&[0, 100, 200, 200, 300, 300, 400], &seconds[..7]), "nor in another");
        assert!(grows(&[0, 100, 100, 200, 200, 300, 300, 400], &seconds[..8]), "it comes in lumps");
        assert!(!grows(&[0, 100, 100, 100, 100, 100, 200], &seconds[..7]), "one came much later");
    }

    #[test]
    fn what_fell_once_does_not_grow_though_the_moment_is_forgotten() {
        let mut series = Series::new(0);
        [100, 200, 50, 300, 400, 500, 600].into_iter().for_each(|value| series.push(value));
        series.thin();
        series.thin();
        let mut moments = Moments::default();
        (1..=3).for_each(|event| moments.push(event, None));
        assert!(!moments.windows().show_growth(&series), "{series:?}");
    }

    #[test]
    fn a_short_window_at_the_end_does_not_count() {
        assert!(grows(&[0, 100, 200, 300, 300], &[10, 20, 30, 40, 41]));
        assert!(!grows(&[0, 100, 200, 300, 299], &[10, 20, 30, 40, 41]));
    }

    #[test]
    fn a_short_window_with_growth_counts_where_that_shows_growth() {
        assert!(grows(&[0, 100, 200, 300, 300], &[10, 20, 30, 130, 230]), "the machine was busy in the end");
        assert!(grows(&[0, 9000, 9100, 9200, 9300], &[10, 11, 20, 30, 40]), "much at first");
        assert!(!grows(&[0, 100, 200, 200, 200], &[10, 20, 30, 130, 230]), "filled, and then at rest");
        assert!(!grows(&[0, 100, 110, 110], &[10, 20, 120, 220]), "nearly filled, and done");
    }

    #[test]
    fn thinned_out_a_series_keeps_its_ends() {
        let mut values: Vec<u64> = (0..6).collect();
        thin(&mut values);
        assert_eq!(values, [0, 2, 4, 5]);
    }
}
