//! Splits an input into lines for the formats that other programs write.

use memchr::memchr;

use crate::trace::input::Input;
use crate::trace::{Position, TraceError};

/// Bytes of a line that are looked at in a log for people; the rest of a longer line is passed over.
pub(super) const FIRST_MIB: usize = 1 << 20;

/// Where a line is one object, with all its references.
pub(super) const WHOLE: usize = usize::MAX;

/// An input, line by line. Memory is that of the longest line, as far as it is looked at.
pub(super) struct Lines {
    pub input: Input,
    looked_at: usize,
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
    pub(super) fn new(input: Input, looked_at: usize) -> Lines {
        Lines { input, looked_at, number: 0 }
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
            if seen > self.looked_at || !self.input.refill()? {
                break None;
            }
        };
        let length = newline.unwrap_or(seen);
        if length == 0 && newline.is_none() {
            return Ok(None);
        }
        let line = &self.input.window()[..length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let value = look(&line[..line.len().min(self.looked_at)]);
        self.input.advance(newline.map_or(length, |at| at + 1));
        let whole = newline.is_some() || (seen > self.looked_at && self.pass_rest()?);
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
