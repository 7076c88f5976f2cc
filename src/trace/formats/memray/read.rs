//! Follows the stacks and the allocations of a capture.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::super::definitions::Definitions;
use super::super::reader::{Expected, LineParser, Pending};
use super::super::sites::{Place, Sites};
use super::record::{Record, parse};
use crate::trace::{Ending, Event, Position, SiteId, Tag};

/// Takes the lines of a capture. Memory is that of the live allocations, the distinct stacks, and the code objects.
#[derive(Default)]
pub(super) struct Parser {
    names: Definitions,
    sites: Sites,
    code: HashMap<u64, Place, RandomState>,
    /// The stack of each thread, the outermost frame first.
    stacks: HashMap<u64, Vec<SiteId>, RandomState>,
    thread: u64,
    live: HashSet<u64, RandomState>,
    start_ms: u64,
    last_ms: u64,
    is_whole: bool,
}

impl LineParser for Parser {
    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        match parse(line)? {
            Record::Header { start_ms, .. } => self.start_ms = start_ms,
            Record::Code { id, function, path } => {
                self.code.insert(id, Place { path: path.into(), line: 0, function: function.into() });
            }
            Record::Push(id) => {
                let place = self.code.get(&id).ok_or(("FRAME_PUSH", "a code object above it"))?;
                let stack = self.stacks.entry(self.thread).or_default();
                let caller = stack.last().copied().unwrap_or(SiteId::NONE);
                let site = self.sites.site(caller, (id, place), &mut self.names, out);
                stack.push(site);
            }
            Record::Pop(count) => {
                let stack = self.stacks.entry(self.thread).or_default();
                let left = usize::try_from(count).ok().and_then(|count| stack.len().checked_sub(count));
                stack.truncate(left.ok_or(("FRAME_POP", "as many frames as were pushed"))?);
            }
            Record::Thread(thread) => self.thread = thread,
            Record::Allocation { address, bytes, allocator } => self.allocation(address, bytes, allocator, out),
            Record::Time(ms) if ms >= self.last_ms => {
                self.last_ms = ms;
                out.push_back(Event::Time { ns: ms.saturating_sub(self.start_ms).saturating_mul(1_000_000) });
            }
            Record::Trailer => self.is_whole = true,
            Record::Time(_) | Record::Other => {}
        }
        Ok(())
    }

    fn end(&mut self, _: Position, _: &mut Pending) -> Ending {
        if self.is_whole { Ending::Complete } else { Ending::Open }
    }
}

impl Parser {
    /// A block that was there before memray was has no birth, so its end is none here. Mappings are no blocks: they may
    /// be given back in parts.
    fn allocation(&mut self, address: u64, bytes: u64, allocator: &[u8], out: &mut Pending) {
        let object = Tag(address);
        match allocator {
            b"mmap" | b"munmap" => {}
            b"free" | b"pymalloc_free" => {
                if self.live.remove(&address) {
                    out.push_back(Event::Free { object });
                }
            }
            _ => {
                let class = self.names.class(allocator, out);
                let site = self.stacks.get(&self.thread).and_then(|stack| stack.last().copied());
                if !self.live.insert(address) {
                    out.push_back(Event::Free { object });
                }
                out.push_back(Event::Alloc { object, address, class, bytes, site: site.unwrap_or(SiteId::NONE) });
            }
        }
    }
}
