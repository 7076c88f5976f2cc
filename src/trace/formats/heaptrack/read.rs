//! Follows the allocations of a log. Their addresses are not in it, so each birth gets a number of its own.

use super::super::definitions::Definitions;
use super::super::reader::{Expected, LineParser, Pending};
use super::record::{Record, parse};
use crate::trace::{Ending, Event, Position, SiteDef, SiteId, Tag, TextId};

/// Takes the lines of a log. Memory is that of the live allocations, of the distinct stacks, and of the texts.
#[derive(Default)]
pub(super) struct Parser {
    version: u64,
    names: Definitions,
    texts: Vec<TextId>,
    pointers: Vec<Pointer>,
    n_traces: u64,
    allocations: Vec<Allocation>,
    /// Births so far.
    births: u64,
}

#[derive(Clone, Copy)]
struct Pointer {
    path: TextId,
    line: u32,
    function: TextId,
}

/// A size and a stack, and the live blocks of it.
struct Allocation {
    bytes: u64,
    site: SiteId,
    live: Vec<u64>,
}

impl LineParser for Parser {
    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        match parse(line, self.version)? {
            Record::Version(version) => self.version = version,
            Record::Text(text) => {
                let text = self.names.text(text, out);
                self.texts.push(text);
            }
            Record::Pointer { address, module, function, file, line } => {
                let module = self.text(module).ok_or(("instruction pointer", "a module above it"))?;
                let function = match self.text(function) {
                    Some(function) => function,
                    None => self.names.text(format!("{address:#x}").as_bytes(), out),
                };
                self.pointers.push(Pointer { path: self.text(file).unwrap_or(module), line, function });
            }
            Record::Trace { pointer, parent } => self.trace(pointer, parent, out)?,
            Record::Allocation { bytes, trace } => {
                if trace > self.n_traces {
                    return Err(("allocation", "a trace above it"));
                }
                self.allocations.push(Allocation { bytes, site: SiteId(trace as u32), live: Vec::new() });
            }
            Record::Birth(number) => {
                self.births += 1;
                let (address, object) = (self.births, Tag(self.births));
                let class = self.names.class(b"block", out);
                let kind = self.allocation(number).ok_or(("birth", "an allocation above it"))?;
                kind.live.push(address);
                out.push_back(Event::Alloc { object, address, class, bytes: kind.bytes, site: kind.site });
            }
            // Which of those that are alike it is cannot be told; a block that was there before heaptrack was is none.
            Record::Death(number) => {
                let kind = self.allocation(number).ok_or(("death", "an allocation above it"))?;
                out.extend(kind.live.pop().map(|address| Event::Free { object: Tag(address) }));
            }
            Record::Time(ms) => out.push_back(Event::Time { ns: ms.saturating_mul(1_000_000) }),
            Record::Other => {}
        }
        Ok(())
    }

    /// heaptrack writes no end.
    fn end(&mut self, _: Position, _: &mut Pending) -> Ending {
        Ending::Open
    }
}

impl Parser {
    fn text(&self, number: u64) -> Option<TextId> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        self.texts.get(place).copied()
    }

    fn pointer(&self, number: u64) -> Option<&Pointer> {
        self.pointers.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    fn allocation(&mut self, number: u64) -> Option<&mut Allocation> {
        self.allocations.get_mut(usize::try_from(number).ok()?)
    }

    /// Traces are numbered as sites are.
    fn trace(&mut self, pointer: u64, parent: u64, out: &mut Pending) -> Result<(), Expected> {
        let place = *self.pointer(pointer).ok_or(("trace", "an instruction pointer above it"))?;
        if parent > self.n_traces || self.n_traces >= u64::from(u32::MAX) {
            return Err(("trace", "a trace above it"));
        }
        self.n_traces += 1;
        let (id, parent) = (SiteId(self.n_traces as u32), Some(SiteId(parent as u32)));
        let Pointer { path, line, function } = place;
        out.push_back(Event::Site(SiteDef {
            id,
            path,
            line,
            function,
            parent: parent.filter(|of| *of != SiteId::NONE),
        }));
        Ok(())
    }
}
