//! Defines what looks at the heap while a trace plays, and when.

use super::graph::HeapGraph;
use super::journal::Shift;
use super::model::{Heap, ObjectIndex};
use crate::trace::GcState;

/// Why a snapshot is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapshotKind {
    /// `checkpoint full`: the graph is the whole heap. With references as events a checkpoint has none where so few events
    /// have passed since the last that looking at all objects would take longer than playing them.
    FullCheckpoint,
    /// `checkpoint garbage`: the graph is those objects only, compactly numbered.
    Garbage,
    /// `gc start`, with references as events: the graph is the whole heap. A collection that changes nothing has none
    /// where so few events have passed that looking at all objects would take longer than playing them; what is garbage
    /// then is still so at the next snapshot.
    CollectionStart,
    /// The trace is over, with references as events: the graph is the whole heap.
    End,
}

impl SnapshotKind {
    /// The whole heap is looked at for its own sake, and not because a collection begins.
    pub fn is_checkpoint(self) -> bool {
        matches!(self, SnapshotKind::FullCheckpoint | SnapshotKind::End)
    }
}

/// What else happens, for an observer that [listens](Observer::listens).
#[derive(Debug, Clone, Copy)]
pub enum Happening<'a> {
    /// An object was born, or a walk met it for the first time.
    Born(ObjectIndex),
    /// What the collector counts: as the recording begins, and just before a collection begins.
    Collector(&'a GcState),
    /// So many objects are in its lists.
    Lists { generations: [u64; 3], frozen: u64 },
    /// The collection that is going on looks at so many objects.
    Looked(u64),
    /// A phase begins; the heap has its name.
    Mark,
}

/// Unreachable objects that the log counts and does not name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unnamed<'a> {
    /// `None` where the log does not say of which type they are.
    pub class: Option<&'a str>,
    pub objects: u64,
    /// 0 where the log has no sizes.
    pub bytes: u64,
    /// How many of the type were born in all; 0 where the log does not say.
    pub born: u64,
}

/// What looks at the heap while a trace plays.
pub trait Observer {
    /// A snapshot is taken. The graph is lent: one that is kept makes the heap copy its references when the trace goes on.
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind);

    /// An object that is [watched](Heap::watch) dies; it is still in its place.
    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        let _ = (heap, object, by_collector);
    }

    /// The log tells the time, which is not less than before.
    fn time(&mut self, heap: &Heap) {
        let _ = heap;
    }

    /// A collection of this generation begins. The snapshot of what it is about to find comes just before with references at
    /// checkpoints, if it is about to find anything; with references as events it comes later, or never.
    fn collection_started(&mut self, heap: &Heap, generation: u8) {
        let _ = (heap, generation);
    }

    /// The collection ends.
    fn collection_stopped(&mut self, heap: &Heap) {
        let _ = heap;
    }

    /// Whether [`Observer::followed`] is to be called, where every change of a reference is in the log.
    fn follows(&self) -> bool {
        false
    }

    /// An event is over, and has changed counts so. Playing costs more than twice the time where somebody follows it.
    fn followed(&mut self, heap: &mut Heap, shifts: &[Shift]) {
        let _ = (heap, shifts);
    }

    /// Whether [`Observer::happened`] is to be called. Playing costs more than twice the time where somebody listens.
    fn listens(&self) -> bool {
        false
    }

    /// Something else happens.
    fn happened(&mut self, heap: &mut Heap, what: Happening<'_>) {
        let _ = (heap, what);
    }

    /// The log says that the program's own collector found an object unreachable.
    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        let _ = (heap, object);
    }

    /// There are unreachable objects that the log counts and does not name.
    fn unreachable_unnamed(&mut self, of: Unnamed<'_>) {
        let _ = of;
    }
}

/// Looks at nothing.
impl Observer for () {
    fn on_snapshot(&mut self, _: &mut Heap, _: &HeapGraph, _: SnapshotKind) {}
}

/// Both, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        self.0.on_snapshot(heap, graph, kind);
        self.1.on_snapshot(heap, graph, kind);
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        self.0.freed(heap, object, by_collector);
        self.1.freed(heap, object, by_collector);
    }

    fn follows(&self) -> bool {
        self.0.follows() || self.1.follows()
    }

    fn followed(&mut self, heap: &mut Heap, shifts: &[Shift]) {
        self.0.followed(heap, shifts);
        self.1.followed(heap, shifts);
    }

    fn time(&mut self, heap: &Heap) {
        self.0.time(heap);
        self.1.time(heap);
    }

    fn collection_started(&mut self, heap: &Heap, generation: u8) {
        self.0.collection_started(heap, generation);
        self.1.collection_started(heap, generation);
    }

    fn collection_stopped(&mut self, heap: &Heap) {
        self.0.collection_stopped(heap);
        self.1.collection_stopped(heap);
    }

    fn listens(&self) -> bool {
        self.0.listens() || self.1.listens()
    }

    fn happened(&mut self, heap: &mut Heap, what: Happening<'_>) {
        self.0.happened(heap, what);
        self.1.happened(heap, what);
    }

    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        self.0.unreachable(heap, object);
        self.1.unreachable(heap, object);
    }

    fn unreachable_unnamed(&mut self, of: Unnamed<'_>) {
        self.0.unreachable_unnamed(of);
        self.1.unreachable_unnamed(of);
    }
}

/// What looks where somebody asked for it.
impl<W: Observer> Observer for Option<W> {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        self.iter_mut().for_each(|one| one.on_snapshot(heap, graph, kind));
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        self.iter_mut().for_each(|one| one.freed(heap, object, by_collector));
    }

    fn collection_started(&mut self, heap: &Heap, generation: u8) {
        self.iter_mut().for_each(|one| one.collection_started(heap, generation));
    }

    fn collection_stopped(&mut self, heap: &Heap) {
        self.iter_mut().for_each(|one| one.collection_stopped(heap));
    }

    fn follows(&self) -> bool {
        self.as_ref().is_some_and(Observer::follows)
    }

    fn followed(&mut self, heap: &mut Heap, shifts: &[Shift]) {
        self.iter_mut().for_each(|one| one.followed(heap, shifts));
    }

    fn listens(&self) -> bool {
        self.as_ref().is_some_and(Observer::listens)
    }

    fn happened(&mut self, heap: &mut Heap, what: Happening<'_>) {
        self.iter_mut().for_each(|one| one.happened(heap, what));
    }

    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        self.iter_mut().for_each(|one| one.unreachable(heap, object));
    }

    fn unreachable_unnamed(&mut self, of: Unnamed<'_>) {
        self.iter_mut().for_each(|one| one.unreachable_unnamed(of));
    }
}

impl<W: Observer + ?Sized> Observer for &mut W {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        (**self).on_snapshot(heap, graph, kind);
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        (**self).freed(heap, object, by_collector);
    }

    fn follows(&self) -> bool {
        (**self).follows()
    }

    fn followed(&mut self, heap: &mut Heap, shifts: &[Shift]) {
        (**self).followed(heap, shifts);
    }

    fn time(&mut self, heap: &Heap) {
        (**self).time(heap);
    }

    fn collection_started(&mut self, heap: &Heap, generation: u8) {
        (**self).collection_started(heap, generation);
    }

    fn collection_stopped(&mut self, heap: &Heap) {
        (**self).collection_stopped(heap);
    }

    fn listens(&self) -> bool {
        (**self).listens()
    }

    fn happened(&mut self, heap: &mut Heap, what: Happening<'_>) {
        (**self).happened(heap, what);
    }

    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        (**self).unreachable(heap, object);
    }

    fn unreachable_unnamed(&mut self, of: Unnamed<'_>) {
        (**self).unreachable_unnamed(of);
    }
}
