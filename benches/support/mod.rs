//! A plausible trace of any length, made up: a number of events goes in, [`Generated`] is a trace like any other.
//!
//! Of a hundred events about 30 are births, 17 deaths, 44 references that come or go, and 8 locals; an eighth of the number
//! of events is live at the end. The tallies are exact (`references=events frees=recorded`): an object is freed
//! as soon as its last reference has gone, with all that only it held. Cycles arise and are forgotten, so there is
//! garbage to find. Same number, same trace: the dice are a counter.

use std::collections::VecDeque;

use refloop::trace::{
    Ending, Event, Events, Header, Position, SiteDef, SiteId, Slot, Tag, TextDef, TextId, TraceError, TypeDef,
    TypeFlags, TypeId,
};

const TYPES: u32 = 200;
const SITES: u32 = 2000;
const NAMES: u32 = 300;
const ROOTS: usize = 64;
/// Bytes between two addresses; CPython's smallest objects have as many.
const SPACING: u64 = 48;
const NOBODY: u32 = u32::MAX;

/// A made-up trace.
pub(crate) struct Generated {
    header: Header,
    dice: u64,
    /// Events still to come, `end` not counted.
    left: u64,
    ready: VecDeque<Event>,
    objects: Vec<Object>,
    /// Places in `objects` of the dead.
    dead: Vec<u32>,
    n_live: u64,
    live_goal: u64,
    n_events: u64,
    /// Objects held by a local variable, in the order in which they will be forgotten.
    locals: VecDeque<u32>,
    is_over: bool,
}

#[derive(Clone)]
struct Object {
    tally: u32,
    is_live: bool,
    /// Who is referred to, and by which slot.
    out: [(u32, Slot); 3],
}

impl Generated {
    /// A trace of about `n_events` events.
    pub(crate) fn new(n_events: u64) -> Generated {
        let mut trace = Generated {
            header: Header::new("cpython-3.13.0"),
            dice: 0x9e37_79b9_7f4a_7c15,
            left: n_events,
            ready: VecDeque::new(),
            objects: Vec::new(),
            dead: Vec::new(),
            n_live: 0,
            live_goal: (n_events / 8).max(100),
            n_events: 0,
            locals: VecDeque::new(),
            is_over: false,
        };
        trace.define();
        trace
    }

    /// Types, texts, sites and roots.
    fn define(&mut self) {
        let mut text = |id: u32, text: String| {
            self.ready.push_back(Event::Text(Box::new(TextDef { id: TextId(id), text })));
        };
        for name in 1..=NAMES {
            text(name, if name % 3 == 0 { format!("['key_{name}']") } else { format!(".attribute_{name}") });
        }
        text(NAMES + 1, "/srv/app/models.py".to_owned());
        text(NAMES + 2, "Model.from_row".to_owned());
        text(NAMES + 3, "module:app".to_owned());
        for id in 1..=TYPES {
            let flags = TypeFlags::GC.with(TypeFlags::HEAP).with(TypeFlags::DICT).with(TypeFlags::WEAKREF);
            let name = format!("app.models.Type{id}");
            self.ready.push_back(Event::Type(Box::new(TypeDef { id, name, size: 48, flags, ..TypeDef::default() })));
        }
        for id in 1..=SITES {
            let parent = (id > 1).then_some(SiteId(id / 2));
            let (path, function) = (TextId(NAMES + 1), TextId(NAMES + 2));
            self.ready.push_back(Event::Site(SiteDef { id: SiteId(id), path, line: id, function, parent }));
        }
        for _ in 0..ROOTS {
            let root = self.birth();
            self.objects[root as usize].tally += 1;
            self.ready.push_back(Event::Root { object: tag(root), name: TextId(NAMES + 3) });
        }
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ (self.dice >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed >> 33) as usize) % sides.max(1)
    }

    /// A live object: nine times in ten one of the last few thousand, as in real programs.
    fn somebody(&mut self) -> u32 {
        let n = self.objects.len();
        let start = if self.roll(10) < 9 { n.saturating_sub(4096) } else { 0 };
        for _ in 0..8 {
            let object = start + self.roll(n - start);
            if self.objects[object].is_live {
                return object as u32;
            }
        }
        self.roll(ROOTS) as u32
    }

    fn birth(&mut self) -> u32 {
        let object = self.dead.pop().unwrap_or(self.objects.len() as u32);
        if object as usize == self.objects.len() {
            self.objects.push(Object { tally: 0, is_live: false, out: [(NOBODY, Slot::UNNAMED); 3] });
        }
        self.objects[object as usize] = Object { tally: 0, is_live: true, out: [(NOBODY, Slot::UNNAMED); 3] };
        self.n_live += 1;
        let class = TypeId(1 + self.roll(TYPES as usize) as u32);
        let site = SiteId(1 + self.roll(SITES as usize) as u32);
        let bytes = 32 + 16 * self.roll(8) as u64;
        self.ready.push_back(Event::Alloc { object: tag(object), address: tag(object).0, class, bytes, site });
        object
    }

    /// A reference, if the referrer has room for one.
    fn refer(&mut self, from: u32, to: u32) -> bool {
        let Some(place) = self.objects[from as usize].out.iter().position(|(to, _)| *to == NOBODY) else {
            return false;
        };
        let slot = match self.roll(4) {
            0 => Slot::index(self.roll(100) as u64),
            _ => Slot::text(TextId(1 + self.roll(NAMES as usize) as u32)),
        };
        self.objects[from as usize].out[place] = (to, slot);
        self.objects[to as usize].tally += 1;
        self.ready.push_back(Event::Ref { from: tag(from), to: tag(to), slot });
        true
    }

    /// Takes a reference back, if there is one: any, or one whose referent has others.
    fn forget(&mut self, from: u32, may_kill: bool) {
        let out = self.objects[from as usize].out;
        let is_fit = |to: u32| to != NOBODY && (may_kill || self.objects[to as usize].tally > 1);
        let Some(place) = out.iter().position(|(to, _)| is_fit(*to)) else { return };
        let (to, slot) = out[place];
        self.objects[from as usize].out[place] = (NOBODY, Slot::UNNAMED);
        self.ready.push_back(Event::Unref { from: tag(from), to: tag(to), slot });
        self.release(to);
    }

    /// One reference less; at none the object dies, and all that only it held.
    fn release(&mut self, object: u32) {
        let mut work = vec![object];
        while let Some(object) = work.pop() {
            let state = &mut self.objects[object as usize];
            state.tally -= 1;
            if state.tally > 0 {
                continue;
            }
            state.is_live = false;
            work.extend(state.out.iter().map(|(to, _)| *to).filter(|to| *to != NOBODY));
            self.dead.push(object);
            self.n_live -= 1;
            self.ready.push_back(Event::Free { object: tag(object) });
        }
    }

    /// A few events that belong together.
    fn step(&mut self) {
        let is_full = self.n_live > self.live_goal;
        match self.roll(100) {
            // A temporary: a local variable holds it for a while.
            0..8 => {
                let object = self.birth();
                self.objects[object as usize].tally += 1;
                self.ready.push_back(Event::Incref { object: tag(object) });
                self.locals.push_back(object);
                if self.locals.len() > 64
                    && let Some(oldest) = self.locals.pop_front()
                {
                    self.ready.push_back(Event::Decref { object: tag(oldest) });
                    self.release(oldest);
                }
            }
            // An object that another one holds.
            8..58 => {
                let mut parent = self.somebody();
                let child = self.birth();
                if !self.refer(parent, child) {
                    self.forget(parent, true);
                    // What it held may have held it.
                    if !self.objects[parent as usize].is_live {
                        parent = 0;
                        self.forget(parent, true);
                    }
                    self.refer(parent, child);
                }
                // Every now and then the child knows its parent.
                if self.roll(50) == 0 && self.objects[parent as usize].is_live {
                    self.refer(child, parent);
                }
            }
            58..72 => {
                let (from, to) = (self.somebody(), self.somebody());
                self.refer(from, to);
            }
            72..99 => {
                let object = self.somebody();
                for _ in 0..3 {
                    if self.objects[object as usize].is_live {
                        self.forget(object, is_full);
                    }
                }
            }
            _ => self.ready.push_back(Event::Time { ns: self.n_events * 50 }),
        }
    }
}

impl Events for Generated {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        if self.is_over {
            return Ok(None);
        }
        while self.ready.is_empty() && self.left > 0 {
            self.step();
        }
        self.left = self.left.saturating_sub(1);
        self.n_events += 1;
        self.is_over = self.ready.is_empty();
        Ok(Some(self.ready.pop_front().unwrap_or(Event::End)))
    }

    fn position(&self) -> Position {
        Position { line: Some(self.n_events), byte: self.n_events }
    }

    fn ending(&self) -> Ending {
        Ending::Complete
    }
}

/// Neighbours in the log are neighbours in memory, as with a real allocator.
fn tag(object: u32) -> Tag {
    Tag(0x7f32_1400_0000 + u64::from(object) * SPACING)
}
