//! Parses one line of the collector, whatever stands before it.
//!
//! The texts are those of CPython 3.8 to 3.15 (`Modules/gcmodule.c`, `Python/gc.c` from 3.13 on), which are the same.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::super::decimal::number;
use super::super::hexadecimal::{ADDRESS, digits};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// `gc: collecting generation 2...`
    Collecting(u8),
    /// `gc: objects in each generation: 19 0 5065`, the youngest first.
    Generations([u64; 3]),
    /// `gc: objects in permanent generation: 0`
    Permanent,
    /// `gc: collectable <Order 0x7f9997956ba0>`, `gc: uncollectable <…>`
    Found { collectable: bool, class: &'a [u8], address: u64 },
    /// `gc: done, 4 unreachable, 0 uncollectable, 0.0004s elapsed`
    Done { unreachable: u64, uncollectable: u64 },
}

/// The record in a line: `None` for a line of something else, and an error that says what was expected in one that
/// begins as a record and does not go on as one.
pub(super) fn parse(line: &[u8]) -> Option<Result<Record<'_>, &'static str>> {
    static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"gc: "));
    let starts = MARK.find_iter(line).filter(|&at| at == 0 || !line[at - 1].is_ascii_alphanumeric());
    starts.map(|at| &line[at + 4..]).find_map(record)
}

fn record(text: &[u8]) -> Option<Result<Record<'_>, &'static str>> {
    if let Some(rest) = text.strip_prefix(b"collecting generation ") {
        let generation = number(rest).filter(|(_, rest)| rest.starts_with(b"..."));
        let generation = generation.and_then(|(generation, _)| u8::try_from(generation).ok());
        return Some(generation.map(Record::Collecting).ok_or("a generation and '...'"));
    }
    if let Some(rest) = text.strip_prefix(b"objects in each generation: ") {
        return Some(generations(rest).map(Record::Generations).ok_or("three numbers of objects"));
    }
    if text.starts_with(b"objects in permanent generation: ") {
        return Some(Ok(Record::Permanent));
    }
    if let Some(rest) = text.strip_prefix(b"done, ") {
        return Some(done(rest).ok_or("'N unreachable, N uncollectable'"));
    }
    let (collectable, rest) = match text.strip_prefix(b"collectable ") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix(b"uncollectable ")?),
    };
    // A log in JSON may write the brackets as escapes.
    let rest = rest.strip_prefix(b"<").or_else(|| rest.strip_prefix(b"\\u003c"))?;
    Some(object(rest).map(|(class, address)| Record::Found { collectable, class, address }).ok_or("<TYPE 0xADDRESS>"))
}

fn generations(text: &[u8]) -> Option<[u64; 3]> {
    let (youngest, rest) = number(text)?;
    let (middle, rest) = number(rest.strip_prefix(b" ")?)?;
    let (oldest, _) = number(rest.strip_prefix(b" ")?)?;
    Some([youngest, middle, oldest])
}

fn done(text: &[u8]) -> Option<Record<'static>> {
    let (unreachable, rest) = number(text)?;
    let (uncollectable, rest) = number(rest.strip_prefix(b" unreachable, ")?)?;
    rest.starts_with(b" uncollectable").then_some(Record::Done { unreachable, uncollectable })
}

/// `Order 0x7f9997956ba0>`; the name of a type may have blanks in it.
fn object(text: &[u8]) -> Option<(&[u8], u64)> {
    ADDRESS.find_iter(text).find_map(|at| {
        let rest = &text[at + 3..];
        let (address, rest) = rest.split_at(rest.iter().position(|byte| !byte.is_ascii_hexdigit())?);
        let is_closed = rest.starts_with(b">") || rest.starts_with(b"\\u003e");
        let address = digits(address)?;
        (is_closed && at > 0).then_some((&text[..at], address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(class: &str, address: u64) -> Option<Result<Record<'_>, &'static str>> {
        Some(Ok(Record::Found { collectable: true, class: class.as_bytes(), address }))
    }

    #[test]
    fn a_line_of_the_collector_is_found_behind_what_a_logger_puts_before_it() {
        assert_eq!(parse(b"gc: collectable <Order 0x7f10>"), found("Order", 0x7f10));
        assert_eq!(parse(b"web-1  | gc: collectable <Order 0x7f10>"), found("Order", 0x7f10));
        assert_eq!(parse(b"Nov 27 15:00:01 host app[71]: gc: collectable <a b 0x7f10>"), found("a b", 0x7f10));
        let docker = br#"{"log":"gc: collectable \u003cOrder 0x7f10\u003e\n","stream":"stderr"}"#;
        assert_eq!(parse(docker), found("Order", 0x7f10));
    }

    #[test]
    fn what_only_reads_like_one_is_none() {
        assert_eq!(parse(b"egc: collectable <Order 0x7f10>"), None);
        assert_eq!(parse(b"watch for gc: collectable objects"), None);
        assert_eq!(parse(b"gc: collectable <Order 0x7f"), Some(Err("<TYPE 0xADDRESS>")));
        assert_eq!(parse(b"gc: collecting generation x..."), Some(Err("a generation and '...'")));
        assert_eq!(parse(b"gc: done, 3 unreachable"), Some(Err("'N unreachable, N uncollectable'")));
    }
}
