//! Reads the dumps of Ruby's `ObjectSpace.dump_all`: every object with its size and references, one a line.
//!
//! `record.rs` parses one line, `read.rs` puts the lines together. `docs/formats/ruby.md` is the page.

mod read;
mod record;

use super::lines::WHOLE;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};

/// A dump of Ruby's heap.
pub struct Ruby;

impl TraceFormat for Ruby {
    fn name(&self) -> &'static str {
        "ruby"
    }

    fn description(&self) -> &'static str {
        "a dump of Ruby's ObjectSpace.dump_all"
    }

    /// The first line is an object or a root: JSON with a type in capitals.
    fn sniff(&self, start: &[u8]) -> bool {
        let first = { start.split(|&byte| byte == b'\n') }.find(|line| !line.trim_ascii().is_empty());
        first.is_some_and(record::is_object)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "ruby", References::Uncounted);
        Ok(of_lines::<read::Parser>(header, input, WHOLE))
    }
}
