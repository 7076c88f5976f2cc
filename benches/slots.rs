//! What the table of slots costs on top of the loops, in the same pass: a recording of a million instances.
//!
//! ```text
//! SLOTS_INSTANCES=1000000 SLOTS_ROUNDS=5 cargo bench --bench slots
//! ```
//!
//! The trace is made up in the shape of a recording of CPython 3.13: each instance has three attributes in inline values,
//! two of them strings of its own, and one checkpoint describes all. It is replayed from a mapped file in the page cache, by
//! turns with the tracker of loops alone and with the profiler beside it. CPU time counts; the extra is that of each round.

use refloop::cycles::Tracker;
use refloop::heap::replay;
use refloop::overhead::{Profiler, SlotsOptions};
use refloop::trace::formats::{WriteOptions, named};
use refloop::trace::{
    DictState, Ending, Event, Events, Header, ObjectFlags, Position, References, Scope, SiteId, Slot, Tag, TextDef,
    TextId, TraceError, TypeDef, TypeFlags, TypeId, TypeRef, convert, open,
};

#[path = "support/cpu.rs"]
mod cpu;

fn main() {
    let instances = setting("SLOTS_INSTANCES", 1_000_000);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut trace = Recording::new(instances);
    let writer = named("binary").and_then(|format| format.writer()).expect("a format that can be written");
    let out = Box::new(file.reopen().expect("the same file"));
    let sink = writer(trace.header(), out, WriteOptions::default()).expect("a header");
    convert(&mut trace, sink).expect("a whole trace");
    let alone = || {
        let mut events = open(file.path()).expect("a trace");
        let mut tracker = Tracker::new();
        let replayed = replay(&mut *events, &mut tracker, &mut |_| {});
        tracker.finish(&replayed.heap);
    };
    let together = || {
        let mut events = open(file.path()).expect("a trace");
        let mut observer = (Tracker::new(), Profiler::new());
        let replayed = replay(&mut *events, &mut observer, &mut |_| {});
        observer.0.finish(&replayed.heap);
        let advice = observer.1.finish(&replayed.heap).advise(&SlotsOptions::default());
        assert_eq!(advice.slots[0].instances, instances);
    };
    let (mut loops, mut both, mut extra) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..setting("SLOTS_ROUNDS", 5) {
        let (alone, together) = if round % 2 == 0 {
            let alone = timed(alone);
            (alone, timed(together))
        } else {
            let together = timed(together);
            (timed(alone), together)
        };
        loops.push(alone);
        both.push(together);
        extra.push(100.0 * (together / alone - 1.0));
    }
    println!(
        "{instances} instances: loops {:.3} s, loops and slots {:.3} s, {:+.1} % (medians; fastest {:.3} s and {:.3} s)",
        median(&mut loops),
        median(&mut both),
        median(&mut extra),
        loops[0],
        both[0]
    );
}

/// The median; the numbers are sorted then.
fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// CPU time that the work takes, of the thread that reads and of the one that plays together, seconds.
fn timed(work: impl FnOnce()) -> f64 {
    let began = cpu::time();
    work();
    cpu::time().saturating_sub(began).as_secs_f64()
}

const ATTRIBUTES: [&str; 4] = [".name", ".age", ".api_token", ".__class__"];
const CLASS: Tag = Tag(0x10);
const AGE: Tag = Tag(0x20);

/// First the definitions and births, then the walk.
struct Recording {
    header: Header,
    instances: u64,
    ready: Vec<Event>,
    next: u64,
    walks: bool,
    is_over: bool,
}

impl Recording {
    fn new(instances: u64) -> Recording {
        let mut header = Header::new("cpython-3.13.0");
        header.references = References::Checkpoints;
        let text = |(i, text): (usize, &&str)| {
            Event::Text(Box::new(TextDef { id: TextId(i as u32 + 1), text: (*text).to_owned() }))
        };
        let mut ready: Vec<Event> = ATTRIBUTES.iter().enumerate().map(text).collect();
        let flags = [
            TypeFlags::GC,
            TypeFlags::HEAP,
            TypeFlags::DICT,
            TypeFlags::WEAKREF,
            TypeFlags::MANAGED_DICT,
            TypeFlags::MANAGED_WEAKREF,
            TypeFlags::INLINE_VALUES,
        ];
        let flags = flags.into_iter().fold(TypeFlags::default(), TypeFlags::with);
        let class = |id: u32, name: &str, size: u64, flags: TypeFlags| {
            let bases = if id == 1 { Vec::new() } else { vec![TypeRef::Id(TypeId(1))] };
            Event::Type(Box::new(TypeDef { id, name: name.to_owned(), size, flags, bases, ..TypeDef::default() }))
        };
        ready.push(class(1, "object", 16, TypeFlags::default()));
        ready.push(class(2, "str", 64, TypeFlags::default()));
        ready.push(class(3, "int", 24, TypeFlags::default()));
        ready.push(class(4, "type", 928, TypeFlags::GC.with(TypeFlags::CLASS)));
        ready.push(class(5, "app.UserProfile", 16, flags));
        ready.push(birth(CLASS, 4, 1700));
        ready.push(birth(AGE, 3, 28));
        ready.reverse();
        Recording { header, instances, ready, next: 0, walks: false, is_over: false }
    }

    fn refill(&mut self) {
        if self.next == self.instances {
            if self.is_over {
                return;
            }
            if self.walks {
                self.is_over = true;
                self.ready.extend([Event::End, Event::Checkpoint(Scope::Full)]);
            } else {
                (self.walks, self.next) = (true, 0);
                self.ready.extend([count(AGE, 1), count(CLASS, self.instances + 1), Event::Walk(Scope::Full)]);
            }
            return;
        }
        let at = 0x1000 + 0x100 * self.next;
        let (object, name, token) = (Tag(at), Tag(at + 0x60), Tag(at + 0xa0));
        self.next += 1;
        if !self.walks {
            self.ready.extend([birth(token, 2, 55), birth(name, 2, 52), birth(object, 5, 96)]);
            return;
        }
        self.ready.extend([count(token, 1), count(name, 1)]);
        for (i, to) in [name, AGE, token, CLASS].into_iter().enumerate().rev() {
            self.ready.push(Event::Ref { from: object, to, slot: Slot::text(TextId(i as u32 + 1)) });
        }
        self.ready.push(Event::Dict { object, state: DictState::Inline, capacity: 4 });
        self.ready.push(count(object, 1));
    }
}

fn birth(object: Tag, class: u32, bytes: u64) -> Event {
    Event::Alloc { object, address: object.0, class: TypeId(class), bytes, site: SiteId::NONE }
}

fn count(object: Tag, count: u64) -> Event {
    let flags = if object == AGE { ObjectFlags::IMMORTAL } else { ObjectFlags::default() };
    Event::Count { object, count, flags }
}

impl Events for Recording {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        while self.ready.is_empty() && !self.is_over {
            self.refill();
        }
        Ok(self.ready.pop())
    }

    fn position(&self) -> Position {
        Position { line: None, byte: self.next }
    }

    fn ending(&self) -> Ending {
        Ending::Complete
    }
}
