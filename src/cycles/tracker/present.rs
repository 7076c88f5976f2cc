//! Follows what is garbage from one moment to the next, and since when.

use super::ledger::Since;
use super::{SnapshotGarbage, TrackedObject, Tracker};
use crate::cycles::garbage::{MemoryPoint, Occasion, SeenAt};
use crate::cycles::graph::orphaned::last_releases;
use crate::heap::{Heap, ObjectIndex, SnapshotKind};
use crate::trace::{Births, References};

impl Tracker {
    /// When the loop was orphaned, as far as that is known at once.
    pub(super) fn orphaned(&self, heap: &Heap, snapshot: &SnapshotGarbage, component: u32) -> Option<(SeenAt, SeenAt)> {
        // A single look at a heap that was there before, without a clock: it may have been so long before the log began.
        let is_first = self.last_look == 0 && snapshot.now.ns.is_none();
        let is_exact = heap.header().references == References::Events;
        match heap.header().births {
            Births::Survivors if is_first && !is_exact => return None,
            // No object was met before it was garbage.
            Births::Garbage => return None,
            Births::All | Births::Survivors => {}
        }
        let (after, by) = self.ledger.interval(snapshot.since[component as usize]);
        Some((after, if by.event == snapshot.now.event { snapshot.now } else { by }))
    }

    /// When each component became garbage. Exact where the releases are in the trace. Else not before the last look at
    /// everything, at which it was none, and not before the youngest of its members, or of the garbage that leads to them,
    /// was born: whoever made that one could reach it, and could reach what it refers to then or when it came to refer to it.
    pub(super) fn since(&self, heap: &Heap, snapshot: &SnapshotGarbage) -> Vec<Since> {
        let latest = |event: &dyn Fn(ObjectIndex) -> Option<u64>| {
            last_releases(snapshot.inner, snapshot.components, |member| event(snapshot.object(member)))
        };
        let unknown = || vec![None; snapshot.components.n_components()];
        let releases = match heap.header().references {
            References::Events => latest(&|object| heap.last_release(object)),
            References::Checkpoints | References::Uncounted | References::None => unknown(),
        };
        // What a walk meets first was born before.
        let met = heap.walk_began();
        let is_birth = |&event: &u64| met == 0 || event < met;
        let births = match heap.header().births {
            Births::All if releases.contains(&None) => latest(&|object| Some(heap.id(object).0).filter(is_birth)),
            Births::All | Births::Survivors | Births::Garbage => unknown(),
        };
        let since = |(release, youngest): (Option<u64>, Option<u64>)| match release {
            Some(release) => Since { after: release, by: release },
            None => Since { after: self.last_full.max(youngest.unwrap_or(0)), by: snapshot.now.event },
        };
        releases.into_iter().zip(births).map(since).collect()
    }

    /// An object is garbage.
    pub(super) fn enter(&mut self, index: ObjectIndex, object: TrackedObject) {
        let tracked = &mut self.loops[object.in_loop as usize];
        tracked.garbage += 1;
        self.ledger.enter(tracked.group, object.bytes, tracked.garbage == 1);
        self.objects.insert(index, object);
    }

    /// An object is garbage no more; until the event `until` it certainly was.
    pub(super) fn leave(&mut self, object: &TrackedObject, until: u64) {
        let tracked = &mut self.loops[object.in_loop as usize];
        tracked.garbage -= 1;
        self.ledger.leave(tracked.group, object.bytes, tracked.garbage == 0, object.since, until);
    }

    /// Of these objects, what was garbage before the look at event `now`, and was not then, is reachable again.
    pub(super) fn end_garbage(&mut self, objects: Vec<ObjectIndex>, now: u64) {
        for index in objects {
            let Some(known) = self.objects.get_mut(index).filter(|known| known.is_garbage && known.seen < now) else {
                continue;
            };
            known.is_garbage = false;
            let known = *known;
            self.leave(&known, known.seen);
        }
    }

    /// What was found at the last look and not before, was none after this event at the earliest.
    pub(super) fn narrow(&mut self, after: u64) {
        for &index in &self.seen {
            let Some(known) = self.objects.get_mut(index).filter(|known| known.since.by == self.last_look) else {
                continue;
            };
            known.since.after = known.since.after.max(after);
            let (after, _) = self.ledger.interval(known.since);
            let group = self.loops[known.in_loop as usize].group;
            self.groups[group as usize].narrow_orphaned(self.last_look, after);
        }
    }

    /// A snapshot is a moment of the timeline. That of a collection in an exact log completes the moment of its start.
    pub(super) fn add_moment(&mut self, heap: &Heap, now: SeenAt, kind: SnapshotKind) {
        let occasion = match kind {
            SnapshotKind::FullCheckpoint => Occasion::Checkpoint,
            SnapshotKind::Garbage => Occasion::Sweep,
            SnapshotKind::CollectionStart => Occasion::Collection,
            SnapshotKind::End => Occasion::End,
        };
        let point = self.moment(heap, now, occasion);
        match self.timeline.last_mut().filter(|last| last.event == now.event && last.occasion == occasion) {
            Some(last) => *last = MemoryPoint { generation: last.generation, ..point },
            None => self.timeline.push(point),
        }
    }

    pub(super) fn moment(&self, heap: &Heap, at: SeenAt, occasion: Occasion) -> MemoryPoint {
        let is_whole = matches!(occasion, Occasion::Checkpoint | Occasion::End);
        let is_met = is_whole || heap.header().births == Births::All;
        let garbage = self.ledger.all().now;
        MemoryPoint {
            event: at.event,
            ns: at.ns,
            occasion,
            generation: None,
            live: is_met.then(|| (heap.n_live(), heap.live_bytes())),
            garbage_objects: garbage.objects,
            garbage_bytes: garbage.bytes,
        }
    }
}
