//! Reads a Python `str` without touching it: `PyUnicode_AsUTF8` would store a copy inside the object.
//!
//! The form is PEP 393's. Nothing here calls into CPython, so it may be used inside of its allocator.

use super::memory::{flag, half, signed, type_flags, type_of, word};
use super::versions::CPython;
use crate::memory::Grow;

/// `PyUnicodeObject.length`, the word of bits that say how the characters are stored, and the length of the UTF-8 form.
const LENGTH: usize = 16;
const STATE: usize = 32;
const UTF8_BEHIND_ASCII: usize = 8;

/// How the characters of a `str` are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    pub interned: bool,
    /// Bytes of a character: 1, 2 or 4; 0 in a `wchar_t` form of 3.8 to 3.11 that nobody has read yet.
    pub width: usize,
    /// They stand behind the head of the object, not in a block of their own.
    pub compact: bool,
    pub ascii: bool,
}

impl Form {
    pub(crate) unsafe fn of(text: usize) -> Form {
        // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
        let state = unsafe { half(text + STATE) }.cast_unsigned();
        Form {
            interned: state & 3 != 0,
            width: (state >> 2 & 7) as usize,
            compact: state >> 5 & 1 != 0,
            ascii: state >> 6 & 1 != 0,
        }
    }

    /// Where the characters of a compact `str` begin, from its address on.
    pub(crate) fn start(self, row: &CPython) -> usize {
        if self.ascii { row.text_ascii } else { row.text_compact }
    }
}

/// Characters of a `str`.
pub(crate) unsafe fn length(text: usize) -> usize {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    unsafe { signed(text + LENGTH) }.max(0).cast_unsigned()
}

/// Where the characters are; 0 if nowhere.
unsafe fn characters(row: &CPython, text: usize, form: Form) -> usize {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    if form.compact { text + form.start(row) } else { unsafe { word(text + row.text_compact) } }
}

/// Where the UTF-8 form of a `str` is that has one: its characters, or a copy that it keeps.
pub(crate) unsafe fn utf8(row: &CPython, text: usize) -> usize {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    let ascii = unsafe { Form::of(text) }.ascii;
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    if ascii { text + row.text_ascii } else { unsafe { word(text + row.text_ascii + UTF8_BEHIND_ASCII) } }
}

/// Is it a `str`, or of a subclass?
pub(crate) unsafe fn is_text(object: usize) -> bool {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    object != 0 && unsafe { type_flags(type_of(object)) & flag::UNICODE_SUBCLASS != 0 }
}

/// Is it interned, as names in source code are?
pub(crate) unsafe fn is_interned(text: usize) -> bool {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    unsafe { Form::of(text) }.interned
}

/// Appends at most `limit` characters of the `str` to `out` as UTF-8; lone surrogates become U+FFFD. Appends nothing if
/// it is no `str`. Says whether that was all of it.
pub(crate) unsafe fn push_text(row: &CPython, text: usize, limit: usize, out: &mut Vec<u8>) -> bool {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    unsafe {
        if !is_text(text) {
            return true;
        }
        let (form, all) = (Form::of(text), length(text));
        let count = all.min(limit);
        let data = characters(row, text, form);
        if data == 0 || !matches!(form.width, 1 | 2 | 4) {
            return true;
        }
        if form.width == 1 && form.ascii {
            out.add_all(std::slice::from_raw_parts(data as *const u8, count));
            return count == all;
        }
        for index in 0..count {
            let point = match form.width {
                1 => u32::from((data as *const u8).add(index).read()),
                2 => u32::from((data as *const u16).add(index).read()),
                _ => (data as *const u32).add(index).read(),
            };
            let character = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.add_all(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        count == all
    }
}

/// The whole `str`, cut at 1,000 characters; empty if it is no `str`.
pub(crate) unsafe fn text(row: &CPython, object: usize) -> String {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    unsafe { text_within(row, object, 1000) }
}

/// The first `limit` characters of the `str`; empty if it is no `str`.
pub(crate) unsafe fn text_within(row: &CPython, object: usize, limit: usize) -> String {
    let mut bytes = Vec::new();
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    unsafe { push_text(row, object, limit, &mut bytes) };
    String::from_utf8(bytes).unwrap_or_default()
}

/// Is it this text? Only ASCII is looked for.
pub(crate) unsafe fn text_is(row: &CPython, object: usize, wanted: &[u8]) -> bool {
    // SAFETY: as the caller promises, the object is alive; each `str` has these fields.
    unsafe {
        is_text(object)
            && length(object) == wanted.len()
            && matches!(Form::of(object), Form { compact: true, ascii: true, .. })
            && std::slice::from_raw_parts((object + row.text_ascii) as *const u8, wanted.len()) == wanted
    }
}
