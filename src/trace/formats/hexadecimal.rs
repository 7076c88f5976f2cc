//! Parses the addresses of logs.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Where an address begins behind a name.
pub(super) static ADDRESS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" 0x"));

/// An address of up to 64 bits, and what follows it, which begins with a blank or is empty. In front of the digits `0x`
/// may stand; they may be of either case.
pub(super) fn hexadecimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let length = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    let (word, rest) = text.split_at(length);
    Some((digits(word.strip_prefix(b"0x").unwrap_or(word))?, rest))
}

/// A number of up to 64 bits in digits of either case, and nothing else.
pub(super) fn digits(digits: &[u8]) -> Option<u64> {
    let add = |number: u64, &byte: &u8| {
        let digit = char::from(byte).to_digit(16).filter(|_| number >> 60 == 0)?;
        Some(number << 4 | u64::from(digit))
    };
    digits.iter().try_fold(0, add).filter(|_| !digits.is_empty())
}
