//! Reads the binary form, block by block. `docs/formats/binary.md` is its page.
//!
//! [`Reader`] finds and checks the blocks, `decode.rs` takes the records out of one; [`BinaryWriter`] and [`encode`] are
//! the way back.

#[cfg(unix)]
pub mod amend;
mod decode;
pub mod encode;
#[cfg(test)]
mod tests;
mod write;

use super::text::{definitions, read_header};
use super::{TraceFormat, Writer};
use crate::trace::input::Input;
use crate::trace::{Ending, ErrorKind, Event, Events, Header, Numbers, Player, Position, TraceError};
use decode::{Bad, Decoder, MARGIN};
use encode::{
    BLOCK_HEADER, BLOCK_LIMIT, BLOCK_MAGIC, BLOCK_OPEN, BLOCK_RAW, BLOCK_ZSTD, FILE_HEADER, MAGIC, VERSION, kind,
};

pub use write::BinaryWriter;

/// No header text is longer, in bytes.
const HEADER_LIMIT: usize = 1 << 20;

/// The binary form, as the recorder writes it.
pub struct Binary;

impl TraceFormat for Binary {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn description(&self) -> &'static str {
        "compact blocks with checksums, as the recorder writes them"
    }

    /// Half of the magic. The other half tells whether somebody has translated the ends of lines, which is worth a
    /// better message than an unknown format.
    fn sniff(&self, start: &[u8]) -> bool {
        start.starts_with(&MAGIC[..4])
    }

    fn read(&self, input: Input) -> Result<Box<dyn Events>, TraceError> {
        Ok(Box::new(Reader::new(input)?))
    }

    fn writer(&self) -> Option<Writer> {
        Some(|header, out, options| Ok(Box::new(BinaryWriter::new(header, out, options)?)))
    }
}

/// Reads the binary form. After an error it answers `None`: what follows a damaged record cannot be trusted.
pub struct Reader {
    input: Input,
    header: Header,
    decoder: Decoder,
    block: Block,
    ending: Ending,
    is_done: bool,
    has_ended: bool,
}

/// The block that is being decoded.
#[derive(Default)]
struct Block {
    /// Its records, then [`MARGIN`] zero bytes.
    payload: Vec<u8>,
    at: usize,
    end: usize,
    /// Records taken, and how many there should be.
    taken: u64,
    due: u64,
    /// Where the payload is in the input.
    start: u64,
    is_open: bool,
    is_packed: bool,
}

impl Reader {
    /// Reads up to the first block.
    pub fn new(mut input: Input) -> Result<Reader, TraceError> {
        let header = read_file_header(&mut input)?;
        let decoder = Decoder::new(header.numbers == Numbers::Dense);
        let (block, ending) = (Block::default(), Ending::Open);
        Ok(Reader { input, header, decoder, block, ending, is_done: false, has_ended: false })
    }

    /// Where the record at `self.block.at` is; of a packed block its beginning.
    fn place(&self) -> Position {
        let within = if self.block.is_packed { 0 } else { self.block.at as u64 };
        Position { line: None, byte: self.block.start + within }
    }

    /// Ends the reading, here or at a cut.
    fn end_with(&mut self, cut: Option<Position>) -> Result<bool, TraceError> {
        self.is_done = true;
        if let (Some(position), false) = (cut, self.has_ended) {
            self.ending = Ending::Cut(position);
        }
        Ok(false)
    }

    /// Ends the reading with an error.
    #[cold]
    fn fail<T>(&mut self, position: Position, kind: ErrorKind) -> Result<T, TraceError> {
        self.end_with(Some(position))?;
        Err(self.input.error(position, kind))
    }

    /// What to do with a record that cannot be decoded.
    #[cold]
    fn stop(&mut self) -> Result<Option<Event>, TraceError> {
        let here = self.place();
        match self.decoder.problem() {
            Bad::Nothing if self.block.is_open => self.end_with(None).map(|_| None),
            Bad::Cut if self.block.is_open => self.end_with(Some(here)).map(|_| None),
            Bad::Cut | Bad::Nothing => self.fail(here, malformed("block", "whole records")),
            Bad::Kind(place, kind) => {
                let byte = here.byte + if self.block.is_packed { 0 } else { place.byte };
                self.fail(Position { line: None, byte }, kind)
            }
        }
    }

    /// Behind `end` nothing may stand but the zeros of an open block, or of a file that was mapped.
    #[cold]
    fn after_end(&mut self) -> Result<Option<Event>, TraceError> {
        let block = &self.block;
        let more = if block.at < block.end { block.payload[block.at] != 0 } else { self.next_block()? };
        if more {
            return self.fail(self.place(), malformed("trace", "nothing after 'end'"));
        }
        self.end_with(None).map(|_| None)
    }

    /// Brings the next block with anything in it; `false` at the end.
    #[cold]
    fn next_block(&mut self) -> Result<bool, TraceError> {
        loop {
            if self.block.taken != self.block.due && !self.block.is_open {
                let expected = format!("{} records, found {}", self.block.due, self.block.taken);
                return self.fail(self.place(), malformed("block", expected));
            }
            if self.block.is_open {
                return self.end_with(None);
            }
            match self.load_block() {
                Ok(true) if self.block.end == 0 => {}
                Ok(loaded) => return Ok(loaded),
                Err(error) => {
                    self.end_with(Some(Position { line: None, byte: self.input.offset() }))?;
                    return Err(error);
                }
            }
        }
    }

    /// Checks the block at the front of the input, and takes its payload; `false` where there is none.
    fn load_block(&mut self) -> Result<bool, TraceError> {
        let has_header = self.input.reach(BLOCK_HEADER)?;
        let position = Position { line: None, byte: self.input.offset() };
        let window = self.input.window();
        let magic = &window[..window.len().min(BLOCK_MAGIC.len())];
        if magic.iter().all(|&byte| byte == 0) {
            // The end of the file, or the unused rest of one that was mapped.
            let cut = (magic.is_empty() && self.input.is_cut()).then_some(position);
            return self.end_with(cut);
        }
        if magic != &BLOCK_MAGIC[..magic.len()] {
            return self.fail(position, malformed("block", "the magic 'RBLK'"));
        }
        let (true, Some((head, _))) = (has_header, window.split_first_chunk::<BLOCK_HEADER>()) else {
            return self.end_with(Some(position));
        };
        let head = *head;
        let word = |n: usize| u32::from_le_bytes([head[n], head[n + 1], head[n + 2], head[n + 3]]);
        let (stored, raw, records, checksum) = (word(8) as usize, word(12) as usize, word(16), word(20));
        let state = head[4];
        if state > BLOCK_ZSTD || head[5..8] != [0; 3] {
            return self.fail(position, malformed("block", "the state open, sealed or packed"));
        }
        self.decoder.begin_block();
        let start = position.byte + BLOCK_HEADER as u64;
        self.block.start = start;
        (self.block.at, self.block.taken, self.block.due) = (0, 0, u64::from(records));
        (self.block.is_open, self.block.is_packed) = (state == BLOCK_OPEN, state == BLOCK_ZSTD);
        self.block.payload.clear();
        if self.block.is_open {
            self.input.advance(BLOCK_HEADER);
            self.input.reach(BLOCK_LIMIT)?;
            let rest = self.input.window();
            let rest = &rest[..rest.len().min(BLOCK_LIMIT)];
            self.block.payload.extend_from_slice(rest);
            let passed = rest.len();
            self.input.advance(passed);
        } else {
            if stored.max(raw) > BLOCK_LIMIT || (state == BLOCK_RAW && stored != raw) {
                let expected = "lengths that agree, of at most 16 MiB";
                return self.fail(position, malformed("block", expected));
            }
            let length = BLOCK_HEADER + stored;
            if !self.input.reach(length)? {
                return self.end_with(Some(position));
            }
            let bytes = &self.input.window()[BLOCK_HEADER..length];
            let found = crc32fast::hash(bytes);
            if found != checksum {
                return self.fail(position, ErrorKind::Checksum { stored: checksum, found });
            }
            let unpacked = if self.block.is_packed {
                self.block.payload.reserve(raw + MARGIN);
                zstd::bulk::Decompressor::new()?
                    .decompress_to_buffer(bytes, &mut self.block.payload)
                    .is_ok_and(|n| n == raw)
            } else {
                self.block.payload.extend_from_slice(bytes);
                true
            };
            if !unpacked {
                return self.fail(position, malformed("block", format!("zstd of {raw} bytes")));
            }
            self.input.advance(length);
        }
        self.block.end = self.block.payload.len();
        self.block.payload.extend_from_slice(&[0; MARGIN]);
        Ok(true)
    }
}

impl Events for Reader {
    fn header(&self) -> &Header {
        &self.header
    }

    #[inline]
    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        if self.has_ended && !self.is_done {
            return self.after_end();
        }
        if self.is_done || (self.block.at == self.block.end && !self.next_block()?) {
            return Ok(None);
        }
        let mut event = None;
        let decoded = self.decoder.record(&self.block.payload, &mut self.block.at, &mut event);
        self.block.taken += 1;
        if decoded.is_none() {
            return self.stop();
        }
        if let Some(Event::End) = event {
            self.has_ended = true;
            self.ending = Ending::Complete;
        }
        Ok(event)
    }

    fn play(&mut self, player: &mut dyn Player, limit: usize) -> Result<bool, TraceError> {
        let mut left = limit;
        while left > 0 {
            // The first of a run tells the block; the others are in it.
            let Some(event) = self.next_event()? else { return Ok(false) };
            player.event(event);
            left -= 1;
            let Block { payload, at, end, taken, .. } = &mut self.block;
            while left > 0 && *at < *end && payload[*at] != kind::END {
                let Some(()) = self.decoder.record(payload, at, player) else {
                    return self.stop().map(|_| false);
                };
                *taken += 1;
                left -= 1;
            }
        }
        Ok(true)
    }

    fn is_quick(&self) -> bool {
        true
    }

    fn position(&self) -> Position {
        if self.block.at < self.block.end { self.place() } else { Position { line: None, byte: self.input.offset() } }
    }

    fn length(&self) -> Option<u64> {
        self.input.length()
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

/// Reads what stands before the blocks.
fn read_file_header(input: &mut Input) -> Result<Header, TraceError> {
    let start = Position::default();
    let whole = input.reach(FILE_HEADER)?;
    let window = input.window();
    let magic = &window[..window.len().min(MAGIC.len())];
    if magic != &MAGIC[..magic.len()] {
        let expected = "the magic as it was written; the ends of lines have been translated on the way";
        return Err(input.error(start, malformed("header", expected)));
    }
    let (true, Some((head, _))) = (whole, window.split_first_chunk::<FILE_HEADER>()) else {
        let expected = format!("{FILE_HEADER} bytes, found {}", window.len());
        return Err(input.error(start, malformed("header", expected)));
    };
    let word = |n: usize| u32::from_le_bytes([head[n], head[n + 1], head[n + 2], head[n + 3]]);
    let (version, length, checksum) = (word(8), word(12) as usize, word(16));
    if version > VERSION {
        return Err(input.error(start, ErrorKind::FutureVersion { found: version, known: VERSION }));
    }
    if length > HEADER_LIMIT {
        return Err(input.error(start, malformed("header", "at most 1 MiB of text")));
    }
    if !input.reach(FILE_HEADER + length)? {
        let expected = format!("{length} bytes of text, found {}", input.window().len() - FILE_HEADER);
        return Err(input.error(start, malformed("header", expected)));
    }
    let text = &input.window()[FILE_HEADER..FILE_HEADER + length];
    let found = crc32fast::hash(text);
    if found != checksum {
        return Err(input.error(start, ErrorKind::Checksum { stored: checksum, found }));
    }
    let position = Position { line: None, byte: FILE_HEADER as u64 };
    let header = read_header(text, position, Numbers::Dense).map_err(|(place, kind)| input.error(place, kind))?;
    debug_assert_eq!(header.version, definitions::VERSION);
    input.advance(FILE_HEADER + length);
    Ok(header)
}

fn malformed(record: &'static str, expected: impl Into<String>) -> ErrorKind {
    ErrorKind::Malformed { record, expected: expected.into() }
}
