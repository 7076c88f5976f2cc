//! Reads the text form, line by line. `docs/formats/text.md` is its page.
//!
//! `read.rs` counts lines and finds their ends, `records.rs` parses one, [`definitions`] has what the binary form
//! shares, `leaves.rs` and `quote.rs` the smallest pieces. `malformed` alone turns what nom says into an error of ours.

pub mod definitions;
mod leaves;
mod quote;
mod read;
mod records;
#[cfg(test)]
mod tests;
mod texts;
mod write;

use super::{TraceFormat, Writer};
use crate::trace::input::Input;
use crate::trace::{ErrorKind, Events, Header, Numbers, Position, TraceError};
use leaves::{Bad, Parsed, blanks};

pub use read::Reader;
pub use write::TextWriter;

/// No line is longer, in bytes. A pipe without newlines must not fill the memory.
pub const LINE_LIMIT: usize = 4 << 20;

/// The text form, one event a line.
pub struct Text;

impl TraceFormat for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn description(&self) -> &'static str {
        "one event a line, for people, tests and other runtimes"
    }

    /// The first line that is not blank and no comment begins with `reftrace`.
    fn sniff(&self, start: &[u8]) -> bool {
        let mut lines = start.split(|&byte| byte == b'\n').map(|line| blanks(line.trim_ascii_end()));
        let first = lines.find(|line| !line.is_empty() && line[0] != b'#');
        first.and_then(|line| line.strip_prefix(b"reftrace")).is_some_and(leaves::at_word_end)
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        Ok(Box::new(Reader::new(input)?))
    }

    fn writer(&self) -> Option<Writer> {
        Some(|header, out, options| Ok(Box::new(TextWriter::new(header, out, options)?)))
    }
}

/// Parses the header, a line that begins at `position`. The text form has tags, the binary form may have dense numbers.
pub fn read_header(line: &[u8], position: Position, allowed: Numbers) -> Result<Header, (Position, ErrorKind)> {
    let place = |error: nom::Err<Bad<'_>>| malformed(error.map(|bad| Bad { record: "header", ..bad }), line, position);
    let (rest, version) = definitions::version(line).map_err(place)?;
    if version > definitions::VERSION {
        return Err((position, ErrorKind::FutureVersion { found: version, known: definitions::VERSION }));
    }
    let (_, header) = definitions::header(rest).map_err(place)?;
    if header.numbers == Numbers::Dense && allowed == Numbers::Tags {
        let expected = "'numbers=tags': the text form has no dense numbers".to_owned();
        return Err((position, ErrorKind::Malformed { record: "header", expected }));
    }
    Ok(header)
}

/// Parses what both forms store as text, and names the record where it is malformed.
pub fn read_shared<'a, T>(
    record: &'static str,
    text: &'a [u8],
    position: Position,
    parse: impl Fn(&'a [u8]) -> Parsed<'a, T>,
) -> Result<T, (Position, ErrorKind)> {
    match parse(text) {
        Ok((_, value)) => Ok(value),
        Err(error) => Err(malformed(error.map(|bad| Bad { record, ..bad }), text, position)),
    }
}

/// What a parser of the text form says, as a person is told it, with the place in the file. `line` begins at `start`.
#[cold]
fn malformed(error: nom::Err<Bad<'_>>, line: &[u8], start: Position) -> (Position, ErrorKind) {
    match error {
        nom::Err::Error(bad) if bad.record.is_empty() => {
            (start, ErrorKind::UnknownRecord(excerpt(line).unwrap_or_default()))
        }
        nom::Err::Error(bad) | nom::Err::Failure(bad) => {
            let found = match excerpt(bad.at) {
                Some(word) => format!("found '{word}'"),
                None => "found the end of the line".to_owned(),
            };
            let byte = start.byte + line.len().saturating_sub(bad.at.len()) as u64;
            let expected = format!("{}, {found}", bad.expected);
            (Position { byte, ..start }, ErrorKind::Malformed { record: bad.record, expected })
        }
        // The parsers are nom's complete ones.
        nom::Err::Incomplete(_) => {
            (start, ErrorKind::Malformed { record: "line", expected: "a whole record".to_owned() })
        }
    }
}

/// The first word, short enough for a message and without control characters; `None` where there is none.
fn excerpt(rest: &[u8]) -> Option<String> {
    const LONGEST: usize = 40;
    let word = rest.split(|&byte| leaves::is_blank(byte)).next().filter(|word| !word.is_empty())?;
    let text = String::from_utf8_lossy(&word[..word.len().min(4 * LONGEST)]);
    let short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    Some(if text.chars().nth(LONGEST).is_some() { format!("{short}…") } else { short })
}
