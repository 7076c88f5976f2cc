//! Parses one line of a log of XPCOM.
//!
//! The lines are those of `NS_LogAddRef`, `NS_LogRelease`, `NS_LogCtor`, `NS_LogDtor` and `NS_LogCOMPtrAddRef`
//! (`xpcom/base/nsTraceRefcnt.cpp`). Addresses have no `0x` on Windows.

use memchr::{memchr, memrchr};

use super::super::decimal::decimal;
use super::super::hexadecimal::hexadecimal;
use super::super::reader::Expected;
use super::super::sites::Place;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// `<nsStringBuffer> 0x01AFD3B8 1 AddRef 1 [thread 0x7f10]`; the serial number is 0 where Firefox gives none.
    Operation { class: &'a [u8], address: u64, serial: u64, what: Operation },
    /// `    #01: nsFoo::Create() [/src/nsFoo.cpp:12]`: a frame of what stands above, the innermost first.
    Frame(&'a [u8]),
    /// A line of something else.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// With the count after it.
    AddRef(u64),
    Release(u64),
    /// With the bytes of an instance.
    Ctor(u64),
    Dtor,
    /// The first `AddRef` and the last `Release`, in the log of allocations.
    Create,
    Destroy,
    /// An `nsCOMPtr` takes or leaves the object.
    Pointer,
}

pub(super) fn parse(line: &[u8]) -> Result<Record<'_>, Expected> {
    match line.first() {
        Some(b'<') => operation(line),
        Some(b' ' | b'#') => Ok(frame(line).map_or(Record::Other, Record::Frame)),
        _ => Ok(Record::Other),
    }
}

/// The name of a class may have brackets of its own.
fn operation(line: &[u8]) -> Result<Record<'_>, Expected> {
    let mut ends = memchr::memmem::find_iter(line, b"> ");
    let Some((class, address, rest)) = ends.find_map(|end| {
        let (address, rest) = hexadecimal(&line[end + 2..])?;
        Some((&line[1..end], address, rest))
    }) else {
        return Ok(Record::Other);
    };
    let mut words = rest.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let (Some(serial), Some(word)) = (words.next().and_then(decimal), words.next()) else { return Ok(Record::Other) };
    let number = words.next();
    let count = || number.and_then(decimal);
    let what = match word {
        b"AddRef" => Operation::AddRef(count().ok_or(("AddRef", "a count"))?),
        b"Release" => Operation::Release(count().ok_or(("Release", "a count"))?),
        b"Ctor" => {
            let bytes = number.and_then(|text| decimal(text.strip_prefix(b"(")?.strip_suffix(b")")?));
            Operation::Ctor(bytes.ok_or(("Ctor", "bytes in parentheses"))?)
        }
        b"Dtor" => Operation::Dtor,
        b"Create" => Operation::Create,
        b"Destroy" => Operation::Destroy,
        b"nsCOMPtrAddRef" | b"nsCOMPtrRelease" => Operation::Pointer,
        _ => return Ok(Record::Other),
    };
    Ok(Record::Operation { class, address, serial, what })
}

/// `#01: …`
fn frame(line: &[u8]) -> Option<&[u8]> {
    let rest = line.trim_ascii_start().strip_prefix(b"#")?;
    let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    rest[length..].strip_prefix(b": ").filter(|_| length > 0)
}

/// `nsFoo::Create() [/src/nsFoo.cpp:12]` as `fix-stacks` has it, `nsFoo::Create() (nsFoo.cpp:12)` as older scripts do, or
/// `???[/usr/lib/libxul.so +0x1234]` as Firefox writes it.
pub(super) fn place(frame: &[u8]) -> Place {
    let frame = frame.trim_ascii_end();
    let open = match frame.last() {
        Some(b']') => memrchr(b'[', frame),
        Some(b')') => memrchr(b'(', frame),
        _ => None,
    };
    let whole = |function: &[u8]| Place { path: (*b"").into(), line: 0, function: function.into() };
    let Some(open) = open else { return whole(frame) };
    let (function, within) = (frame[..open].trim_ascii_end(), &frame[open + 1..frame.len() - 1]);
    let (path, line) = match memrchr(b':', within).and_then(|at| Some((&within[..at], decimal(&within[at + 1..])?))) {
        Some((path, line)) => (path, u32::try_from(line).unwrap_or(0)),
        None => (&within[..memchr(b'+', within).unwrap_or(within.len())], 0),
    };
    // `main()` has no place behind it.
    if path.is_empty() {
        return whole(frame);
    }
    Place { path: path.trim_ascii_end().into(), line, function: function.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_read_whatever_its_class_is_called() {
        let record =
            |class: &'static str, what| Record::Operation { class: class.as_bytes(), address: 0x10, serial: 3, what };
        let said = |line: &'static str| parse(line.as_bytes()).unwrap();
        assert_eq!(said("<nsFoo> 0x10 3 AddRef 2 [thread 0x7f]"), record("nsFoo", Operation::AddRef(2)));
        assert_eq!(said("<RefPtr<A> > 00000010 3 Release 0 [thread 01]"), record("RefPtr<A> ", Operation::Release(0)));
        assert_eq!(said("<A> 0x10 3 Ctor (48)"), record("A", Operation::Ctor(48)));
        assert_eq!(said("<A> 0x10 3 Destroy [thread 0x7f]"), record("A", Operation::Destroy));
        assert_eq!(said("<?> 0x10 3 nsCOMPtrAddRef 1 0x7ffe"), record("?", Operation::Pointer));
        assert_eq!(said("<html> 0x10 3 times"), Record::Other);
        assert_eq!(parse(b"<A> 0x10 3 Ctor 48"), Err(("Ctor", "bytes in parentheses")));
    }

    #[test]
    fn a_frame_has_its_place_however_it_was_written() {
        let place_of = |frame: &str| {
            let Place { path, line, function } = place(frame.as_bytes());
            format!("{}|{line}|{}", String::from_utf8_lossy(&path), String::from_utf8_lossy(&function))
        };
        assert_eq!(place_of("nsFoo::Create(int) [/src/a b.cpp:12]"), "/src/a b.cpp|12|nsFoo::Create(int)");
        assert_eq!(place_of("nsFoo::Create() (nsFoo.cpp:12)"), "nsFoo.cpp|12|nsFoo::Create()");
        assert_eq!(place_of("???[/usr/lib/libxul.so +0x1234]"), "/usr/lib/libxul.so|0|???");
        assert_eq!(place_of("main()"), "|0|main()");
        assert_eq!(place_of("main"), "|0|main");
    }
}
