//! Reads the numbers and texts of a dump: big-endian, texts behind their length.

use super::super::reader::Expected;
use crate::trace::input::Input;
use crate::trace::{ErrorKind, Position, TraceError};

/// A dump that is read front to back.
pub(super) struct Cursor(pub Input);

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

    pub(super) fn short(&mut self) -> Result<i16, Problem> {
        self.bytes().map(i16::from_be_bytes)
    }

    pub(super) fn int(&mut self) -> Result<u32, Problem> {
        self.bytes().map(u32::from_be_bytes)
    }

    pub(super) fn long(&mut self) -> Result<u64, Problem> {
        self.bytes().map(u64::from_be_bytes)
    }

    /// A text of up to 65,535 bytes.
    pub(super) fn text(&mut self) -> Result<Vec<u8>, Problem> {
        let length = self.bytes().map(u16::from_be_bytes)?;
        self.some(usize::from(length))
    }

    /// So many bytes.
    pub(super) fn some(&mut self, length: usize) -> Result<Vec<u8>, Problem> {
        if !self.0.reach(length).map_err(Problem::Read)? {
            return Err(Problem::Short);
        }
        let bytes = self.0.window()[..length].to_vec();
        self.0.advance(length);
        Ok(bytes)
    }

    pub(super) fn position(&self) -> Position {
        Position { line: None, byte: self.0.offset() }
    }

    pub(super) fn error(&self, (record, expected): Expected) -> TraceError {
        self.0.error(self.position(), ErrorKind::Malformed { record, expected: expected.to_owned() })
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        if !self.0.reach(N).map_err(Problem::Read)? {
            return Err(Problem::Short);
        }
        let bytes = self.0.window().first_chunk::<N>().copied().ok_or(Problem::Short)?;
        self.0.advance(N);
        Ok(bytes)
    }
}
