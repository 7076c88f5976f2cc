//! Parses one line of what CPython writes under `PYTHONDUMPREFS`.
//!
//! The lines are those of `_Py_PrintReferences` and `_Py_PrintReferenceAddresses` in `Objects/object.c` of CPython 3.8
//! to 3.14.

use super::super::hexadecimal::hexadecimal;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// `Remaining objects:`: those before the interpreter is taken apart.
    Before,
    /// `Remaining object addresses:`: those that are left.
    After,
    /// `0x7f857060 [14] '__len__'`, `0x7f857060 [5] str`
    Object { address: u64, count: u64, text: &'a [u8] },
    /// A line of something else: of the program, or of an object whose text has several.
    Other,
}

/// The record of a line, or what was expected in it.
pub(super) fn parse(line: &[u8]) -> Result<Record<'_>, &'static str> {
    match line {
        b"Remaining objects:" => return Ok(Record::Before),
        b"Remaining object addresses:" => return Ok(Record::After),
        _ => {}
    }
    let Some((address, rest)) = hexadecimal(line) else { return Ok(Record::Other) };
    let Some(rest) = rest.strip_prefix(b" [") else { return Ok(Record::Other) };
    let length = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(length);
    let Some(text) = rest.strip_prefix(b"] ").filter(|_| length > 0) else { return Ok(Record::Other) };
    let count = str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or("a count of up to 64 bits")?;
    Ok(Record::Object { address, count, text })
}
