//! Reads what CPython writes on stderr after `gc.set_debug(…)`, alone or among the other lines of a log.
//!
//! `record.rs` finds and parses one line of the collector, `read.rs` puts the lines of a collection together.
//! `docs/formats/gc-debug.md` is the page.

mod read;
mod record;
#[cfg(test)]
mod tests;

use super::{TraceFormat, Writer, binary::Binary, cc_edges::CcEdges, text::Text};
use crate::trace::input::Input;
use crate::trace::{Events, TraceError};
use record::Record;

/// The debugging output of CPython's collector.
pub struct GcDebug;

impl TraceFormat for GcDebug {
    fn name(&self) -> &'static str {
        "gc-debug"
    }

    fn description(&self) -> &'static str {
        "what CPython's collector writes on stderr after gc.set_debug()"
    }

    /// Some line begins a collection or names an object, and the file is no trace that happens to quote one.
    fn sniff(&self, start: &[u8]) -> bool {
        let is_sign = |line| matches!(record::parse(line), Some(Ok(Record::Collecting(_) | Record::Found { .. })));
        start.split(|&byte| byte == b'\n').any(is_sign)
            && !Text.sniff(start)
            && !Binary.sniff(start)
            && !CcEdges.sniff(start)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        Ok(Box::new(read::Reader::new(input)))
    }

    fn writer(&self) -> Option<Writer> {
        None
    }
}
