//! Reads what `memray parse` writes of a capture: each allocation with the Python stack that made it.
//!
//! `record.rs` parses one line, `read.rs` follows stacks and allocations. `docs/formats/memray.md` is the page.

mod read;
mod record;

use super::lines::FIRST_MIB;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Births, Events, Header, References, TraceError};
use record::Record;

/// The text of `memray parse`.
pub struct Memray;

impl TraceFormat for Memray {
    fn name(&self) -> &'static str {
        "memray"
    }

    fn description(&self) -> &'static str {
        "the text that memray parse writes of a capture"
    }

    fn sniff(&self, start: &[u8]) -> bool {
        start.starts_with(b"HEADER magic=memray ")
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let line = input.window().split(|&byte| byte == b'\n').next().unwrap_or_default();
        let runtime = match record::parse(line) {
            Ok(Record::Header { python: Some(python), .. }) => {
                format!("cpython-{}.{}.{}", python >> 24, python >> 16 & 255, python >> 8 & 255)
            }
            _ => "cpython".to_owned(),
        };
        let header = Header { births: Births::All, ..imported(self, &runtime, References::None) };
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
