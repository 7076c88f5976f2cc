//! Reads JSON of other programs as a stream: one document in steps, or one small value a line.

use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ReaderSettings, SyntaxErrorKind, ValueType};

use super::reader::{Expected, Pending, Source};
use crate::trace::input::Input;
use crate::trace::{Ending, ErrorKind, Position, TraceError};

/// A document, token by token. Memory is that of the longest text in it.
pub(super) type Json = JsonStreamReader<Bytes>;

/// What understands a document, step by step.
pub(super) trait JsonParser: Send {
    /// Reads on by about one object of the heap; false when the document is over.
    fn step(&mut self, json: &mut Json, out: &mut Pending) -> Result<bool, Problem>;
}

/// Why a step failed.
pub(super) enum Problem {
    /// It is no JSON, or not the value that was asked for.
    Json(ReaderError),
    /// It is JSON, and not what the format has there.
    Expected(Expected),
}

impl From<ReaderError> for Problem {
    fn from(error: ReaderError) -> Problem {
        Problem::Json(error)
    }
}

impl From<Expected> for Problem {
    fn from(expected: Expected) -> Problem {
        Problem::Expected(expected)
    }
}

/// Gives a document to a parser. Where it stops short it is cut; what cannot be read ends it.
pub(super) struct JsonSource<P> {
    json: Json,
    parser: P,
    length: Option<u64>,
    failed: Option<Position>,
}

impl<P: JsonParser> JsonSource<P> {
    pub(super) fn new(input: Input, parser: P) -> JsonSource<P> {
        let settings = ReaderSettings {
            track_path: false,
            restrict_number_values: false,
            // So that what stands behind the document is an error of ours, with its place.
            allow_multiple_top_level: true,
            ..ReaderSettings::default()
        };
        let length = input.length();
        JsonSource { json: Json::new_custom(Bytes { input, checked: 0 }, settings), parser, length, failed: None }
    }
}

impl<P: JsonParser> Source for JsonSource<P> {
    fn step(&mut self, out: &mut Pending) -> Result<Option<Ending>, TraceError> {
        if let Some(position) = self.failed {
            return Ok(Some(Ending::Cut(position)));
        }
        let mut more = self.parser.step(&mut self.json, out);
        if let Ok(false) = more {
            more = match self.json.has_next() {
                Ok(true) => Err(Problem::Expected(("JSON", "nothing behind the document"))),
                Ok(false) => Ok(false),
                Err(error) => Err(Problem::Json(error)),
            };
        }
        match more {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(Ending::Complete)),
            Err(Problem::Json(error)) if is_short(&error) => Ok(Some(Ending::Cut(self.position()))),
            Err(problem) => {
                let position = self.position();
                self.failed = Some(position);
                Err(self.json.reader_mut().input.error(position, kind(problem)))
            }
        }
    }

    fn position(&self) -> Position {
        Position { line: None, byte: self.json.current_position(false).data_pos.unwrap_or_default() }
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

fn is_short(error: &ReaderError) -> bool {
    matches!(error, ReaderError::SyntaxError(syntax) if syntax.kind == SyntaxErrorKind::IncompleteDocument)
}

fn kind(problem: Problem) -> ErrorKind {
    let malformed = |record, expected: String| ErrorKind::Malformed { record, expected };
    match problem {
        Problem::Expected((record, expected)) => malformed(record, expected.to_owned()),
        Problem::Json(ReaderError::UnexpectedValueType { expected, actual, .. }) => {
            let name = |of: ValueType| format!("{of:?}").to_lowercase();
            malformed("JSON", format!("a value of the kind {}, found one of {}", name(expected), name(actual)))
        }
        Problem::Json(ReaderError::SyntaxError(syntax)) => malformed("JSON", format!("JSON, found {}", syntax.kind)),
        Problem::Json(ReaderError::MaxNestingDepthExceeded { max_nesting_depth, .. }) => {
            malformed("JSON", format!("at most {max_nesting_depth} values within each other"))
        }
        Problem::Json(ReaderError::IoError { error, .. }) => ErrorKind::Io(error),
        Problem::Json(_) => malformed("JSON", "values as the format has them".to_owned()),
    }
}

/// A number that is an address or a size.
pub(super) fn number(json: &mut Json, what: Expected) -> Result<u64, Problem> {
    Ok(json.next_number_as_str()?.parse().map_err(|_| what)?)
}

/// A text; none where there is `null`.
pub(super) fn text_or_null(json: &mut Json) -> Result<Option<String>, Problem> {
    match json.peek()? {
        ValueType::Null => {
            json.next_null()?;
            Ok(None)
        }
        _ => Ok(Some(json.next_string()?)),
    }
}

/// The first key of a document that is an object.
pub(super) fn first_key(start: &[u8]) -> Option<&[u8]> {
    let inside = start.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    inside.iter().position(|&byte| byte == b'"').map(|end| &inside[..end])
}

/// An input as a stream of UTF-8. A byte that is none, as the texts of PHP may have, becomes a question mark.
pub(super) struct Bytes {
    input: Input,
    /// So many bytes of the window are known to be UTF-8.
    checked: usize,
}

/// Bytes of a character at most.
const CHARACTER: usize = 4;

/// Bytes that are checked at once.
const CHECKED: usize = 1 << 16;

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.checked == 0 {
            self.input.reach(CHARACTER).map_err(std::io::Error::other)?;
            let window = self.input.window();
            self.checked = match str::from_utf8(&window[..window.len().min(CHECKED)]) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
        }
        let window = self.input.window();
        let n = if self.checked == 0 && !window.is_empty() && !buffer.is_empty() {
            buffer[0] = b'?';
            1
        } else {
            let n = self.checked.min(buffer.len());
            buffer[..n].copy_from_slice(&window[..n]);
            self.checked -= n;
            n
        };
        self.input.advance(n);
        Ok(n)
    }
}

/// A text that may hold what UTF-8 has not: a half of a surrogate pair, as Python has in the names of odd files.
#[derive(Default)]
pub(super) struct Text(pub Vec<u8>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct AnyBytes;
        impl Visitor<'_> for AnyBytes {
            type Value = Text;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.as_bytes().to_vec()))
            }
            fn visit_bytes<E>(self, text: &[u8]) -> Result<Text, E> {
                Ok(Text(text.to_vec()))
            }
        }
        deserializer.deserialize_bytes(AnyBytes)
    }
}
