//! Parses the addresses of logs.

/// An address of up to 64 bits, and what follows it, which begins with a blank or is empty. In front of the digits `0x`
/// may stand; they may be of either case.
pub(super) fn hexadecimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let length = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    let (word, rest) = text.split_at(length);
    let digits = word.strip_prefix(b"0x").unwrap_or(word);
    let is_plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let address = u64::from_str_radix(str::from_utf8(digits).ok().filter(|_| is_plain)?, 16).ok()?;
    Some((address, rest))
}
