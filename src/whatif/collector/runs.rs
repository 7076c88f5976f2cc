//! Remembers when collections were, and tells from an object's birth which of them looked at it.
//!
//! An object that lives through a collection comes to the next older generation, so when it was born says where it is: no
//! collection since is generation 0, one of the youngest alone is 1, an older one is 2.

/// A collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub event: u64,
    pub generation: usize,
}

/// Collections in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    all: Vec<Run>,
    /// Places in `all` of those of generation 1 or 2, and of 2.
    older: Vec<usize>,
    oldest: Vec<usize>,
}

/// The oldest generation.
pub(super) const OLDEST: usize = 2;
/// Where `gc.freeze` puts objects: no collection looks there.
pub(super) const FROZEN: usize = 3;

impl Runs {
    pub(super) fn push(&mut self, run: Run) {
        if run.generation >= 1 {
            self.older.push(self.all.len());
        }
        if run.generation >= OLDEST {
            self.oldest.push(self.all.len());
        }
        self.all.push(run);
    }

    /// How many of each generation.
    pub(super) fn by_generation(&self) -> [u64; OLDEST + 1] {
        let (all, older, oldest) = (self.all.len(), self.older.len(), self.oldest.len());
        [all - older, older - oldest, oldest].map(|runs| runs as u64)
    }

    /// The generation of an object that was born with this event.
    pub(super) fn generation(&self, born: u64) -> usize {
        match (self.all.last(), self.older.last()) {
            (_, Some(&older)) if born <= self.all[older].event => 2,
            (Some(last), _) if born <= last.event => 1,
            _ => 0,
        }
    }

    /// The place of the first collection after `event`.
    pub(super) fn after(&self, event: u64) -> usize {
        self.all.partition_point(|run| run.event <= event)
    }

    /// The place of the first collection after `since` that looked at an object born with `born`, which is not later.
    pub(super) fn first_look(&self, born: u64, since: u64) -> Option<usize> {
        let next = self.after(since);
        let begun = self.after(born.saturating_sub(1));
        if next <= begun {
            return (begun < self.all.len()).then_some(begun);
        }
        match among(&self.older, begun) {
            Some(older) if older < next => among(&self.oldest, next),
            older => older,
        }
    }

    /// The place of the first collection of all generations after `since`.
    pub(super) fn first_of_all(&self, since: u64) -> Option<usize> {
        let next = self.after(since);
        among(&self.oldest, next)
    }

    /// The event of the last collection that looked at an object born with `born`.
    pub(super) fn last_look(&self, born: u64) -> Option<u64> {
        let begun = self.after(born.saturating_sub(1));
        if begun >= self.all.len() {
            return None;
        }
        let older = among(&self.older, begun);
        let oldest = self.oldest.last().copied().filter(|&oldest| older.is_some_and(|older| oldest > older));
        Some(self.all[oldest.or(older).unwrap_or(begun)].event)
    }
}

/// The first of these places from `from` on.
fn among(places: &[usize], from: usize) -> Option<usize> {
    places.get(places.partition_point(|&place| place < from)).copied()
}

#[cfg(test)]
mod tests {
    use super::{Run, Runs};

    fn runs() -> Runs {
        let mut runs = Runs::default();
        for (event, generation) in [(10, 0), (20, 0), (30, 1), (40, 0), (50, 2), (60, 0)] {
            runs.push(Run { event, generation });
        }
        runs
    }

    #[test]
    fn the_birth_says_the_generation() {
        let runs = runs();
        assert_eq!([5, 50, 51, 60, 61].map(|born| runs.generation(born)), [2, 2, 1, 1, 0]);
        assert_eq!(Runs::default().generation(0), 0);
        assert_eq!(runs.by_generation(), [4, 1, 1]);
    }

    #[test]
    fn a_collection_looks_at_its_generation_and_the_younger_ones() {
        let runs = runs();
        let event = |place: Option<usize>| place.map(|place| runs.all[place].event);
        assert_eq!(event(runs.first_look(5, 5)), Some(10), "the first after the birth");
        assert_eq!(event(runs.first_look(5, 10)), Some(30), "of generation 1, which it is in by then");
        assert_eq!(event(runs.first_look(5, 30)), Some(50));
        assert_eq!(event(runs.first_look(5, 50)), None);
        assert_eq!(event(runs.first_look(55, 60)), None);
        assert_eq!(
            [5, 35, 45, 55, 65].map(|born| runs.last_look(born)),
            [50, 50, 50, 60, 0].map(|at| (at > 0).then_some(at))
        );
    }
}
