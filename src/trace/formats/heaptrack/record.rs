//! Parses one line of a log of heaptrack. Numbers are hexadecimal.
//!
//! The lines are those that `heaptrack_interpret` of heaptrack 1.4 writes, which have file version 3
//! (`src/interpret/heaptrack_interpret.cpp`).

use super::super::hexadecimal::digits as number;
use super::super::reader::Expected;

/// What a line says. Strings, instruction pointers and traces are numbered from 1 in their order, and 0 is none;
/// allocations from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// `v 10400 3`: versions of the program and of the file.
    Version(u64),
    /// `s 4 main`: before version 3 without its length.
    Text(&'a [u8]),
    /// `i 56533e7cf1ac 1 14 15 5`: address, module, and where they are known function, file and line.
    Pointer {
        address: u64,
        module: u64,
        function: u64,
        file: u64,
        line: u32,
    },
    /// `t 9 8`: instruction pointer, trace of the caller.
    Trace {
        pointer: u64,
        parent: u64,
    },
    /// `a 64 9`: bytes, trace.
    Allocation {
        bytes: u64,
        trace: u64,
    },
    /// `+ 1`: such an allocation is made.
    Birth(u64),
    /// `- 1`: such an allocation is freed.
    Death(u64),
    /// `c 13`: milliseconds since the start.
    Time(u64),
    Other,
}

/// Whether a line is the first of a log, of whatever version.
pub(super) fn is_head(line: &[u8]) -> bool {
    let numbers = line.strip_prefix(b"v ").unwrap_or_default();
    !numbers.is_empty() && numbers.split(|&byte| byte == b' ').all(|word| number(word).is_some())
}

/// The record of a line in a file of this version, or what was expected in it.
pub(super) fn parse(line: &[u8], version: u64) -> Result<Record<'_>, Expected> {
    let (kind, rest) = line.split_at(line.len().min(2));
    let mut words = rest.split(|&byte| byte == b' ').map(number);
    let mut next = || words.next().flatten();
    match kind {
        b"v " => {
            let known = next().map(|_| next().unwrap_or(1)).filter(|version| (1..=3).contains(version));
            known.map(Record::Version).ok_or(("version", "a file version of at most 3"))
        }
        b"s " if version >= 3 => {
            let text = rest.iter().position(|&byte| byte == b' ').map(|at| &rest[at + 1..]);
            text.map(Record::Text).ok_or(("text", "a length and a text"))
        }
        b"s " => Ok(Record::Text(rest)),
        b"i " => match (next(), next()) {
            (Some(address), Some(module)) => {
                let (function, file) = (next().unwrap_or(0), next().unwrap_or(0));
                let line = next().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
                Ok(Record::Pointer { address, module, function, file, line })
            }
            _ => Err(("instruction pointer", "an address and a module")),
        },
        b"t " => match (next(), next()) {
            (Some(pointer), Some(parent)) => Ok(Record::Trace { pointer, parent }),
            _ => Err(("trace", "an instruction pointer and a trace")),
        },
        b"a " => match (next(), next()) {
            (Some(bytes), Some(trace)) => Ok(Record::Allocation { bytes, trace }),
            _ => Err(("allocation", "bytes and a trace")),
        },
        b"+ " => next().map(Record::Birth).ok_or(("birth", "an allocation")),
        b"- " => next().map(Record::Death).ok_or(("death", "an allocation")),
        b"c " => next().map(Record::Time).ok_or(("time", "milliseconds")),
        // Command line, pages, memory in use, suppressions, comments, attached.
        b"X " | b"I " | b"R " | b"S " | b"# " | b"#" | b"A" | b"A " | b"" => Ok(Record::Other),
        _ => Err(("line", "a record of heaptrack after its interpretation")),
    }
}
