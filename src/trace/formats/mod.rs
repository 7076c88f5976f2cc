//! Registers the formats: one module each, one line each. A trace is recognised by its first bytes, never by its name.

use std::io::{self, Write};
use std::path::Path;

use super::input::Input;
use super::{Births, ErrorKind, EventSink, Events, Header, References, TraceError};

mod address_map;
mod addresses;
pub mod binary;
pub mod bloatview;
pub mod cc_edges;
mod cursor;
#[cfg(test)]
mod damage;
mod decimal;
mod definitions;
mod dump;
pub mod dumprefs;
pub mod gc_debug;
pub mod heaptrack;
mod hexadecimal;
mod json;
pub mod leaks;
mod lines;
pub mod meliae;
pub mod memray;
pub mod php_meminfo;
pub mod pmat;
pub mod pyheap;
mod reader;
pub mod refcycle;
pub mod ruby;
mod sites;
#[cfg(test)]
mod tests;
pub mod text;
pub mod v8;
pub mod xpcom_refcnt;

/// A form in which a trace can be stored.
pub trait TraceFormat: Sync {
    /// One lower-case word. `docs/formats/<name>.md` is the format's page.
    fn name(&self) -> &'static str;
    /// What it is, in one clause.
    fn description(&self) -> &'static str;
    /// Whether an input that begins like this is of this format. Of several that say so the first in [`FORMATS`] reads it.
    fn sniff(&self, start: &[u8]) -> bool;
    /// Reads the header of an input that this format claims.
    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError>;
    /// How a trace is written in it; `None` for a format that is only read.
    fn writer(&self) -> Option<Writer> {
        None
    }
}

/// Writes the header of a trace and returns what takes its events.
pub type Writer = fn(&Header, Box<dyn Write>, WriteOptions) -> io::Result<Box<dyn EventSink>>;

/// What the user may choose of how a trace is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Packs with zstd of this level: the text form as a whole, the binary form block by block.
    pub zstd: Option<i32>,
}

/// Every format, in the order in which people are told of them. Those that are looked for in any line come last.
pub const FORMATS: &[&dyn TraceFormat] = &[
    &text::Text,
    &binary::Binary,
    &cc_edges::CcEdges,
    &meliae::Meliae,
    &refcycle::Refcycle,
    &pyheap::PyHeap,
    &pmat::Pmat,
    &memray::Memray,
    &heaptrack::Heaptrack,
    &v8::V8,
    &ruby::Ruby,
    &php_meminfo::PhpMeminfo,
    &leaks::Leaks,
    &xpcom_refcnt::XpcomRefcnt,
    &bloatview::BloatView,
    &dumprefs::DumpRefs,
    &gc_debug::GcDebug,
];

/// How many first bytes [`TraceFormat::sniff`] sees, where the input has them.
/// A log may say much before the program's collector runs.
pub const SNIFFED: usize = 1 << 18;

/// Opens a file, a pipe, or with `-` standard input, and reads the header of the trace in it.
pub fn open(path: &Path) -> Result<Box<dyn Events>, TraceError> {
    open_input(Input::open(path)?)
}

/// Reads a trace from memory.
pub fn open_bytes(bytes: Vec<u8>) -> Result<Box<dyn Events>, TraceError> {
    open_input(Input::from_bytes(bytes)?)
}

/// Reads a trace from an input that is open already. Fails where no format claims it, or its header cannot be read.
pub fn open_input(mut input: Input) -> Result<Box<dyn Events>, TraceError> {
    input.reach(SNIFFED)?;
    let start = &input.window()[..input.window().len().min(SNIFFED)];
    match detect(start) {
        Some(format) => format.read(input),
        None => {
            let known = FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
            Err(input.error(Default::default(), ErrorKind::UnknownFormat { known }))
        }
    }
}

/// The format that claims an input with these first bytes.
pub fn detect(start: &[u8]) -> Option<&'static dyn TraceFormat> {
    FORMATS.iter().find(|format| format.sniff(start)).copied()
}

/// The format that claims a file. Fails where its first bytes cannot be read.
pub fn detect_file(path: &Path) -> Result<Option<&'static dyn TraceFormat>, TraceError> {
    let mut input = Input::open(path)?;
    input.reach(SNIFFED)?;
    Ok(detect(&input.window()[..input.window().len().min(SNIFFED)]))
}

/// What `convert` writes where no form is named: the last one that can be written and is another than the input's.
pub fn target_of(input: Option<&dyn TraceFormat>) -> Option<&'static dyn TraceFormat> {
    let is_other = |format: &&&dyn TraceFormat| input.is_none_or(|input| input.name() != format.name());
    FORMATS.iter().rev().filter(|format| format.writer().is_some()).find(is_other).copied()
}

/// The header of what another program wrote.
fn imported(format: &dyn TraceFormat, runtime: &str, references: References) -> Header {
    let extra = vec![("format".to_owned(), format.name().to_owned())];
    Header { references, births: Births::Survivors, extra, ..Header::new(runtime) }
}

/// The format of this name.
pub fn named(name: &str) -> Option<&'static dyn TraceFormat> {
    FORMATS.iter().find(|format| format.name() == name).copied()
}
