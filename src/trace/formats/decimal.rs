//! Parses the decimal numbers of logs.

/// A number of up to 64 bits that is all there is.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()
}

/// The number that a text begins with, and what follows it.
pub(super) fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    Some((decimal(&text[..length])?, &text[length..]))
}
