//! Reads the graphs that refcycle exports as JSON.
//!
//! `label.rs` reads the annotations, `read.rs` puts the graph together. `docs/formats/refcycle.md` is the page.

mod label;
mod read;

use memchr::memmem::find;

use super::json::{JsonSource, first_key};
use super::reader::StepReader;
use super::{SNIFFED, TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};

/// A graph of `refcycle`, written by `export_json`.
pub struct Refcycle;

impl TraceFormat for Refcycle {
    fn name(&self) -> &'static str {
        "refcycle"
    }

    fn description(&self) -> &'static str {
        "a graph of garbage that refcycle exported as JSON"
    }

    fn sniff(&self, start: &[u8]) -> bool {
        match first_key(start) {
            Some(b"vertices") => find(start, b"\"annotation\"").or_else(|| find(start, b"\"edges\"")).is_some(),
            Some(b"edges") => find(start, b"\"annotation\"").or_else(|| find(start, b"\"vertices\"")).is_some(),
            _ => false,
        }
    }

    /// Garbage has no module in it; where one stands at the beginning, the graph is one of live objects.
    fn read(&self, mut input: Input) -> Result<Box<dyn Events>, TraceError> {
        input.reach(SNIFFED)?;
        let is_garbage = find(input.window(), b"\"module\\\\n").is_none();
        let references = if is_garbage { References::Checkpoints } else { References::Uncounted };
        let parser = read::Parser::new(is_garbage);
        Ok(Box::new(StepReader::new(imported(self, "cpython", references), JsonSource::new(input, parser))))
    }
}
