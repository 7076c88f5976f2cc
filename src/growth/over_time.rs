//! Follows the bytes of each type from one look at the whole heap to the next.

use super::series::{Moments, TypeSeries};
use crate::heap::{Heap, HeapGraph, Observer, SnapshotKind};

/// The bytes of the types with most of them, at up to 64 moments at which the whole heap was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypesOverTime {
    /// Event, and nanoseconds where the trace has times.
    pub moments: Vec<(u64, Option<u64>)>,
    /// Most bytes at one of the moments first; one number for each moment.
    pub types: Vec<(String, Vec<u64>)>,
    /// All other types together.
    pub others: Vec<u64>,
}

/// Types that are told one by one.
const TYPES: usize = 10;

/// Watches a replay: give it to [`replay`](crate::heap::replay()). A look costs one visit to each type.
#[derive(Debug, Default)]
pub struct TypesOverTimeTracker {
    moments: Moments,
    types: TypeSeries,
}

impl TypesOverTimeTracker {
    pub fn finish(self, heap: &Heap) -> TypesOverTime {
        let moments = self.moments.all();
        let series =
            self.types.of.into_iter().map(|(class, series)| (heap.types().name(class).to_string(), series.values()));
        let mut types: Vec<(String, Vec<u64>)> = series.filter(|(_, values)| values.iter().any(|&n| n > 0)).collect();
        types.sort_by(|(a, one), (b, two)| two.iter().max().cmp(&one.iter().max()).then_with(|| a.cmp(b)));
        let mut others = vec![0u64; moments.len()];
        for (_, values) in types.iter().skip(TYPES) {
            others.iter_mut().zip(values).for_each(|(sum, bytes)| *sum = sum.saturating_add(*bytes));
        }
        types.truncate(TYPES);
        TypesOverTime { moments, types, others }
    }
}

impl Observer for TypesOverTimeTracker {
    fn on_snapshot(&mut self, heap: &mut Heap, _: &HeapGraph, kind: SnapshotKind) {
        if !kind.is_checkpoint() {
            return;
        }
        let now = heap.now();
        self.moments.push(now.event, now.ns);
        let place = self.moments.len() - 1;
        self.types.push(heap, place, |counts| counts.live_bytes);
        if self.moments.is_full() {
            self.moments.thin();
            self.types.thin();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;

    fn over_time(looks: u64) -> TypesOverTime {
        let mut script = String::from("reftrace 1 runtime=test references=checkpoints\n");
        (1..=12).for_each(|class| script.push_str(&format!("type {class} app.Type{class}\n")));
        for look in 0..looks {
            script.push_str(&format!("alloc {:x} 12 1000\n", 0x1000 + look));
            if look < 11 {
                script.push_str(&format!("alloc {:x} {} {}\n", 1 + look, 1 + look, 10 + look));
            }
            script.push_str(&format!("time {look}\nwalk full\ncheckpoint full\n"));
        }
        script.push_str("end\n");
        let mut tracker = TypesOverTimeTracker::default();
        let replayed = play(&script, &mut tracker);
        tracker.finish(&replayed.heap)
    }

    #[test]
    fn the_types_with_most_bytes_are_told_at_each_look_and_the_others_together() {
        let found = over_time(11);
        assert_eq!((found.moments.len(), found.types.len()), (11, 10));
        assert_eq!(found.types[0], ("app.Type12".to_string(), (1..=11).map(|n| n * 1000).collect()));
        assert_eq!(found.types[1].1, [vec![0; 10], vec![20]].concat());
        // Of the types 1 and 2, with 10 and 11 bytes.
        assert_eq!(found.others, [vec![10], vec![21; 10]].concat());
    }

    #[test]
    fn of_many_looks_some_are_kept_the_first_and_the_last_among_them() {
        let found = over_time(500);
        assert!((32..=64).contains(&found.moments.len()), "{}", found.moments.len());
        let most = &found.types[0].1;
        assert_eq!((most.first(), most.last(), most.len()), (Some(&1000), Some(&500_000), found.moments.len()));
        assert_eq!(found.moments.last().unwrap().1, Some(499));
    }
}
