//! Writes the text that defines a class: what stands behind `type N ` in the text form of a trace.
//!
//! Read from memory alone: no attribute is looked up, so no metaclass, descriptor or `__repr__` of the program runs.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::class_statements::module_of_closure;
use super::classes::{Place, places};
use super::describe::Walk;
use crate::cpython::class::{chain, declared_names, made_in_python};
use crate::cpython::dict;
use crate::cpython::memory::{c_string, flag, signed, tuple_items, ty, type_flags, type_of, word};
use crate::cpython::text::{is_text, text};
use crate::cpython::versions::Values;
use crate::layouts::buffers;
use crate::memory::{Gather, Grow, GrowText, is_refused};
use crate::sink::Sink;

impl<S: Sink> Walk<'_, S> {
    /// The trace's number of a class, which is defined if it is not yet, after its bases.
    pub(super) unsafe fn define(&mut self, class: usize) -> u32 {
        let mut waiting: Vec<usize> = [class].into();
        while let Some(&next) = waiting.last() {
            if self.sink.type_number(next) != 0 {
                waiting.pop();
                continue;
            }
            // SAFETY: as the caller promises, the lock is held and the class is ready.
            let bases = unsafe { self.bases(next) };
            let undefined = bases.iter().copied().find(|&base| self.sink.type_number(base) == 0);
            // A class that is its own base would be a broken program; it is defined without its bases.
            if let Some(base) = undefined
                && !waiting.contains(&base)
                && !is_refused()
            {
                waiting.add(base);
                continue;
            }
            // SAFETY: as the caller promises, the lock is held and the class is ready.
            let text = unsafe { self.definition(next, &bases) };
            self.sink.define_type(next, &text);
            *self.scratch.definitions.entry(next, 0).0 = hash(&text);
            waiting.pop();
        }
        self.sink.type_number(class)
    }

    /// Writes the definition of a class that a statement made once more, if something in it has changed since: when it
    /// was met first, its module may not have run to the end.
    pub(super) unsafe fn define_again(&mut self, class: usize, number: u32) {
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        unsafe {
            if !made_in_python(&self.context.interpreter, class) {
                return;
            }
            let bases = self.bases(class);
            if bases.iter().any(|&base| self.sink.type_number(base) == 0) {
                return;
            }
            let text = self.definition(class, &bases);
            let known = self.scratch.definitions.entry(class, 0).0;
            if *known != hash(&text) {
                *known = hash(&text);
                self.sink.define_type_again(number, &text);
            }
        }
    }

    unsafe fn bases(&self, class: usize) -> Vec<usize> {
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        unsafe {
            let bases = word(class + ty::BASES);
            if bases != 0 && type_of(bases) == self.context.interpreter.tuple {
                return tuple_items(self.context.interpreter.row, bases).iter().copied().gather();
            }
            let base = word(class + ty::BASE);
            if base == 0 { Vec::new() } else { [base].into() }
        }
    }

    /// Module and qualified name; without the module for `builtins`.
    pub(super) unsafe fn class_name(&self, class: usize) -> String {
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        unsafe {
            let row = self.context.interpreter.row;
            if type_flags(class) & flag::HEAP_TYPE == 0 {
                let name = String::from_utf8_lossy(c_string(word(class + ty::NAME))).into_owned();
                return name.strip_prefix("builtins.").map_or(name.clone(), str::to_owned);
            }
            let name = text(row, word(class + row.type_qualname));
            let module = self.own_entry(class, b"__module__");
            if !is_text(module) {
                return name;
            }
            match text(row, module).as_str() {
                "builtins" => name,
                module => format!("{module}.{name}"),
            }
        }
    }

    /// What the class's own dict has under a name, or 0.
    pub(super) unsafe fn own_entry(&self, class: usize, name: &[u8]) -> usize {
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        let dict = unsafe { word(class + ty::DICT) };
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        unsafe { self.dict_entry(dict, name) }
    }

    /// What a dict has under a name, or 0: its table is read, no key is compared by Python.
    pub(super) unsafe fn dict_entry(&self, dict: usize, name: &[u8]) -> usize {
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        unsafe { dict::find(self.context.interpreter.row, dict, name) }
    }

    pub(super) unsafe fn dict_entries(&self, dict: usize) -> Vec<(usize, usize)> {
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        unsafe { dict::entries(self.context.interpreter.row, dict) }.gather()
    }

    unsafe fn definition(&mut self, class: usize, bases: &[usize]) -> String {
        // SAFETY: as the caller promises, the lock is held and the class is ready.
        unsafe {
            let interpreter = &self.context.interpreter;
            let row = interpreter.row;
            let flags = type_flags(class);
            let (dict, weak) = places(interpreter, class);
            let in_python = made_in_python(interpreter, class);
            let mut out = Definition::new(&self.class_name(class));
            out.number("size", word(class + ty::BASIC_SIZE));
            let items = signed(class + ty::ITEM_SIZE);
            if items != 0 {
                out.number("item", items.unsigned_abs());
            }
            let has_finalizer =
                |base: usize| made_in_python(interpreter, base) && self.own_entry(base, b"__del__") != 0;
            let names = [
                (flags & flag::HAVE_GC != 0, "gc"),
                (flags & flag::HEAP_TYPE != 0, "heap"),
                (dict != Place::Nowhere, "dict"),
                (weak != Place::Nowhere, "weakref"),
                (dict == Place::Managed, "managed-dict"),
                (weak == Place::Managed, "managed-weakref"),
                (row.values == Values::Inline && flags & flag::INLINE_VALUES != 0, "inline-values"),
                (flags & flag::EXCEPTION_SUBCLASS != 0, "exception"),
                (flags & flag::TYPE_SUBCLASS != 0, "class"),
                (in_python && chain(class).any(has_finalizer), "finalizer"),
            ];
            let names: Vec<&str> = names.iter().filter(|(has, _)| *has).map(|(_, name)| *name).gather();
            if !names.is_empty() {
                out.list("flags", names);
            }
            if !bases.is_empty() {
                let numbers: Vec<String> = bases.iter().map(|&base| self.sink.type_number(base).to_string()).gather();
                out.list("bases", numbers.iter().map(String::as_str));
            }
            let metaclass = type_of(class);
            if metaclass != interpreter.type_type {
                out.value("metaclass", &self.class_name(metaclass));
            }
            if dict != Place::Nowhere {
                out.value("dictoffset", &signed(class + ty::DICT_OFFSET).to_string());
            }
            if weak != Place::Nowhere {
                out.value("weakrefoffset", &signed(class + ty::WEAKLIST_OFFSET).to_string());
            }
            if buffers::is_closed(interpreter, class) {
                out.value("memory", "closed");
            }
            if in_python {
                self.statement_facts(class, &mut out);
            } else {
                if module_of_closure(c_string(word(class + ty::NAME))).is_some() {
                    let file = self.class_file(class);
                    if !file.is_empty() {
                        out.value("file", &file);
                    }
                }
                let names: Vec<String> =
                    declared_names(class).map(|name| String::from_utf8_lossy(name).into_owned()).gather();
                if !names.is_empty() {
                    out.list("defines", names.iter().map(String::as_str));
                }
            }
            out.text
        }
    }
}

fn hash(text: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish() as usize
}

/// The text of a definition that is being written.
pub(super) struct Definition {
    text: String,
}

impl Definition {
    fn new(name: &str) -> Definition {
        let mut definition = Definition { text: String::new() };
        definition.piece(name, !name.is_empty() && !name.starts_with('#') && is_plain(name));
        definition
    }

    pub(super) fn value(&mut self, key: &str, value: &str) {
        self.key(key);
        self.piece(value, is_plain(value));
    }

    pub(super) fn number(&mut self, key: &str, number: usize) {
        self.value(key, &number.to_string());
    }

    pub(super) fn list<'a>(&mut self, key: &str, elements: impl IntoIterator<Item = &'a str>) {
        self.key(key);
        for (index, element) in elements.into_iter().enumerate() {
            if index > 0 {
                self.text.add_char(',');
            }
            self.piece(element, !element.is_empty() && !element.contains(',') && is_plain(element));
        }
    }

    /// Names, left out where there are none. One with a comma is left out too: not all readers look for quotes.
    pub(super) fn names(&mut self, key: &str, names: &[String]) {
        let mut names = names.iter().map(String::as_str).filter(|name| !name.contains(',')).peekable();
        if names.peek().is_some() {
            self.list(key, names);
        }
    }

    fn key(&mut self, key: &str) {
        self.text.add_char(' ');
        self.text.add_text(key);
        self.text.add_char('=');
    }

    fn piece(&mut self, text: &str, plain: bool) {
        if plain {
            self.text.add_text(text);
            return;
        }
        self.text.add_char('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => {
                    self.text.add_char('\\');
                    self.text.add_char(c);
                }
                '\n' => self.text.add_text("\\n"),
                '\t' => self.text.add_text("\\t"),
                '\r' => self.text.add_text("\\r"),
                c if c.is_control() => self.text.add_text(&format!("\\u{{{:x}}}", u32::from(c))),
                c => self.text.add_char(c),
            }
        }
        self.text.add_char('"');
    }
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c == ' ' || c == '"' || c.is_control())
}
