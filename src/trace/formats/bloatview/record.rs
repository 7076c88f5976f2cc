//! Parses one line of a BloatView table, whatever stands before it.
//!
//! The lines are those of `BloatEntry::Dump` and `nsTraceRefcnt::DumpStatistics` (`xpcom/base/nsTraceRefcnt.cpp`). A test run
//! puts the time and the name of a process before each.

use memchr::memmem::find;

use super::super::reader::Expected;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// `== BloatView: ALL (cumulative) LEAK AND BLOAT STATISTICS, tab process 1862`
    Heading,
    /// `   3 |nsStringBuffer   |        8      16|     120        2|`
    Class(Class<'a>),
    /// `nsTraceRefcnt::DumpStatistics: 4 entries`
    End,
    /// A line of something else.
    Other,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Class<'a> {
    /// Of at most 38 bytes: Firefox cuts longer ones.
    pub name: &'a [u8],
    pub made: u64,
    /// Below zero where more were destroyed than made.
    pub left: i64,
    pub leaked: i64,
}

pub(super) fn parse(line: &[u8]) -> Result<Record<'_>, Expected> {
    let Some(row) = line.trim_ascii_end().strip_suffix(b"|") else { return Ok(head_or_end(line)) };
    let mut cells = row.rsplitn(3, |&byte| byte == b'|');
    let (Some(objects), Some(bytes), Some(rest)) = (cells.next(), cells.next(), cells.next()) else {
        return Ok(Record::Other);
    };
    // The number of the row is the last word before the first bar.
    let Some((number, name)) = rest.iter().position(|&byte| byte == b'|').map(|at| (&rest[..at], &rest[at + 1..]))
    else {
        return Ok(Record::Other);
    };
    let is_row = number.trim_ascii_end().last().is_some_and(u8::is_ascii_digit);
    if !is_row {
        return Ok(Record::Other);
    }
    let class = || {
        let ([_, leaked], [made, left]) = (numbers(bytes)?, numbers(objects)?);
        Some(Class { name: name.trim_ascii_end(), made: u64::try_from(made).ok()?, left, leaked })
    };
    class().map(Record::Class).ok_or(("class", "bytes of an instance and leaked, objects made and left"))
}

fn head_or_end(line: &[u8]) -> Record<'_> {
    if find(line, b"== BloatView: ").is_some() {
        Record::Heading
    } else if find(line, b"nsTraceRefcnt::DumpStatistics: ").is_some() {
        Record::End
    } else {
        Record::Other
    }
}

/// Two numbers, which may be below zero.
fn numbers(cell: &[u8]) -> Option<[i64; 2]> {
    let text = str::from_utf8(cell).ok()?;
    let mut words = text.split_ascii_whitespace().map(str::parse);
    let pair = [words.next()?.ok()?, words.next()?.ok()?];
    words.next().is_none().then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_behind_what_a_test_run_puts_before_it() {
        let row = |line: &'static str| parse(line.as_bytes());
        let class = Class { name: b"nsA|B", made: 120, left: 2, leaked: 16 };
        assert_eq!(
            row("[task] 12:00:01     INFO -     3 |nsA|B      |        8       16|     120        2|"),
            Ok(Record::Class(class))
        );
        let class = Class { name: b"nsC", made: 3, left: -1, leaked: -8 };
        assert_eq!(row("  17 |nsC      |        8       -8|       3       -1|"), Ok(Record::Class(class)));
        assert_eq!(row("     |                    | Per-Inst   Leaked|   Total      Rem|"), Ok(Record::Other));
        assert_eq!(row("     |<------Class------->|<-----Bytes------>|<----Objects---->|"), Ok(Record::Other));
        assert!(row("  17 |nsC      |        8       x|       3       1|").is_err());
    }
}
