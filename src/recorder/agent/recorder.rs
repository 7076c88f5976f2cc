//! Takes in each birth and death: the live table is kept, and the log gets what the mode asks for.
//!
//! `none`: an object is written when a walk of garbage meets it, and its death. Which of those the collection freed, the hook
//! tells, and for what came to rest in a free list of CPython, its memory. `leaks`: the same, and births of such sizes are
//! noted as objects have that leaked before (`armed.rs`).
//! `survivors`: an object is written when a walk first meets it, and its death if it was written. `full`: each birth and
//! each death of an object is written, in order. A block is not an object yet when it is allocated, so a birth waits until
//! the next one, its death or a walk comes; then its type can be read from its memory. A block in which no type is found is
//! no object (the key table of a dict, say) and is not written. Up to 3.11 a collection begins inside an allocation: the
//! birth that it interrupts is written behind it.

use std::ops::RangeInclusive;

use crate::armed::Armed;
use crate::condemned::Condemned;
use crate::cpython::memory::{GC_HEAD, OBJECT_HEAD};
use crate::cpython::versions::CPython;
use crate::descriptions::Descriptions;
use crate::encode::{Encoder, kind};
use crate::live_table::{CONDEMNED, INHERITED, IS_CODE, IS_TYPE, LiveTable, PENDING, Record};
use crate::log::{Log, cut};
use crate::memory::{Gather, Grow, GrowText};
use crate::object_guess::TypeTable;
use crate::options::EventsMode;
use crate::scan::DomainBlock;
use crate::sink::Sink;
use crate::stacks::Stacks;
use crate::walk::Walker;

/// Place of the last birth among those that wait to be written.
const LAST: usize = 0;
/// The others are blocks in which no object stood when the next birth came. A collection that begins inside an allocation
/// makes few objects before it is told.
const WAITING: usize = 8;

/// The state of the recording in this process. Whoever holds the interpreter's lock may touch it.
pub(crate) struct Recorder {
    /// Births are noted as they happen.
    pub keeps_births: bool,
    /// Types whose births are noted, where not all are; `None` where none is.
    pub armed: Option<Armed>,
    /// Births and deaths of all objects are written, not of survivors only.
    pub full: bool,
    pub depth: usize,
    pub table: LiveTable,
    pub stacks: Option<Stacks>,
    pub log: Log,
    pub walker: Option<Walker>,
    /// The recorder's own objects.
    pub own: Vec<usize>,
    pub types: TypeTable,
    pub condemned: Condemned,
    pub descriptions: Descriptions,
    last_type: u32,
    free_numbers: Vec<u32>,
    last_number: u32,
    walk: u32,
    waiting: [u32; WAITING],
    next_waiting: usize,
    /// A collection is over, and what it interrupted is an object as the next birth comes.
    was_interrupted: bool,
    stack: Vec<u32>,
    /// Objects written.
    pub objects: u64,
    pub checkpoints: u64,
    /// What was there before a fork made this process is known by its records.
    pub inherits: bool,
}

impl Recorder {
    pub(crate) fn new(
        row: &'static CPython,
        events: EventsMode,
        depth: usize,
        stacks: Option<Stacks>,
        type_type: usize,
    ) -> Recorder {
        Recorder {
            keeps_births: events.keeps_births(),
            armed: (events == EventsMode::Leaks && stacks.is_some()).then(Armed::new),
            full: events == EventsMode::Full,
            depth,
            table: LiveTable::new(),
            stacks,
            log: Log::closed(),
            walker: None,
            own: Vec::new(),
            types: TypeTable::new(row, type_type),
            condemned: Condemned::default(),
            descriptions: Descriptions::default(),
            last_type: 0,
            free_numbers: Vec::new(),
            last_number: 0,
            walk: 0,
            waiting: [0; WAITING],
            next_waiting: 0,
            was_interrupted: false,
            stack: Vec::new(),
            objects: 0,
            checkpoints: 0,
            inherits: false,
        }
    }

    /// A block was allocated.
    ///
    /// # Safety
    /// `thread` must be the thread state that runs.
    #[inline]
    pub(crate) unsafe fn born(&mut self, block: usize, bytes: usize, thread: usize) {
        let Some(place) = self.table.place_for(block) else { return };
        // SAFETY: the table's places are valid while the table lives.
        let stale = unsafe { place.read() };
        if stale != 0 {
            self.died_unseen(stale);
        }
        let mut node = 0;
        if let Some(stacks) = &mut self.stacks {
            let table = &mut self.table;
            // SAFETY: as the caller promises.
            node = unsafe { stacks.capture(thread, |code| table.mark(code, IS_CODE)) };
            if stacks.node(node).own {
                return;
            }
        }
        if !self.full {
            self.table.insert_at(place, block, bytes, node, (0, 0));
            return;
        }
        let index = self.table.insert_at(place, block, bytes, node, (PENDING, LAST as u32));
        if index != 0 {
            let before = std::mem::replace(&mut self.waiting[LAST], index);
            if before != 0 && !self.write_birth(before) {
                self.keep(before);
            }
            if self.was_interrupted {
                self.go_on();
            }
        }
    }

    /// A block is about to be freed.
    #[inline]
    pub(crate) fn died(&mut self, block: usize) {
        let Some(place) = self.table.place(block) else { return };
        // SAFETY: the table's places are valid while the table lives.
        let index = unsafe { place.read() };
        if index == 0 {
            return;
        }
        let record = self.table.get(index);
        let number = record.number;
        if record.flags == PENDING {
            let (bytes, node) = (record.bytes(), record.node);
            self.waiting[number as usize] = 0;
            self.write_lifetime(index, block, bytes, node);
        } else if record.flags != 0 {
            return self.die(index);
        } else if number != 0 {
            self.write_death(number);
        }
        self.table.remove_at(place, index);
    }

    /// Its memory is another's now, so it cannot be typed.
    #[cold]
    fn died_unseen(&mut self, index: u32) {
        self.forget_birth(index);
        self.die(index);
    }

    /// A block was moved or resized.
    ///
    /// # Safety
    /// `thread` must be the thread state that runs.
    pub(crate) unsafe fn moved(&mut self, old: usize, new: usize, bytes: usize) {
        let index = self.table.find(old);
        let stale = self.table.find(new);
        if stale != 0 && stale != index {
            self.died_unseen(stale);
        }
        if index == 0 {
            return;
        }
        self.table.relocate(index, new, bytes);
        let record = *self.table.get(index);
        if record.number != 0 && record.flags & PENDING == 0 {
            self.log.emit(|encoder| encoder.fact(kind::RESIZE, record.number.into(), bytes as u64));
        }
    }

    /// Writes the births that wait, but for those in whose block no object stands yet.
    pub(crate) fn settle(&mut self) {
        for place in 0..WAITING {
            let index = self.waiting[place];
            if index != 0 {
                self.write_birth(index);
            }
        }
    }

    /// A collection is over: up to 3.11 it has interrupted a birth.
    pub(crate) fn collected(&mut self) {
        self.was_interrupted = true;
    }

    /// A block in which no object stands waits a little longer.
    fn keep(&mut self, index: u32) {
        self.next_waiting = self.next_waiting % (WAITING - 1) + 1;
        let place = self.next_waiting;
        let other = std::mem::replace(&mut self.waiting[place], index);
        if other != 0 {
            self.forget_birth(other);
        }
        self.table.get(index).number = place as u32;
        self.waiting[place] = index;
    }

    #[cold]
    fn go_on(&mut self) {
        self.was_interrupted = false;
        for place in LAST + 1..WAITING {
            let index = self.waiting[place];
            if index != 0 && !self.write_birth(index) {
                self.forget_birth(index);
            }
        }
    }

    /// Works with the walker, which writes into the recorder; `None` where there is none.
    pub(crate) fn with_walker<T>(&mut self, work: impl FnOnce(&mut Walker, &mut Recorder) -> T) -> Option<T> {
        let mut walker = self.walker.take()?;
        let result = work(&mut walker, self);
        self.walker = Some(walker);
        Some(result)
    }

    /// Writes what the collector counts, where births and deaths are written beside it.
    pub(crate) fn write_collector(&mut self) {
        if self.full {
            // SAFETY: whoever holds the interpreter's lock may touch the recorder.
            self.with_walker(|walker, recorder| unsafe { walker.write_state(recorder) });
        }
    }

    /// The file begins: writes how many objects the collector has, and what it counts.
    pub(crate) fn write_first_lists(&mut self) {
        self.write_collector();
        if self.full {
            // SAFETY: whoever holds the interpreter's lock may touch the recorder, and no collection is going on.
            self.with_walker(|walker, recorder| unsafe { walker.write_lists(recorder) });
        }
    }

    /// Gives back the memory: the recording has ended before the program.
    pub(crate) fn release(&mut self) {
        self.log = Log::closed();
        self.table = LiveTable::new();
        self.stacks = None;
        self.walker = None;
        self.types.forget_all();
        (self.free_numbers, self.stack) = (Vec::new(), Vec::new());
        self.condemned.clear();
        self.descriptions.clear();
    }

    /// Bytes that the recording takes, about.
    pub(crate) fn footprint(&self) -> usize {
        self.table.footprint() + self.descriptions.footprint() + self.stacks.as_ref().map_or(0, Stacks::footprint)
    }

    /// Whether a written object is alive, as far as is known.
    pub(crate) fn has_live_objects(&self) -> bool {
        self.last_number as usize > self.free_numbers.len()
    }

    /// Forgets all that was known of what lives, and of what is written of it; answers what that was.
    pub(crate) fn forget_live(&mut self) -> Vec<Record> {
        for record in self.table.records() {
            if record.flags & IS_TYPE != 0 {
                self.types.forget(record.block + GC_HEAD);
            }
            if record.flags & PENDING != 0 {
                record.number = 0;
            }
        }
        let known = self.table.records().map(|record| *record).filter(|record| record.number != 0).gather();
        self.table = LiveTable::new();
        self.types.forget_numbers();
        self.waiting = [0; WAITING];
        self.condemned.clear();
        self.inherits = false;
        if let Some(stacks) = &mut self.stacks {
            stacks.forget_codes();
        }
        known
    }

    /// A new file begins: nothing is written in it yet. What is there is `inherited` where a fork made this process.
    pub(crate) fn begin(&mut self, log: Log, inherited: bool) {
        self.log = log;
        self.types.forget_numbers();
        self.last_type = 0;
        self.free_numbers.clear();
        self.last_number = 0;
        self.waiting = [0; WAITING];
        self.condemned.clear();
        self.descriptions.clear();
        for record in self.table.records() {
            record.number = 0;
            record.class = 0;
            record.flags &= !(PENDING | CONDEMNED);
            record.flags |= if inherited { INHERITED } else { 0 };
        }
        if let Some(stacks) = &mut self.stacks {
            stacks.forget_sites();
        }
        self.objects = 0;
        self.checkpoints = 0;
        self.inherits = inherited;
    }

    /// Objects of this process alone: those written so far, and the blocks that it made and that are there.
    pub(crate) fn own_objects(&mut self) -> u64 {
        let is_unwritten = |record: &&mut Record| record.is_own() && record.number == 0;
        self.objects + self.table.records().filter(is_unwritten).count() as u64
    }

    /// The object of this record is no more.
    pub(crate) fn die(&mut self, index: u32) {
        let record = *self.table.get(index);
        if record.flags & PENDING != 0 {
            self.forget_birth(index);
            self.write_lifetime(index, record.block, record.bytes(), record.node);
        } else if record.number != 0 {
            self.write_death(record.number);
        }
        if record.flags & IS_CODE != 0
            && let Some(stacks) = &mut self.stacks
        {
            stacks.forget_code(record.block);
        }
        if record.flags & IS_TYPE != 0 {
            // The collector's header is in front of it.
            self.types.forget(record.block + GC_HEAD);
            if let Some(armed) = &mut self.armed {
                armed.forget(record.block + GC_HEAD);
            }
        }
        self.table.remove(index);
    }

    #[inline]
    pub(crate) fn write_death(&mut self, number: u32) {
        self.log.emit(|encoder| encoder.object(kind::FREE, number.into()));
        self.free_numbers.add(number);
    }

    /// Writes the birth and the death of an object that waits no more and dies.
    #[inline]
    fn write_lifetime(&mut self, index: u32, block: usize, bytes: u64, node: u32) {
        // SAFETY: the block is live and has so many bytes.
        let found = unsafe { self.types.object_in(&mut self.table, block, bytes, true) };
        let Some((object, type_object, mut class)) = found else { return };
        if class == 0 {
            self.forget_birth(index);
            class = self.class_of(type_object);
            // The definition may have met the object.
            match self.table.get(index).number {
                0 => {}
                number => return self.write_death(number),
            }
        }
        let site = self.site_of(node);
        let number = self.new_number();
        self.objects += 1;
        self.log.emit_together(2, |encoder| encoder.lifetime(number.into(), object as u64, class, bytes, site));
        self.free_numbers.add(number);
    }

    #[inline]
    fn new_number(&mut self) -> u32 {
        self.free_numbers.pop().unwrap_or_else(|| {
            self.last_number += 1;
            self.last_number
        })
    }

    /// Writes a birth, if the block is an object by now, and says whether it is. Its memory may be a dead object's still,
    /// whose count is zero.
    fn write_birth(&mut self, index: u32) -> bool {
        let record = self.table.get(index);
        let (block, bytes, node) = (record.block, record.bytes(), record.node);
        // SAFETY: the block is live and has so many bytes.
        let found = unsafe { self.types.object_in(&mut self.table, block, bytes, false) };
        let Some((object, type_object, class)) = found else { return false };
        self.forget_birth(index);
        if class == 0 {
            let class = self.class_of(type_object);
            self.object(object, block, class, bytes);
        } else {
            self.write_alloc(index, object, class, bytes, node);
        }
        true
    }

    #[inline]
    fn write_alloc(&mut self, index: u32, object: usize, class: u32, bytes: u64, node: u32) -> u32 {
        let site = self.site_of(node);
        let number = self.new_number();
        self.descriptions.forget(number);
        if index != 0 {
            let record = self.table.get(index);
            record.number = number;
            record.class = class;
        }
        self.objects += 1;
        self.log.emit(|encoder| encoder.alloc(number.into(), object as u64, class, bytes, site));
        number
    }

    /// The birth does not wait any more.
    fn forget_birth(&mut self, index: u32) {
        let record = self.table.get(index);
        if record.flags & PENDING != 0 {
            record.flags &= !PENDING;
            let place = std::mem::take(&mut record.number) as usize;
            if self.waiting[place] == index {
                self.waiting[place] = 0;
            }
        }
    }

    #[cold]
    fn class_of(&mut self, type_object: usize) -> u32 {
        // SAFETY: under the interpreter's lock, with a type object; it reads memory only.
        self.with_walker(|walker, recorder| unsafe { walker.define(recorder, type_object) }).unwrap_or(0)
    }

    /// The site of a stack, cut to the depth.
    #[inline]
    fn site_of(&mut self, node: u32) -> u32 {
        match &self.stacks {
            Some(stacks) if node != 0 => match stacks.node(node).site {
                0 => self.new_site(node),
                site => site,
            },
            _ => 0,
        }
    }

    #[cold]
    fn new_site(&mut self, node: u32) -> u32 {
        let Some(stacks) = &mut self.stacks else { return 0 };
        let innermost = stacks.node(node);
        // The site of a stack that is not cut is the outer part of another's as well.
        let whole = innermost.depth as usize <= self.depth;
        self.stack.clear();
        let mut outer = node;
        let mut site = 0;
        while outer != 0 && self.stack.len() < self.depth {
            if whole && stacks.node(outer).site != 0 {
                site = stacks.node(outer).site;
                break;
            }
            if !self.stack.add(outer) {
                return 0;
            }
            outer = stacks.node(outer).parent;
        }
        while let Some(number) = self.stack.pop() {
            let frame = *stacks.node(number);
            let code = stacks.code_mut(frame.code);
            if code.texts.0 == 0 {
                code.texts = (self.log.text(code.path.as_bytes()), self.log.text(code.function.as_bytes()));
            }
            site = self.log.site(code.texts.0, frame.line, code.texts.1, site);
            if whole || number == node {
                stacks.node_mut(number).site = site;
            }
        }
        site
    }
}

impl Sink for Recorder {
    fn text(&mut self, text: &[u8]) -> u32 {
        self.log.text(text)
    }

    fn site(&mut self, path: u32, line: u32, function: u32, parent: u32) -> u32 {
        self.log.site(path, line, function, parent)
    }

    fn type_number(&mut self, type_object: usize) -> u32 {
        self.types.number(type_object)
    }

    fn define_type(&mut self, type_object: usize, text: &str) -> u32 {
        self.last_type += 1;
        let number = self.last_type;
        self.types.set_number(&mut self.table, type_object, number);
        self.define_type_again(number, text);
        number
    }

    fn define_type_again(&mut self, number: u32, text: &str) {
        let mut line = number.to_string();
        line.add_char(' ');
        line.add_text(text);
        let text = cut(line.as_bytes());
        self.log.emit_with(text, |encoder| encoder.type_head(text.len()));
    }

    fn object(&mut self, object: usize, block: usize, class: u32, bytes: u64) -> u64 {
        let mut index = self.table.find(block);
        if index == 0 {
            index = self.table.insert(block, 0, 0);
        }
        self.forget_birth(index);
        let record = *self.table.get(index);
        if record.number != 0 {
            let number = record.number.into();
            if record.class != class {
                self.table.get(index).class = class;
                self.log.emit(|encoder| encoder.fact(kind::RETYPE, number, class.into()));
            }
            return number;
        }
        let bytes = if record.bytes() == 0 { bytes } else { record.bytes() };
        let node = if self.knows_birth(object) { record.node } else { 0 };
        self.write_alloc(index, object, class, bytes, node).into()
    }

    fn first_visit(&mut self, _object: usize, block: usize) -> bool {
        let mut index = self.table.find(block);
        if index == 0 {
            index = self.table.insert(block, 0, 0);
        }
        let walk = self.walk;
        let record = self.table.get(index);
        std::mem::replace(&mut record.walk, walk) != walk
    }

    fn descriptions(&mut self) -> &mut Descriptions {
        &mut self.descriptions
    }

    fn member(&mut self, object: usize, block: usize, gc: bool) {
        self.condemn(object, block, gc);
    }

    fn wants_leaks(&self) -> bool {
        self.armed.is_some()
    }

    fn leaked(&mut self, type_object: usize, bytes: RangeInclusive<usize>) {
        if let Some(armed) = &mut self.armed {
            armed.leaked(type_object, bytes);
        }
    }

    fn is_own(&self, block: usize) -> bool {
        self.table.peek(block).is_some_and(Record::is_own)
    }

    fn begin_walk(&mut self) {
        self.walk = self.walk.wrapping_add(1);
        self.descriptions.begin_walk();
    }

    fn known(&self, block: usize) -> DomainBlock {
        match self.table.peek(block).filter(|record| record.block == block) {
            None => DomainBlock::Unseen,
            // One that is older than the recorder is at least as long as the head of an object.
            Some(record) if record.number != 0 => DomainBlock::Written(record.bytes().max(OBJECT_HEAD) as usize),
            Some(record) if record.bytes() == 0 => DomainBlock::Unseen,
            Some(record) => DomainBlock::Unwritten(record.bytes() as usize),
        }
    }

    fn has_stack(&self, block: usize) -> bool {
        self.table.peek(block).is_some_and(|record| record.block == block && record.node != 0)
    }

    fn hidden(&self, object: usize) -> bool {
        self.own.contains(&object)
    }

    fn emit(&mut self, record: impl FnOnce(&mut Encoder) -> &[u8]) {
        self.log.emit(record);
    }
}
