//! Parses one line of a dump of Ruby.
//!
//! The fields are those of `dump_object` and `dump_root` in `ext/objspace/objspace_dump.c` of Ruby 2.1 to 3.4.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::super::hexadecimal::hexadecimal;
use super::super::json::Text;

/// `{"address":"0x7f10", "type":"OBJECT", "class":"0x7f20", "references":["0x7f30"], "memsize":40, …}`,
/// `{"type":"ROOT", "root":"vm", "references":["0x7f10"]}`
#[derive(Deserialize)]
pub(super) struct Object {
    pub address: Option<Address>,
    /// `OBJECT`, `STRING`, `IMEMO`, …
    #[serde(rename = "type")]
    pub kind: Text,
    pub class: Option<Address>,
    /// Of a class or module.
    pub name: Option<Text>,
    /// Of an `IMEMO`: what the interpreter itself uses it for.
    pub imemo_type: Option<Text>,
    /// Of a `DATA`: the C structure.
    #[serde(rename = "struct")]
    pub structure: Option<Text>,
    /// Of a `ROOT`.
    pub root: Option<Text>,
    #[serde(default)]
    pub references: Vec<Address>,
    /// Left out where Ruby does not know it.
    #[serde(default)]
    pub memsize: u64,
    /// Where it was made, if `ObjectSpace.trace_object_allocations_start` was called.
    pub file: Option<Text>,
    pub line: Option<u32>,
    pub method: Option<Text>,
}

/// An address as a text.
#[derive(Clone, Copy)]
pub(super) struct Address(pub u64);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        match hexadecimal(&text) {
            Some((address, b"")) => Ok(Address(address)),
            _ => Err(D::Error::custom("no address")),
        }
    }
}

/// Whether a line begins as an object or a root does.
pub(super) fn is_object(line: &[u8]) -> bool {
    let rest = line.trim_ascii_start();
    let is_capital = |at: usize| line.get(at).is_some_and(u8::is_ascii_uppercase);
    let kind = memchr::memmem::find(line, b"\"type\":\"").map(|at| at + 8).filter(|&at| is_capital(at));
    kind.is_some() && (rest.starts_with(b"{\"address\":\"0x") || rest.starts_with(b"{\"type\":\"ROOT\""))
}

pub(super) fn parse(line: &[u8]) -> Option<Object> {
    serde_json::from_slice(line.trim_ascii()).ok()
}
