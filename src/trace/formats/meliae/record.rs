//! Parses one line of a dump of meliae.
//!
//! The lines are those of `_dump_object_to_ref_info` in `meliae/_scanner_core.c` of meliae 0.5.1.

use serde::Deserialize;

use super::super::json::Text;

/// `{"address": 139…, "type": "dict", "size": 280, "len": 3, "refs": [139…, 139…]}`
#[derive(Deserialize)]
pub(super) struct Object {
    pub address: u64,
    /// `tp_name`: of a class written in Python without its module.
    #[serde(rename = "type")]
    pub class: Text,
    /// Bytes, with the collector's header and what the object alone owns.
    pub size: u64,
    /// Of a module, class or function.
    pub name: Option<Text>,
    /// Elements of a container.
    pub len: Option<u64>,
    pub refs: Vec<u64>,
}

/// A blank line, or a bracket around the objects.
pub(super) fn is_nothing(line: &[u8]) -> bool {
    matches!(line.trim_ascii(), b"" | b"[" | b"]")
}

/// Whether a line begins as an object does.
pub(super) fn is_object(line: &[u8]) -> bool {
    let rest = line.trim_ascii_start().strip_prefix(b"{\"address\": ");
    rest.is_some_and(|rest| rest.trim_ascii_start().first().is_some_and(u8::is_ascii_digit))
        && memchr::memmem::find(line, b"\"type\": \"").is_some()
}

/// The object of a line, behind which a comma may stand.
pub(super) fn parse(line: &[u8]) -> Option<Object> {
    let line = line.trim_ascii();
    serde_json::from_slice(line.strip_suffix(b",").unwrap_or(line)).ok()
}
