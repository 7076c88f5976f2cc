//! Adds up the tables of a log. A table that is whole is a look at all objects of its process.

use super::super::definitions::Definitions;
use super::super::reader::{Expected, LineParser, Pending};
use super::record::{Class, Record, parse};
use crate::trace::{Ending, Event, Position, Scope};

/// What the row of all classes is called.
const TOTAL: &[u8] = b"TOTAL";

/// Takes the lines of a log. Memory is that of the names of the classes.
#[derive(Default)]
pub(super) struct Parser {
    names: Definitions,
    /// The table that is being read.
    table: Option<Table>,
    n_whole: u64,
}

/// Objects that are left: in the row of all classes, if there is one, and in the others together.
#[derive(Default)]
struct Table {
    total: Option<i64>,
    sum: i64,
}

impl LineParser for Parser {
    fn line(&mut self, line: &[u8], _: Position, out: &mut Pending) -> Result<(), Expected> {
        match (parse(line)?, &mut self.table) {
            (Record::Heading, None) => self.table = Some(Table::default()),
            (Record::Heading, Some(_)) => return Err(("table", "the end of the one before")),
            (Record::Class(class), Some(table)) if class.name == TOTAL => table.total = Some(class.left),
            (Record::Class(class), Some(_)) => return self.class(&class, out),
            (Record::End, Some(_)) => return self.end_table(out),
            (Record::Class(_) | Record::End, None) | (Record::Other, _) => {}
        }
        Ok(())
    }

    fn end(&mut self, here: Position, _: &mut Pending) -> Ending {
        if self.table.is_none() && self.n_whole > 0 { Ending::Complete } else { Ending::Cut(here) }
    }
}

impl Parser {
    fn class(&mut self, class: &Class<'_>, out: &mut Pending) -> Result<(), Expected> {
        let table = self.table.get_or_insert_default();
        table.sum = table.sum.saturating_add(class.left);
        let (Ok(left), Ok(bytes)) = (u64::try_from(class.left), u64::try_from(class.leaked)) else {
            return Err(("class", "no more objects destroyed than made"));
        };
        let type_id = self.names.class(class.name, out);
        out.push_back(Event::Totals { class: type_id, born: class.made, left, bytes });
        Ok(())
    }

    /// A table whose rows do not add up lacks some.
    fn end_table(&mut self, out: &mut Pending) -> Result<(), Expected> {
        let table = self.table.take().unwrap_or_default();
        self.n_whole += 1;
        out.extend([Event::Walk(Scope::Garbage), Event::Checkpoint(Scope::Garbage)]);
        match table.total {
            Some(total) if total != table.sum => Err(("table", "classes that add up to its TOTAL")),
            _ => Ok(()),
        }
    }
}
