//! Writes events as blocks of the binary form.

use std::io::{self, Write};

use super::super::WriteOptions;
use super::super::addresses::DenseNumbers;
use super::super::text::{LINE_LIMIT, definitions};
use super::encode::{BLOCK_HEADER, BLOCK_MAGIC, BLOCK_RAW, BLOCK_ZSTD, Encoder, MAGIC, TEXT_LIMIT, VERSION, kind};
use crate::trace::{DictState, Event, EventSink, Frees, Header, Numbers, Scope, Tag};

/// A block is sealed when its payload has so many bytes.
const BLOCK: usize = 256 << 10;

/// Writes the binary form.
///
/// A trace that has tags and records its frees gets dense numbers, which are smaller, and need no map to be read; memory
/// is then proportional to the live objects. One whose frees are implied keeps its tags: who died is not known here.
pub struct BinaryWriter {
    out: Box<dyn Write>,
    encoder: Encoder,
    /// `None` where the numbers of the events are written as they are.
    numbers: Option<DenseNumbers>,
    payload: Vec<u8>,
    records: u32,
    packer: Option<zstd::bulk::Compressor<'static>>,
}

impl BinaryWriter {
    /// Writes the header.
    pub fn new(header: &Header, mut out: Box<dyn Write>, options: WriteOptions) -> io::Result<BinaryWriter> {
        let translates = header.numbers == Numbers::Tags && header.frees == Frees::Recorded;
        let dense = translates || header.numbers == Numbers::Dense;
        let text = definitions::write_header(header, Some(if dense { Numbers::Dense } else { Numbers::Tags }));
        out.write_all(&MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&word(text.len())?)?;
        out.write_all(&crc32fast::hash(&text).to_le_bytes())?;
        out.write_all(&text)?;
        Ok(BinaryWriter {
            out,
            encoder: Encoder::new(dense),
            numbers: translates.then(DenseNumbers::default),
            payload: Vec::with_capacity(BLOCK + (BLOCK >> 3)),
            records: 0,
            packer: options.zstd.map(zstd::bulk::Compressor::new).transpose()?,
        })
    }

    fn number(&self, tag: Tag) -> u64 {
        self.numbers.as_ref().map_or(tag.0, |numbers| numbers.number(tag.0))
    }

    /// A record that is an object and a number.
    fn fact(&mut self, kind: u8, object: Tag, value: u64) {
        let object = self.number(object);
        self.payload.extend_from_slice(self.encoder.fact(kind, object, value));
    }

    /// A record that is an object alone.
    fn object(&mut self, kind: u8, object: Tag) {
        let object = self.number(object);
        self.payload.extend_from_slice(self.encoder.object(kind, object));
    }

    /// The text behind the head of a `TYPE`, `MARK` or `STOPPED`.
    fn shared(&mut self, kind: u8, text: &[u8]) -> io::Result<()> {
        if text.len() > LINE_LIMIT {
            let problem = format!("a definition of {} bytes; no more than {LINE_LIMIT} can be read back", text.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let head = match kind {
            kind::TYPE => self.encoder.type_head(text.len()),
            kind::MARK => self.encoder.mark_head(text.len()),
            _ => self.encoder.stopped_head(text.len()),
        };
        self.payload.extend_from_slice(head);
        self.payload.extend_from_slice(text);
        Ok(())
    }

    fn seal(&mut self) -> io::Result<()> {
        if self.records == 0 {
            return Ok(());
        }
        let packed = self.packer.as_mut().map(|packer| packer.compress(&self.payload)).transpose()?;
        let (state, stored) = match &packed {
            Some(packed) if packed.len() < self.payload.len() => (BLOCK_ZSTD, packed),
            _ => (BLOCK_RAW, &self.payload),
        };
        let mut head = Vec::with_capacity(BLOCK_HEADER);
        head.extend_from_slice(&BLOCK_MAGIC);
        head.extend_from_slice(&[state, 0, 0, 0]);
        head.extend_from_slice(&word(stored.len())?);
        head.extend_from_slice(&word(self.payload.len())?);
        head.extend_from_slice(&self.records.to_le_bytes());
        head.extend_from_slice(&crc32fast::hash(stored).to_le_bytes());
        self.out.write_all(&head)?;
        self.out.write_all(stored)?;
        self.payload.clear();
        self.records = 0;
        self.encoder.begin_block();
        Ok(())
    }
}

impl EventSink for BinaryWriter {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Type(def) => {
                let mut text = Vec::new();
                definitions::write_type_def(&mut text, def);
                self.shared(kind::TYPE, &text)?;
            }
            Event::Mark(mark) => {
                let mut text = Vec::new();
                definitions::write_mark(&mut text, mark);
                self.shared(kind::MARK, &text)?;
            }
            Event::Stopped(reason) => {
                let mut text = Vec::new();
                definitions::write_reason(&mut text, reason);
                self.shared(kind::STOPPED, &text)?;
            }
            Event::Text(def) => {
                let text = &def.text[..def.text.floor_char_boundary(TEXT_LIMIT)];
                self.payload.extend_from_slice(self.encoder.text_head(def.id.0, text.len()));
                self.payload.extend_from_slice(text.as_bytes());
            }
            Event::Site(def) => {
                let parent = def.parent.map_or(0, |parent| parent.0);
                let record = self.encoder.site(def.id.0, parent, def.line, def.path.0, def.function.0);
                self.payload.extend_from_slice(record);
            }
            &Event::Alloc { object, address, class, bytes, site } => {
                let (number, address) = match &mut self.numbers {
                    Some(numbers) => (numbers.alloc(object.0)?, object.0),
                    None => (object.0, address),
                };
                self.payload.extend_from_slice(self.encoder.alloc(number, address, class.0, bytes, site.0));
            }
            &Event::Retype { object, class } => self.fact(kind::RETYPE, object, u64::from(class.0)),
            &Event::Resize { object, bytes } => self.fact(kind::RESIZE, object, bytes),
            &Event::Owns { object, bytes } => self.fact(kind::OWNS, object, bytes),
            &Event::Dict { object, state, capacity } => {
                let state = match state {
                    DictState::None => 0,
                    DictState::Inline => 1,
                    DictState::Split => 2,
                    DictState::Combined => 3,
                    DictState::Detached => 4,
                };
                let object = self.number(object);
                self.payload.extend_from_slice(self.encoder.dict(object, state, capacity));
            }
            &Event::Name { object, name } => self.fact(kind::NAME, object, u64::from(name.0)),
            &Event::Code { object, site } => self.fact(kind::CODE, object, u64::from(site.0)),
            &Event::Ref { from, to, slot } => {
                let (from, to) = (self.number(from), self.number(to));
                self.payload.extend_from_slice(self.encoder.reference(from, to, slot.raw()));
            }
            &Event::Unref { from, to, slot } => {
                let (from, to) = (self.number(from), self.number(to));
                self.payload.extend_from_slice(self.encoder.unreference(from, to, slot.raw()));
            }
            &Event::Hidden { from, to, slot, evidence } => {
                let (from, to) = (self.number(from), self.number(to));
                self.payload.extend_from_slice(self.encoder.hidden(from, to, slot.raw(), evidence as u8));
            }
            &Event::Root { object, name } => self.fact(kind::ROOT, object, u64::from(name.0)),
            &Event::Unroot { object, name } => self.fact(kind::UNROOT, object, u64::from(name.0)),
            &Event::Incref { object } => self.object(kind::INCREF, object),
            &Event::Decref { object } => self.object(kind::DECREF, object),
            &Event::Count { object, count, flags } => {
                let object = self.number(object);
                self.payload.extend_from_slice(self.encoder.count(object, count, flags.0));
            }
            &Event::Free { object } => {
                let number = match &mut self.numbers {
                    Some(numbers) => numbers.free(object.0),
                    None => object.0,
                };
                self.payload.extend_from_slice(self.encoder.object(kind::FREE, number));
            }
            &Event::Unreachable { object } => self.object(kind::UNREACHABLE, object),
            &Event::GcStart { generation } => self.payload.extend_from_slice(self.encoder.gc_start(generation)),
            &Event::GcLooked { objects } => self.payload.extend_from_slice(self.encoder.gc_looked(objects)),
            &Event::GcPause { ns } => self.payload.extend_from_slice(self.encoder.gc_pause(ns)),
            &Event::GcStop { collected, uncollectable } => {
                self.payload.extend_from_slice(self.encoder.gc_stop(collected, uncollectable));
            }
            Event::GcState(state) => {
                let long_lived = [state.long_lived_pending, state.long_lived_total];
                let enabled = u8::from(state.enabled);
                self.payload.extend_from_slice(self.encoder.gc_state(
                    enabled,
                    state.thresholds,
                    state.counts,
                    long_lived,
                ));
            }
            &Event::GcLists { generations, frozen } => {
                self.payload.extend_from_slice(self.encoder.gc_lists(generations, frozen));
            }
            &Event::GcMissed { collections } => {
                self.payload.extend_from_slice(self.encoder.gc_missed(collections));
            }
            &Event::Totals { class, born, left, bytes } => {
                self.payload.extend_from_slice(self.encoder.totals(class.0, born, left, bytes));
            }
            &Event::Interpreters { others } => {
                self.payload.extend_from_slice(self.encoder.interpreters(others));
            }
            &Event::Searched { objects, unfinished } => {
                self.payload.extend_from_slice(self.encoder.searched(objects, unfinished));
            }
            &Event::Places { object, places } => {
                let object = self.number(object);
                self.payload.extend_from_slice(self.encoder.places(object, places));
            }
            &Event::Unchanged { object, more } => self.fact(kind::UNCHANGED, object, more),
            &Event::Unseen { since } => self.payload.extend_from_slice(self.encoder.unseen(since)),
            &Event::Time { ns } => self.payload.extend_from_slice(self.encoder.time(ns)),
            &Event::Walk(scope) => self.payload.extend_from_slice(self.encoder.scope(kind::WALK, scope_byte(scope))),
            &Event::Checkpoint(scope) => {
                self.payload.extend_from_slice(self.encoder.scope(kind::CHECKPOINT, scope_byte(scope)));
            }
            Event::End => self.payload.extend_from_slice(self.encoder.end()),
        }
        self.records += 1;
        if self.payload.len() >= BLOCK { self.seal() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.seal()?;
        self.out.flush()
    }
}

fn scope_byte(scope: Scope) -> u8 {
    match scope {
        Scope::Full => 0,
        Scope::Garbage => 1,
        Scope::Own => 2,
    }
}

/// A length as the form stores it.
fn word(length: usize) -> io::Result<[u8; 4]> {
    match u32::try_from(length) {
        Ok(length) => Ok(length.to_le_bytes()),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "a header or block of more than 4 GiB")),
    }
}
