//! Puts the objects of a dump together: a walk of the heap without counts, with the modules as roots.

use super::super::dump::Dump;
use super::super::json::Text;
use super::super::reader::{Expected, LineParser, Pending};
use super::record::{Object, is_nothing, parse};
use crate::trace::{Ending, Event, Position, Scope, Slot, Tag};

/// Takes the lines of a dump. Memory is that of the objects, the references to objects that are yet to come, and the
/// longest line.
#[derive(Default)]
pub(super) struct Parser {
    dump: Dump,
}

impl LineParser for Parser {
    fn begin(&mut self, out: &mut Pending) {
        self.dump.begin(Scope::Full, out);
    }

    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        if !is_nothing(line) {
            let object = parse(line).ok_or(("object", "JSON with address, type, size and refs"))?;
            self.object(object, out);
        }
        Ok(())
    }

    fn end(&mut self, _: Position, out: &mut Pending) -> Ending {
        self.dump.finish(Scope::Full, false, out);
        Ending::Complete
    }
}

impl Parser {
    /// meliae writes an object once more where it is referred to from another place; the first copy counts.
    fn object(&mut self, object: Object, out: &mut Pending) {
        let Object { address, class: Text(class), size, name, len, refs } = object;
        let type_id = self.dump.names.class(&class, out);
        if !self.dump.object(address, type_id, size, out) {
            return;
        }
        let is_module = class == b"module";
        if let Some(Text(name)) = name.filter(|_| class != b"function") {
            let text = self.dump.names.text(&name, out);
            out.push_back(Event::Name { object: Tag(address), name: text });
            if is_module {
                self.dump.root(address, &[b"module:", &name[..]].concat(), out);
            }
        }
        let is_sequence = (class == b"list" || class == b"tuple") && len == Some(refs.len() as u64);
        let dict = self.dump.names.slot(if is_module && refs.len() == 1 { b".__dict__" } else { b"" }, out);
        for (nth, &to) in refs.iter().enumerate() {
            // CPython's `list_traverse` and `tupletraverse` visit the last element first (3.8 to 3.13).
            let slot = if is_sequence { Slot::index((refs.len() - 1 - nth) as u64) } else { dict };
            self.dump.reference(address, to, slot, out);
        }
    }
}
