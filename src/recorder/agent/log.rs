//! Writes the trace: encoded records, texts and sites interned, into the output. Without an output (after a fork,
//! after a full disk) what is written goes nowhere.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::PathBuf;

use crate::encode::{Encoder, SHORT, TEXT_LIMIT};
use crate::memory::{self, Grow};
use crate::output::Output;
use crate::process::{STOPPED_ROOM, quoted, reason};

/// No record but a text is longer.
const RECORD: usize = 64;

/// Bytes of the reason why a recording stopped, at most.
const REASON: usize = 1024;

/// Nanoseconds between two flushes of a program in which collection follows collection.
const FLUSH_INTERVAL: u64 = 20_000_000;

/// The log of one process.
pub(crate) struct Log {
    output: Option<Output>,
    encoder: Encoder,
    /// When it was flushed last, in nanoseconds since it began.
    flushed: u64,
    texts: HashMap<Box<[u8]>, u32, Mixing>,
    sites: HashMap<[u32; 4], u32, Mixing>,
    /// Why the recording stopped, until somebody says it.
    pub failure: Option<io::Error>,
}

impl Log {
    /// A log that goes nowhere.
    pub(crate) fn closed() -> Log {
        Log {
            output: None,
            encoder: Encoder::new(true),
            flushed: 0,
            texts: HashMap::default(),
            sites: HashMap::default(),
            failure: None,
        }
    }

    pub(crate) fn open(file: &File, path: PathBuf, header: &str) -> io::Result<Log> {
        Ok(Log { output: Some(Output::begin(file, path, header)?), ..Log::closed() })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.output.is_some()
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.output.as_ref().map_or(0, Output::written)
    }

    /// Device and inode of the file.
    pub(crate) fn identity(&self) -> (u64, u64) {
        self.output.as_ref().map_or((0, 0), Output::identity)
    }

    /// What was emitted is in the file from here on, whatever becomes of the process.
    pub(crate) fn flush(&mut self) {
        if let Some(Err(error)) = self.output.as_mut().map(Output::flush) {
            self.fail(error);
        }
    }

    /// As [`Log::flush`], where the last time was long ago. Takes the time since the file began.
    pub(crate) fn flush_sometimes(&mut self, elapsed: u64) {
        if elapsed.saturating_sub(self.flushed) >= FLUSH_INTERVAL {
            self.flushed = elapsed;
            self.flush();
        }
    }

    /// Seals the file. What follows goes nowhere.
    pub(crate) fn finish(&mut self) {
        match self.output.as_mut().map(Output::finish) {
            Some(Err(error)) => self.fail(error),
            _ => self.output = None,
        }
    }

    /// Writes why the recording ends, behind all that was emitted, and seals the file.
    pub(crate) fn stop(&mut self, error: &io::Error) {
        let text = shown(error);
        if let Some(output) = &mut self.output
            && output.reserve(RECORD + text.len()).is_ok()
        {
            output.write(self.encoder.stopped_head(text.len()), text.as_bytes(), 1);
            self.finish();
        }
        self.output = None;
    }

    /// The recording cannot go on. What follows goes nowhere.
    fn fail(&mut self, error: io::Error) {
        if let Some(mut output) = self.output.take() {
            let text = shown(&error);
            if output.break_off(self.encoder.stopped_head(text.len()), text.as_bytes()).is_err() {
                output.add_to_header(&stopped_word(&text));
            }
        }
        self.failure = Some(error);
    }

    /// Lets go of a file that the parent process goes on writing.
    pub(crate) fn abandon(&mut self) {
        self.output = None;
    }

    #[inline]
    pub(crate) fn emit(&mut self, record: impl FnOnce(&mut Encoder) -> &[u8]) {
        self.emit_together(1, record);
    }

    /// Writes so many records at once: a reader meets all of them or none.
    #[inline]
    pub(crate) fn emit_together(&mut self, records: u32, encode: impl FnOnce(&mut Encoder) -> &[u8]) {
        if !self.reserve(RECORD) {
            return;
        }
        let Some(output) = &mut self.output else { return };
        let length = encode(&mut self.encoder).len();
        match self.encoder.buffer().first_chunk::<SHORT>() {
            Some(bytes) if length <= SHORT => output.write_short(bytes, length, records),
            _ => output.write(&self.encoder.buffer()[..length], b"", records),
        }
    }

    /// A record that ends with a text.
    #[inline]
    pub(crate) fn emit_with(&mut self, text: &[u8], head: impl FnOnce(&mut Encoder) -> &[u8]) {
        if self.reserve(RECORD + text.len())
            && let Some(output) = &mut self.output
        {
            output.write(head(&mut self.encoder), text, 1);
        }
    }

    /// Makes room for a record; false where there is none to be written.
    #[inline]
    fn reserve(&mut self, length: usize) -> bool {
        let Some(output) = &mut self.output else { return false };
        if memory::is_refused() {
            return false;
        }
        match output.reserve(length) {
            Ok(false) => true,
            Ok(true) => {
                self.encoder.begin_block();
                true
            }
            Err(error) => {
                self.fail(error);
                false
            }
        }
    }

    /// The number of the text, defined on first use.
    pub(crate) fn text(&mut self, text: &[u8]) -> u32 {
        let text = cut(text);
        if let Some(&number) = self.texts.get(text) {
            return number;
        }
        let number = self.texts.len() as u32 + 1;
        let mut key = Vec::new();
        if !key.add_all(text) || self.texts.try_reserve(1).is_err() {
            return 1;
        }
        self.texts.insert(key.into_boxed_slice(), number);
        self.emit_with(text, |encoder| encoder.text_head(number, text.len()));
        number
    }

    /// The number of the site, defined on first use.
    pub(crate) fn site(&mut self, path: u32, line: u32, function: u32, parent: u32) -> u32 {
        let next = self.sites.len() as u32 + 1;
        if self.sites.try_reserve(1).is_err() {
            return 1;
        }
        let number = *self.sites.entry([path, line, function, parent]).or_insert(next);
        if number == next {
            self.emit(|encoder| encoder.site(number, parent, line, path, function));
        }
        number
    }
}

/// Why, as the trace has it. Small, so that the reserve has room for it where memory is refused.
fn shown(error: &io::Error) -> String {
    let mut text = reason(error);
    text.retain(|character| !character.is_control());
    text.truncate(text.floor_char_boundary(REASON));
    text
}

/// The same as a word of the header, in the room that there is for it.
fn stopped_word(text: &str) -> String {
    let word = |end: usize| format!("stopped={}", quoted(&text[..text.floor_char_boundary(end)]));
    let mut end = text.len().min(STOPPED_ROOM);
    while word(end).len() > STOPPED_ROOM {
        end -= 1;
    }
    word(end)
}

/// What is said where memory was refused.
pub(crate) fn out_of_memory() -> io::Error {
    io::ErrorKind::OutOfMemory.into()
}

/// At most [`TEXT_LIMIT`] bytes, whole characters.
pub(crate) fn cut(text: &[u8]) -> &[u8] {
    let mut end = text.len().min(TEXT_LIMIT);
    while end < text.len() && end > 0 && text[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    &text[..end]
}

/// A quick hash for keys that nobody chooses to harm us.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mixing(u64);

impl BuildHasher for Mixing {
    type Hasher = Mixing;

    fn build_hasher(&self) -> Mixing {
        Mixing(0)
    }
}

impl Hasher for Mixing {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.write_u64(u64::from_le_bytes(last) ^ rest.len() as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::cut;
    use crate::encode::TEXT_LIMIT;

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let long = "é".repeat(TEXT_LIMIT);
        let odd = format!("x{long}");
        assert_eq!(cut(long.as_bytes()).len(), TEXT_LIMIT);
        assert_eq!(cut(odd.as_bytes()).len(), TEXT_LIMIT - 1);
        assert_eq!(cut(b"short"), b"short");
    }
}
