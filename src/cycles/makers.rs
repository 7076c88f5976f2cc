//! Counts what was garbage and what lives by the stack that made it.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::tracker::{ObjectMap, stack};
use super::{Garbage, StackFrame};
use crate::heap::{Heap, HeapGraph, Node, ObjectId, Observer, SnapshotKind};
use crate::trace::SiteId;

/// Who made what, in one trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Makers {
    /// All cyclic garbage of the run, each object once.
    pub garbage: Vec<MadeHere>,
    /// What a root reached when the whole heap was last looked at; `None` where that was never.
    pub alive: Option<Vec<MadeHere>>,
}

/// Objects that one stack made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MadeHere {
    /// Innermost first; empty where it is not known.
    pub stack: Vec<StackFrame>,
    /// They were made before the recording began.
    pub before: bool,
    pub objects: u64,
    pub bytes: u64,
}

impl Makers {
    /// The same of several traces together.
    pub fn merge(parts: Vec<Makers>) -> Makers {
        let mut whole = Makers::default();
        for part in parts {
            whole.garbage.extend(part.garbage);
            if let Some(alive) = part.alive {
                whole.alive.get_or_insert_default().extend(alive);
            }
        }
        Makers { garbage: once(whole.garbage), alive: whole.alive.map(once) }
    }
}

/// Each stack once, in their order.
fn once(mut made: Vec<MadeHere>) -> Vec<MadeHere> {
    made.sort_by(|a, b| (&a.stack, a.before).cmp(&(&b.stack, b.before)));
    made.dedup_by(|next, known| {
        let is_same = next.stack == known.stack && next.before == known.before;
        if is_same {
            known.objects += next.objects;
            known.bytes = known.bytes.saturating_add(next.bytes);
        }
        is_same
    });
    made
}

/// Watches a replay: give it to [`replay`](crate::heap::replay()).
///
/// A snapshot costs what reach costs on its graph. Memory is in proportion to the live heap and the number of sites.
#[derive(Debug, Default)]
pub struct MakersTracker {
    garbage: Sums,
    alive: Option<Sums>,
    /// Garbage that was counted.
    counted: ObjectMap<ObjectId>,
}

/// By site, and whether it was made before the recording began: objects and bytes.
type Sums = HashMap<(SiteId, bool), (u64, u64), FixedState>;

impl MakersTracker {
    pub fn finish(self, heap: &Heap) -> Makers {
        Makers { garbage: made(heap, self.garbage), alive: self.alive.map(|sums| made(heap, sums)) }
    }
}

impl Observer for MakersTracker {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        let garbage = Garbage::of(graph);
        for &node in &garbage.nodes {
            let index = graph.object(node);
            let id = heap.id(index);
            if self.counted.get(index) != Some(&id) {
                self.counted.insert(index, id);
                add(&mut self.garbage, heap, graph, node);
            }
        }
        if kind.is_checkpoint() {
            let mut alive = Sums::default();
            let mut dead = garbage.nodes.iter().peekable();
            for node in graph.nodes() {
                let is_garbage = dead.next_if(|&&next| next == node).is_some();
                if !is_garbage && !graph.state(node).vacant {
                    add(&mut alive, heap, graph, node);
                }
            }
            self.alive = Some(alive);
        }
    }
}

fn add(sums: &mut Sums, heap: &Heap, graph: &HeapGraph, node: Node) {
    let index = graph.object(node);
    let object = heap.object(index);
    let (objects, bytes) = sums.entry((object.site, heap.was_there(index))).or_default();
    *objects += 1;
    *bytes = bytes.saturating_add(object.all_bytes());
}

/// By stack, with the places of each.
fn made(heap: &Heap, sums: Sums) -> Vec<MadeHere> {
    let made_here = |((site, before), (objects, bytes))| MadeHere { stack: stack(heap, site), before, objects, bytes };
    once(sums.into_iter().map(made_here).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;

    #[test]
    fn garbage_is_counted_once_and_what_lives_at_the_end_apart() {
        let script = "
            reftrace 1 runtime=test references=events frees=recorded
            type 1 app.Node
            site 1 app.py:80 main
            site 2 app.py:42 make parent=1
            alloc 1 1 100 @2
            alloc 2 1 50 @1
            alloc 3 1 30
            ref 1 1 .me
            root 2 local:main.kept
            root 3 local:main.other
            gc start 2
            gc stop 2 0
            gc start 2
            free 1
            gc stop 2 0
            alloc 1 1 200 @2
            ref 1 1 .me
            end";
        let mut tracker = MakersTracker::default();
        let replayed = play(script, &mut tracker);
        let told = |made: &[MadeHere]| -> Vec<(Vec<u32>, u64, u64)> {
            let lines = |of: &MadeHere| of.stack.iter().map(|frame| frame.line).collect();
            made.iter().map(|of| (lines(of), of.objects, of.bytes)).collect()
        };
        let makers = tracker.finish(&replayed.heap);
        assert_eq!(told(&makers.garbage), [(vec![42, 80], 2, 300)]);
        assert_eq!(told(makers.alive.as_ref().unwrap()), [(vec![], 1, 30), (vec![80], 1, 50)]);
        let twice = Makers::merge(vec![makers.clone(), Makers::default(), makers]);
        assert_eq!(told(&twice.garbage), [(vec![42, 80], 4, 600)]);
        assert_eq!(told(&twice.alive.unwrap()), [(vec![], 2, 60), (vec![80], 2, 100)]);
    }
}
