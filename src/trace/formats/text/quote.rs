//! Reads and writes the words and texts of a line: what stands as it is, and what needs quotes.
//!
//! ```text
//! word     = quoted | byte that is no blank…            not beginning with '#'
//! tail     = quoted | the rest of the line up to a blank and '#', without the blanks around it
//! value    = quoted | byte that is no blank…            behind 'key='; may be empty
//! list     = element ',' … | nothing                    behind 'key='
//! element  = quoted | byte that is no blank or ','…
//! quoted   = '"' ( byte | '\"' | '\\' | '\n' | '\t' | '\r' | '\u{' hex… '}' )… '"'
//! ```

use std::borrow::Cow;

use super::leaves::{Parsed, at_word_end, blanks, digits, expected, is_blank};

/// A text as it stood in the line, or what its escapes stand for. Whether it is UTF-8 is the caller's matter.
pub(super) type Text<'a> = Cow<'a, [u8]>;

/// Blanks, then one word.
pub(super) fn word<'a>(input: &'a [u8], what: &'static str) -> Parsed<'a, Text<'a>> {
    match blanks(input) {
        rest @ ([] | [b'#', ..]) => expected(rest, what),
        rest @ [b'"', ..] => {
            let (after, text) = quoted(rest)?;
            if at_word_end(after) { Ok((after, text)) } else { expected(after, "a blank after the closing quote") }
        }
        rest => Ok(raw(rest, is_blank)),
    }
}

/// Blanks, then a text that goes on to the end of the line; `None` where there is none.
#[inline(always)]
pub(super) fn tail(input: &[u8]) -> Parsed<'_, Option<Text<'_>>> {
    match blanks(input) {
        [] | [b'#', ..] => Ok((&[], None)),
        rest @ [b'"', ..] => {
            let (after, text) = quoted(rest)?;
            super::leaves::line_end(after)?;
            Ok((&[], Some(text)))
        }
        rest => Ok((&[], Some(Cow::Borrowed(before_comment(rest))))),
    }
}

/// A tail that must be there.
pub(super) fn needed_tail<'a>(input: &'a [u8], what: &'static str) -> Parsed<'a, Text<'a>> {
    match tail(input)? {
        (rest, Some(text)) => Ok((rest, text)),
        (_, None) => expected(blanks(input), what),
    }
}

/// The value behind `key=`.
pub(super) fn value(input: &[u8]) -> Parsed<'_, Text<'_>> {
    if input.first() != Some(&b'"') {
        return Ok(raw(input, is_blank));
    }
    let (after, text) = quoted(input)?;
    if at_word_end(after) { Ok((after, text)) } else { expected(after, "a blank after the closing quote") }
}

/// `key=`: the key, which is quoted where a value would be, or where it has a `=`.
pub(super) fn key(input: &[u8]) -> Parsed<'_, Text<'_>> {
    let rest = blanks(input);
    let (after, key) =
        if rest.first() == Some(&b'"') { quoted(rest)? } else { raw(rest, |byte| is_blank(byte) || byte == b'=') };
    match after {
        [b'=', after @ ..] if !rest.starts_with(b"=") => Ok((after, key)),
        _ => expected(rest, "key=value"),
    }
}

/// The list behind `key=`, each element with whether it was quoted.
pub(super) fn list(input: &[u8]) -> Parsed<'_, Vec<(Text<'_>, bool)>> {
    let mut elements = Vec::new();
    if at_word_end(input) {
        return Ok((input, elements));
    }
    let mut rest = input;
    loop {
        let is_quoted = rest.first() == Some(&b'"');
        let (after, element) = if is_quoted { quoted(rest)? } else { raw(rest, |byte| is_blank(byte) || byte == b',') };
        if element.is_empty() && !is_quoted {
            return expected(rest, "a name");
        }
        elements.push((element, is_quoted));
        match after {
            [b',', after @ ..] => rest = after,
            _ if at_word_end(after) => return Ok((after, elements)),
            _ => return expected(after, "a comma or a blank after the closing quote"),
        }
    }
}

/// The index, where a slot is written as one: `[3]`, without needless zeros.
#[inline(always)]
pub(super) fn index(slot: &[u8]) -> Option<u64> {
    let [b'[', inner @ .., b']'] = slot else { return None };
    if inner.len() > 1 && inner[0] == b'0' {
        return None;
    }
    match digits(inner, "") {
        Ok(([], index)) => Some(index),
        _ => None,
    }
}

/// Writes a word.
pub(super) fn write_word(out: &mut Vec<u8>, word: &str) {
    let plain =
        !word.is_empty() && !word.starts_with('#') && !word.chars().any(|c| c == ' ' || c == '"' || c.is_control());
    write(out, word, plain);
}

/// Writes a text that goes on to the end of the line.
pub(super) fn write_tail(out: &mut Vec<u8>, tail: &str) {
    let ends = |c| c == ' ' || c == '"' || c == '#';
    let plain = !tail.is_empty()
        && !tail.starts_with(ends)
        && !tail.ends_with(' ')
        && !tail.contains(" #")
        && !tail.chars().any(char::is_control);
    write(out, tail, plain);
}

/// Writes the text of a slot. One that looks like an index is quoted: `[3]` is an index, `"[3]"` a text.
pub(super) fn write_slot(out: &mut Vec<u8>, slot: &str) {
    if index(slot.as_bytes()).is_some() { write(out, slot, false) } else { write_tail(out, slot) }
}

/// Writes a value behind `key=`.
pub(super) fn write_value(out: &mut Vec<u8>, value: &str) {
    write(out, value, is_plain_element(value) || value.is_empty());
}

/// Writes a blank, a key and its `=`.
pub(super) fn write_key(out: &mut Vec<u8>, key: &str) {
    out.push(b' ');
    let plain = !key.is_empty() && !key.starts_with('#') && !key.contains('=') && is_plain_element(key);
    write(out, key, plain);
    out.push(b'=');
}

/// Writes an element of a list. `keep` says whether it may stand without quotes; a comma never may.
pub(super) fn write_element(out: &mut Vec<u8>, element: &str, keep: bool) {
    write(out, element, keep && !element.is_empty() && !element.contains(',') && is_plain_element(element));
}

fn is_plain_element(text: &str) -> bool {
    !text.chars().any(|c| c == ' ' || c == '"' || c.is_control())
}

fn write(out: &mut Vec<u8>, text: &str, plain: bool) {
    if plain {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if c.is_control() => out.extend_from_slice(format!("\\u{{{:x}}}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

fn raw(input: &[u8], ends: impl Fn(u8) -> bool) -> (&[u8], Text<'_>) {
    let n = input.iter().position(|&byte| ends(byte)).unwrap_or(input.len());
    (&input[n..], Cow::Borrowed(&input[..n]))
}

/// What stands before a blank and `#`, without the blanks at its end.
#[inline(always)]
fn before_comment(rest: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut after_blank = false;
    for (n, &byte) in rest.iter().enumerate() {
        if is_blank(byte) {
            after_blank = true;
        } else if byte == b'#' && after_blank {
            break;
        } else {
            after_blank = false;
            end = n + 1;
        }
    }
    &rest[..end]
}

/// `quoted`; stands at its first quote.
fn quoted(input: &[u8]) -> Parsed<'_, Text<'_>> {
    let inner = &input[1..];
    let Some(plain) = inner.iter().position(|&byte| byte == b'"' || byte == b'\\') else {
        return expected(&inner[inner.len()..], "a closing quote");
    };
    if inner[plain] == b'"' {
        return Ok((&inner[plain + 1..], Cow::Borrowed(&inner[..plain])));
    }
    let mut text = inner[..plain].to_vec();
    let mut rest = &inner[plain..];
    loop {
        rest = match rest {
            [] => return expected(rest, "a closing quote"),
            [b'"', after @ ..] => return Ok((after, Cow::Owned(text))),
            [b'\\', after @ ..] => {
                let (after, c) = escape(after)?;
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                after
            }
            [byte, after @ ..] => {
                text.push(*byte);
                after
            }
        };
    }
}

/// What follows a backslash.
fn escape(input: &[u8]) -> Parsed<'_, char> {
    const WHAT: &str = r#"one of \" \\ \n \t \r \u{…}"#;
    let (c, after) = match input {
        [b'"', after @ ..] => ('"', after),
        [b'\\', after @ ..] => ('\\', after),
        [b'n', after @ ..] => ('\n', after),
        [b't', after @ ..] => ('\t', after),
        [b'r', after @ ..] => ('\r', after),
        [b'u', b'{', hex @ ..] => {
            let n = hex.iter().position(|&byte| byte == b'}').unwrap_or(0);
            let code = str::from_utf8(&hex[..n]).ok().filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
            match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
                Some(c) => (c, &hex[n + 1..]),
                None => return expected(input, WHAT),
            }
        }
        _ => return expected(input, WHAT),
    };
    Ok((after, c))
}
