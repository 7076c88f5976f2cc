//! Remembers how the last walk of the whole heap described each object, and in which order, so that the next one writes what has
//! changed.
//!
//! Of a description 64 bits are kept, by the object's number. That two descriptions of one object have the same bits happens once in
//! 2⁶⁴ changes.

use crate::memory::Grow;

/// An odd number without a pattern.
const MIXER: u64 = 0x9E37_79B9_7F4A_7C15;

/// How an object is described, compared with the last walk of the whole heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// No walk has described it.
    New,
    /// One has described it otherwise, or may have.
    Changed,
    Unchanged,
}

/// Objects that are unchanged: one, and so many that the last walk described behind it, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub first: u64,
    pub more: u64,
}

/// What is kept of one description.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// 0 where there is none.
    digest: [u32; 2],
    /// The number of the object that was described next; 0 of the last one.
    next: u32,
    /// The walk that it is of.
    walk: u32,
}

impl Entry {
    const DIGEST_NONE: [u32; 2] = [0; 2];
}

/// The last description of each object, by its number.
#[derive(Debug, Default)]
pub(crate) struct Descriptions {
    entries: Vec<Entry>,
    /// Walks of the whole heap that have described something.
    walk: u32,
    /// What the walk that is going on described last; 0 at its beginning.
    last: u32,
    /// Unchanged objects that are not written yet; the last described is the last of them.
    run: Option<Run>,
    /// Other walks have described objects, of which no entry needs to be there.
    has_others: bool,
    /// The walk that comes is the last one.
    ends: bool,
}

impl Descriptions {
    /// The walk that comes is the last one: nothing needs to be remembered of it.
    pub(crate) fn end(&mut self) {
        self.ends = true;
    }

    /// Whether there is something to compare with, or something to remember.
    pub(crate) fn matter(&self) -> bool {
        !self.ends || !self.entries.is_empty()
    }

    /// Of an object without an entry.
    pub(crate) fn unknown(&self) -> Change {
        if self.has_others { Change::Changed } else { Change::New }
    }

    pub(crate) fn begin_walk(&mut self) {
        if let Some(last) = self.entries.get_mut(self.last as usize) {
            last.next = 0;
        }
        (self.last, self.run) = (0, None);
    }

    /// The object of this number is described like this from now on. Answers also with the unchanged objects that are to be written
    /// first.
    pub(crate) fn replace(&mut self, number: u32, digest: u64) -> (Change, Option<Run>) {
        let place = number as usize;
        let missing = (place + 1).saturating_sub(self.entries.len());
        if missing > 0 {
            if !self.entries.ask(missing) {
                return (Change::Changed, self.run.take());
            }
            self.entries.resize(place + 1, Entry::default());
        }
        if self.last == 0 {
            // The first of a walk.
            self.walk = self.walk.wrapping_add(1);
        }
        let last = std::mem::replace(&mut self.last, number);
        let was_next =
            self.entries.get_mut(last as usize).map_or(0, |entry| std::mem::replace(&mut entry.next, number));
        // 0 is no description.
        let digest = digest.max(1);
        let digest = [digest as u32, (digest >> 32) as u32];
        let entry = &mut self.entries[place];
        let was_met = std::mem::replace(&mut entry.walk, self.walk) == self.walk.wrapping_sub(1);
        match std::mem::replace(&mut entry.digest, digest) {
            Entry::DIGEST_NONE => (self.unknown(), self.run.take()),
            before if before != digest || !was_met => (Change::Changed, self.run.take()),
            _ => match &mut self.run {
                Some(run) if was_next == number => {
                    run.more += 1;
                    (Change::Unchanged, None)
                }
                run => (Change::Unchanged, run.replace(Run { first: number.into(), more: 0 })),
            },
        }
    }

    /// The unchanged objects that are not written yet.
    pub(crate) fn take_run(&mut self) -> Option<Run> {
        self.run.take()
    }

    /// Another walk than one of the whole heap describes the object of this number: that one's description is out of date.
    pub(crate) fn replace_aside(&mut self, number: u32) {
        self.has_others = true;
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.walk = self.walk.wrapping_sub(1);
        }
    }

    /// The number is another object's from now on.
    #[inline]
    pub(crate) fn forget(&mut self, number: u32) {
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.digest = Entry::DIGEST_NONE;
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Descriptions::default();
    }

    pub(crate) fn footprint(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }
}

/// Makes 64 bits of a description.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Adds a word: both halves of a long product, so that each bit reaches each other.
    #[inline]
    pub(crate) fn add_word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ MIXER) * u128::from(MIXER.rotate_left(17) | 1);
        self.0 = (product >> 64) as u64 ^ (product as u64).rotate_left(23);
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Descriptions, Digest, Run};

    fn digest(words: &[u64]) -> u64 {
        let mut digest = Digest::default();
        words.iter().for_each(|&word| digest.add_word(word));
        digest.bits()
    }

    #[test]
    fn a_description_is_new_changed_or_unchanged() {
        let mut descriptions = Descriptions::default();
        let mut change = |number, digest| {
            descriptions.begin_walk();
            descriptions.replace(number, digest).0
        };
        assert_eq!(change(7, 5), Change::New);
        assert_eq!(change(7, 5), Change::Unchanged);
        assert_eq!(change(7, 6), Change::Changed);
        assert_eq!(change(3, 0), Change::New);
        assert_eq!(change(3, 0), Change::Unchanged);
        assert_eq!(descriptions.unknown(), Change::New);
        descriptions.forget(7);
        descriptions.forget(9000);
        descriptions.begin_walk();
        assert_eq!([7, 3].map(|number| descriptions.replace(number, 1).0), [Change::New, Change::Unchanged]);
        // Another walk has described one, and perhaps one that is met for the first time.
        descriptions.replace_aside(7);
        descriptions.begin_walk();
        assert_eq!([7, 3].map(|number| descriptions.replace(number, 1).0), [Change::Changed, Change::Unchanged]);
        assert_eq!((descriptions.replace(8, 1).0, descriptions.unknown()), (Change::Changed, Change::Changed));
        descriptions.end();
        assert!(descriptions.matter());
        descriptions.clear();
        assert!(descriptions.matter());
        descriptions.end();
        assert!(!descriptions.matter());
    }

    /// Walks objects, each with its digest: the runs that are written, each with the number of the object in front of which it is.
    fn walk(descriptions: &mut Descriptions, objects: &[(u32, u64)]) -> Vec<(u32, Run)> {
        descriptions.begin_walk();
        let mut runs = Vec::new();
        for &(number, digest) in objects {
            runs.extend(descriptions.replace(number, digest).1.map(|run| (number, run)));
        }
        runs.extend(descriptions.take_run().map(|run| (0, run)));
        runs
    }

    #[test]
    fn unchanged_objects_are_a_run_as_long_as_they_come_in_the_same_order() {
        let run = |before, first, more| (before, Run { first, more });
        let mut descriptions = Descriptions::default();
        assert_eq!(walk(&mut descriptions, &[(4, 1), (2, 1), (3, 1), (1, 1)]), []);
        assert_eq!(walk(&mut descriptions, &[(4, 1), (2, 1), (3, 1), (1, 1)]), [run(0, 4, 3)]);
        // One has changed; one is new; then one is dead, and one has come to its number.
        assert_eq!(walk(&mut descriptions, &[(4, 1), (2, 2), (3, 1), (1, 1)]), [run(2, 4, 0), run(0, 3, 1)]);
        assert_eq!(walk(&mut descriptions, &[(4, 1), (2, 2), (5, 1), (3, 1), (1, 1)]), [run(5, 4, 1), run(0, 3, 1)]);
        descriptions.forget(5);
        assert_eq!(walk(&mut descriptions, &[(4, 1), (2, 2), (3, 1), (5, 1)]), [run(3, 4, 1), run(5, 3, 0)]);
        // One is not met, and met again.
        assert_eq!(walk(&mut descriptions, &[(4, 1), (2, 2), (3, 1)]), [run(0, 4, 2)]);
        assert_eq!(walk(&mut descriptions, &[(4, 1), (2, 2), (3, 1), (5, 1)]), [run(5, 4, 2)]);
        // Another order.
        assert_eq!(walk(&mut descriptions, &[(3, 1), (5, 1), (4, 1), (2, 2)]), [run(4, 3, 1), run(0, 4, 1)]);
    }

    #[test]
    fn small_changes_make_other_digests() {
        let mut seen = std::collections::HashSet::new();
        for first in 0..60 {
            for second in 0..60 {
                for third in 0..60 {
                    assert!(seen.insert(digest(&[first, second, third])));
                }
                assert!(seen.insert(digest(&[first << 40, second])));
            }
        }
        assert_ne!(digest(&[0]), digest(&[0, 0]));
        assert_ne!(digest(&[1, 2]), digest(&[2, 1]));
    }
}
