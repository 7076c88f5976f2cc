//! Splits an input into lines for the formats that other programs write.

use memchr::memchr;

use crate::trace::input::Input;
use crate::trace::{Position, TraceError};

/// Bytes of a line that are looked at; the rest of a longer one is passed over.
const LOOKED_AT: usize = 1 << 20;

/// An input, line by line. Memory is that of the longest line, up to 1 MiB.
pub(super) struct Lines {
    pub input: Input,
    /// Lines passed.
    number: u64,
}

/// What stood in a line.
pub(super) struct Line<T> {
    pub value: T,
    pub position: Position,
    /// It ended with a newline.
    pub whole: bool,
}

impl Lines {
    pub(super) fn new(input: Input) -> Lines {
        Lines { input, number: 0 }
    }

    /// Where the next line begins.
    pub(super) fn position(&self) -> Position {
        Position { line: Some(self.number + 1), byte: self.input.offset() }
    }

    /// Looks at the next line, without its end, and passes it; `None` behind the last.
    pub(super) fn next<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> Result<Option<Line<T>>, TraceError> {
        let position = self.position();
        let mut seen = 0;
        let newline = loop {
            let window = self.input.window();
            match memchr(b'\n', &window[seen..]) {
                Some(at) => break Some(seen + at),
                None => seen = window.len(),
            }
            if seen > LOOKED_AT || !self.input.refill()? {
                break None;
            }
        };
        let length = newline.unwrap_or(seen);
        if length == 0 && newline.is_none() {
            return Ok(None);
        }
        let line = &self.input.window()[..length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let value = look(&line[..line.len().min(LOOKED_AT)]);
        self.input.advance(newline.map_or(length, |at| at + 1));
        let whole = newline.is_some() || (seen > LOOKED_AT && self.pass_rest()?);
        self.number += 1;
        Ok(Some(Line { value, position, whole }))
    }

    /// Passes the rest of a long line; whether it had an end.
    fn pass_rest(&mut self) -> Result<bool, TraceError> {
        loop {
            let window = self.input.window();
            let newline = memchr(b'\n', window);
            let passed = newline.map_or(window.len(), |at| at + 1);
            self.input.advance(passed);
            if newline.is_some() {
                return Ok(true);
            }
            if !self.input.refill()? {
                return Ok(false);
            }
        }
    }
}
