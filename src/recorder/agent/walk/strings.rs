//! Reads a Python `str` without touching it: `PyUnicode_AsUTF8` would store a copy inside the object.

use super::layout::Layout;
use super::memory::{flag, half, signed, type_flags, type_of, word};

/// Is it a `str`, or of a subclass?
pub unsafe fn is_text(object: usize) -> bool {
    object != 0 && unsafe { type_flags(type_of(object)) & flag::UNICODE_SUBCLASS != 0 }
}

/// Is it interned, as names in source code are?
pub unsafe fn is_interned(text: usize) -> bool {
    unsafe { half(text + 32) & 3 != 0 }
}

/// Appends at most `limit` characters of the `str` to `out` as UTF-8; lone surrogates become U+FFFD. Appends nothing if
/// it is no `str`. Says whether that was all of it.
pub unsafe fn push_text(layout: &Layout, text: usize, limit: usize, out: &mut Vec<u8>) -> bool {
    unsafe {
        if !is_text(text) {
            return true;
        }
        let all = signed(text + 16).max(0).cast_unsigned();
        let length = all.min(limit);
        let state = half(text + 32).cast_unsigned();
        let (kind, compact, ascii) = (state >> 2 & 7, state & 1 << 5 != 0, state & 1 << 6 != 0);
        let data = match (compact, ascii) {
            (true, true) => text + layout.ascii_data,
            (true, false) => text + layout.compact_data,
            (false, _) => word(text + layout.compact_data),
        };
        if data == 0 || !matches!(kind, 1 | 2 | 4) {
            return true; // the `wchar_t` form of 3.8 to 3.11, not yet read by anyone
        }
        if kind == 1 && ascii {
            out.extend_from_slice(std::slice::from_raw_parts(data as *const u8, length));
            return length == all;
        }
        for index in 0..length {
            let point = match kind {
                1 => u32::from((data as *const u8).add(index).read()),
                2 => u32::from((data as *const u16).add(index).read()),
                _ => (data as *const u32).add(index).read(),
            };
            let character = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        length == all
    }
}

/// The whole `str`, cut at 1,000 characters; empty if it is no `str`.
pub unsafe fn text(layout: &Layout, object: usize) -> String {
    let mut bytes = Vec::new();
    unsafe { push_text(layout, object, 1000, &mut bytes) };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Is it this text? Only ASCII is looked for.
pub unsafe fn text_is(layout: &Layout, object: usize, wanted: &[u8]) -> bool {
    unsafe {
        is_text(object)
            && signed(object + 16) == wanted.len().cast_signed()
            && half(object + 32) & (1 << 5 | 1 << 6) == 1 << 5 | 1 << 6
            && std::slice::from_raw_parts((object + layout.ascii_data) as *const u8, wanted.len()) == wanted
    }
}
