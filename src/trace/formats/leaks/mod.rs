//! Reads what `leaks` of macOS prints: the objects that nothing reaches, and the references between them that it shows.
//!
//! `record.rs` parses one line, `read.rs` puts the lines together. `docs/formats/leaks.md` is the page.

mod read;
mod record;

use super::lines::FIRST_MIB;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Births, Events, Header, References, TraceError};
use record::Record;

/// The report of `leaks`, as text.
pub struct Leaks;

impl TraceFormat for Leaks {
    fn name(&self) -> &'static str {
        "leaks"
    }

    fn description(&self) -> &'static str {
        "the report of leaks, of macOS"
    }

    /// Some line says how many leaks there are.
    fn sniff(&self, start: &[u8]) -> bool {
        let is_total = |line: &[u8]| matches!(record::parse(line.trim_ascii_end()), Ok(Record::Total(_)));
        start.split(|&byte| byte == b'\n').any(is_total)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = Header { births: Births::Garbage, ..imported(self, "native", References::Checkpoints) };
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
