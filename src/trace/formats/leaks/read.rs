//! Puts the trees of a report together: a walk of garbage, all of which `leaks` calls unreachable.

use super::super::dump::Dump;
use super::super::reader::{Expected, LineParser, Pending};
use super::super::sites::{Place, Sites};
use super::record::{Object, Record, parse};
use crate::trace::{Ending, Event, Position, Scope, SiteId, Tag};

/// Takes the lines of a report. Memory is that of the objects, the distinct stacks, and the deepest path of a tree.
#[derive(Default)]
pub(super) struct Parser {
    dump: Dump,
    sites: Sites,
    /// The stack of so many roots that follow.
    site: Option<SiteId>,
    of_roots: u64,
    /// The path from the root of a tree to the last node: how far each is indented, and the object.
    path: Vec<(usize, u64)>,
    leaked: Vec<u64>,
    /// Leaks, says the report.
    total: Option<u64>,
}

impl LineParser for Parser {
    fn begin(&mut self, out: &mut Pending) {
        self.dump.begin(Scope::Garbage, out);
    }

    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        match parse(line)? {
            Record::Total(leaks) => self.total = Some(self.total.unwrap_or(0).saturating_add(leaks)),
            Record::Stack(roots) => (self.site, self.of_roots) = (None, roots),
            Record::Frame { module, function, place } => self.frame(module, function, place, out),
            Record::Node { indent, label, is_back, object } => self.node(indent, label, is_back, &object, out)?,
            Record::Leak(object) => {
                self.object(&object, SiteId::NONE, out);
            }
            Record::Other => {}
        }
        Ok(())
    }

    /// A report that names fewer objects than it counts has lost its end.
    fn end(&mut self, here: Position, out: &mut Pending) -> Ending {
        self.dump.finish(Scope::Garbage, true, out);
        out.extend(self.leaked.iter().map(|&address| Event::Unreachable { object: Tag(address) }));
        let is_whole = self.total.is_some_and(|total| total <= self.leaked.len() as u64);
        if is_whole { Ending::Complete } else { Ending::Cut(here) }
    }
}

impl Parser {
    /// Frames come with the outermost first. Those of the allocator say nothing of who asked it.
    fn frame(&mut self, module: &[u8], function: &[u8], place: Option<(&[u8], u32)>, out: &mut Pending) {
        if module == b"libsystem_malloc.dylib" {
            return;
        }
        let (path, line) = place.unwrap_or((module, 0));
        let place = Place { path: path.into(), line, function: function.into() };
        let caller = self.site.unwrap_or(SiteId::NONE);
        self.site = Some(self.sites.of_place(caller, place, &mut self.dump.names, out));
    }

    fn node(
        &mut self,
        indent: usize,
        label: &[u8],
        is_back: bool,
        object: &Object<'_>,
        out: &mut Pending,
    ) -> Result<(), Expected> {
        while self.path.pop_if(|(above, _)| *above >= indent).is_some() {}
        let referrer = self.path.last().map(|&(_, address)| address);
        if is_back && (referrer.is_none() || !self.dump.knows(object.address)) {
            return Err(("cycle", "an object above it, to which it leads back"));
        }
        if !is_back {
            let site = match referrer {
                None if self.of_roots > 0 => {
                    self.of_roots -= 1;
                    self.site
                }
                _ => None,
            };
            self.object(object, site.unwrap_or(SiteId::NONE), out);
            self.path.push((indent, object.address));
        }
        if let Some(referrer) = referrer.filter(|_| !label.starts_with(b"__weak ")) {
            let slot = self.dump.names.slot(&slot(label), out);
            self.dump.reference(referrer, object.address, slot, out);
        }
        Ok(())
    }

    fn object(&mut self, object: &Object<'_>, site: SiteId, out: &mut Pending) {
        let class = self.dump.names.class(object.class, out);
        if self.dump.object_at(object.address, class, object.bytes, site, out) {
            self.leaked.push(object.address);
        }
    }
}

/// `__strong _owner` is the attribute `._owner`; `[capture]` stays as it is.
fn slot(label: &[u8]) -> Vec<u8> {
    let label = label.strip_prefix(b"__strong ").unwrap_or(label).trim_ascii();
    let is_name = label.first().is_some_and(|&byte| byte.is_ascii_alphabetic() || byte == b'_');
    if is_name { [b".", label].concat() } else { label.to_vec() }
}
