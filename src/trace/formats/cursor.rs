//! Reads the numbers and texts of a binary dump, front to back, and gives the dump to a parser part by part.

use super::reader::{Expected, Pending, Source};
use crate::trace::input::Input;
use crate::trace::{Ending, ErrorKind, Position, TraceError};

/// A dump that is read front to back.
pub(super) struct Cursor {
    pub input: Input,
    pub order: ByteOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Big,
    Little,
}

impl ByteOrder {
    pub(super) fn short(self, bytes: [u8; 2]) -> u16 {
        if self == ByteOrder::Big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    pub(super) fn int(self, bytes: [u8; 4]) -> u32 {
        if self == ByteOrder::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    pub(super) fn long(self, bytes: [u8; 8]) -> u64 {
        if self == ByteOrder::Big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    }
}

/// Why a part could not be read.
pub(super) enum Problem {
    /// The dump stops in it.
    Short,
    Expected(Expected),
    Read(TraceError),
}

impl From<Expected> for Problem {
    fn from(expected: Expected) -> Problem {
        Problem::Expected(expected)
    }
}

impl Cursor {
    pub(super) fn byte(&mut self) -> Result<u8, Problem> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    pub(super) fn short(&mut self) -> Result<u16, Problem> {
        self.bytes().map(|bytes| self.order.short(bytes))
    }

    pub(super) fn int(&mut self) -> Result<u32, Problem> {
        self.bytes().map(|bytes| self.order.int(bytes))
    }

    pub(super) fn long(&mut self) -> Result<u64, Problem> {
        self.bytes().map(|bytes| self.order.long(bytes))
    }

    /// So many bytes.
    pub(super) fn some(&mut self, length: usize) -> Result<Vec<u8>, Problem> {
        if !self.input.reach(length).map_err(Problem::Read)? {
            return Err(Problem::Short);
        }
        let bytes = self.input.window()[..length].to_vec();
        self.input.advance(length);
        Ok(bytes)
    }

    /// Passes so many bytes without keeping them.
    pub(super) fn skip(&mut self, mut length: u64) -> Result<(), Problem> {
        while length > 0 {
            if self.input.window().is_empty() && !self.input.refill().map_err(Problem::Read)? {
                return Err(Problem::Short);
            }
            let passed = self.input.window().len().min(usize::try_from(length).unwrap_or(usize::MAX));
            self.input.advance(passed);
            length -= passed as u64;
        }
        Ok(())
    }

    pub(super) fn position(&self) -> Position {
        Position { line: None, byte: self.input.offset() }
    }

    /// What to tell of a part that cannot be read.
    pub(super) fn error_of(&self, problem: Problem) -> TraceError {
        let (record, expected) = match problem {
            Problem::Read(error) => return error,
            Problem::Expected(expected) => expected,
            Problem::Short => ("dump", "more bytes"),
        };
        self.input.error(self.position(), ErrorKind::Malformed { record, expected: expected.to_owned() })
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        if !self.input.reach(N).map_err(Problem::Read)? {
            return Err(Problem::Short);
        }
        let bytes = self.input.window().first_chunk::<N>().copied().ok_or(Problem::Short)?;
        self.input.advance(N);
        Ok(bytes)
    }
}

/// What understands a binary dump, part by part.
pub(super) trait BinaryParser: Send {
    fn cursor(&self) -> &Cursor;

    /// Reads on by about one object of the heap; false when the dump is over.
    fn part(&mut self, out: &mut Pending) -> Result<bool, Problem>;
}

/// A dump that is read part by part. Where it stops short it is cut; what cannot be read ends it.
pub(super) struct BinarySource<P> {
    parser: P,
    length: Option<u64>,
    failed: Option<Position>,
}

impl<P: BinaryParser> BinarySource<P> {
    pub(super) fn new(parser: P) -> BinarySource<P> {
        let length = parser.cursor().input.length();
        BinarySource { parser, length, failed: None }
    }
}

impl<P: BinaryParser> Source for BinarySource<P> {
    fn step(&mut self, out: &mut Pending) -> Result<Option<Ending>, TraceError> {
        if let Some(position) = self.failed {
            return Ok(Some(Ending::Cut(position)));
        }
        let position = self.position();
        match self.parser.part(out) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(Ending::Complete)),
            Err(Problem::Short) => Ok(Some(Ending::Cut(position))),
            Err(problem) => {
                self.failed = Some(position);
                Err(self.parser.cursor().error_of(problem))
            }
        }
    }

    fn position(&self) -> Position {
        self.parser.cursor().position()
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}
