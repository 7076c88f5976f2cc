//! Puts the lines of the log together: a walk of the heap, its checkpoint, and what the log itself calls garbage.

use std::collections::{HashMap, VecDeque};

use super::super::lines::{Line, Lines};
use super::record::{Kind, Record, parse};
use crate::trace::input::Input;
use crate::trace::{
    Births, Ending, ErrorKind, Event, Events, Header, ObjectFlags, Position, References, Scope, SiteId, Slot, Tag,
    TextDef, TextId, TraceError, TypeDef, TypeId,
};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Reads a log. After a line that cannot be read it goes on with the next. Memory is that of the objects, the
/// different labels, and the references to objects whose line is yet to come.
pub(super) struct Reader {
    lines: Lines,
    header: Header,
    heap: Heap,
    part: Part,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Start,
    Objects,
    Results,
    Over,
}

/// The objects so far, and the events that are not told yet.
#[derive(Default)]
struct Heap {
    objects: Map<u64, Object>,
    types: Map<Box<[u8]>, TypeId>,
    texts: Map<Box<[u8]>, TextId>,
    /// References and roots of objects whose own lines are yet to come, told before the checkpoint.
    later: Vec<Event>,
    /// The object that the next edges belong to.
    subject: Option<u64>,
    pending: VecDeque<Event>,
}

#[derive(Clone, Copy, Default)]
struct Object {
    /// References to it.
    incoming: u64,
    /// `None` until its own line is read.
    kind: Option<Kind>,
}

impl Reader {
    pub(super) fn new(input: Input) -> Reader {
        let extra = vec![("format".to_owned(), "cc-edges".to_owned())];
        let header =
            Header { references: References::Checkpoints, births: Births::Survivors, extra, ..Header::new("firefox") };
        Reader { lines: Lines::new(input), header, heap: Heap::default(), part: Part::Start, ending: Ending::Open }
    }

    /// Reads one line. What it says is pending then.
    fn step(&mut self) -> Result<(), TraceError> {
        if self.part == Part::Start {
            self.heap.pending.push_back(Event::Walk(Scope::Full));
            self.part = Part::Objects;
        }
        let (heap, part) = (&mut self.heap, &mut self.part);
        let answer = self.lines.next(|line| parse(line).and_then(|record| heap.take(record, part)))?;
        match answer {
            None => self.finish(),
            Some(Line { value: Ok(()), .. }) => {}
            Some(Line { value: Err(_), position, whole: false }) => self.ending = Ending::Cut(position),
            Some(Line { value: Err((record, expected)), position, whole: true }) => {
                let kind = ErrorKind::Malformed { record, expected: expected.to_owned() };
                return Err(self.lines.input.error(position, kind));
            }
        }
        Ok(())
    }

    /// A log without results is one that Firefox did not finish.
    fn finish(&mut self) {
        if self.part == Part::Objects || self.lines.input.is_cut() {
            self.ending = Ending::Cut(self.lines.position());
        } else if self.ending == Ending::Open {
            self.ending = Ending::Complete;
            self.heap.pending.push_back(Event::End);
        }
        self.part = Part::Over;
    }
}

impl Heap {
    fn take(&mut self, record: Record<'_>, part: &mut Part) -> Result<(), (&'static str, &'static str)> {
        match (record, *part) {
            (Record::Nothing, _) => {}
            (Record::Object { address, kind, label }, Part::Objects) => self.object(address, kind, label)?,
            (Record::Edge { to, label }, Part::Objects) => {
                let from = self.subject.ok_or(("edge", "an object above it"))?;
                self.edge(from, to, label);
            }
            (Record::WeakMapEntry { map, key, delegate, value }, Part::Objects) => {
                for (from, to) in [(map, value), (key, value), (delegate, key)] {
                    if from != 0 && to != 0 {
                        self.edge(from, to, b"WeakMapEntry");
                    }
                }
            }
            (Record::IncrementalRoot(address), Part::Objects) => self.root(address, b"IncrementalRoot"),
            (Record::Results, Part::Objects) => {
                self.checkpoint();
                *part = Part::Results;
            }
            (Record::Garbage(address), Part::Results) => {
                if !self.objects.contains_key(&address) {
                    return Err(("garbage", "an object of this log"));
                }
                self.pending.push_back(Event::Unreachable { object: Tag(address) });
            }
            // Which references are from outside is known from the counts.
            (Record::Known(_), Part::Results) => {}
            (Record::Known(_) | Record::Garbage(_), _) => return Err(("result", "'==========' above it")),
            (_, _) => return Err(("line", "results alone behind '=========='")),
        }
        Ok(())
    }

    fn object(&mut self, address: u64, kind: Kind, label: &[u8]) -> Result<(), (&'static str, &'static str)> {
        self.subject = Some(address);
        if self.objects.entry(address).or_default().kind.replace(kind).is_some() {
            return Err(("object", "one line for each object"));
        }
        let object = Tag(address);
        // What stands in brackets, and behind them, differs from object to object: names, addresses of pages.
        let end = memchr::memmem::find(label, b" (").unwrap_or(label.len());
        let class = if end > 0 { self.class(&label[..end]) } else { TypeId::UNKNOWN };
        self.pending.push_back(Event::Alloc { object, address, class, bytes: 0, site: SiteId::NONE });
        match kind {
            Kind::Counted(count) => {
                self.pending.push_back(Event::Count { object, count, flags: ObjectFlags::default() });
            }
            Kind::Traced { marked: true } => self.root(address, b"gc.marked"),
            Kind::Traced { marked: false } => {}
        }
        Ok(())
    }

    fn edge(&mut self, from: u64, to: u64, label: &[u8]) {
        self.objects.entry(from).or_default();
        self.objects.entry(to).or_default().incoming += 1;
        let slot = if label.is_empty() { Slot::UNNAMED } else { Slot::text(self.text(label)) };
        self.tell(&[from, to], Event::Ref { from: Tag(from), to: Tag(to), slot });
    }

    fn root(&mut self, address: u64, name: &[u8]) {
        self.objects.entry(address).or_default();
        let name = self.text(name);
        self.tell(&[address], Event::Root { object: Tag(address), name });
    }

    /// Tells an event once all these objects are born.
    fn tell(&mut self, objects: &[u64], event: Event) {
        let is_born = |address| self.objects.get(address).is_some_and(|object| object.kind.is_some());
        if objects.iter().all(is_born) { self.pending.push_back(event) } else { self.later.push(event) }
    }

    /// Objects without a line of their own are born, and what was told of them before their line is told.
    ///
    /// An object that has no count has no reference from outside that its collector did not mark: as many as are known.
    fn checkpoint(&mut self) {
        let is_unborn = |object: &Object| object.kind.is_none();
        let mut unborn: Vec<u64> =
            { self.objects.iter() }.filter(|(_, object)| is_unborn(object)).map(|(&address, _)| address).collect();
        unborn.sort_unstable();
        let birth = |address| {
            let (object, class) = (Tag(address), TypeId::UNKNOWN);
            Event::Alloc { object, address, class, bytes: 0, site: SiteId::NONE }
        };
        self.pending.extend(unborn.into_iter().map(birth));
        self.pending.extend(self.later.drain(..));
        let mut traced: Vec<(u64, u64)> = { self.objects.iter() }
            .filter(|(_, object)| matches!(object.kind, Some(Kind::Traced { .. })))
            .map(|(&address, object)| (address, object.incoming))
            .collect();
        traced.sort_unstable();
        let count = |(address, count)| Event::Count { object: Tag(address), count, flags: ObjectFlags::default() };
        self.pending.extend(traced.into_iter().map(count));
        self.pending.push_back(Event::Checkpoint(Scope::Full));
    }

    fn class(&mut self, name: &[u8]) -> TypeId {
        if let Some(&id) = self.types.get(name) {
            return id;
        }
        let id = TypeId(self.types.len() as u32 + 1);
        let text = String::from_utf8_lossy(name).into_owned();
        self.pending.push_back(Event::Type(Box::new(TypeDef { id: id.0, name: text, ..TypeDef::default() })));
        self.types.insert(name.into(), id);
        id
    }

    fn text(&mut self, name: &[u8]) -> TextId {
        if let Some(&id) = self.texts.get(name) {
            return id;
        }
        let id = TextId(self.texts.len() as u32 + 1);
        let text = String::from_utf8_lossy(name).into_owned();
        self.pending.push_back(Event::Text(Box::new(TextDef { id, text })));
        self.texts.insert(name.into(), id);
        id
    }
}

impl Events for Reader {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        loop {
            if let Some(event) = self.heap.pending.pop_front() {
                return Ok(Some(event));
            }
            if self.part == Part::Over {
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
