//! Reads the logs of XPCOM's reference counts and allocations: births, deaths, and what is left at the end.
//!
//! `record.rs` parses one line, `read.rs` follows the objects. `docs/formats/xpcom-refcnt.md` is the page.

mod read;
mod record;

use super::lines::FIRST_MIB;
use super::reader::of_lines;
use super::{TraceFormat, imported};
use crate::trace::input::Input;
use crate::trace::{Births, Events, Header, References, TraceError};
use record::Record;

/// What Firefox writes under `XPCOM_MEM_REFCNT_LOG` and `XPCOM_MEM_ALLOC_LOG`.
pub struct XpcomRefcnt;

impl TraceFormat for XpcomRefcnt {
    fn name(&self) -> &'static str {
        "xpcom-refcnt"
    }

    fn description(&self) -> &'static str {
        "a log of XPCOM's reference counts or allocations"
    }

    /// Some line is an operation on an object.
    fn sniff(&self, start: &[u8]) -> bool {
        let is_sign = |line: &[u8]| matches!(record::parse(line.trim_ascii_end()), Ok(Record::Operation { .. }));
        start.split(|&byte| byte == b'\n').any(is_sign)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        let header = Header { births: Births::All, ..imported(self, "xpcom", References::None) };
        Ok(of_lines::<read::Parser>(header, input, FIRST_MIB))
    }
}
