//! Reads the BloatView tables of Firefox: how many objects of each class were made, and how many are left at the end.
//!
//! `record.rs` parses one line, `read.rs` adds up the tables. `docs/formats/bloatview.md` is the page.

mod read;
mod record;

use super::lines::FIRST_MIB;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Births, Events, Header, References, TraceError};
use record::Record;

/// What Firefox writes under `XPCOM_MEM_BLOAT_LOG` and `XPCOM_MEM_LEAK_LOG`.
pub struct BloatView;

impl TraceFormat for BloatView {
    fn name(&self) -> &'static str {
        "bloatview"
    }

    fn description(&self) -> &'static str {
        "a BloatView table of Firefox: objects left of each class"
    }

    /// Some line is the heading of a table.
    fn sniff(&self, start: &[u8]) -> bool {
        start.split(|&byte| byte == b'\n').any(|line| matches!(record::parse(line), Ok(Record::Heading)))
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = Header { births: Births::Garbage, ..imported(self, "xpcom", References::None) };
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
