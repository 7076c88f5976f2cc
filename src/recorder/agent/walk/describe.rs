//! Walks the heap: writes the records of one object after the other.

use super::classes::{Class, Kind, Place, may_hide, places};
use super::edges::Edges;
use super::garbage::MEMBER;
use super::object_records::Facts;
use super::survey::Note;
use super::{Context, Scratch};
use crate::cpython::class::{chain, made_in_python, object_members};
use crate::cpython::memory::{GC_HEAD, flag, pre_header, signed, size_of, tuple_items, ty, type_flags, type_of, word};
use crate::cpython::object::{self, C_FUNCTION_SELF, MODULE_DICT, set_entries};
use crate::descriptions::{Change, Run};
use crate::encode::kind;
use crate::layouts::HidingType;
use crate::memory::{Grow, is_refused, joined};
use crate::sink::Sink;

/// Which objects a walk tells of. References to others are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    All,
    /// Those in `scratch.members`.
    Members,
    /// Those, and what was born in this process.
    Own,
}

/// A walk that is going on.
pub(super) struct Walk<'a, S> {
    pub sink: &'a mut S,
    pub(super) context: &'a Context,
    pub(super) scratch: &'a mut Scratch,
    pub reach: Reach,
    /// All that can own a dict of attributes, or a tuple of cells, was described.
    pub owners_met: bool,
}

impl<S: Sink> Walk<'_, S> {
    pub(super) unsafe fn begin(&mut self, scope: u8) {
        // SAFETY: as the caller promises.
        unsafe { self.prepare() };
        self.sink.begin_walk();
        self.sink.emit(|encoder| encoder.scope(kind::WALK, scope));
    }

    /// Forgets what another walk knew.
    pub(super) unsafe fn prepare(&mut self) {
        let scratch = &mut *self.scratch;
        scratch.classes.clear();
        scratch.classes.add(Class::OPAQUE);
        scratch.class_numbers.clear();
        scratch.labels.clear();
        scratch.sites.clear();
        scratch.closures.clear();
        scratch.namespaces.clear();
        scratch.queue.clear();
        scratch.deferred.clear();
        scratch.fixed.clear();
        scratch.own_references.clear();
        scratch.key_tables.clear();
        scratch.strange_keys.clear();
        for &object in &self.context.own {
            // SAFETY: as the caller promises, the lock is held and the object alive.
            let class = unsafe { type_of(object) };
            // SAFETY: as the caller promises, the lock is held and the object alive.
            unsafe {
                if self.context.interpreter.is_gc(object, class, type_flags(class)) {
                    scratch.edges.read(object, word(class + ty::TRAVERSE), 0);
                    for &target in &scratch.edges.targets {
                        *scratch.own_references.entry(target, 0).0 += 1;
                    }
                }
            }
        }
    }

    pub(super) fn end(&mut self, scope: u8) {
        self.write_unchanged();
        self.sink.emit(|encoder| encoder.scope(kind::CHECKPOINT, scope));
        self.scratch.shrink();
    }

    /// Describes a tracked object, unless it is the recorder's, or has to wait.
    pub(super) unsafe fn describe_tracked(&mut self, object: usize) {
        if self.sink.hidden(object) {
            return;
        }
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe { self.describe_or_defer(object) }
    }

    /// Whether what the references of an object are called depends on who holds it, and that is not known yet.
    unsafe fn waits_for_owner(&self, object: usize, class: usize) -> bool {
        if self.owners_met {
            return false;
        }
        match self.scratch.classes[class].kind {
            // SAFETY: as the caller promises, the lock is held and the object alive.
            Kind::Tuple => unsafe { self.is_closure(object) && !self.scratch.closures.contains(object) },
            Kind::Dict => !self.context.keys && !self.scratch.namespaces.contains(object),
            _ => false,
        }
    }

    pub(super) unsafe fn describe_deferred(&mut self) {
        self.owners_met = true;
        for object in std::mem::take(&mut self.scratch.deferred) {
            // SAFETY: as the caller promises, the lock is held and the object alive.
            unsafe {
                let class = self.class_of(object);
                self.describe(object, class);
                self.drain();
            }
        }
    }

    /// Describes the untracked objects that were met.
    pub(super) unsafe fn drain(&mut self) {
        while let Some(object) = self.scratch.queue.pop() {
            // SAFETY: as the caller promises, the lock is held and the object alive.
            unsafe { self.describe_or_defer(object) }
        }
    }

    unsafe fn describe_or_defer(&mut self, object: usize) {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let class = self.class_of(object);
            if self.waits_for_owner(object, class) {
                self.scratch.deferred.add(object);
            } else {
                self.describe(object, class);
            }
        }
    }

    /// Is it a tuple that begins with a cell, as the closure of a function does?
    unsafe fn is_closure(&self, tuple: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let first = tuple_items(self.context.interpreter.row, tuple).first().copied().unwrap_or(0);
            first != 0 && type_of(first) == self.context.interpreter.cell
        }
    }

    /// Writes an object: its count, what is known of it, and its references.
    pub(super) unsafe fn describe(&mut self, object: usize, class: usize) {
        if is_refused() {
            return;
        }
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let (head, gc, tracked) = self.standing(object, class);
            let mut edges = std::mem::take(&mut self.scratch.edges);
            self.read_edges(object, class, gc, tracked, &mut edges);
            if self.scratch.classes[class].kind == Kind::Function {
                self.remember_closure(object);
                let globals = self.globals_of(object);
                if globals != 0 {
                    self.scratch.namespaces.insert(globals, 1);
                }
            }
            self.name_edges(object, class, &mut edges);

            let number = self.number_of(object, class, head);
            if self.reach == Reach::Members {
                self.sink.member(object, object - head, gc);
            }
            let (count, is_immortal) = self.count_of(object);
            if self.scratch.survey.is_on() && self.scratch.classes[class].may_refer() {
                let note = Note::new(object, class, self.may_be_held(object, class, tracked));
                self.scratch.survey.described(number, note, count, is_immortal);
                self.note_namespace(object, class);
            }
            let mut numbers = std::mem::take(&mut self.scratch.numbers);
            numbers.clear();
            for &target in &edges.targets {
                numbers.add(self.met(target, tracked));
            }
            let facts = self.facts(object, class, (count, is_immortal), gc, tracked);
            match self.change(number, &facts, &numbers, &edges.labels) {
                Change::Unchanged => {}
                change => {
                    self.write_facts(number, &facts, change == Change::New);
                    for (&target, &label) in numbers.iter().zip(&edges.labels).filter(|(target, _)| **target != 0) {
                        self.sink.emit(|encoder| encoder.reference(number, target, label));
                    }
                }
            }
            self.scratch.numbers = numbers;
            if self.reach == Reach::All {
                self.write_unshown(object, class, number, &edges);
                if self.scratch.classes[class].kind == Kind::List {
                    self.fork_hooks(object);
                }
            }
            self.scratch.edges = edges;
        }
    }

    /// Whether an object is as the last walk of the whole heap described it; in another walk, of which none knows what was there
    /// before, it has changed. One that is will be written later, together with others.
    fn change(&mut self, number: u64, facts: &Facts, targets: &[u64], labels: &[u32]) -> Change {
        let descriptions = self.sink.descriptions();
        match self.reach {
            Reach::All if !descriptions.matter() => descriptions.unknown(),
            Reach::All => {
                let mut digest = facts.digest();
                for (&target, &label) in targets.iter().zip(labels) {
                    digest.add_word(target << 32 | u64::from(label));
                }
                let (change, run) = descriptions.replace(number as u32, digest.bits());
                self.write_run(run);
                change
            }
            Reach::Members | Reach::Own => {
                descriptions.replace_aside(number as u32);
                Change::Changed
            }
        }
    }

    /// Writes the unchanged objects that are not written yet.
    pub(super) fn write_unchanged(&mut self) {
        let run = self.sink.descriptions().take_run();
        self.write_run(run);
    }

    fn write_run(&mut self, run: Option<Run>) {
        if let Some(Run { first, more }) = run {
            self.sink.emit(|encoder| encoder.fact(kind::UNCHANGED, first, more));
        }
    }

    /// Notes the namespace of a module, if hidden references are to be searched.
    unsafe fn note_namespace(&mut self, object: usize, class: usize) {
        if self.scratch.classes[class].kind != Kind::Module {
            return;
        }
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let namespace = word(object + MODULE_DICT);
            if namespace != 0 && self.is_told(namespace) {
                let namespace = self.number(namespace);
                self.scratch.survey.namespace(namespace);
            }
        }
    }

    /// What has references of its own, and is no part of the program.
    unsafe fn may_be_held(&self, object: usize, class: usize, tracked: bool) -> bool {
        let class = &self.scratch.classes[class];
        // SAFETY: as the caller promises, the lock is held and the object alive.
        let is_of_program = unsafe {
            match class.kind {
                Kind::Module | Kind::Code | Kind::Frame => true,
                Kind::Type => !made_in_python(&self.context.interpreter, object),
                // A method of an object is none, and a function of a module is.
                Kind::CFunction => {
                    let bound = word(object + C_FUNCTION_SELF);
                    bound == 0 || type_of(bound) == self.context.interpreter.module
                }
                _ => false,
            }
        };
        let may_refer =
            if class.flags & flag::HAVE_GC != 0 { tracked } else { class.hiding != HidingType::Unknown || class.hides };
        may_refer && !is_of_program
    }

    /// Bytes in front of an object in its block, whether the collector knows it, and whether it looks at it.
    unsafe fn standing(&self, object: usize, class: usize) -> (usize, bool, bool) {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let (head, gc) = self.scratch.classes[class].head(&self.context.interpreter, object);
            (head, gc, gc && word(object - GC_HEAD) != 0)
        }
    }

    /// What `tp_traverse` says of an object of this class.
    pub(super) unsafe fn edges_of(&self, object: usize, class: usize, edges: &mut Edges) {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let (_, gc, tracked) = self.standing(object, class);
            self.read_edges(object, class, gc, tracked, edges);
        }
    }

    /// What `tp_traverse` says. Of the untracked objects only dicts and tuples are asked: those the collector untracks
    /// itself; any other may be half made.
    unsafe fn read_edges(&self, object: usize, class: usize, gc: bool, tracked: bool, edges: &mut Edges) {
        let class = &self.scratch.classes[class];
        let asked = gc
            && (tracked || matches!(class.kind, Kind::Dict | Kind::Tuple))
            // SAFETY: as the caller promises, the lock is held and the object alive.
            && unsafe { !self.context.interpreter.is_deep_frozen(object) };
        let size = match class.kind {
            Kind::List | Kind::Tuple | Kind::Dict | Kind::OrderedDict | Kind::Deque => {
                // SAFETY: as the caller promises, the lock is held and the object alive.
                unsafe { size_of(object) }.max(0).cast_unsigned()
            }
            // SAFETY: as the caller promises, the lock is held and the object alive.
            Kind::Set => unsafe { set_entries(object) },
            _ => 0,
        };
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            edges.read(object, if asked { class.traverse } else { 0 }, size);
            if asked && class.kind == Kind::Generator {
                self.context.interpreter.borrowed(object, |target| edges.forget(target));
            }
        }
    }

    /// The number of a referent, 0 if the reference to it is left out. Untracked ones are queued.
    unsafe fn met(&mut self, target: usize, from_tracked: bool) -> u64 {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            if !self.is_told(target) {
                return 0;
            }
            let class = self.class_of(target);
            let (head, _, tracked) = self.standing(target, class);
            if tracked && !from_tracked {
                return 0;
            }
            let number = self.number_of(target, class, head);
            if self.scratch.classes[class].may_refer() {
                self.scratch.survey.explain(number);
            }
            if self.scratch.classes[class].may_lead() {
                self.scratch.survey.leads_to(number);
            }
            if !tracked && self.reach != Reach::Members && self.sink.first_visit(target, target - head) {
                self.scratch.queue.add(target);
            }
            number
        }
    }

    /// Whether the walk tells of an object.
    pub(super) unsafe fn is_told(&self, object: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        let is_alive = || unsafe { self.context.interpreter.count(object).0 != 0 } && !self.sink.hidden(object);
        let is_member = || self.scratch.members.get(object) == Some(MEMBER);
        match self.reach {
            Reach::All => is_alive(),
            Reach::Members => is_member(),
            // SAFETY: as above.
            Reach::Own => is_alive() && (is_member() || self.sink.is_own(unsafe { self.block_of(object) })),
        }
    }

    /// Where the memory of an object begins.
    pub(super) unsafe fn block_of(&self, object: usize) -> usize {
        let interpreter = &self.context.interpreter;
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let class = type_of(object);
            let flags = type_flags(class);
            let head = if interpreter.is_gc(object, class, flags) { GC_HEAD } else { 0 };
            object - head - pre_header(interpreter.row, flags)
        }
    }

    /// Queues an object that is untracked and was not met before.
    pub(super) unsafe fn queue(&mut self, object: usize) {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let class = self.class_of(object);
            let (head, _, tracked) = self.standing(object, class);
            if !tracked && self.sink.first_visit(object, object - head) {
                self.scratch.queue.add(object);
            }
        }
    }

    pub(super) unsafe fn number(&mut self, object: usize) -> u64 {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let class = self.class_of(object);
            let (head, _) = self.scratch.classes[class].head(&self.context.interpreter, object);
            self.number_of(object, class, head)
        }
    }

    unsafe fn number_of(&mut self, object: usize, class: usize, head: usize) -> u64 {
        let class = &self.scratch.classes[class];
        // SAFETY: as the caller promises, the lock is held and the object alive.
        let bytes = head + unsafe { class.body(&self.context.interpreter, object) };
        self.sink.object(object, object - head, class.number, bytes as u64)
    }

    /// The dict of the globals of a function.
    pub(super) unsafe fn globals_of(&self, function: usize) -> usize {
        let globals = self.context.interpreter.row.function.iter().find(|(_, field)| *field == ".__globals__");
        // SAFETY: as the caller promises, the lock is held and the function alive.
        globals.map_or(0, |&(offset, _)| unsafe { word(function + usize::from(offset)) })
    }

    unsafe fn remember_closure(&mut self, function: usize) {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let row = self.context.interpreter.row;
            let (closure, code) = (word(function + row.function_closure), word(function + row.function_code));
            if closure != 0 && self.context.interpreter.is_code(code) {
                self.scratch.closures.insert(closure, code);
            }
        }
    }

    /// This walk's number of the object's class, which is defined in the trace by then.
    pub(super) unsafe fn class_of(&mut self, object: usize) -> usize {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        let address = unsafe { type_of(object) };
        match self.scratch.class_numbers.get(address) {
            Some(number) => number as usize,
            // SAFETY: as the caller promises, the lock is held and the object alive.
            None => unsafe { self.new_class(address) },
        }
    }

    #[cold]
    unsafe fn new_class(&mut self, address: usize) -> usize {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let mut class = self.plain_class(address);
            class.number = self.define(address);
            if self.reach != Reach::Members {
                self.define_again(address, class.number);
            }
            self.find_fields(&mut class);
            class.hides = may_hide(&self.context.interpreter, &class);
            let index = self.scratch.classes.len();
            if !self.scratch.classes.add(class) {
                return 0;
            }
            self.scratch.class_numbers.insert(address, index as u32);
            index
        }
    }

    /// A class without its number and the names of its fields.
    pub(super) unsafe fn plain_class(&self, address: usize) -> Class {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let (dict, weak) = places(interpreter, address);
            let flags = type_flags(address);
            let kind = self.context.kinds.of(interpreter, address);
            Class {
                address,
                number: 0,
                flags,
                kind,
                hiding: HidingType::of(interpreter, address),
                traverse: word(address + ty::TRAVERSE),
                basic_size: word(address + ty::BASIC_SIZE),
                item_size: signed(address + ty::ITEM_SIZE),
                pre_head: pre_header(interpreter.row, flags),
                in_python: made_in_python(interpreter, address),
                asks_is_gc: kind == Kind::Type && word(address + ty::IS_GC) != 0,
                dict,
                weak,
                hides: false,
                slots: Vec::new(),
                fields: Vec::new(),
                attributes: Vec::new(),
            }
        }
    }

    /// Fields that have a name: the members of the class and its bases, and those that the version's row lists.
    unsafe fn find_fields(&mut self, class: &mut Class) {
        let row = self.context.interpreter.row;
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            for base in chain(class.address) {
                let in_python = made_in_python(&self.context.interpreter, base);
                for (offset, name) in object_members(base) {
                    let label = self.sink.text(&joined(&[b".", name]));
                    (if in_python { &mut class.slots } else { &mut class.fields }).add((offset, label));
                }
            }
        }
        let listed: &[(u16, &'static str)] = match class.kind {
            Kind::Function => row.function,
            Kind::Frame => row.frame,
            Kind::Exception => row.exception,
            Kind::Cell => object::CELL,
            Kind::CFunction => object::C_FUNCTION,
            Kind::WeakReference => object::WEAK_REFERENCE,
            Kind::Type => object::TYPE,
            _ => &[],
        };
        for &(offset, name) in listed {
            let offset = usize::from(offset);
            if class.dict != Place::At(offset.cast_signed()) && class.fields.iter().all(|field| field.0 != offset) {
                let label = self.fixed(name);
                class.fields.add((offset, label));
            }
        }
    }
}
