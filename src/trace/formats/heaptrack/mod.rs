//! Reads the logs of heaptrack after its interpretation: each allocation with the native stack that made it.
//!
//! `record.rs` parses one line, `read.rs` follows the allocations. `docs/formats/heaptrack.md` is the page.

mod read;
mod record;

use memchr::memmem::find;

use super::lines::FIRST_MIB;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Births, Events, Header, References, TraceError};

/// A log that `heaptrack` wrote.
pub struct Heaptrack;

impl TraceFormat for Heaptrack {
    fn name(&self) -> &'static str {
        "heaptrack"
    }

    fn description(&self) -> &'static str {
        "a log of heaptrack"
    }

    /// The version, and somewhere the command line.
    fn sniff(&self, start: &[u8]) -> bool {
        let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        record::is_head(first) && find(start, b"\nX ").is_some()
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = Header { births: Births::All, ..imported(self, "native", References::None) };
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
