//! Parses the decimal numbers of logs.

/// A number of up to 64 bits that is all there is.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let add = |number: u64, byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        number.checked_mul(10)?.checked_add(u64::from(digit)).filter(|_| digit < 10)
    };
    digits.iter().try_fold(0, add).filter(|_| !digits.is_empty())
}

/// The number that a text begins with, and what follows it.
pub(super) fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    Some((decimal(&text[..length])?, &text[length..]))
}
