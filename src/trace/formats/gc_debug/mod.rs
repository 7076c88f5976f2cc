//! Reads what CPython writes on stderr after `gc.set_debug(…)`, alone or among the other lines of a log.
//!
//! `record.rs` finds and parses one line of the collector, `read.rs` puts the lines of a collection together.
//! `docs/formats/gc-debug.md` is the page.

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

/// The debugging output of CPython's collector.
pub struct GcDebug;

impl TraceFormat for GcDebug {
    fn name(&self) -> &'static str {
        "gc-debug"
    }

    fn description(&self) -> &'static str {
        "what CPython's collector writes on stderr after gc.set_debug()"
    }

    /// Some line begins a collection or names an object.
    fn sniff(&self, start: &[u8]) -> bool {
        let is_sign = |line| matches!(record::parse(line), Some(Ok(Record::Collecting(_) | Record::Found { .. })));
        start.split(|&byte| byte == b'\n').any(is_sign)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "cpython", References::None);
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
