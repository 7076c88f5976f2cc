//! Represents the live heap while a trace plays: objects, types, sites, texts, and the moment.
//!
//! Here are the questions that a reader of the heap asks. How events change it is in `replay.rs` (every event),
//! `lifecycle.rs` (references as events) and `checkpoint.rs` (references at checkpoints).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::anomaly::{Anomalies, AnomalyExample, AnomalyKind};
use super::blind_spots::BlindSpots;
use super::checkpoint::Walk;
use super::collections::{Collections, Reported};
use super::graph::Rows;
use super::identity::Identity;
use super::journal::Shift;
use super::label::Named;
use super::names;
use super::objects::Objects;
use super::references::{References, Tally};
use super::state::State;
use super::tables::{SiteTable, TextTable, TypeTable};
use crate::trace::{
    Births, DictState, Frees, Header, Mark, Numbers, ObjectFlags, References as Exactness, Scope, SiteId, Slot, Tag,
    TextId, TypeDef, TypeId,
};

/// An object's place in the heap's table. Used again after the object dies: see [`ObjectId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectIndex(pub u32);

/// An object's number: that of the event that gave it birth. Rises from birth to birth, and never returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub u64);

/// All that is known of one live object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object {
    pub id: ObjectId,
    /// The producer's tag, an address with CPython.
    pub address: u64,
    pub class: TypeId,
    pub site: SiteId,
    /// Bytes of its block, the collector's header included.
    pub bytes: u64,
    /// Bytes of the separate blocks that it alone owns.
    pub owned_bytes: u64,
    /// Observed refcount, or the kept tally. `u32::MAX` stands for that and more, and never falls again.
    pub count: u64,
    pub flags: ObjectFlags,
    pub dict: DictState,
    pub dict_capacity: u32,
}

impl Object {
    /// Of its block, and of those that it owns.
    #[inline]
    pub fn all_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.owned_bytes)
    }
}

/// A moment of the replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Number of the event, from 1; 0 before the first.
    pub event: u64,
    /// Nanoseconds since the start, where the trace has times.
    pub ns: Option<u64>,
}

/// The objects that are alive at one moment of a trace, and what is known of them. 34 bytes an object; with references as
/// events 48, and 12 a reference. 5 to 12 more an object where numbers are not dense. Places of dead objects are used again.
#[derive(Debug)]
pub struct Heap {
    pub(super) header: Header,
    pub(super) objects: Objects,
    pub(super) references: References,
    /// Where `references` is while a frozen graph has it: from [`Heap::lend`] to [`Heap::take_back`].
    lent: Option<Arc<References>>,
    pub(super) identity: Identity,
    pub(super) types: TypeTable,
    pub(super) sites: SiteTable,
    pub(super) texts: TextTable,
    /// Named roots of each place, and how often each.
    pub(super) roots: BTreeMap<(u32, TextId), u32>,
    /// Named roots that the last full walk met; the next one forgets them.
    pub(super) walked_roots: BTreeMap<(u32, TextId), u32>,
    pub(super) anomalies: Anomalies,
    pub(super) now: Now,
    pub(super) mark: Option<Mark>,
    /// Event of the last mark behind which the program ends.
    pub(super) exit_began: Option<u64>,
    pub(super) collections: Collections,
    pub(super) blind_spots: BlindSpots,
    pub(super) reported: Reported,
    /// Between `gc start` and `gc stop`.
    pub(super) collecting: bool,
    /// When the collection at hand began, if its snapshot is not taken yet.
    pub(super) pending_snapshot: Option<Now>,
    /// Events before this number have nothing to do but their own work.
    pub(super) fast_until: u64,
    /// Event of the last snapshot of the whole heap.
    pub(super) last_snapshot: u64,
    /// The same, of the last one at a full checkpoint.
    pub(super) last_checkpoint: u64,
    pub(super) snapshots: u64,
    pub(super) whole_snapshots: u64,
    pub(super) n_live: u64,
    pub(super) live_bytes: u64,
    pub(super) peak_live: u64,
    pub(super) peak_bytes: u64,
    /// Objects that wait for their `free`.
    pub(super) n_dying: u64,
    pub(super) n_husks: u64,
    /// Dying objects whose references still count.
    pub(super) queue: Vec<u32>,
    /// References that may still be counted anew because objects came back from death.
    pub(super) revivals: u64,
    pub(super) walk: Option<Walk>,
    /// Walks of the whole heap may say that an object is as the one before described it.
    pub(super) keeps_walks: bool,
    /// The references that the last walk of the whole heap found, where it is kept and none is going to its end.
    pub(super) last_walk: Option<Rows>,
    /// Of each place that a walk of the whole heap described, where it is kept: the place that it described next, plus one.
    pub(super) order: Vec<u32>,
    /// What a walk of garbage keeps for each place, between two of them: all 0, so that a walk costs what its members do.
    pub(super) member_nodes: Vec<u32>,
    /// What the event at hand has done to the counts, where somebody asks.
    pub(super) journal: Option<Vec<Shift>>,
    /// Somebody [listens](super::Observer::listens).
    pub(super) is_heard: bool,
    /// Event with which the last walk began.
    pub(super) walk_began: u64,
    /// Event of the first checkpoint of the whole heap that shows references.
    pub(super) first_look: Option<u64>,
    /// Objects that will be watched once the snapshot at hand gives the tallies back.
    to_watch: Vec<u32>,
}

impl Heap {
    /// A heap without objects, for the events of a trace with this header.
    pub fn new(mut header: Header) -> Heap {
        names::header(&mut header);
        let blind_spots = BlindSpots { stopped: header.word("stopped").map(str::to_owned), ..BlindSpots::default() };
        let keeps_walks = header.word("walks") == Some("changes");
        let references = References::new(header.references == Exactness::Events);
        let direct = header.numbers == Numbers::Dense && header.frees == Frees::Recorded;
        Heap {
            header,
            objects: Objects::default(),
            references,
            lent: None,
            identity: if direct { Identity::Direct } else { Identity::map() },
            types: TypeTable::default(),
            sites: SiteTable::default(),
            texts: TextTable::default(),
            roots: BTreeMap::new(),
            walked_roots: BTreeMap::new(),
            anomalies: Anomalies::default(),
            now: Now::default(),
            mark: None,
            exit_began: None,
            collections: Collections::default(),
            blind_spots,
            reported: Reported::default(),
            collecting: false,
            pending_snapshot: None,
            fast_until: 0,
            last_snapshot: 0,
            last_checkpoint: 0,
            snapshots: 0,
            whole_snapshots: 0,
            n_live: 0,
            live_bytes: 0,
            peak_live: 0,
            peak_bytes: 0,
            n_dying: 0,
            n_husks: 0,
            queue: Vec::new(),
            revivals: 0,
            walk: None,
            keeps_walks,
            last_walk: None,
            order: Vec::new(),
            member_nodes: Vec::new(),
            journal: None,
            is_heard: false,
            walk_began: 0,
            first_look: None,
            to_watch: Vec::new(),
        }
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    pub fn n_live(&self) -> u64 {
        self.n_live
    }

    /// Bytes of all live objects with the blocks that they own.
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Most objects, and most bytes, that were ever alive at once; not always at the same moment.
    pub fn peak(&self) -> (u64, u64) {
        (self.peak_live, self.peak_bytes)
    }

    /// The live objects, in the order of their places. An object whose tally has returned to zero is not among them,
    /// even before its `free`.
    pub fn objects(&self) -> impl Iterator<Item = ObjectIndex> + '_ {
        let places = 0..self.objects.len() as u32;
        places.filter(|&place| self.known(place).state.is_live()).map(ObjectIndex)
    }

    /// Bytes from which on an object is [large](Heap::large_objects): fewer fit its record.
    pub const LARGE: u64 = (1 << 16) - 1;

    /// The live objects with a block, or memory of their own, of at least [`Heap::LARGE`] bytes, in the order of their places.
    pub fn large_objects(&self) -> impl Iterator<Item = ObjectIndex> + use<> {
        let mut places: Vec<u32> = self.objects.large().filter(|&place| self.known(place).state.is_live()).collect();
        places.sort_unstable();
        places.into_iter().map(ObjectIndex)
    }

    /// What is known of a live object. Panics if there was never an object at this place.
    #[inline]
    pub fn object(&self, index: ObjectIndex) -> Object {
        let place = index.0;
        let (dict, dict_capacity) = self.objects.dict(place);
        let tally = self.known(place);
        Object {
            id: self.id(index),
            address: self.objects.address(place),
            class: self.objects.class(place),
            site: self.objects.site(place),
            bytes: self.objects.bytes(place),
            owned_bytes: self.objects.owned(place),
            count: u64::from(tally.count),
            flags: tally.flags,
            dict,
            dict_capacity,
        }
    }

    /// The type of an object, as in [`Heap::object`].
    #[inline]
    pub fn class(&self, index: ObjectIndex) -> TypeId {
        self.objects.class(index.0)
    }

    /// Bytes of an object's own block, and of those that it owns, as in [`Heap::object`].
    #[inline]
    pub fn bytes(&self, index: ObjectIndex) -> (u64, u64) {
        (self.objects.bytes(index.0), self.objects.owned(index.0))
    }

    /// The same together, as [`Object::all_bytes`].
    #[inline]
    pub fn all_bytes(&self, index: ObjectIndex) -> u64 {
        let (own, owned) = self.bytes(index);
        own.saturating_add(owned)
    }

    #[inline]
    pub fn id(&self, index: ObjectIndex) -> ObjectId {
        ObjectId(self.objects.id(index.0))
    }

    /// The live object with this address (the producer's own tag). A search through all objects with dense numbers.
    pub fn find(&self, address: u64) -> Option<ObjectIndex> {
        match &self.identity {
            Identity::Map { .. } => {
                let place = self.identity.find(address, &self.objects)?;
                self.known(place).state.is_live().then_some(ObjectIndex(place))
            }
            _ => self.objects().find(|index| self.objects.address(index.0) == address),
        }
    }

    /// What a module or a class is called.
    pub fn name(&self, index: ObjectIndex) -> Option<&str> {
        self.objects.beside(index.0).name.map(|name| self.text(name))
    }

    /// Where the code is defined that a function, frame, generator, coroutine or code object runs.
    pub fn code(&self, index: ObjectIndex) -> Option<SiteId> {
        self.objects.beside(index.0).code
    }

    /// What is known of an object, as far as its label needs it.
    pub fn named(&self, index: ObjectIndex) -> Named<'_> {
        let class = self.class(index);
        let code = self.code(index).and_then(|site| self.sites.get(site));
        Named {
            type_name: self.types.name(class),
            type_flags: self.types.get(class).map(|class| class.flags).unwrap_or_default(),
            code: code.map(|site| self.text(site.function)),
            name: self.name(index),
        }
    }

    /// Names of its roots, sorted by number of the text, each once.
    pub fn root_names(&self, index: ObjectIndex) -> Vec<&str> {
        if !self.known(index.0).state.has(State::ROOTED) {
            return Vec::new();
        }
        let names = names_of(index.0);
        let mut texts: Vec<TextId> = self.roots.range(names.clone()).map(|(&(_, name), _)| name).collect();
        texts.extend(self.walked_roots.range(names).map(|(&(_, name), _)| name));
        texts.sort_unstable();
        texts.dedup();
        texts.into_iter().map(|text| self.text(text)).collect()
    }

    /// Number of the event with which the last walk began: with every birth in the log, what is met later was born at some
    /// time before.
    pub fn walk_began(&self) -> u64 {
        self.walk_began
    }

    /// Whether the last walk of the whole heap met this object, with references at checkpoints.
    pub fn is_met(&self, index: ObjectIndex) -> bool {
        self.known(index.0).state.has(State::SEEN)
    }

    /// Whether it was made before the recording began: no stack is known of what was there as a recorder was attached.
    pub fn was_there(&self, index: ObjectIndex) -> bool {
        let header = &self.header;
        header.word("attached").is_some()
            && header.births != Births::Garbage
            && self.object(index).site == SiteId::NONE
            && self.first_look.is_none_or(|first| self.id(index).0 < first)
    }

    /// What the walk that is being described is of: who is born meanwhile was there before.
    pub fn walk(&self) -> Option<Scope> {
        self.walk.as_ref().map(|walk| walk.scope)
    }

    pub fn types(&self) -> &TypeTable {
        &self.types
    }

    /// Whether C code made the type, as far as the trace tells.
    pub fn is_of_c(&self, def: &TypeDef) -> bool {
        // Nobody but the recorder writes such a trace, and it may hold no class of a statement.
        self.types.is_of_c(def, self.header.births == Births::Garbage)
    }

    pub fn sites(&self) -> &SiteTable {
        &self.sites
    }

    /// An interned text; empty if it is not known.
    pub fn text(&self, id: TextId) -> &str {
        self.texts.get(id)
    }

    /// The slot with this name, if the trace has it: `.items`, `key`. Costs a look at each text.
    pub fn slot(&self, name: &str) -> Option<Slot> {
        self.texts.find(name).map(Slot::text)
    }

    /// `.items`, `[3]`; empty for an unnamed slot.
    pub fn slot_name(&self, slot: Slot) -> Cow<'_, str> {
        match (slot.as_index(), slot.as_text()) {
            (Some(index), _) => Cow::Owned(format!("[{index}]")),
            (None, Some(text)) => Cow::Borrowed(self.text(text)),
            (None, None) => Cow::Borrowed(""),
        }
    }

    pub fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The event that was played last.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The phase that the program is in.
    pub fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    /// Whether it was there as the program began to end, if that is so far.
    pub fn was_there_at_exit(&self, object: ObjectIndex) -> bool {
        self.exit_began.is_some_and(|exit| self.id(object).0 < exit)
    }

    pub fn collections(&self) -> &Collections {
        &self.collections
    }

    /// What the recorder did not see.
    pub fn blind_spots(&self) -> &BlindSpots {
        &self.blind_spots
    }

    /// Number of the last event that lowered the tally and left it above zero. With references as events only.
    pub fn last_release(&self, index: ObjectIndex) -> Option<u64> {
        self.lent.as_deref().unwrap_or(&self.references).release(index.0)
    }

    /// Asks for [`Observer::freed`](super::Observer::freed) when this object dies.
    pub fn watch(&mut self, index: ObjectIndex) {
        if (index.0 as usize) >= self.objects.len() || !self.known(index.0).state.is_live() {
            return;
        }
        match self.lent {
            Some(_) => self.to_watch.push(index.0),
            None => self.set(index.0, State::WATCHED, true),
        }
    }

    /// Gives the references to a graph that is shown next, without a copy. No event is played before
    /// [`Heap::take_back`].
    pub(super) fn lend(&mut self) -> Arc<References> {
        let lent = Arc::new(std::mem::take(&mut self.references));
        self.lent = Some(Arc::clone(&lent));
        lent
    }

    /// The snapshot is over. A graph that somebody has kept makes this a copy.
    pub(super) fn take_back(&mut self) {
        if let Some(lent) = self.lent.take() {
            self.references = Arc::unwrap_or_clone(lent);
        }
        while let Some(place) = self.to_watch.pop() {
            self.set(place, State::WATCHED, true);
        }
    }

    /// The tally of a place, for whoever asks while a graph may have it.
    #[inline]
    fn known(&self, place: u32) -> &Tally {
        self.lent.as_deref().unwrap_or(&self.references).tally(place)
    }

    #[inline]
    pub(super) fn state(&self, place: u32) -> State {
        self.references.tally(place).state
    }

    /// Changes what the place is used for, and leaves the flags.
    #[inline]
    pub(super) fn set_life(&mut self, place: u32, life: State) {
        self.references.tally_mut(place).state.set_life(life);
    }

    #[inline]
    pub(super) fn set(&mut self, place: u32, flag: State, on: bool) {
        self.references.tally_mut(place).state.set(flag, on);
    }

    /// The place of an object that is alive, or waits for its `free`; an anomaly if there is none.
    #[inline(always)]
    pub(super) fn resolve(&mut self, tag: Tag) -> Option<u32> {
        let place = self.lookup(tag);
        if place.is_none() {
            self.unknown(tag);
        }
        place
    }

    #[inline(always)]
    pub(super) fn lookup(&mut self, tag: Tag) -> Option<u32> {
        let place = self.identity.get(tag.0, &self.objects)?;
        self.references.get(place)?.state.is_there().then_some(place)
    }

    #[cold]
    fn unknown(&mut self, tag: Tag) {
        let dead = self.identity.is_dead(tag.0, self.objects.len());
        let kind = if dead { AnomalyKind::UseAfterFree } else { AnomalyKind::UnknownObject };
        self.anomalies.add(kind, AnomalyExample::of_log(self.now.event, Some(tag.0)));
    }

    /// An anomaly of one object.
    #[cold]
    pub(super) fn anomaly_of(&mut self, kind: AnomalyKind, place: u32) {
        let example = AnomalyExample::of(self.now.event, self.object(ObjectIndex(place)));
        self.anomalies.add(kind, example);
    }

    /// An anomaly of the log itself.
    #[cold]
    pub(super) fn anomaly(&mut self, kind: AnomalyKind) {
        self.anomalies.add(kind, AnomalyExample::of_log(self.now.event, None));
    }
}

/// Keys of all names of one place.
pub(super) fn names_of(place: u32) -> std::ops::RangeInclusive<(u32, TextId)> {
    (place, TextId(0))..=(place, TextId(u32::MAX))
}
