//! Reads what `io.BytesIO` and `io.StringIO` hold in memory and do not show.
//!
//! Until somebody goes back in it, the text of a `StringIO` is in pieces, or in the buffer of a writer.

use super::{Found, Where};
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{half, signed, word};
use crate::cpython::versions::Streams;
use crate::memory::Grow;

/// `bytesio` of `Modules/_io/bytesio.c`: the `bytes` that it writes into. Shown from 3.12 on.
const BUFFER: usize = 16;

/// Of both: how many bytes, or characters, there are.
const LENGTH: usize = 32;

/// `stringio` of `Modules/_io/stringio.c`: the text, four bytes a character, the characters that there is room for, and where
/// the text is.
const TEXT: usize = 16;
const ROOM: usize = 40;
const STATE: usize = 48;
const IN_PIECES: i32 = 2;

pub(super) unsafe fn of_bytes(object: usize, found: &mut Found) {
    // SAFETY: as the caller promises, the object is alive and of this type.
    unsafe { found.add((word(object + BUFFER), Where::Memory("._buffer"))) };
}

pub(super) unsafe fn of_text(interpreter: &Interpreter, object: usize, found: &mut Found) {
    // SAFETY: as the caller promises, the object is alive and of this type.
    unsafe {
        if let Streams::Hidden { pieces } = interpreter.row.streams
            && is_in_pieces(object)
        {
            for list in pieces {
                found.add((word(object + list), Where::Field("._pieces")));
            }
        }
    }
}

/// Bytes that nothing shows.
pub(super) unsafe fn bytes_of_bytes(interpreter: &Interpreter, object: usize, hidden_is_written: bool) -> usize {
    // SAFETY: as the caller promises, the object is alive and of this type.
    unsafe {
        match interpreter.row.streams {
            Streams::Hidden { .. } if !hidden_is_written => signed(object + LENGTH).max(0).cast_unsigned(),
            _ => 0,
        }
    }
}

/// Bytes of the text. Of what is in pieces at least: one for a character.
pub(super) unsafe fn bytes_of_text(interpreter: &Interpreter, object: usize, hidden_is_written: bool) -> usize {
    // SAFETY: as the caller promises, the object is alive and of this type.
    unsafe {
        let lists_are_written = hidden_is_written && interpreter.row.streams != Streams::Shown;
        match is_in_pieces(object) {
            _ if word(object + TEXT) == 0 => 0,
            true if lists_are_written => 0,
            true => signed(object + LENGTH).max(0).cast_unsigned(),
            false => word(object + ROOM).saturating_mul(4),
        }
    }
}

unsafe fn is_in_pieces(object: usize) -> bool {
    // SAFETY: as the caller promises, the object is alive and of this type.
    unsafe { half(object + STATE) == IN_PIECES }
}
