//! Follows the objects of a log. What is left of them at its end is what Firefox calls leaked.

use super::super::address_map::AddressMap;
use super::super::definitions::Definitions;
use super::super::reader::{Expected, LineParser, Pending};
use super::super::sites::{Place, Sites};
use super::record::{Operation, Record, parse, place};
use crate::trace::{Ending, Event, ObjectFlags, Position, Scope, SiteId, Tag, TypeId};

/// Takes the lines of a log. Memory is that of the live objects, and of the distinct stacks.
#[derive(Default)]
pub(super) struct Parser {
    names: Definitions,
    sites: Sites,
    live: AddressMap<Object>,
    /// An object whose stack is being read.
    birth: Option<Birth>,
}

/// A live object.
struct Object {
    serial: u64,
    class: TypeId,
    /// As the log says; `None` where it counts no references of the object.
    count: Option<u64>,
}

struct Birth {
    address: u64,
    class: TypeId,
    bytes: u64,
    /// The innermost first.
    stack: Vec<Place>,
}

impl LineParser for Parser {
    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        match parse(line)? {
            Record::Operation { class, address, serial, what } => {
                self.tell_birth(out);
                self.operation(class, (address, serial), what, out);
            }
            Record::Frame(frame) => {
                if let Some(birth) = &mut self.birth {
                    birth.stack.push(place(frame));
                }
            }
            Record::Other => self.tell_birth(out),
        }
        Ok(())
    }

    /// Firefox writes no end: it is taken for the end of the program.
    fn end(&mut self, _: Position, out: &mut Pending) -> Ending {
        self.tell_birth(out);
        let mut left: Vec<(u64, &Object)> = self.live.iter().collect();
        left.sort_unstable_by_key(|&(address, _)| address);
        out.push_back(Event::Walk(Scope::Garbage));
        for (address, Object { serial, count, .. }) in &left {
            let object = Tag(*address);
            if *serial > 0 {
                let name = self.names.text(format!("serial {serial}").as_bytes(), out);
                out.push_back(Event::Name { object, name });
            }
            if let &Some(count) = count {
                out.push_back(Event::Count { object, count, flags: ObjectFlags::default() });
            }
        }
        out.push_back(Event::Checkpoint(Scope::Garbage));
        out.extend(left.iter().map(|(address, _)| Event::Unreachable { object: Tag(*address) }));
        Ending::Open
    }
}

impl Parser {
    fn operation(&mut self, class: &[u8], (address, serial): (u64, u64), what: Operation, out: &mut Pending) {
        match what {
            Operation::Ctor(bytes) => self.construct(class, (address, serial), bytes, out),
            Operation::Create => self.construct(class, (address, serial), 0, out),
            Operation::AddRef(count) => {
                if self.live.get(address).is_none_or(|object| object.serial != serial) {
                    self.construct(class, (address, serial), 0, out);
                }
                if let Some(object) = self.live.get(address) {
                    object.count = Some(count);
                }
            }
            Operation::Release(0) | Operation::Dtor | Operation::Destroy => {
                if self.live.remove(address).is_some() {
                    out.push_back(Event::Free { object: Tag(address) });
                }
            }
            Operation::Release(count) => {
                if let Some(object) = self.live.get(address) {
                    object.count = Some(count);
                }
            }
            Operation::Pointer => {}
        }
    }

    /// A base class and its derived ones may each log the constructor of one object: the last one is what it is.
    fn construct(&mut self, class: &[u8], (address, serial): (u64, u64), bytes: u64, out: &mut Pending) {
        let object = Tag(address);
        let class = self.names.class(class, out);
        match self.live.get(address).filter(|known| known.serial == serial) {
            Some(known) => {
                if known.class != class {
                    known.class = class;
                    out.push_back(Event::Retype { object, class });
                }
                if bytes > 0 {
                    out.push_back(Event::Resize { object, bytes });
                }
            }
            None => {
                self.live.remove(address);
                self.live.entry(address, || Object { serial, class, count: None });
                self.birth = Some(Birth { address, class, bytes, stack: Vec::new() });
            }
        }
    }

    /// The stack of a birth is complete.
    fn tell_birth(&mut self, out: &mut Pending) {
        let Some(Birth { address, class, bytes, stack }) = self.birth.take() else { return };
        let mut site = SiteId::NONE;
        for place in stack.into_iter().rev() {
            site = self.sites.of_place(site, place, &mut self.names, out);
        }
        out.push_back(Event::Alloc { object: Tag(address), address, class, bytes, site });
    }
}
