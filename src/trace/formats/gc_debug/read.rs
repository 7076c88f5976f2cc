//! Puts the lines of each collection together, and tells them as events once the collection is over.

use super::super::definitions::Definitions;
use super::super::reader::{Expected, LineParser, Pending};
use super::record::{Record, parse};
use crate::trace::{Ending, Event, Mark, Position, SiteId, Tag, TypeId};

/// Takes the lines of a log. Memory is that of one collection.
#[derive(Default)]
pub(super) struct Parser {
    names: Definitions,
    /// The collection whose lines are being read.
    collection: Option<Collection>,
    /// The collection before took the interpreter apart.
    is_teardown: bool,
}

/// What a collection has said so far.
#[derive(Default)]
struct Collection {
    /// Where it begins, if the log has a line for that.
    began: Option<Position>,
    generation: u8,
    /// Objects in each generation, the youngest first, if the log says it.
    generations: Option<[u64; 3]>,
    /// It found a module: the interpreter is ending.
    has_module: bool,
    found: Vec<Found>,
}

struct Found {
    class: TypeId,
    address: u64,
    collectable: bool,
}

impl LineParser for Parser {
    fn line(&mut self, line: &[u8], position: Position, out: &mut Pending) -> Result<(), Expected> {
        let record = parse(line).transpose().map_err(|expected| ("line of the collector", expected))?;
        match record {
            // Without a line that begins it, a collection is a run of objects.
            None => {
                if self.collection.as_ref().is_some_and(|collection| collection.began.is_none()) {
                    self.close(None, out);
                }
            }
            Some(Record::Collecting(generation)) => {
                self.close(None, out);
                self.collection = Some(Collection { began: Some(position), generation, ..Collection::default() });
            }
            Some(Record::Generations(objects)) => self.current().generations = Some(objects),
            Some(Record::Permanent) => {}
            Some(Record::Found { collectable, class: name, address }) => {
                let class = self.names.class(name, out);
                let is_module = name == b"module";
                if is_module && self.current().began.is_none() {
                    // What was found before may be the program's own.
                    self.close(None, out);
                }
                let collection = self.current();
                collection.has_module |= is_module;
                collection.found.push(Found { class, address, collectable });
            }
            Some(Record::Done { unreachable, uncollectable }) => self.close(Some((unreachable, uncollectable)), out),
        }
        Ok(())
    }

    /// A log that stops in the middle of a collection is cut there.
    fn end(&mut self, _: Position, out: &mut Pending) -> Ending {
        let began = self.collection.as_ref().and_then(|collection| collection.began);
        self.close(None, out);
        began.map_or(Ending::Open, Ending::Cut)
    }
}

impl Parser {
    fn current(&mut self) -> &mut Collection {
        self.collection.get_or_insert_default()
    }

    /// Tells the collection that was being read. `done`: how many the log says were unreachable, and uncollectable.
    ///
    /// What the collector finds while the interpreter takes itself apart is no garbage of the program's. Such a
    /// collection finds modules, or comes right after one that did: then nothing is young.
    fn close(&mut self, done: Option<(u64, u64)>, out: &mut Pending) {
        let Some(collection) = self.collection.take().or_else(|| done.map(|_| Collection::default())) else { return };
        let is_broken_off = done.is_none() && collection.began.is_some();
        if done.is_none() && !is_broken_off && collection.found.is_empty() {
            return;
        }
        let was_teardown = self.is_teardown;
        self.is_teardown = collection.has_module || was_teardown && matches!(collection.generations, Some([0, 0, _]));
        if self.is_teardown && !was_teardown {
            let label = "the interpreter ends".to_owned();
            out.push_back(Event::Mark(Box::new(Mark { kind: "user".to_owned(), label })));
        }
        out.push_back(Event::GcStart { generation: collection.generation });
        if let Some(generations) = collection.generations {
            let looked = generations.iter().take(usize::from(collection.generation) + 1);
            out.push_back(Event::GcLooked { objects: looked.fold(0, |sum, &objects| sum.saturating_add(objects)) });
        }
        if self.is_teardown {
            out.push_back(Event::GcStop { collected: 0, uncollectable: 0 });
            return;
        }
        for &Found { class, address, .. } in &collection.found {
            let object = Tag(address);
            out.push_back(Event::Alloc { object, address, class, bytes: 0, site: SiteId::NONE });
            out.push_back(Event::Unreachable { object });
        }
        for found in collection.found.iter().filter(|found| found.collectable) {
            out.push_back(Event::Free { object: Tag(found.address) });
        }
        if is_broken_off {
            return;
        }
        let n_uncollectable = collection.found.iter().filter(|found| !found.collectable).count() as u64;
        let n_found = collection.found.len() as u64;
        let (unreachable, uncollectable) = done.unwrap_or((n_found, n_uncollectable));
        let collected = unreachable.saturating_sub(uncollectable);
        out.push_back(Event::GcStop { collected, uncollectable });
    }
}
