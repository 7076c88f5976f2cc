//! Puts the two lists together: what was alive before the interpreter was taken apart, and what after, each with a
//! checkpoint.

use super::super::address_map::AddressMap;
use super::super::definitions::Definitions;
use super::super::reader::{Expected, LineParser, Pending};
use super::record::{Record, parse};
use crate::trace::{Ending, Event, Mark, ObjectFlags, Position, Scope, SiteId, Tag, TypeId};

/// From this count on it says nothing: the object is immortal.
///
/// CPython 3.12 on: at least 5 << 28 on 32 bits (`Include/refcount.h`), more on 64.
const IMMORTAL: u64 = 1 << 29;

/// Takes the lines. Memory is that of the objects.
#[derive(Default)]
pub(super) struct Parser {
    names: Definitions,
    /// The list that is being read.
    list: Option<List>,
    /// Objects so far, and whether the second list has them.
    objects: AddressMap<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Before,
    After,
}

impl LineParser for Parser {
    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        let record = parse(line).map_err(|expected| ("object", expected))?;
        match (record, self.list) {
            (Record::Before, None) => self.begin(List::Before, "before the interpreter is taken apart", out),
            (Record::After, None | Some(List::Before)) => {
                if self.list.is_some() {
                    look(out);
                }
                self.begin(List::After, "after the interpreter was taken apart", out);
            }
            (Record::Before, Some(_)) | (Record::After, Some(List::After)) => {
                return Err(("list", "'Remaining objects:' and 'Remaining object addresses:' once each"));
            }
            (Record::Object { address, count, text }, Some(list)) => self.object(address, count, text, list, out),
            (Record::Object { .. }, None) | (Record::Other, _) => {}
        }
        Ok(())
    }

    /// Without its second list the file is one of a CPython that did not come to its end.
    fn end(&mut self, here: Position, out: &mut Pending) -> Ending {
        if self.list == Some(List::After) {
            let mut gone: Vec<u64> = { self.objects.iter() }.filter(|(_, left)| !**left).map(|(of, _)| of).collect();
            gone.sort_unstable();
            out.extend(gone.into_iter().map(|address| Event::Free { object: Tag(address) }));
        }
        look(out);
        if self.list == Some(List::After) { Ending::Complete } else { Ending::Cut(here) }
    }
}

impl Parser {
    fn begin(&mut self, list: List, label: &str, out: &mut Pending) {
        self.list = Some(list);
        out.push_back(Event::Mark(Box::new(Mark { kind: "user".to_owned(), label: label.to_owned() })));
    }

    /// The first list has the object's `repr`, which may be anything; the second one its type.
    fn object(&mut self, address: u64, count: u64, text: &[u8], list: List, out: &mut Pending) {
        let object = Tag(address);
        let mut is_known = true;
        let is_left = self.objects.entry(address, || {
            is_known = false;
            false
        });
        *is_left = list == List::After;
        let class = if list == List::After { self.names.class(text, out) } else { TypeId::UNKNOWN };
        match (is_known, list) {
            (false, _) => out.push_back(Event::Alloc { object, address, class, bytes: 0, site: SiteId::NONE }),
            (true, List::After) => out.push_back(Event::Retype { object, class }),
            (true, List::Before) => {}
        }
        let flags = if count >= IMMORTAL { ObjectFlags::IMMORTAL } else { ObjectFlags::default() };
        out.push_back(Event::Count { object, count, flags });
    }
}

/// A look at all objects: there are no references to describe.
fn look(out: &mut Pending) {
    out.extend([Event::Walk(Scope::Full), Event::Checkpoint(Scope::Full)]);
}
