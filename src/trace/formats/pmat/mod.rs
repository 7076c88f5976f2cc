//! Reads the heap dumps of Perl's Devel::MAT: every value with its count, what it refers to, and the named roots.
//!
//! `layout.rs` reads the header, `values.rs` one value, `read.rs` the parts of a dump, `graph.rs` puts the values together.
//! `docs/formats/pmat.md` is the page.

mod graph;
mod layout;
mod read;
mod values;

use super::cursor::{BinarySource, ByteOrder, Cursor};
use super::reader::StepReader;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, Header, References, TraceError};
use layout::Layout;

/// A `.pmat` file of Devel::MAT::Dumper.
pub struct Pmat;

const MAGIC: &[u8] = b"PMAT";

impl TraceFormat for Pmat {
    fn name(&self) -> &'static str {
        "pmat"
    }

    fn description(&self) -> &'static str {
        "a heap dump of Perl's Devel::MAT"
    }

    fn sniff(&self, start: &[u8]) -> bool {
        start.starts_with(MAGIC)
    }

    fn read(&self, mut input: Input) -> Result<Box<dyn Events>, TraceError> {
        input.advance(MAGIC.len());
        let order = if input.reach(1)? && input.window()[0] & 1 != 0 { ByteOrder::Big } else { ByteOrder::Little };
        let mut cursor = Cursor { input, order };
        let layout = Layout::read(&mut cursor).map_err(|problem| cursor.error_of(problem))?;
        let header = imported(self, &format!("perl-{}", layout.perl), References::Checkpoints);
        let header = Header { pointer: layout.pointer as u8, ..header };
        Ok(Box::new(StepReader::new(header, BinarySource::new(read::Reader::new(cursor, layout)))))
    }
}
