//! Reads the heap snapshots of V8, as Node.js and Chromium write them.
//!
//! `layout.rs` reads the head of the snapshot, `graph.rs` its tables, `read.rs` makes a walk of them.
//! `docs/formats/v8.md` is the page.

mod graph;
mod layout;
mod read;

use memchr::memmem::find;

use super::json::{JsonSource, first_key};
use super::reader::StepReader;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};

/// A `.heapsnapshot` of V8.
pub struct V8;

impl TraceFormat for V8 {
    fn name(&self) -> &'static str {
        "v8"
    }

    fn description(&self) -> &'static str {
        "a heap snapshot of V8, from Node.js or Chromium"
    }

    fn sniff(&self, start: &[u8]) -> bool {
        first_key(start) == Some(b"snapshot") && find(start, b"\"node_fields\"").is_some()
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "v8", References::Uncounted);
        Ok(Box::new(StepReader::new(header, JsonSource::new(input, read::Parser::default()))))
    }
}
