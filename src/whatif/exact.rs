//! Counts references along with a log that has every change of them, without those that a change speaks of.
//!
//! The heap keeps the tally; here is only what a change takes off it: the references that no longer count, and those of
//! objects that are dead for it. An object is dead for a change from the event on at which its count without these
//! returns to zero.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;

use super::matcher::{Matcher, Step, can_be_weak, class_name, is_stand_in, step};
use super::outcome::Early;
use crate::heap::{Heap, Node, ObjectIndex, Shift};
use crate::trace::Slot;

/// Referrer, object, and where.
type Link = (ObjectIndex, ObjectIndex, Slot);

/// Objects whose count fell, and the change that it fell by.
type Lowered = Vec<(ObjectIndex, usize)>;

type Map<Value> = HashMap<ObjectIndex, Value, FixedState>;

/// What one set of changes takes off the tallies. Memory is proportional to the changed references that are there, and to
/// what is dead for it and alive in the program.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    /// For each object how many of its references do not count.
    lost: Map<u32>,
    /// For each object its changed references, each with its change.
    weak: Map<Vec<(ObjectIndex, Slot, usize)>>,
    /// For each container and dict on the way to changed references: the change, how far, and how often.
    ways: Map<Vec<(usize, usize, u32)>>,
    dead: BTreeMap<ObjectIndex, Death>,
    /// What was garbage at the last snapshot, and is alive.
    garbage: HashSet<ObjectIndex, FixedState>,
    /// Objects that die in the event at hand, and whether they were dead before.
    dying: Map<bool>,
    /// Objects that died early, by type and change: how many, and the event of the first.
    early: BTreeMap<(String, usize), (u64, u64)>,
    /// A shift was not clear.
    unsure: bool,
}

/// An object that is dead for the changes, and alive in the program.
#[derive(Debug, Clone, Copy)]
struct Death {
    event: u64,
    /// The change that took its last reference, where that was a changed one.
    by: usize,
    /// No root reached it any more.
    is_garbage: bool,
    is_early: bool,
}

impl Shadow {
    /// All shifts were clear.
    pub(super) fn is_sure(&self) -> bool {
        !self.unsure
    }

    /// What is dead for the changes, as nodes of the whole graph.
    pub(super) fn dead(&self) -> impl Iterator<Item = Node> + '_ {
        self.dead.keys().map(|index| Node(index.0))
    }

    /// What died early, and was freed or found to be garbage since; and how many objects that are.
    pub(super) fn into_early(self, matcher: &Matcher) -> (Vec<Early>, u64) {
        let objects = self.early.values().map(|(objects, _)| objects).sum();
        let early = self.early.into_iter().map(|((type_name, by), (_, event))| Early {
            type_name,
            reference: matcher.changes()[by].to_string(),
            event,
        });
        (early.collect(), objects)
    }

    /// This is garbage at a snapshot, each since the event beside it, or ever since its birth. What a finalizer brought back
    /// before is garbage anew.
    pub(super) fn see_garbage(&mut self, heap: &Heap, garbage: impl Iterator<Item = (ObjectIndex, Option<u64>)>) {
        self.garbage.clear();
        for (index, orphaned) in garbage {
            self.garbage.insert(index);
            let Some(death) = self.dead.get_mut(&index) else { continue };
            death.is_garbage = true;
            if orphaned.is_some_and(|orphaned| death.event < orphaned) {
                self.add_early(heap, index);
            }
        }
    }

    /// Counts what an event has changed, and lets die what nothing holds then.
    pub(super) fn follow(&mut self, heap: &mut Heap, matcher: &mut Matcher, shifts: &[Shift]) {
        let mut lowered = Vec::new();
        for &shift in shifts {
            match shift {
                Shift::Refers { from, to, slot } => self.refer(heap, matcher, (from, to, slot), &mut lowered),
                Shift::Unrefers { from, to, slot } => self.unrefer(heap, matcher, (from, to, slot), &mut lowered),
                Shift::Lowered(to) => lowered.push((to, 0)),
                Shift::Died(index) => self.end(heap, index),
                Shift::Unclear => self.unsure = true,
            }
        }
        let mut ended: Vec<ObjectIndex> = std::mem::take(&mut self.dying).into_keys().collect();
        ended.sort_unstable();
        for index in ended {
            self.lost.remove(&index);
            self.weak.remove(&index);
            self.ways.remove(&index);
        }
        while let Some((index, by)) = lowered.pop() {
            if heap.is_counted(index) && !self.dead.contains_key(&index) && self.count(heap, index) == 0 {
                self.die(heap, index, by, &mut lowered);
            }
        }
    }

    fn count(&self, heap: &Heap, index: ObjectIndex) -> u64 {
        heap.object(index).count.saturating_sub(u64::from(self.lost.get(&index).copied().unwrap_or(0)))
    }

    fn refer(&mut self, heap: &mut Heap, matcher: &mut Matcher, link: Link, lowered: &mut Lowered) {
        let (from, to, _) = link;
        if self.dead.contains_key(&from) {
            *self.lost.entry(to).or_default() += 1;
        }
        for (change, at) in self.ways_of(heap, matcher, from) {
            self.take_way(heap, matcher, link, (change, at), lowered);
        }
    }

    /// How far on the way to changed references an object is, for each change.
    fn ways_of(&self, heap: &Heap, matcher: &mut Matcher, from: ObjectIndex) -> Vec<(usize, usize)> {
        let held = matcher.held_by(heap, from).into_iter().map(|change| (change, 0));
        let on_the_way = self.ways.get(&from).into_iter().flatten().map(|&(change, at, _)| (change, at));
        held.chain(on_the_way).collect()
    }

    /// A reference of an object that is on the way: it is a changed one, or its object is on the way from now on.
    fn take_way(
        &mut self,
        heap: &mut Heap,
        matcher: &mut Matcher,
        link: Link,
        way: (usize, usize),
        lowered: &mut Lowered,
    ) {
        let mut open = vec![(link, way)];
        while let Some(((from, to, slot), (change, at))) = open.pop() {
            match next(heap, matcher, to, slot, (change, at)) {
                Some(Step::There) if can_be_weak(heap, to) && !self.dead.contains_key(&from) => {
                    let known = self.weak.get(&from).into_iter().flatten();
                    self.unsure |= { known }.any(|known| (known.0, known.1) == (to, slot) && known.2 != change);
                    self.weak.entry(from).or_default().push((to, slot, change));
                    *self.lost.entry(to).or_default() += 1;
                    lowered.extend((link.0 != from).then_some((to, change)));
                }
                Some(Step::There) | None => {}
                Some(Step::On(next)) => {
                    let ways = self.ways.entry(to).or_default();
                    if let Some(way) = ways.iter_mut().find(|way| (way.0, way.1) == (change, next)) {
                        way.2 += 1;
                        continue;
                    }
                    // Which of two ways a reference belongs to would have to be kept.
                    self.unsure |= !ways.is_empty() || !matcher.held_by(heap, to).is_empty();
                    ways.push((change, next, 1));
                    open.extend(heap.referents(to).into_iter().map(|(of, slot)| ((to, of, slot), (change, next))));
                }
            }
        }
    }

    fn unrefer(&mut self, heap: &mut Heap, matcher: &mut Matcher, link: Link, lowered: &mut Lowered) {
        let (from, to, slot) = link;
        for way in self.ways_of(heap, matcher, from) {
            if let Some(Step::On(next)) = next(heap, matcher, to, slot, way) {
                self.leave_way(to, (way.0, next), matcher);
            }
        }
        let is_dead = self.dead.contains_key(&from) || self.dying.get(&from) == Some(&true);
        if self.take_weak(from, to, slot) || is_dead {
            self.find(to);
        } else {
            lowered.push((to, 0));
        }
    }

    /// An object is on this way no more: what it refers to counts again.
    fn leave_way(&mut self, index: ObjectIndex, (change, at): (usize, usize), matcher: &Matcher) {
        let Some(ways) = self.ways.get_mut(&index) else { return };
        let Some(place) = ways.iter().position(|way| (way.0, way.1) == (change, at)) else { return };
        ways[place].2 -= 1;
        if ways[place].2 > 0 {
            return;
        }
        ways.swap_remove(place);
        // A container within the container would have to leave as well.
        let is_last = matcher.changes()[change].is_last(at);
        self.unsure |= !is_last;
        for (to, ..) in self.weak.remove(&index).unwrap_or_default() {
            self.find(to);
        }
    }

    /// Takes a changed reference out, if this is one.
    fn take_weak(&mut self, from: ObjectIndex, to: ObjectIndex, slot: Slot) -> bool {
        let Some(weak) = self.weak.get_mut(&from) else { return false };
        let place = weak.iter().position(|&(other, of, _)| (other, of) == (to, slot));
        place.map(|place| weak.swap_remove(place)).is_some()
    }

    /// A reference that did not count is gone, or counts again.
    fn find(&mut self, to: ObjectIndex) {
        if let Some(lost) = self.lost.get_mut(&to) {
            *lost -= 1;
            if *lost == 0 {
                self.lost.remove(&to);
            }
        }
    }

    /// The count of an object returned to zero: what it refers to loses a reference, unless it lost it before.
    fn die(&mut self, heap: &mut Heap, index: ObjectIndex, by: usize, lowered: &mut Lowered) {
        self.dead.insert(
            index,
            Death { event: heap.now().event, by, is_garbage: self.garbage.contains(&index), is_early: false },
        );
        let weak: BTreeSet<(ObjectIndex, Slot)> =
            self.weak.remove(&index).into_iter().flatten().map(|(to, slot, _)| (to, slot)).collect();
        for (to, slot) in heap.referents(index) {
            if !weak.contains(&(to, slot)) {
                *self.lost.entry(to).or_default() += 1;
                lowered.push((to, by));
            }
        }
    }

    /// An object dies in the program. A root had reached it until now, unless it is garbage that the collector frees.
    fn end(&mut self, heap: &Heap, index: ObjectIndex) {
        self.garbage.remove(&index);
        let death = self.dead.get(&index).copied();
        self.dying.insert(index, death.is_some());
        let is_expected = |death: Death| death.is_garbage && heap.is_collecting();
        if death.is_some_and(|death| !is_expected(death) && death.event < heap.now().event) {
            self.add_early(heap, index);
        }
        self.dead.remove(&index);
    }

    /// A dead object was reached by a root after its death.
    fn add_early(&mut self, heap: &Heap, index: ObjectIndex) {
        let type_name = class_name(heap, index);
        let Some(death) = self.dead.get_mut(&index).filter(|death| !death.is_early && !is_stand_in(type_name)) else {
            return;
        };
        death.is_early = true;
        self.early.entry((type_name.to_string(), death.by)).or_insert((0, death.event)).0 += 1;
    }
}

/// Where a reference leads to whom, for an object that is so far on the way.
fn next(heap: &Heap, matcher: &Matcher, to: ObjectIndex, slot: Slot, (change, at): (usize, usize)) -> Option<Step> {
    step(&matcher.changes()[change], at, &heap.slot_name(slot), || class_name(heap, to))
}
