//! Python strings to UTF-8, read from memory without a call into CPython, so also inside its allocator.

use crate::abi::{Abi, word};

/// `PyUnicodeObject.length`, and the word of bits that say how the characters are stored.
const LENGTH: usize = 16;
const STATE: usize = 32;

/// Appends a `str` object's text; surrogates become U+FFFD. No more than `limit` characters.
///
/// # Safety
/// `object` must be a live, ready `str` object.
pub unsafe fn append(abi: &Abi, object: usize, limit: usize, into: &mut String) {
    // SAFETY: as the caller promises; the layout is PEP 393's, the sizes are the row of this version.
    unsafe {
        let state = *((object + STATE) as *const u32);
        let (kind, compact, ascii) = (state >> 2 & 7, state >> 5 & 1 != 0, state >> 6 & 1 != 0);
        let length = word(object, LENGTH).min(limit);
        let characters = match (compact, ascii) {
            (true, true) => object + abi.text_ascii,
            (true, false) => object + abi.text_compact,
            (false, _) => word(object, abi.text_compact),
        };
        if characters == 0 {
            return;
        }
        match kind {
            1 => into.extend(std::slice::from_raw_parts(characters as *const u8, length).iter().map(|&c| c as char)),
            2 => into.extend(
                std::slice::from_raw_parts(characters as *const u16, length).iter().map(|&c| character(c.into())),
            ),
            4 => {
                into.extend(std::slice::from_raw_parts(characters as *const u32, length).iter().map(|&c| character(c)))
            }
            _ => {}
        }
    }
}

fn character(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}
