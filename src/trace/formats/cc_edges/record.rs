//! Parses one line of a log of Firefox's cycle collector.
//!
//! The lines are those that `nsCycleCollectorLogger` of `xpcom/base/nsCycleCollector.cpp` prints. Addresses have `0x` and
//! lower-case digits on Unix, and upper-case digits without it on Windows.

use super::super::decimal::decimal;
use super::super::hexadecimal::hexadecimal;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// A blank line, or a comment.
    Nothing,
    /// `0x7f10 [rc=2] nsGenericElement (xhtml) div`, `0x7f40 [gc.marked] JS Object (Function - f)`
    Object { address: u64, kind: Kind, label: &'a [u8] },
    /// `> 0x7f40 mParent`: a reference of the object above.
    Edge { to: u64, label: &'a [u8] },
    /// `WeakMapEntry map=0x1 key=0x2 keyDelegate=(nil) value=0x3`; 0 stands for none.
    WeakMapEntry { map: u64, key: u64, delegate: u64, value: u64 },
    /// `IncrementalRoot 0x7f10`
    IncrementalRoot(u64),
    /// `==========`: the verdict follows.
    Results,
    /// `0x7f10 [known=1]`
    Known(u64),
    /// `0x7f40 [garbage]`
    Garbage(u64),
}

/// How an object is kept alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By a count.
    Counted(u64),
    /// By a tracing collector, which has not reached it, or has.
    Traced { marked: bool },
}

/// The record of a line without its end, or what was expected in it: the record's name, and the missing part.
pub(super) fn parse(line: &[u8]) -> Result<Record<'_>, (&'static str, &'static str)> {
    const ADDRESS: &str = "an address";
    if line.is_empty() || line[0] == b'#' {
        return Ok(Record::Nothing);
    }
    if line.starts_with(b"==========") {
        return Ok(Record::Results);
    }
    if let Some(rest) = line.strip_prefix(b"> ") {
        let (to, label) = hexadecimal(rest).ok_or(("edge", ADDRESS))?;
        return Ok(Record::Edge { to, label: label.trim_ascii() });
    }
    if let Some(rest) = line.strip_prefix(b"IncrementalRoot ") {
        let (root, _) = hexadecimal(rest).ok_or(("IncrementalRoot", ADDRESS))?;
        return Ok(Record::IncrementalRoot(root));
    }
    if let Some(rest) = line.strip_prefix(b"WeakMapEntry ") {
        return weak_map_entry(rest).ok_or(("WeakMapEntry", "map=, key=, keyDelegate= and value= with addresses"));
    }
    let (address, rest) =
        hexadecimal(line).ok_or(("line", "an address, '>', 'WeakMapEntry', 'IncrementalRoot' or '='"))?;
    about(address, rest).ok_or(("object", "[rc=N], [gc], [gc.marked], [known=N] or [garbage]"))
}

fn about(address: u64, rest: &[u8]) -> Option<Record<'_>> {
    let rest = rest.strip_prefix(b" [")?;
    let end = rest.iter().position(|&byte| byte == b']')?;
    let (word, label) = (&rest[..end], rest[end + 1..].trim_ascii());
    let object = |kind| Some(Record::Object { address, kind, label });
    match word {
        b"gc" => object(Kind::Traced { marked: false }),
        b"gc.marked" => object(Kind::Traced { marked: true }),
        b"garbage" => Some(Record::Garbage(address)),
        _ => match (word.strip_prefix(b"rc="), word.strip_prefix(b"known=")) {
            (Some(count), _) => object(Kind::Counted(decimal(count)?)),
            (_, Some(count)) => decimal(count).map(|_| Record::Known(address)),
            _ => None,
        },
    }
}

fn weak_map_entry(rest: &[u8]) -> Option<Record<'_>> {
    let mut words = rest.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let mut field = |name: &[u8]| match words.next()?.strip_prefix(name)? {
        b"(nil)" => Some(0),
        text => hexadecimal(text).map(|(address, _)| address),
    };
    Some(Record::WeakMapEntry {
        map: field(b"map=")?,
        key: field(b"key=")?,
        delegate: field(b"keyDelegate=")?,
        value: field(b"value=")?,
    })
}
