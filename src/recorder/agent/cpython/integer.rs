//! Reads the digits of an `int`.

use super::memory::{half, signed, word};
use super::versions::{CPython, Integer};

/// `ob_size`, or (3.12+) the tag; the digits stand behind it.
const SIZE: usize = 16;
const DIGITS: usize = 24;

/// How many digits it has, and whether it is negative.
unsafe fn digits(row: &CPython, number: usize) -> (usize, bool) {
    // SAFETY: as the caller promises, this is a live `int`.
    unsafe {
        match row.integer {
            Integer::Size | Integer::SizeFromOne => {
                let size = signed(number + SIZE);
                (size.unsigned_abs(), size < 0)
            }
            Integer::Tag => {
                let tag = word(number + SIZE);
                (tag >> 3, tag & 3 == 2)
            }
        }
    }
}

/// How many digits it has room for.
pub(crate) unsafe fn room(row: &CPython, number: usize) -> usize {
    // SAFETY: as the caller promises, this is a live `int`.
    let (digits, _) = unsafe { digits(row, number) };
    if row.integer == Integer::Size { digits } else { digits.max(1) }
}

/// The value of an `int` that is not negative and has at most one digit.
pub(crate) unsafe fn small(row: &CPython, number: usize) -> Option<usize> {
    // SAFETY: as the caller promises, this is a live `int`.
    unsafe {
        match digits(row, number) {
            (0, _) => Some(0),
            (1, false) => Some(half(number + DIGITS).cast_unsigned() as usize),
            _ => None,
        }
    }
}
