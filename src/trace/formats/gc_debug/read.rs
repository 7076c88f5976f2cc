//! Puts the lines of each collection together, and tells them as events once the collection is over.

use std::collections::{HashMap, VecDeque};

use super::super::lines::{Line, Lines};
use super::record::{Record, parse};
use crate::trace::input::Input;
use crate::trace::{
    Births, Ending, ErrorKind, Event, Events, Header, Mark, Position, References, SiteId, Tag, TraceError, TypeDef,
    TypeId,
};

/// Reads a log. After a line that cannot be read it goes on with the next.
pub(super) struct Reader {
    lines: Lines,
    header: Header,
    types: HashMap<Box<[u8]>, TypeId, foldhash::fast::RandomState>,
    /// The collection whose lines are being read.
    collection: Option<Collection>,
    /// The collection before took the interpreter apart.
    is_teardown: bool,
    pending: VecDeque<Event>,
    ending: Ending,
    is_over: bool,
}

/// What a collection has said so far.
#[derive(Default)]
struct Collection {
    /// Where it begins, if the log has a line for that.
    began: Option<Position>,
    generation: u8,
    young_are_empty: bool,
    /// It found a module: the interpreter is ending.
    has_module: bool,
    found: Vec<Found>,
}

struct Found {
    class: TypeId,
    address: u64,
    collectable: bool,
}

/// A record that outlives its line.
enum Step {
    Other,
    Collecting(u8),
    Generations { young_are_empty: bool },
    Permanent,
    Found { found: Found, is_module: bool },
    Done { unreachable: u64, uncollectable: u64 },
    Malformed(&'static str),
}

impl Reader {
    pub(super) fn new(input: Input) -> Reader {
        let extra = vec![("format".to_owned(), "gc-debug".to_owned())];
        let header =
            Header { references: References::None, births: Births::Survivors, extra, ..Header::new("cpython") };
        Reader {
            lines: Lines::new(input),
            header,
            types: HashMap::default(),
            collection: None,
            is_teardown: false,
            pending: VecDeque::new(),
            ending: Ending::Open,
            is_over: false,
        }
    }

    /// Reads one line. What it completes is pending then.
    fn step(&mut self) -> Result<(), TraceError> {
        let (types, pending) = (&mut self.types, &mut self.pending);
        let Some(line) = self.lines.next(|line| understood(line, types, pending))? else {
            self.finish();
            return Ok(());
        };
        let Line { value, position, whole } = line;
        match value {
            // Without a line that begins it, a collection is a run of objects.
            Step::Other => {
                if self.collection.as_ref().is_some_and(|collection| collection.began.is_none()) {
                    self.close(None);
                }
            }
            Step::Collecting(generation) => {
                self.close(None);
                self.collection = Some(Collection { began: Some(position), generation, ..Collection::default() });
            }
            Step::Generations { young_are_empty } => self.current().young_are_empty = young_are_empty,
            Step::Permanent => {}
            Step::Found { found, is_module } => {
                let collection = self.current();
                if is_module && collection.began.is_none() {
                    // What was found before may be the program's own.
                    self.close(None);
                }
                let collection = self.current();
                collection.has_module |= is_module;
                collection.found.push(found);
            }
            Step::Done { unreachable, uncollectable } => self.close(Some((unreachable, uncollectable))),
            Step::Malformed(_) if !whole => self.ending = Ending::Cut(position),
            Step::Malformed(expected) => {
                let kind = ErrorKind::Malformed { record: "line of the collector", expected: expected.to_owned() };
                return Err(self.lines.input.error(position, kind));
            }
        }
        Ok(())
    }

    fn current(&mut self) -> &mut Collection {
        self.collection.get_or_insert_default()
    }

    /// Tells the collection that was being read. `done`: how many the log says were unreachable, and uncollectable.
    ///
    /// What the collector finds while the interpreter takes itself apart is no garbage of the program's. Such a
    /// collection finds modules, or comes right after one that did: then nothing is young.
    fn close(&mut self, done: Option<(u64, u64)>) {
        let Some(collection) = self.collection.take().or_else(|| done.map(|_| Collection::default())) else { return };
        let is_broken_off = done.is_none() && collection.began.is_some();
        if done.is_none() && !is_broken_off && collection.found.is_empty() {
            return;
        }
        let was_teardown = self.is_teardown;
        self.is_teardown = collection.has_module || was_teardown && collection.young_are_empty;
        if self.is_teardown && !was_teardown {
            let label = "the interpreter ends".to_owned();
            self.pending.push_back(Event::Mark(Box::new(Mark { kind: "user".to_owned(), label })));
        }
        self.pending.push_back(Event::GcStart { generation: collection.generation });
        if self.is_teardown {
            self.pending.push_back(Event::GcStop { collected: 0, uncollectable: 0 });
            return;
        }
        for &Found { class, address, .. } in &collection.found {
            let object = Tag(address);
            self.pending.push_back(Event::Alloc { object, address, class, bytes: 0, site: SiteId::NONE });
            self.pending.push_back(Event::Unreachable { object });
        }
        for found in collection.found.iter().filter(|found| found.collectable) {
            self.pending.push_back(Event::Free { object: Tag(found.address) });
        }
        if is_broken_off {
            return;
        }
        let n_uncollectable = collection.found.iter().filter(|found| !found.collectable).count() as u64;
        let n_found = collection.found.len() as u64;
        let (unreachable, uncollectable) = done.unwrap_or((n_found, n_uncollectable));
        let collected = unreachable.saturating_sub(uncollectable);
        self.pending.push_back(Event::GcStop { collected, uncollectable });
    }

    /// A log that stops in the middle of a collection is cut there.
    fn finish(&mut self) {
        let began = self.collection.as_ref().and_then(|collection| collection.began);
        self.close(None);
        if let (Some(position), Ending::Open) = (began, self.ending) {
            self.ending = Ending::Cut(position);
        }
        if self.lines.input.is_cut() {
            self.ending = Ending::Cut(self.lines.position());
        }
        self.is_over = true;
    }
}

impl Events for Reader {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(Some(event));
            }
            if self.is_over {
                return Ok(None);
            }
            self.step()?;
        }
    }

    fn position(&self) -> Position {
        self.lines.position()
    }

    fn length(&self) -> Option<u64> {
        self.lines.input.length()
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

/// What a line says, with the type's number in place of its name. A type that is new is defined first.
fn understood(
    line: &[u8],
    types: &mut HashMap<Box<[u8]>, TypeId, foldhash::fast::RandomState>,
    pending: &mut VecDeque<Event>,
) -> Step {
    match parse(line) {
        None => Step::Other,
        Some(Err(expected)) => Step::Malformed(expected),
        Some(Ok(Record::Collecting(generation))) => Step::Collecting(generation),
        Some(Ok(Record::Generations { young_are_empty })) => Step::Generations { young_are_empty },
        Some(Ok(Record::Permanent)) => Step::Permanent,
        Some(Ok(Record::Done { unreachable, uncollectable })) => Step::Done { unreachable, uncollectable },
        Some(Ok(Record::Found { collectable, class: name, address })) => {
            let class = types.get(name).copied().unwrap_or_else(|| {
                let id = types.len() as u32 + 1;
                let text = String::from_utf8_lossy(name).into_owned();
                pending.push_back(Event::Type(Box::new(TypeDef { id, name: text, ..TypeDef::default() })));
                types.insert(name.into(), TypeId(id));
                TypeId(id)
            });
            Step::Found { found: Found { class, address, collectable }, is_module: name == b"module" }
        }
    }
}
