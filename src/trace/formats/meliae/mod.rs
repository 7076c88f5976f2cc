//! Reads the dumps of meliae: every object with its size and what it refers to, one a line.
//!
//! `record.rs` parses one line, `read.rs` puts the lines together. `docs/formats/meliae.md` is the page.

mod read;
mod record;

use super::lines::WHOLE;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};

/// A dump of `meliae.scanner.dump_all_objects`.
pub struct Meliae;

impl TraceFormat for Meliae {
    fn name(&self) -> &'static str {
        "meliae"
    }

    fn description(&self) -> &'static str {
        "a dump of meliae, one object a line in JSON"
    }

    /// The first line that is more than a bracket is an object.
    fn sniff(&self, start: &[u8]) -> bool {
        let first = { start.split(|&byte| byte == b'\n') }.find(|line| !record::is_nothing(line));
        first.is_some_and(record::is_object)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "cpython", References::Uncounted);
        Ok(of_lines::<read::Parser>(header, input, WHOLE))
    }
}
