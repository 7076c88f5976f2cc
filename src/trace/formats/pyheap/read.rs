//! Reads the parts of a dump, one object a step: a walk of the heap without counts, with the locals of threads as roots.
//!
//! The parts are those that `_HeapWriter` of PyHeap writes (`pyheap/src/dumper_inferior.py`, format version 1).

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::super::cursor::{BinaryParser, ByteOrder, Cursor, Problem};
use super::super::dump::Dump;
use super::super::reader::Pending;
use super::MAGIC;
use crate::trace::input::Input;
use crate::trace::{Event, Scope, Slot, Tag, TypeId};

/// Reads a dump. Memory is that of the objects, of the references to objects that are yet to come, and of one object.
pub(super) struct Reader {
    cursor: Cursor,
    dump: Dump,
    part: Part,
    /// Texts follow objects.
    with_texts: bool,
    /// Types whose instances have their content written, by address.
    containers: HashMap<u64, Container, RandomState>,
    /// Types whose instances have no attributes written.
    common: HashSet<u64, RandomState>,
    frequent: Vec<Vec<u8>>,
    /// Each object and its type: names of types come last.
    types: Vec<(u64, u64)>,
}

#[derive(Clone, Copy)]
enum Part {
    Start,
    /// So many objects are to come.
    Objects(u32),
    Types,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Dict,
    Sequence,
    Set,
}

impl BinaryParser for Reader {
    fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    fn part(&mut self, out: &mut Pending) -> Result<bool, Problem> {
        match self.part {
            Part::Start => self.start(out)?,
            Part::Objects(0) => self.part = Part::Types,
            Part::Objects(n) => {
                self.part = Part::Objects(n - 1);
                self.object(out)?;
            }
            Part::Types => {
                self.end(out)?;
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Reader {
    pub(super) fn new(input: Input) -> Reader {
        Reader {
            cursor: Cursor { input, order: ByteOrder::Big },
            dump: Dump::default(),
            part: Part::Start,
            with_texts: false,
            containers: HashMap::default(),
            common: HashSet::default(),
            frequent: Vec::new(),
            types: Vec::new(),
        }
    }

    /// Everything before the objects.
    fn start(&mut self, out: &mut Pending) -> Result<(), Problem> {
        self.dump.begin(Scope::Full, out);
        self.cursor.long()?;
        if self.cursor.int()? != 1 {
            return Err(("version", "version 1 of the format").into());
        }
        // When the dump was taken.
        self.text()?;
        self.with_texts = self.cursor.long()? & 1 != 0;
        for _ in 0..self.cursor.int()? {
            let (name, address) = (self.text()?, self.cursor.long()?);
            let container = match &name[..] {
                b"dict" => Container::Dict,
                b"list" | b"tuple" => Container::Sequence,
                b"set" => Container::Set,
                _ => continue,
            };
            self.containers.insert(address, container);
        }
        self.threads(out)?;
        for _ in 0..self.cursor.int()? {
            let name = self.text()?;
            self.frequent.push(name);
        }
        for _ in 0..self.cursor.int()? {
            let address = self.cursor.long()?;
            self.common.insert(address);
            for _ in 0..self.cursor.int()? {
                self.attribute()?;
            }
        }
        self.part = Part::Objects(self.cursor.int()?);
        Ok(())
    }

    /// The locals of each frame are roots.
    fn threads(&mut self, out: &mut Pending) -> Result<(), Problem> {
        for _ in 0..self.cursor.int()? {
            // Its name; whether it is alive, and a daemon.
            self.text()?;
            self.cursor.byte()?;
            self.cursor.byte()?;
            for _ in 0..self.cursor.int()? {
                // The file, and the line that runs.
                self.text()?;
                self.cursor.int()?;
                let function = self.text()?;
                for _ in 0..self.cursor.int()? {
                    let (name, address) = (self.text()?, self.cursor.long()?);
                    self.dump.root(address, &[b"local:", &function[..], b".", &name[..]].concat(), out);
                }
            }
        }
        Ok(())
    }

    fn object(&mut self, out: &mut Pending) -> Result<(), Problem> {
        let (address, class, size) = (self.cursor.long()?, self.cursor.long()?, self.cursor.int()?);
        if !self.dump.object(address, TypeId::UNKNOWN, u64::from(size), out) {
            return Err(("object", "each object once").into());
        }
        self.types.push((address, class));
        let container = self.containers.get(&class).copied();
        if let Some(container) = container {
            for nth in 0..self.cursor.int()? {
                let slot = match container {
                    Container::Dict => {
                        let key = self.cursor.long()?;
                        let slot = self.dump.names.slot(b"key", out);
                        self.dump.reference(address, key, slot, out);
                        Slot::UNNAMED
                    }
                    Container::Sequence => Slot::index(u64::from(nth)),
                    Container::Set => self.dump.names.slot(b"element", out),
                };
                let to = self.cursor.long()?;
                self.dump.reference(address, to, slot, out);
            }
        }
        let mut referents = Vec::new();
        for _ in 0..self.cursor.int()? {
            referents.push(self.cursor.long()?);
        }
        let mut names = HashMap::new();
        if !self.common.contains(&class) {
            for _ in 0..self.cursor.int()? {
                let (name, value) = self.attribute()?;
                // Most are those of the class, which the object itself does not refer to.
                names.entry(value).or_insert(name);
            }
        }
        for to in referents {
            let name = names.get(&to).map(|name| [b".", &name[..]].concat()).unwrap_or_default();
            let slot = self.dump.names.slot(&name, out);
            self.dump.reference(address, to, slot, out);
        }
        if self.with_texts && container.is_none() {
            self.text()?;
        }
        Ok(())
    }

    /// A text behind its length, of up to 65,535 bytes.
    fn text(&mut self) -> Result<Vec<u8>, Problem> {
        let length = self.cursor.short()?;
        self.cursor.some(usize::from(length))
    }

    /// The name of an attribute and the address of its value. A negative length is the number of a frequent name.
    fn attribute(&mut self) -> Result<(Vec<u8>, u64), Problem> {
        let length = self.cursor.short()?.cast_signed();
        let name = match usize::try_from(length) {
            Ok(length) => self.cursor.some(length)?,
            Err(_) => {
                let name = usize::try_from(-1 - i32::from(length)).ok().and_then(|place| self.frequent.get(place));
                name.cloned().ok_or(("attribute", "a number of a frequent attribute"))?
            }
        };
        Ok((name, self.cursor.long()?))
    }

    /// The names of the types, and the magic once more.
    fn end(&mut self, out: &mut Pending) -> Result<(), Problem> {
        let mut names = HashMap::new();
        for _ in 0..self.cursor.int()? {
            let (address, name) = (self.cursor.long()?, self.text()?);
            names.insert(address, name);
        }
        if self.cursor.long()? != MAGIC {
            return Err(("end", "the magic number").into());
        }
        for (object, class) in std::mem::take(&mut self.types) {
            if let Some(name) = names.get(&class) {
                let class = self.dump.names.class(name, out);
                out.push_back(Event::Retype { object: Tag(object), class });
            }
        }
        self.dump.finish(Scope::Full, false, out);
        Ok(())
    }
}
