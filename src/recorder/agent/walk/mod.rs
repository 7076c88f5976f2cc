//! Walks the heap: writes what CPython's memory holds as the records of a `walk … checkpoint`, into a [`Sink`].
//!
//! Which references there are, `tp_traverse` alone says, as it does to the collector; the names are read from memory
//! beside it (`slot_names`, `frames`), and a version without a row in `cpython/` gets no walk rather than a wrong one. A walk runs
//! under the GIL, calls nothing that could run Python code, takes no reference, and allocates outside Python's allocators.
//!
//! # Safety
//! Each `unsafe fn` of the walk wants the interpreter's lock held, and no collection going on: then every address that it
//! gets from an object, from the collector's lists or from a frame is that of a live object.

mod aside;
mod class_changes;
mod class_statements;
mod classes;
mod describe;
mod edges;
mod everywhere;
mod frames;
mod garbage;
mod interpreter_variables;
mod labels;
mod leaking;
mod object_records;
mod place_kinds;
mod roots;
mod search;
mod slot_names;
mod survey;
mod targets;
mod types;
mod unshown;
mod variables;

use std::cell::Cell;

use crate::address_map::AddressMap;
use crate::cpython::gc_lists::{GcLists, Stretch, each_object};
use crate::cpython::gc_state::GcState;
use crate::cpython::gc_stats::GcStats;
use crate::cpython::interned;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::GC_HEAD;
use crate::cpython::versions::CPython;
use crate::layouts::Found;
use crate::memory;
use crate::memory::{Gather, Grow};
use crate::sink::Sink;
use classes::{Class, Kinds};
use describe::{Reach, Walk};
use edges::Edges;
use place_kinds::PlaceKind;
use survey::Survey;

/// Keys of dicts that are data, not names in the source, are written out up to this many per process; then `[str]`.
const DATA_KEYS: usize = 200_000;
/// Scopes of the records `walk` and `checkpoint`.
const FULL: u8 = 0;
const GARBAGE: u8 = 1;
const OWN: u8 = 2;

/// What is known of the interpreter.
#[derive(Debug)]
struct Context {
    interpreter: Interpreter,
    kinds: Kinds,
    gc_lists: GcLists,
    /// Objects of the recorder itself: what they hold is not counted.
    own: Vec<usize>,
    /// Whether the keys of dicts are written that are not names of attributes.
    keys: bool,
    data_keys: Cell<usize>,
}

/// Memory that the walks use again.
#[derive(Debug, Default)]
struct Scratch {
    classes: Vec<Class>,
    class_numbers: AddressMap<u32>,
    /// Labels by name object and form.
    labels: AddressMap<u32>,
    fixed: AddressMap<u32>,
    sites: AddressMap<u32>,
    /// The code that a closure tuple belongs to.
    closures: AddressMap<usize>,
    /// References that the recorder's own objects hold.
    own_references: AddressMap<u32>,
    /// The only objects that the walk describes, if it is one of garbage.
    members: AddressMap<u32>,
    edges: Edges,
    numbers: Vec<u64>,
    /// What the layout of an object's type says that it refers to.
    unshown: Found,
    /// What the search for hidden references needs to know, if there is to be one.
    survey: Survey,
    /// Kinds of places whose holders were seen to let go, by the number of their class.
    owned_kinds: Vec<(u32, PlaceKind)>,
    /// Walks of the whole heap so far.
    full_walks: u32,
    /// Classes, by number, whose objects were looked for in all memory: of how many on they are looked for again.
    looked_for: AddressMap<u32>,
    /// Untracked objects that were met and not yet described.
    queue: Vec<usize>,
    /// Tuples of cells that were met before their functions, and dicts that were met before whose attributes they have.
    deferred: Vec<usize>,
    /// Dicts of attributes: of instances, classes and modules, and the globals of functions.
    namespaces: AddressMap<u32>,
    text: Vec<u8>,
    candidates: garbage::Candidates,
    /// Whose a class or a code object is, as far as it was asked, and how many are known.
    homes: AddressMap<u32>,
    n_homes: usize,
    /// Classes by the address of the key table that their instances share.
    key_tables: AddressMap<usize>,
    /// Dicts that share another key table than that of their instance's class: the class, and the table.
    strange_keys: Vec<(usize, usize)>,
    /// Classes that instances were given in place of each other, by number, each with the name of the other.
    exchanged: Vec<(u32, String)>,
    /// Hash of the definition that was written last, by class.
    definitions: AddressMap<usize>,
}

impl Scratch {
    /// Gives big memory back.
    fn shrink(&mut self) {
        const KEPT: usize = 1 << 16;
        self.edges.shrink(KEPT);
        self.numbers.clear();
        self.numbers.shrink_to(KEPT);
        self.unshown.shrink_to(KEPT);
        self.queue.shrink_to(KEPT);
        self.deferred.shrink_to(KEPT);
        self.members.clear();
        self.closures.clear();
        self.namespaces.clear();
        self.labels.clear();
        self.sites.clear();
    }
}

/// Walks the heap. It is made once per process.
#[derive(Debug)]
pub(crate) struct Walker {
    context: Context,
    scratch: Scratch,
}

impl Walker {
    /// What a walk needs to know of this interpreter.
    ///
    /// # Errors
    /// A sentence, when something was not found in it.
    ///
    /// # Safety
    /// The GIL is held, and it is a 64-bit build with a GIL.
    pub(crate) unsafe fn new(row: &'static CPython, keys: bool) -> Result<Walker, &'static str> {
        const INCOMPLETE: &str = "the heap cannot be walked: this Python exports too little of itself";
        const NO_LISTS: &str = "the heap cannot be walked: the lists of the cyclic collector were not found";
        // SAFETY: as the caller promises, the lock is held and no collection is going on.
        unsafe {
            let interpreter = Interpreter::resolve(row).ok_or(INCOMPLETE)?;
            let gc_lists = GcLists::find(&interpreter).ok_or(NO_LISTS)?;
            let context = Context {
                kinds: Kinds::new(&interpreter),
                interpreter,
                gc_lists,
                own: Vec::new(),
                keys,
                data_keys: Cell::new(0),
            };
            Ok(Walker { context, scratch: Scratch::default() })
        }
    }

    fn walk<'a, S: Sink>(&'a mut self, sink: &'a mut S, reach: Reach) -> Walk<'a, S> {
        Walk { sink, context: &self.context, scratch: &mut self.scratch, reach, owners_met: false }
    }

    /// Does not count what these objects hold. They are the recorder's own, and stay alive.
    pub(crate) fn leave_out(&mut self, objects: &[usize]) {
        self.context.own.add_all(objects);
    }

    /// The interpreter's own dict of interned strings, where the collector tracks it: it counts none of its references.
    ///
    /// # Safety
    /// The GIL is held, and no collection is going on.
    pub(crate) unsafe fn interned_strings(&self) -> Option<usize> {
        // SAFETY: as the caller promises, the lock is held and no collection is going on.
        unsafe { interned::find(&self.context.interpreter, self.context.gc_lists) }
    }

    /// Writes `walk full … checkpoint full`: every tracked object, and every untracked one that can be reached from them.
    /// With a `search`, the memory of objects is looked through for references that they do not show.
    ///
    /// # Safety
    /// The GIL is held, and no collection is going on.
    pub(crate) unsafe fn full<S: Sink>(&mut self, sink: &mut S, search: bool) {
        let mut walk = self.walk(sink, Reach::All);
        // SAFETY: as the caller promises, the lock is held and no collection is going on.
        unsafe {
            walk.begin(FULL);
            walk.scratch.full_walks = walk.scratch.full_walks.saturating_add(1);
            if search {
                walk.scratch.survey.begin();
            }
            for head in walk.context.gc_lists.all() {
                each_object(head, |object| {
                    walk.describe_tracked(object);
                    walk.drain();
                });
            }
            walk.describe_deferred();
            walk.roots();
            walk.drain();
            walk.find_exchanges();
            walk.write_unchanged();
            walk.search();
        }
        walk.end(FULL);
    }

    /// Writes `walk garbage … checkpoint garbage` if the collection of `generation` that begins is going to find
    /// anything: the objects that it will find unreachable, and those that only they hold.
    ///
    /// References to objects outside are left out: they are alive, and say nothing about these. Answers how many tracked
    /// objects it found.
    ///
    /// # Safety
    /// The GIL is held; no collection is going on, or the collector has called `gc.callbacks` with `start` and not begun.
    pub(crate) unsafe fn garbage<S: Sink>(&mut self, sink: &mut S, generation: u8) -> usize {
        let stretches: Vec<Stretch> = self.context.gc_lists.young(usize::from(generation)).map(Stretch::whole).gather();
        // SAFETY: as the caller promises.
        unsafe { self.search(sink, &stretches, false) }
    }

    /// As [`Walker::garbage`], of what was made after this object; of the two younger generations, where more than one
    /// collection has moved it on meanwhile.
    ///
    /// # Safety
    /// The GIL is held, no collection is going on, and the object is alive and has a head of the collector.
    pub(crate) unsafe fn garbage_since<S: Sink>(&mut self, sink: &mut S, object: usize) -> usize {
        // SAFETY: as the caller promises.
        unsafe {
            let [young, middle] = [0, 1].map(|generation| self.context.gc_lists.head(generation));
            if let Some(behind) = Stretch::behind(object - GC_HEAD, young) {
                return self.search(sink, &[behind], false);
            }
            // A collection adds what it leaves alive to the end of the next list, in their order or later.
            match Stretch::behind(object - GC_HEAD, middle) {
                Some(behind) => self.search(sink, &[Stretch::whole(young), behind], false),
                None => self.garbage(sink, 1),
            }
        }
    }

    /// Writes `walk garbage … checkpoint garbage` of all garbage that there is, frozen objects included, and also where
    /// there is none: then it is known that there is none. Answers as [`Walker::garbage`].
    ///
    /// # Safety
    /// The GIL is held, and no collection is going on.
    pub(crate) unsafe fn all_garbage<S: Sink>(&mut self, sink: &mut S) -> usize {
        let everything = self.everything();
        // SAFETY: as the caller promises.
        unsafe { self.search(sink, &everything, true) }
    }

    /// All lists, frozen objects included.
    fn everything(&self) -> Vec<Stretch> {
        self.context.gc_lists.all().map(Stretch::whole).gather()
    }

    unsafe fn search<S: Sink>(&mut self, sink: &mut S, stretches: &[Stretch], always: bool) -> usize {
        let mut found = std::mem::take(&mut self.scratch.candidates);
        // SAFETY: as the caller promises, the lock is held and no collection is going on.
        unsafe {
            found.search(&self.context.interpreter, stretches);
            if memory::is_refused() {
                found.unreachable.clear();
            }
            found.unreachable.retain(|&object| !sink.hidden(object));
            if always || !found.unreachable.is_empty() {
                self.describe_garbage(sink, &found.unreachable);
            }
        }
        let number = found.unreachable.len();
        found.forget();
        self.scratch.candidates = found;
        number
    }

    /// How many objects the last search looked at.
    pub(crate) fn looked(&self) -> u64 {
        self.scratch.candidates.looked
    }

    /// Writes `walk own … checkpoint own` of a process that a fork made: what was born in it, and all garbage that there is,
    /// frozen objects included. The heap is only read, so what the processes share stays shared.
    ///
    /// # Safety
    /// The GIL is held, and no collection is going on.
    pub(crate) unsafe fn own<S: Sink>(&mut self, sink: &mut S) {
        // SAFETY: as the caller promises, the lock is held and no collection is going on.
        unsafe {
            let mut unreachable = aside::unreachable(&self.context.interpreter, self.context.gc_lists);
            unreachable.retain(|&object| !sink.hidden(object));
            let mut walk = self.walk(sink, Reach::Own);
            walk.begin(OWN);
            for object in walk.add_members(&unreachable) {
                walk.queue(object);
            }
            walk.drain();
            for head in walk.context.gc_lists.all() {
                each_object(head, |object| {
                    if walk.is_told(object) {
                        walk.describe_tracked(object);
                        walk.drain();
                    }
                });
            }
            walk.describe_deferred();
            walk.roots();
            walk.drain();
            walk.find_exchanges();
            walk.end(OWN);
        }
    }

    /// What is unreachable, and what only that holds: the numbers of their classes, by their blocks.
    ///
    /// # Safety
    /// The GIL is held, and no collection has changed more than its lists.
    pub(crate) unsafe fn unreachable<S: Sink>(&mut self, sink: &mut S) -> AddressMap<u32> {
        let everything = self.everything();
        let mut found = std::mem::take(&mut self.scratch.candidates);
        let mut blocks = AddressMap::default();
        // SAFETY: as the caller promises, the lock is held and no collection is going on.
        unsafe {
            found.search(&self.context.interpreter, &everything);
            let mut walk = self.walk(sink, Reach::Members);
            walk.prepare();
            let held = walk.add_members(&found.unreachable);
            for &object in found.unreachable.iter().chain(&held) {
                let class = walk.class_of(object);
                let class = &walk.scratch.classes[class];
                let (head, _) = class.head(&walk.context.interpreter, object);
                blocks.insert(object - head, class.number);
            }
        }
        found.forget();
        self.scratch.candidates = found;
        self.scratch.shrink();
        blocks
    }

    /// Forgets what was known of classes, at whose addresses others may be by now.
    pub(crate) fn forget_classes(&mut self) {
        self.scratch.candidates.referred.clear();
        self.scratch.definitions.clear();
    }

    pub(crate) fn row(&self) -> &'static CPython {
        self.context.interpreter.row
    }

    /// Calls `each` with the objects of the youngest generation.
    ///
    /// # Safety
    /// The GIL is held, and no collection is going on.
    pub(crate) unsafe fn each_youngest(&self, mut each: impl FnMut(usize)) {
        for head in self.context.gc_lists.young(0) {
            // SAFETY: as the caller promises, the lock is held and no collection is going on.
            unsafe { each_object(head, &mut each) };
        }
    }

    /// Whether an object that was alive is dead by now, and its memory not given back.
    ///
    /// # Safety
    /// The GIL is held, no collection is going on, and the memory is still the object's.
    pub(crate) unsafe fn is_dead(&self, object: usize, gc: bool) -> bool {
        // SAFETY: as the caller promises.
        unsafe { self.context.interpreter.is_dead(object, gc) }
    }

    /// Writes `walk garbage … checkpoint garbage` of these unreachable objects, and of the untracked ones that only they
    /// hold.
    ///
    /// # Safety
    /// The GIL is held. A collection may be going on, as long as it has changed nothing but its lists.
    pub(crate) unsafe fn describe_garbage<S: Sink>(&mut self, sink: &mut S, unreachable: &[usize]) {
        let mut walk = self.walk(sink, Reach::Members);
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        unsafe {
            walk.begin(GARBAGE);
            walk.garbage(unreachable);
        }
        walk.end(GARBAGE);
    }

    /// The thread states of the interpreter.
    ///
    /// # Safety
    /// The GIL is held.
    pub(crate) unsafe fn threads(&self) -> Vec<usize> {
        // SAFETY: as the caller promises.
        unsafe { self.context.interpreter.threads() }
    }

    /// Whether a collection is going on, by the collector's own word; [`Published::is_collecting`] knows it from 3.13 on.
    ///
    /// # Safety
    /// The GIL is held.
    pub(crate) unsafe fn is_collecting(&self) -> bool {
        // SAFETY: as the caller promises.
        unsafe { self.context.gc_lists.is_collecting() }
    }

    /// Where the collector counts the objects that it looks at; `None` where it does not.
    pub(crate) fn stats(&self) -> Option<GcStats> {
        self.context.interpreter.row.gc_stats.map(|row| GcStats::new(self.context.gc_lists, row))
    }

    /// Writes what the collector counts.
    ///
    /// # Safety
    /// The GIL is held.
    pub(crate) unsafe fn write_state<S: Sink>(&self, sink: &mut S) {
        // SAFETY: as the caller promises.
        let state = unsafe { GcState::read(self.context.gc_lists, self.context.interpreter.row.gc_state) };
        sink.emit(|encoder| {
            let long_lived = [state.pending, state.total];
            encoder.gc_state(state.enabled.into(), state.thresholds, state.counts, long_lived)
        });
    }

    /// Writes how many objects the collector's lists hold.
    ///
    /// # Safety
    /// The GIL is held, and no collection is going on.
    pub(crate) unsafe fn write_lists<S: Sink>(&self, sink: &mut S) {
        let mut sizes = [0; 4];
        for (head, size) in self.context.gc_lists.all().zip(&mut sizes) {
            // SAFETY: as the caller promises.
            unsafe { each_object(head, |_| *size += 1) };
        }
        let [generations @ .., frozen] = sizes;
        sink.emit(|encoder| encoder.gc_lists(generations, frozen));
    }

    /// The head of the list of this generation.
    pub(crate) fn generation(&self, generation: u8) -> Option<usize> {
        self.context.gc_lists.young(usize::from(generation)).last()
    }

    /// The trace's number of a class, which is defined if it is not yet. Reads memory only.
    ///
    /// # Safety
    /// The GIL is held, and `type_object` is a class that is ready.
    pub(crate) unsafe fn define<S: Sink>(&mut self, sink: &mut S, type_object: usize) -> u32 {
        // SAFETY: as the caller promises, the lock is held and no collection is going on.
        unsafe { self.walk(sink, Reach::All).define(type_object) }
    }
}
