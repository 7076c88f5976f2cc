//! Parses and writes the lines that both forms share as text: the header, what follows `type `, and what follows `mark `.

use std::borrow::Cow;

use super::leaves::{Parsed, at_line_end, at_word_end, blanks, digits, expected, number32};
use super::quote::{self, Text};
use crate::trace::{Births, Frees, Header, Mark, Numbers, References, TypeDef, TypeFlags, TypeId, TypeRef};

/// The version of the vocabulary that this program reads and writes.
pub const VERSION: u32 = 1;

/// `reftrace VERSION`, the part of the header that every version has.
pub fn version(line: &[u8]) -> Parsed<'_, u32> {
    match blanks(line).strip_prefix(b"reftrace") {
        Some(rest) if at_word_end(rest) => number32(rest, "a version number"),
        _ => expected(blanks(line), "'reftrace'"),
    }
}

/// `key=value…`, the rest of the header of version 1.
pub fn header(input: &[u8]) -> Parsed<'_, Header> {
    let mut runtime = None;
    let mut header = Header::new("");
    let mut rest = input;
    while !at_line_end(rest) {
        let (after, key) = quote::key(rest)?;
        let (next, value) = quote::value(after)?;
        match (&*key, &*value) {
            (b"runtime", _) => runtime = Some(utf8(after, &value)?),
            (b"pointer", b"8") => header.pointer = 8,
            (b"pointer", b"4") => header.pointer = 4,
            (b"pointer", _) => return expected(after, "8 or 4 bytes"),
            (b"references", b"events") => header.references = References::Events,
            (b"references", b"checkpoints") => header.references = References::Checkpoints,
            (b"references", b"uncounted") => header.references = References::Uncounted,
            (b"references", b"none") => header.references = References::None,
            (b"references", _) => return expected(after, "'events', 'checkpoints', 'uncounted' or 'none'"),
            (b"frees", b"recorded") => header.frees = Frees::Recorded,
            (b"frees", b"implied") => header.frees = Frees::Implied,
            (b"frees", _) => return expected(after, "'recorded' or 'implied'"),
            (b"births", b"all") => header.births = Births::All,
            (b"births", b"survivors") => header.births = Births::Survivors,
            (b"births", b"garbage") => header.births = Births::Garbage,
            (b"births", _) => return expected(after, "'all', 'survivors' or 'garbage'"),
            (b"numbers", b"tags") => header.numbers = Numbers::Tags,
            (b"numbers", b"dense") => header.numbers = Numbers::Dense,
            (b"numbers", _) => return expected(after, "'tags' or 'dense'"),
            _ => header.extra.push((utf8(rest, &key)?, utf8(after, &value)?)),
        }
        rest = next;
    }
    match runtime {
        Some(runtime) => header.runtime = runtime,
        None => return expected(rest, "'runtime=', what wrote the trace"),
    }
    if header.frees == Frees::Implied && header.references != References::Events {
        return expected(rest, "'references=events' beside 'frees=implied'");
    }
    if header.frees == Frees::Implied && header.numbers == Numbers::Dense {
        return expected(rest, "'frees=recorded' beside 'numbers=dense'");
    }
    Ok((&[], header))
}

/// The header as a line without its newline. `numbers` is written for the binary form only.
pub fn write_header(header: &Header, numbers: Option<Numbers>) -> Vec<u8> {
    let mut out = format!("reftrace {VERSION}").into_bytes();
    let mut field = |key: &str, value: &str| {
        quote::write_key(&mut out, key);
        quote::write_value(&mut out, value);
    };
    field("runtime", &header.runtime);
    field("pointer", if header.pointer == 4 { "4" } else { "8" });
    field(
        "references",
        match header.references {
            References::Events => "events",
            References::Checkpoints => "checkpoints",
            References::Uncounted => "uncounted",
            References::None => "none",
        },
    );
    field(
        "frees",
        match header.frees {
            Frees::Recorded => "recorded",
            Frees::Implied => "implied",
        },
    );
    if header.births != Births::All {
        field("births", header.births.name());
    }
    match numbers {
        Some(Numbers::Tags) => field("numbers", "tags"),
        Some(Numbers::Dense) => field("numbers", "dense"),
        None => {}
    }
    for (key, value) in &header.extra {
        field(key, value);
    }
    out
}

/// `N NAME key=value…`: what follows `type `.
pub fn type_def(input: &[u8]) -> Parsed<'_, TypeDef> {
    let (rest, id) = number32(input, "a type's number")?;
    let (mut rest, name) = quote::word(rest, "a type's name")?;
    let mut def = TypeDef { id, name: utf8(input, &name)?, ..TypeDef::default() };
    while !at_line_end(rest) {
        let (after, key) = quote::key(rest)?;
        rest = match &*key {
            b"size" => store(&mut def.size, last_number(after, "a number of bytes")?),
            b"item" => store(&mut def.item_size, last_number(after, "a number of bytes")?),
            b"flags" => store(&mut def.flags, flags(after)?),
            b"bases" => {
                let (next, list) = quote::list(after)?;
                for (base, is_quoted) in list {
                    def.bases.push(match digits(&base, "") {
                        Ok(([], id)) if !is_quoted => match u32::try_from(id) {
                            Ok(id) => TypeRef::Id(TypeId(id)),
                            Err(_) => return expected(after, "types' numbers or names"),
                        },
                        _ => TypeRef::Name(utf8(after, &base)?),
                    });
                }
                next
            }
            b"metaclass" => store(&mut def.metaclass, some(text(after)?)),
            b"slots" => store(&mut def.slots, some(names(after)?)),
            b"dictoffset" => store(&mut def.dict_offset, some(offset(after)?)),
            b"weakrefoffset" => store(&mut def.weakref_offset, some(offset(after)?)),
            b"keys" => {
                let (next, keys) = last_number(after, "a number of entries")?;
                let Ok(keys) = u32::try_from(keys) else { return expected(after, "a number of entries") };
                store(&mut def.shared_keys, (next, Some(keys)))
            }
            b"defines" => store(&mut def.defines, names(after)?),
            b"file" => store(&mut def.file, text(after)?),
            _ => {
                let (next, value) = text(after)?;
                def.extra.push((utf8(rest, &key)?, value));
                next
            }
        };
    }
    Ok((&[], def))
}

/// What follows `type `.
pub fn write_type_def(out: &mut Vec<u8>, def: &TypeDef) {
    out.extend_from_slice(def.id.to_string().as_bytes());
    out.push(b' ');
    quote::write_word(out, &def.name);
    let number = |out: &mut Vec<u8>, key: &str, value: &dyn std::fmt::Display| {
        quote::write_key(out, key);
        out.extend_from_slice(value.to_string().as_bytes());
    };
    if def.size != 0 {
        number(out, "size", &def.size);
    }
    if def.item_size != 0 {
        number(out, "item", &def.item_size);
    }
    if def.flags != TypeFlags::default() {
        quote::write_key(out, "flags");
        write_flags(out, u64::from(def.flags.0), &TypeFlags::NAMES);
    }
    if !def.bases.is_empty() {
        quote::write_key(out, "bases");
        write_list(out, &def.bases, |out, base| match base {
            TypeRef::Id(id) => out.extend_from_slice(id.0.to_string().as_bytes()),
            TypeRef::Name(name) => quote::write_element(out, name, !name.bytes().all(|byte| byte.is_ascii_digit())),
        });
    }
    if let Some(metaclass) = &def.metaclass {
        quote::write_key(out, "metaclass");
        quote::write_value(out, metaclass);
    }
    if let Some(slots) = &def.slots {
        quote::write_key(out, "slots");
        write_list(out, slots, |out, name| quote::write_element(out, name, true));
    }
    if let Some(offset) = def.dict_offset {
        number(out, "dictoffset", &offset);
    }
    if let Some(offset) = def.weakref_offset {
        number(out, "weakrefoffset", &offset);
    }
    if let Some(keys) = def.shared_keys {
        number(out, "keys", &keys);
    }
    if !def.defines.is_empty() {
        quote::write_key(out, "defines");
        write_list(out, &def.defines, |out, name| quote::write_element(out, name, true));
    }
    if !def.file.is_empty() {
        quote::write_key(out, "file");
        quote::write_value(out, &def.file);
    }
    for (key, value) in &def.extra {
        quote::write_key(out, key);
        quote::write_value(out, value);
    }
}

/// `KIND LABEL`: what follows `mark `.
pub fn mark(input: &[u8]) -> Parsed<'_, Mark> {
    let (rest, kind) = quote::word(input, "a kind of mark")?;
    let (_, label) = quote::needed_tail(rest, "a label")?;
    Ok((&[], Mark { kind: utf8(input, &kind)?, label: utf8(rest, &label)? }))
}

/// What follows `mark `.
pub fn write_mark(out: &mut Vec<u8>, mark: &Mark) {
    quote::write_word(out, &mark.kind);
    out.push(b' ');
    quote::write_tail(out, &mark.label);
}

/// What follows `stopped `.
pub fn reason(input: &[u8]) -> Parsed<'_, Box<str>> {
    let (rest, reason) = quote::needed_tail(input, "a reason")?;
    Ok((rest, utf8(input, &reason)?.into()))
}

/// What follows `stopped `.
pub fn write_reason(out: &mut Vec<u8>, reason: &str) {
    quote::write_tail(out, reason);
}

/// The names of the bits that are set, joined with commas. Bits without a name are left out.
pub fn write_flags(out: &mut Vec<u8>, bits: u64, names: &[&str]) {
    let set = names.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0).map(|(_, name)| *name);
    out.extend_from_slice(set.collect::<Vec<_>>().join(",").as_bytes());
}

/// The bit of a flag's name.
pub fn flag(name: &[u8], names: &[&str]) -> Option<u32> {
    names.iter().position(|known| known.as_bytes() == name).map(|bit| 1 << bit)
}

/// The text as a string; where it is not UTF-8, the error points to `at`.
pub fn utf8<'a>(at: &'a [u8], text: &[u8]) -> Result<String, nom::Err<super::leaves::Bad<'a>>> {
    match str::from_utf8(text) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => expected(blanks(at), "UTF-8").map(|(_, never)| never),
    }
}

fn write_list<T>(out: &mut Vec<u8>, list: &[T], element: impl Fn(&mut Vec<u8>, &T)) {
    for (n, item) in list.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        element(out, item);
    }
}

fn flags(input: &[u8]) -> Parsed<'_, TypeFlags> {
    let (rest, list) = quote::list(input)?;
    let mut flags = TypeFlags::default();
    for (name, _) in list {
        match flag(&name, &TypeFlags::NAMES) {
            Some(bit) => flags = flags.with(TypeFlags(bit)),
            None => return expected(input, "flags of a type: gc, heap, dict, weakref, …"),
        }
    }
    Ok((rest, flags))
}

fn names(input: &[u8]) -> Parsed<'_, Vec<String>> {
    let (rest, list) = quote::list(input)?;
    let mut names = Vec::with_capacity(list.len());
    for (name, _) in list {
        names.push(utf8(input, &name)?);
    }
    Ok((rest, names))
}

fn text(input: &[u8]) -> Parsed<'_, String> {
    let (rest, value): (_, Text<'_>) = quote::value(input)?;
    Ok((rest, utf8(input, &value)?))
}

/// A number that is the whole value.
fn last_number<'a>(input: &'a [u8], what: &'static str) -> Parsed<'a, u64> {
    let (rest, value) = digits(input, what)?;
    if at_word_end(rest) { Ok((rest, value)) } else { expected(input, what) }
}

/// A number that may be negative.
fn offset(input: &[u8]) -> Parsed<'_, i64> {
    let (rest, value): (_, Cow<'_, [u8]>) = quote::value(input)?;
    match str::from_utf8(&value).ok().and_then(|text| text.parse().ok()) {
        Some(offset) => Ok((rest, offset)),
        None => expected(input, "an offset in bytes"),
    }
}

/// Keeps the value of a field, and passes on what is left of the line.
fn store<'a, T>(field: &mut T, (rest, value): (&'a [u8], T)) -> &'a [u8] {
    *field = value;
    rest
}

fn some<T>((rest, value): (&[u8], T)) -> (&[u8], Option<T>) {
    (rest, Some(value))
}
