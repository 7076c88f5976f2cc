//! Parses one line of the report of `leaks`.
//!
//! The lines are those of Mac OS X 10.5 to macOS 15 (report versions up to 4.0). Its source is not public: they are taken from
//! reports that people have published, and from `man leaks`.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::super::decimal::{decimal, number};
use super::super::hexadecimal::{ADDRESS, digits, hexadecimal};
use super::super::reader::Expected;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// `Process 71: 6 leaks for 256 total leaked bytes.`
    Total(u64),
    /// `STACK OF 2 INSTANCES OF 'ROOT LEAK: <Person>':` of so many roots that follow.
    Stack(u64),
    /// `12  Shop  0x10f00c1ee main + 30  main.swift:7`, the outermost first.
    Frame { module: &'a [u8], function: &'a [u8], place: Option<(&'a [u8], u32)> },
    /// `    2 (64 bytes) ROOT CYCLE: <Person 0x600002332540> [32]`, `       owner --> CYCLE BACK TO <Person 0x60…> [32]`
    Node { indent: usize, label: &'a [u8], is_back: bool, object: Object<'a> },
    /// `Leak: 0x600002332540  size=32  zone: DefaultMallocZone_0x10f   Person  Swift  Shop`
    Leak(Object<'a>),
    /// A line of something else.
    Other,
}

/// `<Person 0x600002332540> [32]`, `0x7f9daa80f200 [16384]`; without a class where `leaks` does not know it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object<'a> {
    pub address: u64,
    pub class: &'a [u8],
    pub bytes: u64,
}

pub(super) fn parse(line: &[u8]) -> Result<Record<'_>, Expected> {
    let text = line.trim_ascii_start();
    if text.starts_with(b"Process ") && memmem::find(text, b" total leaked bytes").is_some() {
        return Ok(total(text).map_or(Record::Other, Record::Total));
    }
    if let Some(rest) = text.strip_prefix(b"STACK OF ") {
        return Ok(Record::Stack(number(rest).map_or(1, |(roots, _)| roots)));
    }
    if let Some(rest) = text.strip_prefix(b"Leak: ") {
        return flat(rest).map(Record::Leak).ok_or(("leak", "an address and size="));
    }
    if let Some(frame) = frame(text) {
        return Ok(frame);
    }
    node(line.len() - text.len(), text)
}

/// `Process 71: 6 leaks for …`
fn total(text: &[u8]) -> Option<u64> {
    let words: Vec<&[u8]> = text.split(|&byte| byte == b' ').collect();
    let at = words.iter().position(|&word| word == b"leaks" || word == b"leak")?;
    decimal(words[at.checked_sub(1)?])
}

/// `0x600002332540  size=32  zone: DefaultMallocZone_0x10f   Person  Swift  Shop`, or up to report version 2.0
/// `… \tinstance of 'Person', type ObjC, implemented in Shop`. Before Mac OS X 10.6 the zone is not there.
fn flat(text: &[u8]) -> Option<Object<'_>> {
    let (address, rest) = hexadecimal(text)?;
    let (bytes, rest) = number(rest.trim_ascii_start().strip_prefix(b"size=")?)?;
    let rest = rest.trim_ascii_start();
    let about = match rest.strip_prefix(b"zone: ") {
        Some(zone) => zone[zone.iter().position(u8::is_ascii_whitespace).unwrap_or(zone.len())..].trim_ascii_start(),
        None => rest,
    };
    let class = match about.strip_prefix(b"instance of '") {
        Some(quoted) => quoted.split(|&byte| byte == b'\'').next().unwrap_or_default(),
        // A text in its place shows the beginning of what is in the object.
        None if about.starts_with(b"string ") || about.starts_with(b"length: ") => b"",
        None => memmem::find(about, b"  ").map_or(&b""[..], |end| &about[..end]),
    };
    Some(Object { address, class, bytes })
}

/// A frame has its number, its module, an address and a function.
fn frame(text: &[u8]) -> Option<Record<'_>> {
    let (_, rest) = number(text)?;
    let rest = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b"   "))?.trim_ascii_start();
    let at = ADDRESS.find(rest)?;
    let (module, rest) = (rest[..at].trim_ascii_end(), &rest[at + 1..]);
    let (_, function) = hexadecimal(rest)?;
    let function = function.trim_ascii();
    let (function, place) = match memmem::rfind(function, b"  ") {
        Some(at) => (&function[..at], place(function[at..].trim_ascii_start())),
        None => (function, None),
    };
    let function = memmem::rfind(function, b" + ").map_or(function, |at| &function[..at]);
    (!module.is_empty()).then_some(Record::Frame { module, function: function.trim_ascii(), place })
}

/// `main.swift:7`
fn place(text: &[u8]) -> Option<(&[u8], u32)> {
    let at = memchr::memrchr(b':', text)?;
    Some((&text[..at], decimal(&text[at + 1..]).and_then(|line| u32::try_from(line).ok())?))
}

/// A node of the tree has its objects and their bytes in front, or leads back to one above.
fn node(indent: usize, text: &[u8]) -> Result<Record<'_>, Expected> {
    let counted = counted(text);
    let rest = counted.unwrap_or(text);
    if rest.starts_with(b"<< ") {
        return Ok(Record::Other);
    }
    // What is in an object may read like the arrow of a reference, so an object is looked for first.
    let is_unlabelled = object(verdict(rest).0).is_some();
    static ARROW: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" --> "));
    let arrow = ARROW.find(rest).filter(|_| !is_unlabelled);
    let (label, rest) = arrow.map_or((&b""[..], rest), |at| (&rest[..at], &rest[at + 5..]));
    let (named, is_back) = verdict(rest);
    match object(named) {
        Some(object) if counted.is_some() || is_back => Ok(Record::Node { indent, label, is_back, object }),
        None if counted.is_some() || is_back => {
            Err(("object", "an address and [bytes], which leaks leaves out with --groupByType"))
        }
        _ => Ok(Record::Other),
    }
}

/// What follows on `2 (64 bytes) `.
fn counted(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = number(text)?;
    let rest = rest.strip_prefix(b" (")?;
    let end = rest.iter().position(|&byte| byte == b')')?;
    let is_amount = rest[..end].first().is_some_and(u8::is_ascii_digit);
    rest[end + 1..].strip_prefix(b" ").filter(|_| is_amount)
}

/// What follows on the verdict, and whether it is that the way leads back.
fn verdict(text: &[u8]) -> (&[u8], bool) {
    if let Some(rest) = text.strip_prefix(b"CYCLE BACK TO ") {
        return (rest, true);
    }
    let root = text.strip_prefix(b"ROOT CYCLE: ").or_else(|| text.strip_prefix(b"ROOT LEAK: "));
    (root.unwrap_or(text), false)
}

/// The name of a class may have anything in it that C++ has; what is in the object may stand behind its bytes.
fn object(text: &[u8]) -> Option<Object<'_>> {
    let sized = |rest: &[u8]| {
        let (bytes, rest) = number(rest.strip_prefix(b" [")?)?;
        rest.starts_with(b"]").then_some(bytes)
    };
    let Some(named) = text.strip_prefix(b"<") else {
        let (address, rest) = text.starts_with(b"0x").then(|| hexadecimal(text)).flatten()?;
        return Some(Object { address, class: b"", bytes: sized(rest)? });
    };
    ADDRESS.find_iter(named).find_map(|at| {
        let rest = &named[at + 3..];
        let (address, rest) = rest.split_at(rest.iter().position(|byte| !byte.is_ascii_hexdigit())?);
        Some(Object { address: digits(address)?, class: &named[..at], bytes: sized(rest.strip_prefix(b">")?)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(line: &str) -> (usize, String, bool, u64, String, u64) {
        let Ok(Record::Node { indent, label, is_back, object: Object { address, class, bytes } }) =
            parse(line.as_bytes())
        else {
            panic!("{line}: {:?}", parse(line.as_bytes()))
        };
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (indent, text(label), is_back, address, text(class), bytes)
    }

    #[test]
    fn a_node_is_read_whatever_its_class_and_contents_have_in_them() {
        let named =
            |indent, label: &str, is_back, class: &str| (indent, label.to_owned(), is_back, 0x60, class.to_owned(), 32);
        assert_eq!(node("   2 (64 bytes) ROOT CYCLE: <Person 0x60> [32]"), named(3, "", false, "Person"));
        assert_eq!(node("   1 (1.77K) _node + 64 --> ROOT CYCLE: <A 0x60> [32]"), named(3, "_node + 64", false, "A"));
        assert_eq!(node("    owner --> CYCLE BACK TO <Person 0x60> [32]"), named(4, "owner", true, "Person"));
        assert_eq!(node("    CYCLE BACK TO <Person 0x60> [32]"), named(4, "", true, "Person"));
        assert_eq!(
            node("1 (32 bytes) <map<int, A*> 0x60> [32]  \"a --> <B 0x70> [1]\""),
            named(0, "", false, "map<int, A*>")
        );
        assert_eq!(node("1 (32 bytes) ROOT LEAK: 0x60 [32]  length: 9  \"<?xml\""), named(0, "", false, ""));
    }

    #[test]
    fn a_frame_has_its_line_where_it_is_known() {
        let frame = |line: &'static str| parse(line.as_bytes()).unwrap();
        let place = Some((&b"main.swift"[..], 7));
        let expected = Record::Frame { module: b"My Shop", function: b"main(_:) + x", place };
        assert_eq!(frame("12  My Shop      0x10f main(_:) + x + 30  main.swift:7"), expected);
        let expected = Record::Frame { module: b"dyld", function: b"start", place: None };
        assert_eq!(frame("36  dyld         0x118 start + 462"), expected);
    }

    #[test]
    fn a_leak_of_a_report_without_trees_has_a_class_where_it_is_known() {
        let leak = |line: &str, class: &str| {
            let expected = Object { address: 0x60, class: class.as_bytes(), bytes: 16 };
            assert_eq!(parse(line.as_bytes()), Ok(Record::Leak(expected)));
        };
        leak("Leak: 0x60  size=16  zone: DefaultMallocZone_0x10\tinstance of 'NSCFString', type ObjC", "NSCFString");
        leak("Leak: 0x60  size=16  zone: DefaultMallocZone_0x10   NSArray  ObjC  CoreFoundation", "NSArray");
        leak("Leak: 0x60  size=16  zone: DefaultMallocZone_0x10   string 'two  words'", "");
        leak("Leak: 0x60  size=16  zone: DefaultMallocZone_0x10", "");
        leak("Leak: 0x60  size=16 string 'resource'", "");
    }
}
