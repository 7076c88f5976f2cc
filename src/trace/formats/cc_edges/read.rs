//! Puts the lines of the log together: a walk of the heap, its checkpoint, and what the log itself calls garbage.

use super::super::dump::Dump;
use super::super::reader::{Expected, LineParser, Pending};
use super::record::{Kind, Record, parse};
use crate::trace::{Ending, Event, ObjectFlags, Position, Scope, Tag};

/// Takes the lines of a log. Memory is that of the objects, the different labels, and the references to objects whose
/// line is yet to come.
#[derive(Default)]
pub(super) struct Parser {
    dump: Dump,
    /// The object that the next edges belong to.
    subject: Option<u64>,
    /// Behind `==========`.
    in_results: bool,
}

impl LineParser for Parser {
    fn begin(&mut self, out: &mut Pending) {
        self.dump.begin(Scope::Full, out);
    }

    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        self.take(parse(line)?, out)
    }

    /// A log without results is one that Firefox did not finish.
    fn end(&mut self, here: Position, _: &mut Pending) -> Ending {
        if self.in_results { Ending::Complete } else { Ending::Cut(here) }
    }
}

impl Parser {
    fn take(&mut self, record: Record<'_>, out: &mut Pending) -> Result<(), Expected> {
        match (record, self.in_results) {
            (Record::Nothing, _) => {}
            (Record::Object { address, kind, label }, false) => self.object(address, kind, label, out)?,
            (Record::Edge { to, label }, false) => {
                let from = self.subject.ok_or(("edge", "an object above it"))?;
                self.edge(from, to, label, out);
            }
            (Record::WeakMapEntry { map, key, delegate, value }, false) => {
                for (from, to) in [(map, value), (key, value), (delegate, key)] {
                    if from != 0 && to != 0 {
                        self.edge(from, to, b"WeakMapEntry", out);
                    }
                }
            }
            (Record::IncrementalRoot(address), false) => self.dump.root(address, b"IncrementalRoot", out),
            // An object that has no count has no reference from outside that its collector did not mark: as many as are
            // known.
            (Record::Results, false) => {
                self.dump.finish(Scope::Full, true, out);
                self.in_results = true;
            }
            (Record::Garbage(address), true) => {
                if !self.dump.knows(address) {
                    return Err(("garbage", "an object of this log"));
                }
                out.push_back(Event::Unreachable { object: Tag(address) });
            }
            // Which references are from outside is known from the counts.
            (Record::Known(_), true) => {}
            (Record::Known(_) | Record::Garbage(_), false) => return Err(("result", "'==========' above it")),
            (_, true) => return Err(("line", "results alone behind '=========='")),
        }
        Ok(())
    }

    fn object(&mut self, address: u64, kind: Kind, label: &[u8], out: &mut Pending) -> Result<(), Expected> {
        self.subject = Some(address);
        // What stands in brackets, and behind them, differs from object to object: names, addresses of pages.
        let end = memchr::memmem::find(label, b" (").unwrap_or(label.len());
        let class = self.dump.names.class(&label[..end], out);
        if !self.dump.object(address, class, 0, out) {
            return Err(("object", "one line for each object"));
        }
        match kind {
            Kind::Counted(count) => self.dump.count(address, count, ObjectFlags::default(), out),
            Kind::Traced { marked: true } => self.dump.root(address, b"gc.marked", out),
            Kind::Traced { marked: false } => {}
        }
        Ok(())
    }

    fn edge(&mut self, from: u64, to: u64, label: &[u8], out: &mut Pending) {
        let slot = self.dump.names.slot(label, out);
        self.dump.reference(from, to, slot, out);
    }
}
