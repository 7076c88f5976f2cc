//! Plays a trace into a [`Heap`], and takes a snapshot where one is due.

use super::anomaly::AnomalyKind;
use super::blind_spots::Searched;
use super::collections::Reported;
use super::graph::HeapGraph;
use super::journal::Shift;
use super::model::{Heap, ObjectIndex};
use super::names::printable;
use super::objects::Birth;
use super::observer::{Happening, Observer, SnapshotKind, Unnamed};
use super::read_ahead::read_ahead;
use crate::trace::{
    Ending, Event, Events, Frees, ObjectFlags, Player, Position, References, Scope, SiteId, Slot, Tag, TraceError,
    TypeId,
};

/// What is left when a trace is over.
#[derive(Debug)]
pub struct Replayed {
    pub heap: Heap,
    pub ending: Ending,
    /// The record that could not be read, at which the replay ended.
    pub error: Option<TraceError>,
    /// Number of events that were played.
    pub events: u64,
    /// Number of snapshots that were taken. None: the trace says nothing of what was garbage.
    pub snapshots: u64,
    /// Those of them that were of the whole heap.
    pub whole_snapshots: u64,
}

/// Between two tidyings of the heap.
pub(super) const TIDY: u64 = 1 << 16;
/// Events between two reports of progress.
const BATCH: usize = 4096;
/// A collection of this generation, or an older one, looks at all objects.
const OLDEST: u8 = 2;
/// A heap of so many objects has a snapshot at every `gc start` and every full checkpoint.
const FEW_OBJECTS: u64 = 1024;

/// Plays a trace to its end. Anomalies are in the heap; an unreadable record ends the replay and is returned beside what
/// was read. `progress` hears now and then how far the reader is. Where reading takes long, a thread of its own reads ahead.
pub fn replay(events: &mut dyn Events, observer: &mut dyn Observer, progress: &mut dyn FnMut(Position)) -> Replayed {
    let mut heap = Heap::new(events.header().clone());
    if heap.is_exact() && observer.follows() {
        heap.follow();
    }
    heap.is_heard = observer.listens();
    let mut player = Play { heap: &mut heap, observer };
    let error = if events.is_quick() {
        read_and_play(events, &mut player, progress)
    } else {
        read_ahead(events, |batch, position| {
            batch.for_each(|event| player.event(event));
            progress(position);
        })
    };
    let ending = match &error {
        Some(error) => Ending::Cut(error.position().unwrap_or_else(|| events.position())),
        None => events.ending(),
    };
    heap.finish(ending, observer);
    let (snapshots, whole_snapshots) = (heap.snapshots, heap.whole_snapshots);
    Replayed { events: heap.now.event, snapshots, whole_snapshots, heap, ending, error }
}

/// Plays all events as they are read. Answers the error that ended it, if one did.
fn read_and_play(
    events: &mut dyn Events,
    player: &mut dyn Player,
    progress: &mut dyn FnMut(Position),
) -> Option<TraceError> {
    loop {
        let more = events.play(player, BATCH);
        progress(events.position());
        match more {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(error),
        }
    }
}

/// What plays events into a heap.
struct Play<'a> {
    heap: &'a mut Heap,
    observer: &'a mut dyn Observer,
}

impl Player for Play<'_> {
    #[inline(always)]
    fn event(&mut self, event: Event) {
        match event {
            Event::Ref { from, to, slot } => self.reference(from, to, slot),
            Event::Unref { from, to, slot } => self.unreference(from, to, slot),
            Event::Alloc { object, address, class, bytes, site } => self.birth(object, address, class, bytes, site),
            Event::Free { object } => self.free(object),
            Event::Incref { object } => self.incref(object),
            Event::Decref { object } => self.decref(object),
            Event::Type(_)
            | Event::Site(_)
            | Event::Text(_)
            | Event::Time { .. }
            | Event::GcStop { .. }
            | Event::GcLooked { .. }
            | Event::GcPause { .. }
            | Event::GcState(_)
            | Event::GcLists { .. }
            | Event::GcMissed { .. }
            | Event::Totals { .. }
            | Event::Interpreters { .. }
            | Event::Searched { .. }
            | Event::Unseen { .. }
            | Event::Stopped(_) => {
                self.heap.turn_without_snapshot(self.observer, |heap, observer| heap.apply_rare(event, observer));
            }
            Event::Retype { .. }
            | Event::Resize { .. }
            | Event::Owns { .. }
            | Event::Dict { .. }
            | Event::Name { .. }
            | Event::Code { .. }
            | Event::Root { .. }
            | Event::Unroot { .. }
            | Event::Count { .. }
            | Event::Unreachable { .. }
            | Event::Hidden { .. }
            | Event::Places { .. }
            | Event::Unchanged { .. }
            | Event::GcStart { .. }
            | Event::Mark(_)
            | Event::Walk(_)
            | Event::Checkpoint(_)
            | Event::End => self.heap.turn(self.observer, |heap, observer| heap.apply_rare(event, observer)),
        }
    }

    fn reference(&mut self, from: Tag, to: Tag, slot: Slot) {
        if !self.heap.fast_turn(|heap| heap.refer_fast(from, to, slot)) {
            self.reference_slow(from, to, slot);
        }
    }

    fn unreference(&mut self, from: Tag, to: Tag, slot: Slot) {
        if !self.heap.fast_turn(|heap| heap.unrefer_fast(from, to, slot)) {
            self.unreference_slow(from, to, slot);
        }
    }

    fn birth(&mut self, object: Tag, address: u64, class: TypeId, bytes: u64, site: SiteId) {
        if !self.heap.fast_turn(|heap| heap.bear_fast(object, address, class, bytes, site)) {
            self.birth_slow(object, address, class, bytes, site);
        }
    }

    fn free(&mut self, object: Tag) {
        if !self.heap.fast_turn(|heap| heap.free_fast(object)) {
            self.free_slow(object);
        }
    }

    fn incref(&mut self, object: Tag) {
        self.heap.turn(self.observer, |heap, _| match heap.resolve(object) {
            Some(place) if heap.is_exact() => heap.raise(place),
            Some(place) => heap.anomaly_of(AnomalyKind::OutsideWalk, place),
            None => {}
        });
    }

    fn decref(&mut self, object: Tag) {
        self.heap.turn(self.observer, |heap, _| match heap.resolve(object) {
            Some(place) if heap.is_exact() => {
                heap.note(Shift::Lowered(ObjectIndex(place)));
                heap.lower(place);
            }
            Some(place) => heap.anomaly_of(AnomalyKind::OutsideWalk, place),
            None => {}
        });
    }
}

/// The common events off the fast path.
impl Play<'_> {
    #[inline(never)]
    fn reference_slow(&mut self, from: Tag, to: Tag, slot: Slot) {
        self.heap.turn(self.observer, |heap, _| {
            if let Some(text) = slot.as_text() {
                heap.check_text(text);
            }
            if heap.is_exact() {
                heap.add_reference(from, to, slot);
            } else if let (Some(from), Some(to)) = (heap.resolve(from), heap.resolve(to)) {
                heap.describe_reference(from, to, slot);
            }
        });
    }

    #[inline(never)]
    fn unreference_slow(&mut self, from: Tag, to: Tag, slot: Slot) {
        self.heap.turn(self.observer, |heap, _| {
            if heap.is_exact() {
                heap.remove_reference(from, to, slot);
            } else if let (Some(from), Some(_)) = (heap.resolve(from), heap.resolve(to)) {
                heap.anomaly_of(AnomalyKind::OutsideWalk, from);
            }
        });
    }

    #[inline(never)]
    fn birth_slow(&mut self, object: Tag, address: u64, class: TypeId, bytes: u64, site: SiteId) {
        self.heap.turn(self.observer, |heap, observer| {
            let class = heap.known_type(class);
            let site = heap.known_site(site);
            let bytes = heap.limited(bytes);
            let address = if heap.identity.is_map() { object.0 } else { address };
            heap.alloc(object, Birth { id: heap.now.event, address, class, site, bytes }, observer);
        });
    }

    #[inline(never)]
    fn free_slow(&mut self, object: Tag) {
        self.heap.turn(self.observer, |heap, observer| heap.free(object, observer));
    }
}

impl Heap {
    /// Plays one event.
    pub fn play(&mut self, event: Event, observer: &mut dyn Observer) {
        self.take_back();
        Play { heap: self, observer }.event(event);
    }

    /// Everything that is done for an event that may change what is garbage.
    #[inline(always)]
    fn turn(&mut self, observer: &mut dyn Observer, change: impl FnOnce(&mut Heap, &mut dyn Observer)) {
        if self.pending_snapshot.is_some() {
            self.snapshot_collection(observer);
        }
        self.turn_without_snapshot(observer, change);
    }

    /// Everything that is done for any event.
    #[inline(always)]
    fn turn_without_snapshot(
        &mut self,
        observer: &mut dyn Observer,
        change: impl FnOnce(&mut Heap, &mut dyn Observer),
    ) {
        self.now.event += 1;
        change(self, observer);
        if self.header.frees == Frees::Implied || self.journal.is_some() {
            self.settle(observer);
            self.tell_followers(observer);
        }
        if self.now.event.is_multiple_of(TIDY) {
            self.tidy(observer);
        }
        self.plan_fast_turns();
    }

    /// Hands on what the event has changed.
    fn tell_followers(&mut self, observer: &mut dyn Observer) {
        let Some(shifts) = self.journal.as_mut().map(std::mem::take).filter(|shifts| !shifts.is_empty()) else {
            return;
        };
        observer.followed(self, &shifts);
        // The same room serves the next event.
        self.journal = Some(shifts).map(|mut room| {
            room.clear();
            room
        });
    }

    /// The trace is over: dying objects are dead, and the last snapshot is taken.
    pub fn finish(&mut self, ending: Ending, observer: &mut dyn Observer) {
        if !self.is_exact() {
            return;
        }
        match ending {
            // Whatever was dying may have had its `free` in the part that is missing.
            Ending::Cut(_) => self.settle(observer),
            Ending::Complete | Ending::Open => self.bury_dying(observer),
        }
        self.tell_followers(observer);
        self.snapshot_all(SnapshotKind::End, observer);
    }

    /// The events that are not worth the room in the hot loop.
    #[inline(never)]
    fn apply_rare(&mut self, event: Event, observer: &mut dyn Observer) {
        match event {
            Event::Type(def) => {
                if self.types.define(def) {
                    self.anomaly(AnomalyKind::Redefined);
                }
            }
            Event::Site(mut site) => {
                site.parent =
                    site.parent.map(|parent| self.known_site(parent)).filter(|&parent| parent != SiteId::NONE);
                if !self.sites.define(site) {
                    self.anomaly(AnomalyKind::Redefined);
                }
            }
            Event::Text(def) => {
                if !self.texts.define(def.id, def.text) {
                    self.anomaly(AnomalyKind::Redefined);
                }
            }
            Event::Retype { object, class } => {
                let Some(place) = self.resolve(object) else { return };
                let class = self.known_type(class);
                self.note_kind(place);
                let old = std::mem::replace(self.objects.class_mut(place), class);
                if old != class && self.state(place).is_live() {
                    let bytes = self.objects.size(place);
                    self.types.remove(old, bytes);
                    self.types.add(class, bytes, true);
                }
            }
            Event::Resize { object, bytes } => {
                let Some(place) = self.resolve(object) else { return };
                let bytes = self.limited(bytes);
                self.change_size(place, |heap| heap.objects.set_bytes(place, bytes));
            }
            Event::Owns { object, bytes } => {
                let Some(place) = self.resolve(object) else { return };
                let bytes = self.limited(bytes);
                self.change_size(place, |heap| heap.objects.set_owned(place, bytes));
            }
            Event::Dict { object, state, capacity } => {
                let Some(place) = self.resolve(object) else { return };
                self.objects.set_dict(place, state, capacity);
            }
            Event::Name { object, name } => {
                let Some(place) = self.resolve(object) else { return };
                self.check_text(name);
                self.note_kind(place);
                self.objects.beside_mut(place).name = Some(name);
            }
            Event::Code { object, site } => {
                let Some(place) = self.resolve(object) else { return };
                let site = self.known_site(site);
                self.note_kind(place);
                self.objects.beside_mut(place).code = Some(site).filter(|&site| site != SiteId::NONE);
            }
            Event::Root { object, name } => {
                let Some(place) = self.resolve(object) else { return };
                self.check_text(name);
                if self.is_exact() { self.root(place, name) } else { self.describe_root(place, name) }
            }
            Event::Unroot { object, name } => {
                let Some(place) = self.resolve(object) else { return };
                self.unroot(place, name);
            }
            Event::Count { object, count, flags } => {
                let Some(place) = self.resolve(object) else { return };
                self.references.tally_mut(place).flags = flags;
                if !self.is_exact() {
                    return self.observe(place, count);
                }
                self.settle(observer);
                if !flags.has(ObjectFlags::IMMORTAL) && count != u64::from(self.references.tally(place).count) {
                    self.anomaly_of(AnomalyKind::CountMismatch, place);
                }
            }
            Event::Hidden { from, to, slot, evidence } => {
                if let Some(text) = slot.as_text() {
                    self.check_text(text);
                }
                let (Some(from), Some(to)) = (self.resolve(from), self.resolve(to)) else { return };
                self.describe_hidden(from, to, slot, evidence);
            }
            Event::Places { object, places } => {
                if let Some(place) = self.resolve(object) {
                    self.describe_places(place, places);
                }
            }
            Event::Unchanged { object, more } => {
                if let Some(place) = self.resolve(object) {
                    self.describe_unchanged(place, more);
                }
            }
            Event::Unreachable { object } => {
                let Some(place) = self.resolve(object) else { return };
                self.reported.named += 1;
                observer.unreachable(self, ObjectIndex(place));
            }
            Event::Totals { class, born, left, bytes } => {
                let class = self.known_type(class);
                let bytes = self.limited(bytes);
                if left > 0 {
                    let class = Some(self.types.name(class));
                    observer.unreachable_unnamed(Unnamed { class, objects: left, bytes, born });
                }
            }
            Event::GcStart { generation } => {
                if std::mem::replace(&mut self.collecting, true) {
                    self.anomaly(AnomalyKind::UnpairedCollection);
                }
                self.collections.runs += 1;
                self.reported = Reported { generation, ..Reported::default() };
                observer.collection_started(self, generation);
                if self.is_exact() {
                    self.pending_snapshot = Some(self.now);
                    if self.is_worth_a_look(self.last_snapshot) {
                        self.snapshot_collection(observer);
                    }
                }
            }
            Event::GcLooked { objects } => {
                self.reported.looked = Some(objects);
                self.tell(observer, Happening::Looked(objects));
            }
            Event::GcPause { ns } => self.reported.pause = Some(ns),
            Event::GcStop { collected, uncollectable } => {
                if !std::mem::replace(&mut self.collecting, false) {
                    self.anomaly(AnomalyKind::UnpairedCollection);
                }
                self.pending_snapshot = None;
                let reported = std::mem::take(&mut self.reported);
                self.collections.add(&reported, collected, uncollectable);
                // Where there are no references, the program's collector is the one who looks.
                if self.header.references == References::None {
                    self.snapshots += 1;
                    self.whole_snapshots += u64::from(reported.generation >= OLDEST);
                    let unnamed = collected.saturating_add(uncollectable).saturating_sub(reported.named);
                    if unnamed > 0 {
                        observer.unreachable_unnamed(Unnamed { objects: unnamed, ..Unnamed::default() });
                    }
                }
                observer.collection_stopped(self);
            }
            Event::GcState(state) => self.tell(observer, Happening::Collector(&state)),
            Event::GcLists { generations, frozen } => self.tell(observer, Happening::Lists { generations, frozen }),
            Event::GcMissed { collections } => {
                let missed = &mut self.blind_spots.missed_collections;
                *missed = missed.saturating_add(collections);
            }
            Event::Interpreters { others } => {
                self.blind_spots.other_interpreters = self.blind_spots.other_interpreters.max(others);
            }
            Event::Searched { objects, unfinished } => {
                self.blind_spots.searched = Some(Searched { objects, unfinished });
            }
            Event::Unseen { since } => {
                let until = self.now.ns.unwrap_or(since);
                self.blind_spots.births_unseen.get_or_insert_default().add(since, until);
            }
            Event::Stopped(reason) => self.blind_spots.stopped = Some(printable(&reason).into()),
            Event::Mark(mark) => {
                if mark.begins_exit() {
                    self.exit_began = Some(self.now.event);
                }
                self.mark = Some(*mark);
                self.tell(observer, Happening::Mark);
            }
            Event::Time { ns } => {
                if self.now.ns.is_some_and(|last| ns < last) {
                    self.anomaly(AnomalyKind::TimeWentBack);
                } else {
                    self.now.ns = Some(ns);
                    observer.time(self);
                }
            }
            Event::Walk(scope) => self.begin_walk(scope),
            Event::Checkpoint(scope) => match (self.is_exact(), scope) {
                (true, Scope::Full) if self.is_worth_a_look(self.last_checkpoint) => {
                    self.last_checkpoint = self.now.event;
                    self.snapshot_all(SnapshotKind::FullCheckpoint, observer);
                }
                (true, Scope::Full) => {}
                // Each snapshot of this form is of the whole heap.
                (true, Scope::Garbage | Scope::Own) => {}
                (false, scope) => {
                    if let Some(graph) = self.end_walk(scope) {
                        if scope == Scope::Full {
                            self.first_look.get_or_insert(self.now.event);
                        }
                        self.blind_spots.own_only |= scope == Scope::Own;
                        let kind =
                            if scope == Scope::Garbage { SnapshotKind::Garbage } else { SnapshotKind::FullCheckpoint };
                        self.show_snapshot(graph, kind, observer);
                    }
                }
            },
            Event::End => {}
            // These are worth it.
            Event::Ref { .. }
            | Event::Unref { .. }
            | Event::Alloc { .. }
            | Event::Free { .. }
            | Event::Incref { .. }
            | Event::Decref { .. } => {}
        }
    }

    fn tell(&mut self, observer: &mut dyn Observer, what: Happening<'_>) {
        if self.is_heard {
            observer.happened(self, what);
        }
    }

    /// Playing the events since `last` took as long as a look at all objects does, or there are few.
    fn is_worth_a_look(&self, last: u64) -> bool {
        self.n_live <= FEW_OBJECTS || self.now.event - last >= self.n_live
    }

    /// The snapshot of the collection that began last, in the heap that it found.
    #[cold]
    fn snapshot_collection(&mut self, observer: &mut dyn Observer) {
        if let Some(began) = self.pending_snapshot {
            let now = std::mem::replace(&mut self.now, began);
            self.snapshot_all(SnapshotKind::CollectionStart, observer);
            self.now = now;
        }
    }

    fn snapshot_all(&mut self, kind: SnapshotKind, observer: &mut dyn Observer) {
        self.pending_snapshot = None;
        self.last_snapshot = self.now.event;
        self.settle(observer);
        let graph = self.freeze();
        self.show_snapshot(graph, kind, observer);
    }

    fn show_snapshot(&mut self, graph: HeapGraph, kind: SnapshotKind, observer: &mut dyn Observer) {
        // Without references, a walk of garbage is a look of the program itself at all of its objects.
        let is_of_program = self.header.references == References::None && kind == SnapshotKind::Garbage;
        if self.header.references.show_garbage() || is_of_program {
            self.snapshots += 1;
            self.whole_snapshots += u64::from(kind != SnapshotKind::Garbage || is_of_program);
        }
        observer.on_snapshot(self, &graph, kind);
        if self.keeps_walks && kind != SnapshotKind::Garbage {
            self.last_walk = graph.into_rows();
        } else {
            drop(graph);
        }
        self.take_back();
    }

    fn change_size(&mut self, place: u32, change: impl FnOnce(&mut Heap)) {
        let old = self.objects.size(place);
        change(self);
        let new = self.objects.size(place);
        if self.state(place).is_live() {
            self.live_bytes = self.live_bytes.wrapping_sub(old).wrapping_add(new);
            self.peak_bytes = self.peak_bytes.max(self.live_bytes);
            self.types.resize(self.objects.class(place), old, new);
        }
    }
}
