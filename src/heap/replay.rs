//! Events become objects: plays a trace into a [`Heap`], and asks for a judgement where one falls.

use super::anomaly::AnomalyKind;
use super::graph::HeapGraph;
use super::model::{Heap, ObjectIndex, Reported};
use super::objects::Birth;
use super::read_ahead::read_ahead;
use crate::trace::{
    Ending, Event, Events, Frees, ObjectFlags, Player, Position, References, Scope, SiteId, Slot, Tag, TraceError,
    TypeId,
};

/// When a judgement falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// `checkpoint full`: the graph is the whole heap.
    FullCheckpoint,
    /// `checkpoint garbage`: the graph is those objects only, compactly numbered.
    Garbage,
    /// `gc start`, with references as events: the graph is the whole heap. A collection that changes nothing has none
    /// where so few events have passed that looking at all objects would take longer than playing them; what is garbage
    /// then is still so at the next judgement.
    CollectionStart,
    /// The trace is over, with references as events: the graph is the whole heap.
    End,
}

/// What looks at the heap while a trace plays.
pub trait Watch {
    /// A judgement falls. The graph is lent: one that is kept makes the heap copy its references when the trace goes on.
    fn judge(&mut self, heap: &mut Heap, graph: &HeapGraph, moment: Moment);

    /// An object that is [watched](Heap::watch) dies; it is still in its place.
    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        let _ = (heap, object, by_collector);
    }

    /// The log says that the program's own collector found an object unreachable.
    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        let _ = (heap, object);
    }

    /// The program's collector found so many unreachable objects more than the log names.
    fn unreachable_unnamed(&mut self, objects: u64) {
        let _ = objects;
    }
}

/// Looks at nothing.
impl Watch for () {
    fn judge(&mut self, _: &mut Heap, _: &HeapGraph, _: Moment) {}
}

/// Both, the first one first.
impl<A: Watch, B: Watch> Watch for (A, B) {
    fn judge(&mut self, heap: &mut Heap, graph: &HeapGraph, moment: Moment) {
        self.0.judge(heap, graph, moment);
        self.1.judge(heap, graph, moment);
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        self.0.freed(heap, object, by_collector);
        self.1.freed(heap, object, by_collector);
    }

    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        self.0.unreachable(heap, object);
        self.1.unreachable(heap, object);
    }

    fn unreachable_unnamed(&mut self, objects: u64) {
        self.0.unreachable_unnamed(objects);
        self.1.unreachable_unnamed(objects);
    }
}

impl<W: Watch + ?Sized> Watch for &mut W {
    fn judge(&mut self, heap: &mut Heap, graph: &HeapGraph, moment: Moment) {
        (**self).judge(heap, graph, moment);
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        (**self).freed(heap, object, by_collector);
    }

    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        (**self).unreachable(heap, object);
    }

    fn unreachable_unnamed(&mut self, objects: u64) {
        (**self).unreachable_unnamed(objects);
    }
}

/// What is left when a trace is over.
#[derive(Debug)]
pub struct Replayed {
    pub heap: Heap,
    pub ending: Ending,
    /// The record that could not be read, at which the replay ended.
    pub error: Option<TraceError>,
    /// Number of events that were played.
    pub events: u64,
    /// Number of judgements that fell. None: the trace says nothing of what was garbage.
    pub judgements: u64,
    /// Those of them that were of the whole heap.
    pub whole_judgements: u64,
}

/// Between two tidyings of the heap.
pub(super) const TIDY: u64 = 1 << 16;
/// Events between two reports of progress.
const BATCH: usize = 4096;
/// A collection of this generation, or an older one, looks at all objects.
const OLDEST: u8 = 2;
/// A heap of so many objects is judged at every `gc start`.
const FEW_OBJECTS: u64 = 1024;

/// Plays a trace to its end. Anomalies are in the heap; an unreadable record ends the replay and is returned beside what
/// was read. `progress` hears now and then how far the reader is. Where reading takes long, a thread of its own reads ahead.
pub fn replay(events: &mut dyn Events, watch: &mut dyn Watch, progress: &mut dyn FnMut(Position)) -> Replayed {
    let mut heap = Heap::new(events.header().clone());
    let mut player = Play { heap: &mut heap, watch };
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
    heap.finish(ending, watch);
    let (judgements, whole_judgements) = (heap.judgements, heap.whole_judgements);
    Replayed { events: heap.now.event, judgements, whole_judgements, heap, ending, error }
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
    watch: &'a mut dyn Watch,
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
            Event::Type(_) | Event::Site(_) | Event::Text(_) | Event::Time { .. } | Event::GcStop { .. } => {
                self.heap.turn_quietly(self.watch, |heap, watch| heap.apply_rare(event, watch));
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
            | Event::GcStart { .. }
            | Event::Mark(_)
            | Event::Walk(_)
            | Event::Checkpoint(_)
            | Event::End => self.heap.turn(self.watch, |heap, watch| heap.apply_rare(event, watch)),
        }
    }

    fn reference(&mut self, from: Tag, to: Tag, slot: Slot) {
        if !self.heap.plain_turn(|heap| heap.refer_plainly(from, to, slot)) {
            self.reference_not_plain(from, to, slot);
        }
    }

    fn unreference(&mut self, from: Tag, to: Tag, slot: Slot) {
        if !self.heap.plain_turn(|heap| heap.unrefer_plainly(from, to, slot)) {
            self.unreference_not_plain(from, to, slot);
        }
    }

    fn birth(&mut self, object: Tag, address: u64, class: TypeId, bytes: u64, site: SiteId) {
        if !self.heap.plain_turn(|heap| heap.bear_plainly(object, address, class, bytes, site)) {
            self.birth_not_plain(object, address, class, bytes, site);
        }
    }

    fn free(&mut self, object: Tag) {
        if !self.heap.plain_turn(|heap| heap.free_plainly(object)) {
            self.free_not_plain(object);
        }
    }

    fn incref(&mut self, object: Tag) {
        self.heap.turn(self.watch, |heap, _| match heap.resolve(object) {
            Some(place) if heap.is_exact() => heap.raise(place),
            Some(place) => heap.anomaly_of(AnomalyKind::OutsideWalk, place),
            None => {}
        });
    }

    fn decref(&mut self, object: Tag) {
        self.heap.turn(self.watch, |heap, _| match heap.resolve(object) {
            Some(place) if heap.is_exact() => heap.lower(place),
            Some(place) => heap.anomaly_of(AnomalyKind::OutsideWalk, place),
            None => {}
        });
    }
}

/// The common events where they are not plain.
impl Play<'_> {
    #[inline(never)]
    fn reference_not_plain(&mut self, from: Tag, to: Tag, slot: Slot) {
        self.heap.turn(self.watch, |heap, _| {
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
    fn unreference_not_plain(&mut self, from: Tag, to: Tag, slot: Slot) {
        self.heap.turn(self.watch, |heap, _| {
            if heap.is_exact() {
                heap.remove_reference(from, to, slot);
            } else if let (Some(from), Some(_)) = (heap.resolve(from), heap.resolve(to)) {
                heap.anomaly_of(AnomalyKind::OutsideWalk, from);
            }
        });
    }

    #[inline(never)]
    fn birth_not_plain(&mut self, object: Tag, address: u64, class: TypeId, bytes: u64, site: SiteId) {
        self.heap.turn(self.watch, |heap, watch| {
            let class = heap.known_type(class);
            let site = heap.known_site(site);
            let bytes = heap.limited(bytes);
            let address = if heap.identity.is_map() { object.0 } else { address };
            heap.alloc(object, Birth { id: heap.now.event, address, class, site, bytes }, watch);
        });
    }

    #[inline(never)]
    fn free_not_plain(&mut self, object: Tag) {
        self.heap.turn(self.watch, |heap, watch| heap.free(object, watch));
    }
}

impl Heap {
    /// Plays one event.
    pub fn play(&mut self, event: Event, watch: &mut dyn Watch) {
        self.take_back();
        Play { heap: self, watch }.event(event);
    }

    /// Everything that is done for an event that may change what is garbage.
    #[inline(always)]
    fn turn(&mut self, watch: &mut dyn Watch, change: impl FnOnce(&mut Heap, &mut dyn Watch)) {
        if self.unjudged.is_some() {
            self.judge_collection(watch);
        }
        self.turn_quietly(watch, change);
    }

    /// Everything that is done for any event.
    #[inline(always)]
    fn turn_quietly(&mut self, watch: &mut dyn Watch, change: impl FnOnce(&mut Heap, &mut dyn Watch)) {
        self.now.event += 1;
        change(self, watch);
        if self.header.frees == Frees::Implied {
            self.settle(watch);
        }
        if self.now.event.is_multiple_of(TIDY) {
            self.tidy(watch);
        }
        self.plan_turns();
    }

    /// The trace is over: dying objects are dead, and the last judgement falls.
    pub fn finish(&mut self, ending: Ending, watch: &mut dyn Watch) {
        if !self.is_exact() {
            return;
        }
        match ending {
            // Whatever was dying may have had its `free` in the part that is missing.
            Ending::Cut(_) => self.settle(watch),
            Ending::Complete | Ending::Open => self.bury_dying(watch),
        }
        self.judge_all(Moment::End, watch);
    }

    /// The events that are not worth the room in the hot loop.
    #[inline(never)]
    fn apply_rare(&mut self, event: Event, watch: &mut dyn Watch) {
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
                self.objects.beside_mut(place).name = Some(name);
            }
            Event::Code { object, site } => {
                let Some(place) = self.resolve(object) else { return };
                let site = self.known_site(site);
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
                self.settle(watch);
                if !flags.has(ObjectFlags::IMMORTAL) && count != u64::from(self.references.tally(place).count) {
                    self.anomaly_of(AnomalyKind::CountMismatch, place);
                }
            }
            Event::Unreachable { object } => {
                let Some(place) = self.resolve(object) else { return };
                self.reported.named += 1;
                watch.unreachable(self, ObjectIndex(place));
            }
            Event::GcStart { generation } => {
                if std::mem::replace(&mut self.collecting, true) {
                    self.anomaly(AnomalyKind::UnpairedCollection);
                }
                self.collections.runs += 1;
                self.reported = Reported { generation, named: 0 };
                if self.is_exact() {
                    self.unjudged = Some(self.now);
                    if self.n_live <= FEW_OBJECTS || self.now.event - self.judged_at >= self.n_live {
                        self.judge_collection(watch);
                    }
                }
            }
            Event::GcStop { collected, uncollectable } => {
                if !std::mem::replace(&mut self.collecting, false) {
                    self.anomaly(AnomalyKind::UnpairedCollection);
                }
                self.unjudged = None;
                // Where there are no references, the program's collector is the one who judges.
                if self.header.references == References::None {
                    self.judgements += 1;
                    let reported = std::mem::take(&mut self.reported);
                    self.whole_judgements += u64::from(reported.generation >= OLDEST);
                    let unnamed = collected.saturating_add(uncollectable).saturating_sub(reported.named);
                    if unnamed > 0 {
                        watch.unreachable_unnamed(unnamed);
                    }
                }
                let collections = &mut self.collections;
                collections.collected = collections.collected.saturating_add(collected);
                collections.uncollectable = collections.uncollectable.saturating_add(uncollectable);
            }
            Event::Mark(mark) => self.mark = Some(*mark),
            Event::Time { ns } => {
                if self.now.ns.is_some_and(|last| ns < last) {
                    self.anomaly(AnomalyKind::TimeWentBack);
                } else {
                    self.now.ns = Some(ns);
                }
            }
            Event::Walk(scope) => self.begin_walk(scope),
            Event::Checkpoint(scope) => match (self.is_exact(), scope) {
                (true, Scope::Full) => self.judge_all(Moment::FullCheckpoint, watch),
                // Each judgement of this form is of the whole heap.
                (true, Scope::Garbage) => {}
                (false, scope) => {
                    if let Some(graph) = self.end_walk(scope) {
                        let moment = if scope == Scope::Full { Moment::FullCheckpoint } else { Moment::Garbage };
                        self.judge(graph, moment, watch);
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

    /// The judgement of the collection that began last, in the heap that it found.
    #[cold]
    fn judge_collection(&mut self, watch: &mut dyn Watch) {
        if let Some(began) = self.unjudged {
            let now = std::mem::replace(&mut self.now, began);
            self.judge_all(Moment::CollectionStart, watch);
            self.now = now;
        }
    }

    fn judge_all(&mut self, moment: Moment, watch: &mut dyn Watch) {
        self.unjudged = None;
        self.judged_at = self.now.event;
        self.settle(watch);
        let graph = self.freeze();
        self.judge(graph, moment, watch);
    }

    fn judge(&mut self, graph: HeapGraph, moment: Moment, watch: &mut dyn Watch) {
        self.judgements += 1;
        self.whole_judgements += u64::from(moment != Moment::Garbage);
        watch.judge(self, &graph, moment);
        drop(graph);
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
