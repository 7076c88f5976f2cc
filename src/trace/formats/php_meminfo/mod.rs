//! Reads the dumps of php-meminfo: what the variables of a PHP program reach.
//!
//! `read.rs` puts the items of a dump together. `docs/formats/php-meminfo.md` is the page.

mod read;

use memchr::memmem::find;

use super::json::{JsonSource, first_key};
use super::reader::StepReader;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Events, References, TraceError};

/// A dump of `meminfo_dump`.
pub struct PhpMeminfo;

impl TraceFormat for PhpMeminfo {
    fn name(&self) -> &'static str {
        "php-meminfo"
    }

    fn description(&self) -> &'static str {
        "a dump of php-meminfo"
    }

    fn sniff(&self, start: &[u8]) -> bool {
        first_key(start) == Some(b"header") && find(start, b"\"memory_usage\"").is_some()
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = imported(self, "php", References::Uncounted);
        Ok(Box::new(StepReader::new(header, JsonSource::new(input, read::Parser::default()))))
    }
}
