//! Reads the heap dumps of PyHeap.
//!
//! `read.rs` reads the parts of a dump. `docs/formats/pyheap.md` is the page.

mod read;

use super::cursor::BinarySource;
use super::reader::StepReader;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};

/// A dump that PyHeap took of a running process.
pub struct PyHeap;

/// First 8 bytes of a dump, and its last.
const MAGIC: u64 = 123_000_321;

impl TraceFormat for PyHeap {
    fn name(&self) -> &'static str {
        "pyheap"
    }

    fn description(&self) -> &'static str {
        "a heap dump of PyHeap"
    }

    fn sniff(&self, start: &[u8]) -> bool {
        start.starts_with(&MAGIC.to_be_bytes())
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "cpython", References::Uncounted);
        Ok(Box::new(StepReader::new(header, BinarySource::new(read::Reader::new(input)))))
    }
}
