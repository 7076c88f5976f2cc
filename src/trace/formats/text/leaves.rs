//! Parses the smallest pieces of a line: blanks, keywords, tags and numbers.
//!
//! Advice: these run for every line of a trace of gigabytes. Each looks at a byte once, in one loop; nom's own `digit1`
//! and `map_res` in their place make the whole reader four times slower. They are inlined into their record, because a
//! [`Parsed`] that is returned through memory costs as much as the digits do.

use nom::IResult;
use nom::error::{ErrorKind, ParseError};

use crate::trace::Tag;

/// What every parser of the text form returns: the rest of the line, and a value.
pub(super) type Parsed<'a, T> = IResult<&'a [u8], T, Bad<'a>>;

/// Why a parser could not go on: in which record, where (the rest of the line from there on), and what it wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bad<'a> {
    pub at: &'a [u8],
    /// Empty until the record's parser fills it in.
    pub record: &'static str,
    pub expected: &'static str,
}

impl<'a> ParseError<&'a [u8]> for Bad<'a> {
    fn from_error_kind(at: &'a [u8], _kind: ErrorKind) -> Bad<'a> {
        Bad { at, record: "", expected: "something else" }
    }

    fn append(_at: &'a [u8], _kind: ErrorKind, other: Bad<'a>) -> Bad<'a> {
        other
    }
}

/// Fails at this place, wanting this; nom may try something else.
#[cold]
pub(super) fn expected<'a, T>(at: &'a [u8], expected: &'static str) -> Parsed<'a, T> {
    Err(nom::Err::Error(Bad { at, record: "", expected }))
}

#[inline(always)]
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Passes blanks, if there are any.
#[inline(always)]
pub(super) fn blanks(input: &[u8]) -> &[u8] {
    match input {
        [b' ', rest @ ..] if !matches!(rest, [b' ' | b'\t', ..]) => rest,
        [b' ' | b'\t', ..] => many_blanks(input),
        _ => input,
    }
}

fn many_blanks(input: &[u8]) -> &[u8] {
    let n = input.iter().position(|&byte| !is_blank(byte)).unwrap_or(input.len());
    &input[n..]
}

/// Whether a word is over here.
#[inline(always)]
pub(super) fn at_word_end(rest: &[u8]) -> bool {
    rest.first().is_none_or(|&byte| is_blank(byte))
}

/// Whether nothing is left of the line but blanks and a comment. `rest` stands where a word has just ended.
#[inline(always)]
pub(super) fn at_line_end(rest: &[u8]) -> bool {
    rest.is_empty() || matches!(blanks(rest).first(), None | Some(b'#'))
}

/// The end of the line: blanks, and a comment perhaps.
#[inline(always)]
pub(super) fn line_end(input: &[u8]) -> Parsed<'_, ()> {
    if at_line_end(input) { Ok((&[], ())) } else { expected(blanks(input), "the end of the line") }
}

const NO_DIGIT: u8 = 0xff;
/// The value of each byte as a lower-case hexadecimal digit.
const HEX: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// Blanks, then `TAG`: up to 16 lower-case hexadecimal digits.
#[inline(always)]
pub(super) fn tag(input: &[u8]) -> Parsed<'_, Tag> {
    let rest = blanks(input);
    let mut value = 0u64;
    let mut n = 0;
    if let Some(eight) = rest.first_chunk().and_then(eight_digits) {
        value = eight.into();
        n = 8;
    }
    while n < rest.len() {
        let digit = HEX[usize::from(rest[n])];
        if digit == NO_DIGIT {
            break;
        }
        value = value << 4 | u64::from(digit);
        n += 1;
    }
    if n.wrapping_sub(1) < 16 && at_word_end(&rest[n..]) {
        Ok((&rest[n..], Tag(value)))
    } else {
        expected(rest, "an object's tag in lower-case hexadecimal")
    }
}

/// Eight lower-case hexadecimal digits, all at once; `None` if one of them is none.
#[inline(always)]
fn eight_digits(bytes: &[u8; 8]) -> Option<u32> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(*bytes);
    // 1 in each byte that may be a letter, 0x60 to 0x6f; a decimal digit is 0x30 to 0x39.
    let letters = word >> 6 & EACH;
    let values = (word & (0x0f * EACH)) + 9 * letters;
    let is_right = word & (0xf0 * EACH) == 0x30 * (EACH + letters)
        && values & (0xf0 * EACH) == 0
        // From ten on it is a letter, below it is none.
        && (values + 6 * EACH) >> 4 & EACH == letters;
    // The first digit is in the lowest byte, and counts most.
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs << 8 | pairs >> 16) & 0x0000_ffff_0000_ffff;
    is_right.then_some((fours << 16 | fours >> 32) as u32)
}

/// Digits: a decimal number of at most 64 bits. What follows them is the caller's matter.
#[inline(always)]
pub(super) fn digits<'a>(input: &'a [u8], what: &'static str) -> Parsed<'a, u64> {
    let mut value = 0u64;
    let mut n = 0;
    while n < input.len() {
        let digit = input[n].wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if n >= 19 {
            // The twentieth digit is the first that may not fit.
            match value.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit))) {
                Some(sum) => value = sum,
                None => return expected(input, what),
            }
        } else {
            value = value * 10 + u64::from(digit);
        }
        n += 1;
    }
    if n == 0 { expected(input, what) } else { Ok((&input[n..], value)) }
}

/// Blanks, then a word that is a decimal number.
#[inline(always)]
pub(super) fn number<'a>(input: &'a [u8], what: &'static str) -> Parsed<'a, u64> {
    let word = blanks(input);
    let (rest, value) = digits(word, what)?;
    if at_word_end(rest) { Ok((rest, value)) } else { expected(word, what) }
}

/// Blanks, then a word that is a decimal number of at most 32 bits.
#[inline(always)]
pub(super) fn number32<'a>(input: &'a [u8], what: &'static str) -> Parsed<'a, u32> {
    let (rest, value) = number(input, what)?;
    match u32::try_from(value) {
        Ok(value) => Ok((rest, value)),
        Err(_) => expected(blanks(input), what),
    }
}

/// Blanks, then `@SITE`: a word that is a site's number.
#[inline(always)]
pub(super) fn site(input: &[u8]) -> Parsed<'_, u32> {
    const WHAT: &str = "a site like @2";
    match blanks(input) {
        // Blanks between the sign and the number would be two words.
        [b'@', rest @ ..] if !at_word_end(rest) => number32(rest, WHAT),
        other => expected(other, WHAT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_all_64_bits_and_not_one_more() {
        assert_eq!(tag(b" ffffffffffffffff").unwrap(), (&b""[..], Tag(u64::MAX)));
        assert!(tag(b" 1ffffffffffffffff").is_err());
        for bad in ["", " ", "0x10", "10g", "FF", "#1"] {
            assert!(tag(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn eight_digits_are_read_as_one_after_the_other() {
        for text in ["01234567", "89abcdef", "ffffffff", "00000000", "9a9a9a9a"] {
            let bytes = text.as_bytes().first_chunk().unwrap();
            assert_eq!(eight_digits(bytes), u32::from_str_radix(text, 16).ok(), "{text}");
        }
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut bytes = *b"a1b2c3d4";
                bytes[place] = byte;
                let is_digit = HEX[usize::from(byte)] != NO_DIGIT;
                assert_eq!(eight_digits(&bytes).is_some(), is_digit, "{byte:#x} at {place}");
            }
        }
    }

    #[test]
    fn a_number_has_all_64_bits_and_not_one_more() {
        assert_eq!(number(b" 18446744073709551615 x", "n").unwrap(), (&b" x"[..], u64::MAX));
        assert_eq!(number(b"00000000000000000000000000007", "n").unwrap(), (&b""[..], 7));
        for bad in ["18446744073709551616", "99999999999999999999999", "-1", "1x", "", "#1"] {
            assert!(number(bad.as_bytes(), "n").is_err(), "{bad}");
        }
        assert!(number32(b"4294967296", "n").is_err());
    }

    #[test]
    fn a_site_is_one_word() {
        assert_eq!(site(b" @12").unwrap(), (&b""[..], 12));
        for bad in ["12", "@", "@ 12", "@x"] {
            assert!(site(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
