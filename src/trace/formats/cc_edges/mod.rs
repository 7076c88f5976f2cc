//! Reads the logs of Firefox's cycle collector: objects with their counts, references, roots, and its own verdict.
//!
//! `record.rs` parses one line, `read.rs` puts the lines together. `docs/formats/cc-edges.md` is the page.

mod read;
mod record;
#[cfg(test)]
mod tests;

use super::lines::FIRST_MIB;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};
use record::Record;

/// The edges log of Firefox's cycle collector, `cc-edges.PID.log`.
pub struct CcEdges;

impl TraceFormat for CcEdges {
    fn name(&self) -> &'static str {
        "cc-edges"
    }

    fn description(&self) -> &'static str {
        "the log of Firefox's cycle collector"
    }

    /// The first line that is not blank and no comment is an object, a root or an entry of a weak map.
    fn sniff(&self, start: &[u8]) -> bool {
        let records = start.split(|&byte| byte == b'\n').map(|line| record::parse(line.trim_ascii_end()));
        let first = { records }.find(|record| !matches!(record, Ok(Record::Nothing)));
        matches!(first, Some(Ok(Record::Object { .. } | Record::IncrementalRoot(_) | Record::WeakMapEntry { .. })))
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "firefox", References::Checkpoints);
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
