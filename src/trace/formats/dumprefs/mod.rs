//! Reads what a CPython with `--with-trace-refs` writes as it ends under `PYTHONDUMPREFS`.
//!
//! `record.rs` parses one line, `read.rs` puts the two lists together. `docs/formats/dumprefs.md` is the page.

mod read;
mod record;

use super::lines::FIRST_MIB;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};
use record::Record;

/// The objects that are alive as CPython ends.
pub struct DumpRefs;

impl TraceFormat for DumpRefs {
    fn name(&self) -> &'static str {
        "dumprefs"
    }

    fn description(&self) -> &'static str {
        "the objects that CPython lists at its end under PYTHONDUMPREFS"
    }

    /// Some line begins a list: others may stand before it on stderr.
    fn sniff(&self, start: &[u8]) -> bool {
        let is_sign = |line: &[u8]| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            matches!(record::parse(line), Ok(Record::Before | Record::After))
        };
        start.split(|&byte| byte == b'\n').any(is_sign)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "cpython", References::None);
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
