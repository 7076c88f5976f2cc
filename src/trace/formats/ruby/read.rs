//! Puts the objects of a dump together: a walk of the heap without counts, with the roots that the dump names.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::super::dump::Dump;
use super::super::json::Text;
use super::super::reader::{Expected, LineParser, Pending};
use super::super::sites::{Place, Sites};
use super::record::{Address, Object, parse};
use crate::trace::{Ending, Event, Position, Scope, SiteId, Slot, Tag, TypeId};

/// Takes the lines of a dump. Memory is that of the objects, and of the references to objects that are yet to come.
#[derive(Default)]
pub(super) struct Parser {
    dump: Dump,
    sites: Sites,
    /// Names of the classes so far.
    classes: HashMap<u64, Vec<u8>, RandomState>,
    /// Objects whose class is yet to come.
    unnamed: Vec<(u64, u64)>,
}

impl LineParser for Parser {
    fn begin(&mut self, out: &mut Pending) {
        self.dump.begin(Scope::Full, out);
    }

    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let object = parse(line).ok_or(("object", "JSON with type, address, references and memsize"))?;
        match object.address {
            Some(Address(address)) => self.object(address, object, out)?,
            None if object.kind.0 == b"ROOT" => {
                let name = object.root.map_or(Vec::new(), |Text(name)| name);
                for Address(address) in object.references {
                    self.dump.root(address, &name, out);
                }
            }
            None => return Err(("object", "an address")),
        }
        Ok(())
    }

    fn end(&mut self, _: Position, out: &mut Pending) -> Ending {
        for (address, class) in std::mem::take(&mut self.unnamed) {
            if let Some(name) = self.classes.get(&class) {
                let class = self.dump.names.class(name, out);
                out.push_back(Event::Retype { object: Tag(address), class });
            }
        }
        self.dump.finish(Scope::Full, false, out);
        Ending::Complete
    }
}

impl Parser {
    fn object(&mut self, address: u64, object: Object, out: &mut Pending) -> Result<(), Expected> {
        let class = self.class(address, &object, out);
        let site = self.site(&object, out);
        if !self.dump.object_at(address, class, object.memsize, site, out) {
            return Err(("object", "one line for each object"));
        }
        if let (b"CLASS" | b"MODULE", Some(Text(name))) = (&object.kind.0[..], object.name) {
            let text = self.dump.names.text(&name, out);
            out.push_back(Event::Name { object: Tag(address), name: text });
            self.classes.insert(address, name);
        }
        for Address(to) in object.references {
            self.dump.reference(address, to, Slot::UNNAMED, out);
        }
        Ok(())
    }

    /// What the interpreter made for itself is of no class; an object whose class is yet to come gets it at the end.
    fn class(&mut self, address: u64, object: &Object, out: &mut Pending) -> TypeId {
        let within = match (&object.kind.0[..], &object.imemo_type, &object.structure) {
            (b"CLASS", ..) => b"Class".to_vec(),
            (b"MODULE", ..) => b"Module".to_vec(),
            (b"ICLASS", ..) => b"(included module)".to_vec(),
            (b"IMEMO", Some(Text(kind)), _) => [b"(", &kind[..], b")"].concat(),
            (b"IMEMO", ..) => b"(interpreter)".to_vec(),
            (_, _, structure) => match object.class {
                Some(Address(class)) => match self.classes.get(&class) {
                    Some(name) => name.clone(),
                    None => {
                        self.unnamed.push((address, class));
                        return TypeId::UNKNOWN;
                    }
                },
                None => structure.as_ref().map_or(Vec::new(), |Text(name)| [b"(", &name[..], b")"].concat()),
            },
        };
        self.dump.names.class(&within, out)
    }

    fn site(&mut self, object: &Object, out: &mut Pending) -> SiteId {
        let Some(Text(path)) = &object.file else { return SiteId::NONE };
        let function = object.method.as_ref().map_or(&b""[..], |Text(method)| method);
        let place = Place { path: path[..].into(), line: object.line.unwrap_or(0), function: function.into() };
        self.sites.of_place(SiteId::NONE, place, &mut self.dump.names, out)
    }
}
