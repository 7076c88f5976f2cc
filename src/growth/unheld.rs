//! Finds objects that were never freed, though nothing that was recorded refers to them any more.
//!
//! A look at the whole heap meets each object that the collector tracks, and each other one that can be reached from those. What
//! it does not meet is held by C code alone, or by nobody at all.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::cycles::StackFrame;
use crate::cycles::tracker::stack;
use crate::heap::{Heap, HeapGraph, ObjectId, ObjectIndex, Observer, SnapshotKind};
use crate::trace::{Births, References, SiteId, TypeId};

/// Objects of one type that one stack made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unheld {
    pub type_name: String,
    /// Innermost first.
    pub stack: Vec<StackFrame>,
    pub objects: u64,
    pub bytes: u64,
}

/// Objects of one type and stack that are told: the interpreter keeps a few of its own, as constants of code and dead floats.
const LEAST: u64 = 200;

/// The file of the import machinery, as CPython has it.
const IMPORT: &str = "<frozen importlib.";

/// Watches a replay: give it to [`replay`](crate::heap::replay()). It looks where each birth and each death is in the log, and
/// what a walk does not meet is not a parent's.
///
/// A look at the heap costs one visit to each live object. Memory is in proportion to those that it does not meet.
#[derive(Debug, Default)]
pub struct UnheldTracker {
    /// Of the last look at the whole heap; `None` before the first.
    unmet: Option<Vec<(ObjectIndex, ObjectId)>>,
}

impl UnheldTracker {
    /// Most bytes first; `None` where it is not known.
    pub fn finish(self, heap: &Heap) -> Option<Vec<Unheld>> {
        let mut sums: HashMap<(TypeId, SiteId), (u64, u64), FixedState> = HashMap::default();
        let mut unmet = self.unmet?.into_iter().peekable();
        for index in heap.objects() {
            while unmet.next_if(|(other, _)| *other < index).is_some() {}
            if unmet.next_if_eq(&(index, heap.id(index))).is_some() {
                let object = heap.object(index);
                let (objects, bytes) = sums.entry((object.class, object.site)).or_default();
                *objects += 1;
                *bytes = bytes.saturating_add(object.all_bytes());
            }
        }
        let told = { sums.into_iter() }.filter(|&((_, site), (objects, _))| objects >= LEAST && site != SiteId::NONE);
        let told = told.map(|((class, site), (objects, bytes))| Unheld {
            type_name: heap.types().name(class).to_string(),
            stack: stack(heap, site),
            objects,
            bytes,
        });
        // What an import makes is the code of a module, whose constants no walk meets.
        let told = told.filter(|row| !row.stack.iter().any(|frame| frame.path.starts_with(IMPORT)));
        let mut told: Vec<Unheld> = told.collect();
        told.sort_by(|a, b| {
            (b.bytes, b.objects)
                .cmp(&(a.bytes, a.objects))
                .then_with(|| (&a.type_name, &a.stack).cmp(&(&b.type_name, &b.stack)))
        });
        Some(told)
    }
}

impl Observer for UnheldTracker {
    fn on_snapshot(&mut self, heap: &mut Heap, _: &HeapGraph, kind: SnapshotKind) {
        let header = heap.header();
        let unseen = heap.blind_spots();
        let is_complete = header.references == References::Checkpoints
            && header.births == Births::All
            && !unseen.own_only
            && unseen.births_unseen.is_none();
        if kind != SnapshotKind::FullCheckpoint || !is_complete {
            return;
        }
        let unmet = heap.objects().filter(|&index| !heap.is_met(index));
        self.unmet = Some(unmet.map(|index| (index, heap.id(index))).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;

    fn unheld(header: &str, n: u64) -> Option<Vec<Unheld>> {
        let mut script = format!(
            "reftrace 1 runtime=test {header}\ntype 1 list\ntype 2 str\nsite 1 app.py:9 load\nalloc 1 1 56\nalloc 2 2 50 @1\n"
        );
        for tag in 0..n {
            script.push_str(&format!("alloc {:x} 2 50 @1\n", 0x1000 + tag));
        }
        script.push_str("walk full\ncount 1 1\nroot 1 global:app.kept\nref 1 2 [0]\ncount 2 1\ncheckpoint full\n");
        script.push_str("free 1000\nalloc 1000 2 50 @1\nend\n");
        let mut tracker = UnheldTracker::default();
        let replayed = play(&script, &mut tracker);
        tracker.finish(&replayed.heap)
    }

    #[test]
    fn what_no_look_at_the_heap_meets_and_nobody_frees_is_told_by_type_and_line() {
        let found = unheld("references=checkpoints", 301).unwrap();
        let [row] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((row.type_name.as_str(), row.objects, row.bytes), ("str", 300, 15_000));
        assert_eq!((row.stack[0].path.as_str(), row.stack[0].line), ("app.py", 9));
    }

    #[test]
    fn a_few_are_not_worth_a_line_and_survivors_alone_do_not_tell() {
        assert_eq!(unheld("references=checkpoints", 100), Some(Vec::new()));
        assert_eq!(unheld("references=checkpoints births=survivors", 300), None);
    }
}
