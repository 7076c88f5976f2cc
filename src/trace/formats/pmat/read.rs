//! Reads the parts of a dump, one value a step: a walk of the heap with counts.
//!
//! The parts are those of `doc/format.txt` of Devel::MAT::Dumper 0.46, as `Devel::MAT::Dumpfile` 0.51 reads them.

use std::collections::HashMap;

use super::super::cursor::{BinaryParser, Cursor, Problem};
use super::super::reader::Pending;
use super::graph::Graph;
use super::layout::{Layout, Shape};
use crate::trace::{Event, Scope};

/// Reads a dump. Memory is that of the values, and of all references: most come before what they lead to.
pub(super) struct Reader {
    pub cursor: Cursor,
    pub layout: Layout,
    pub graph: Graph,
    /// Of the C structures of extensions: the name, and the types of the fields.
    pub structures: HashMap<u64, (Vec<u8>, Vec<u8>)>,
    part: Part,
}

#[derive(Clone, Copy)]
enum Part {
    Start,
    Values,
    Contexts,
    Mortals,
}

impl BinaryParser for Reader {
    fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    fn part(&mut self, out: &mut Pending) -> Result<bool, Problem> {
        match self.part {
            Part::Start => {
                out.push_back(Event::Walk(Scope::Full));
                self.start(out)?;
                self.part = Part::Values;
            }
            Part::Values => match self.cursor.byte()? {
                0 => self.part = Part::Contexts,
                kind => self.item(kind, out)?,
            },
            Part::Contexts => match self.cursor.byte()? {
                0 => self.part = Part::Mortals,
                kind => self.context(kind)?,
            },
            Part::Mortals => {
                self.mortals()?;
                self.graph.finish(out);
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Reader {
    pub(super) fn new(cursor: Cursor, layout: Layout) -> Reader {
        Reader { cursor, layout, graph: Graph::default(), structures: HashMap::new(), part: Part::Start }
    }

    /// The roots, and Perl's stack of arguments, which counts nothing.
    fn start(&mut self, out: &mut Pending) -> Result<(), Problem> {
        // `undef`, true and false are no values of the heap.
        self.cursor.skip(3 * self.layout.pointer as u64)?;
        for _ in 0..self.cursor.int()? {
            let name = self.text()?;
            let address = self.pointer()?;
            self.graph.root(address, &name, out);
        }
        let stack = self.number()?;
        self.skip_pointers(stack)
    }

    /// A value, or what stands behind it.
    fn item(&mut self, kind: u8, out: &mut Pending) -> Result<(), Problem> {
        match kind {
            0xf0 => self.structure(),
            0xf1.. => Err(("value", "a kind of at most 240").into()),
            0x80.. => self.extension(kind, out),
            _ => self.value(kind, out),
        }
    }

    /// What the program was doing, which all has counts of its own.
    fn context(&mut self, kind: u8) -> Result<(), Problem> {
        let Some(shapes) = &self.layout.contexts else {
            return Err(("context", "version 0.2 of the format or later").into());
        };
        let shape = |kind: usize| shapes.get(kind).copied();
        let (Some(of_all), Some(own)) = (shape(0), shape(usize::from(kind))) else {
            return Err(("context", "a kind that the header has").into());
        };
        self.skip(of_all)?;
        self.skip(own)
    }

    /// Values that Perl lets go of soon. Older files end before.
    fn mortals(&mut self) -> Result<(), Problem> {
        if !self.cursor.input.reach(1).map_err(Problem::Read)? {
            return Ok(());
        }
        let mortals = self.number()?;
        self.skip_pointers(mortals)?;
        if mortals > 0 {
            self.number()?;
        }
        if self.cursor.input.reach(1).map_err(Problem::Read)? {
            return Err(("dump", "nothing behind its end").into());
        }
        Ok(())
    }

    /// The definition of a C structure that values of an extension have.
    fn structure(&mut self) -> Result<(), Problem> {
        let (id, n_fields, name) = (self.number()?, self.number()?, self.text()?);
        let mut fields = Vec::new();
        for _ in 0..n_fields {
            self.skip_text()?;
            fields.push(self.cursor.byte()?);
        }
        self.structures.insert(id, (name, fields));
        Ok(())
    }

    pub(super) fn pointer(&mut self) -> Result<u64, Problem> {
        self.word(self.layout.pointer)
    }

    pub(super) fn number(&mut self) -> Result<u64, Problem> {
        self.word(self.layout.number)
    }

    fn word(&mut self, length: usize) -> Result<u64, Problem> {
        if length == 8 { self.cursor.long() } else { self.cursor.int().map(u64::from) }
    }

    /// The length of a text; none where there is no text.
    fn length(&mut self) -> Result<Option<u64>, Problem> {
        let none = if self.layout.number == 8 { u64::MAX } else { u64::from(u32::MAX) };
        Ok(Some(self.number()?).filter(|&length| length != none))
    }

    pub(super) fn text(&mut self) -> Result<Vec<u8>, Problem> {
        match self.length()? {
            Some(length) => self.cursor.some(usize::try_from(length).map_err(|_| Problem::Short)?),
            None => Ok(Vec::new()),
        }
    }

    pub(super) fn skip_text(&mut self) -> Result<(), Problem> {
        let length = self.length()?.unwrap_or(0);
        self.cursor.skip(length)
    }

    pub(super) fn skip_pointers(&mut self, n: u64) -> Result<(), Problem> {
        self.cursor.skip(n.saturating_mul(self.layout.pointer as u64))
    }

    pub(super) fn skip(&mut self, shape: Shape) -> Result<(), Problem> {
        self.cursor.skip(shape.bytes as u64)?;
        self.skip_pointers(shape.pointers as u64)?;
        (0..shape.texts).try_for_each(|_| self.skip_text())
    }
}
