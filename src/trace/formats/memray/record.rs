//! Parses one line of the text of `memray parse`.
//!
//! The lines are those of memray 1.20.0 with files of version 13 (`RecordReader::dumpAllRecords` in
//! `src/memray/_memray/record_reader.cpp`).

use memchr::memmem::find;

use super::super::decimal::decimal;
use super::super::hexadecimal::hexadecimal;
use super::super::reader::Expected;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// `HEADER magic=memray version=13 python_version=030b0ff0 … file_format=ALL_ALLOCATIONS … start_time=… …`
    Header { python: Option<u64>, start_ms: u64 },
    /// `CODE_OBJECT code_id=1 function_name=main filename=app.py firstlineno=3 linetable_size=210`
    Code { id: u64, function: &'a [u8], path: &'a [u8] },
    /// `FRAME_PUSH code_object_id=1 instruction_offset=366 is_entry_frame=1`
    Push(u64),
    /// `FRAME_POP count=1`
    Pop(u64),
    /// `CONTEXT_SWITCH tid=1`
    Thread(u64),
    /// `ALLOCATION address=0x7f10 size=1340 allocator=malloc native_frame_id=0`
    Allocation { address: u64, bytes: u64, allocator: &'a [u8] },
    /// `MEMORY_RECORD time=1795967530840 memory=45297664`, in milliseconds.
    Time(u64),
    /// `TRAILER`
    Trailer,
    /// Native frames, mappings, names of threads.
    Other,
}

/// The record of a line, or what was expected in it.
pub(super) fn parse(line: &[u8]) -> Result<Record<'_>, Expected> {
    let (word, fields) = line.split_at(line.iter().position(|&byte| byte == b' ').unwrap_or(line.len()));
    let number = |name: &[u8]| decimal(field(fields, name)?);
    match word {
        b"HEADER" => {
            // Of an aggregated capture the allocations are not known, only their sums.
            match field(fields, b"file_format=") {
                Some(b"ALL_ALLOCATIONS") => {}
                _ => {
                    return Err(("HEADER", "file_format=ALL_ALLOCATIONS, which memray run writes without --aggregate"));
                }
            }
            let python = field(fields, b"python_version=").and_then(hexadecimal).map(|(version, _)| version);
            Ok(Record::Header { python, start_ms: number(b"start_time=").unwrap_or_default() })
        }
        b"CODE_OBJECT" => code(fields).ok_or(("CODE_OBJECT", "code_id=, function_name=, filename= and firstlineno=")),
        b"FRAME_PUSH" => number(b"code_object_id=").map(Record::Push).ok_or(("FRAME_PUSH", "code_object_id=")),
        b"FRAME_POP" => number(b"count=").map(Record::Pop).ok_or(("FRAME_POP", "count=")),
        b"CONTEXT_SWITCH" => number(b"tid=").map(Record::Thread).ok_or(("CONTEXT_SWITCH", "tid=")),
        b"ALLOCATION" => {
            let address = field(fields, b"address=").and_then(hexadecimal).map(|(address, _)| address);
            match (address, number(b"size="), field(fields, b"allocator=")) {
                (Some(address), Some(bytes), Some(allocator)) => Ok(Record::Allocation { address, bytes, allocator }),
                _ => Err(("ALLOCATION", "address=, size= and allocator=")),
            }
        }
        b"MEMORY_RECORD" => number(b"time=").map(Record::Time).ok_or(("MEMORY_RECORD", "time=")),
        b"TRAILER" => Ok(Record::Trailer),
        b"" | b"NATIVE_FRAME_ID" | b"SEGMENT" | b"SEGMENT_HEADER" | b"MEMORY_MAP_START" | b"THREAD_RECORD"
        | b"OBJECT_RECORD" | b"SURVIVING_OBJECT" => Ok(Record::Other),
        _ => Err(("line", "a record of memray")),
    }
}

/// Names of functions and files may have blanks in them.
fn code(fields: &[u8]) -> Option<Record<'_>> {
    let id = decimal(field(fields, b"code_id=")?)?;
    let function = &fields[find(fields, b" function_name=")? + 15..];
    let (function, path) = function.split_at(find(function, b" filename=")?);
    let path = &path[10..];
    Some(Record::Code { id, function, path: &path[..find(path, b" firstlineno=")?] })
}

/// The word behind ` NAME`.
fn field<'a>(fields: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    fields.split(|&byte| byte == b' ').find_map(|word| word.strip_prefix(name))
}
