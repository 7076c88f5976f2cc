//! Writes events as lines of the text form.

use std::io::{self, BufWriter, Write};

use super::super::WriteOptions;
use super::definitions::{write_flags, write_header, write_mark, write_reason, write_type_def};
use super::quote::{write_slot, write_tail, write_word};
use super::records::DICT_STATES;
use crate::trace::formats::addresses::Addresses;
use crate::trace::{
    DictState, Event, EventSink, Evidence, Header, Numbers, ObjectFlags, Scope, SiteDef, SiteId, Slot, Tag, TextId,
};

/// Writes the text form. Texts are kept, because lines have them in place; of a trace with dense numbers the addresses
/// of the live objects as well.
pub struct TextWriter {
    out: Out,
    line: Vec<u8>,
    /// By number; the first is 1.
    texts: Vec<Box<str>>,
    /// `None` where tags are the producer's own already.
    addresses: Option<Addresses>,
}

enum Out {
    Plain(BufWriter<Box<dyn Write>>),
    Packed(zstd::Encoder<'static, Box<dyn Write>>),
}

impl TextWriter {
    /// Writes the header.
    pub fn new(header: &Header, out: Box<dyn Write>, options: WriteOptions) -> io::Result<TextWriter> {
        let out = match options.zstd {
            Some(level) => Out::Packed(zstd::Encoder::new(out, level)?),
            None => Out::Plain(BufWriter::with_capacity(1 << 18, out)),
        };
        let addresses = (header.numbers == Numbers::Dense).then(Addresses::default);
        let mut writer = TextWriter { out, line: write_header(header, None), texts: Vec::new(), addresses };
        writer.end_line()?;
        Ok(writer)
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line.push(b'\n');
        match &mut self.out {
            Out::Plain(out) => out.write_all(&self.line)?,
            Out::Packed(out) => out.write_all(&self.line)?,
        }
        self.line.clear();
        Ok(())
    }

    fn text(&self, id: TextId) -> &str {
        let place = (id.0 as usize).checked_sub(1);
        place.and_then(|place| self.texts.get(place)).map_or("", |text| text)
    }

    fn word(&mut self, word: &str) {
        self.line.extend_from_slice(word.as_bytes());
    }

    fn tag(&mut self, tag: Tag) {
        let name = self.addresses.as_ref().map_or(tag.0, |addresses| addresses.name(tag.0));
        self.line.push(b' ');
        hexadecimal(&mut self.line, name);
    }

    fn number(&mut self, number: impl Into<u64>) {
        self.line.push(b' ');
        decimal(&mut self.line, number.into());
    }

    fn site(&mut self, site: SiteId) {
        self.word(" @");
        decimal(&mut self.line, u64::from(site.0));
    }

    fn about(&mut self, keyword: &str, object: Tag) {
        self.word(keyword);
        self.tag(object);
    }

    fn fact(&mut self, keyword: &str, object: Tag, number: impl Into<u64>) {
        self.about(keyword, object);
        self.number(number);
    }

    fn named(&mut self, keyword: &str, object: Tag, name: TextId) {
        self.about(keyword, object);
        let mut line = std::mem::take(&mut self.line);
        line.push(b' ');
        write_tail(&mut line, self.text(name));
        self.line = line;
    }

    fn reference(&mut self, keyword: &str, from: Tag, to: Tag, slot: Slot) {
        self.about(keyword, from);
        self.tag(to);
        self.slot(slot);
    }

    fn hidden(&mut self, from: Tag, to: Tag, slot: Slot, evidence: Evidence) {
        self.about("hidden", from);
        self.tag(to);
        self.line.push(b' ');
        self.word(Evidence::ALL[evidence as usize].0);
        self.slot(slot);
    }

    fn slot(&mut self, slot: Slot) {
        if let Some(index) = slot.as_index() {
            self.word(" [");
            decimal(&mut self.line, u64::from(index));
            self.line.push(b']');
        } else if let Some(name) = slot.as_text() {
            let mut line = std::mem::take(&mut self.line);
            line.push(b' ');
            write_slot(&mut line, self.text(name));
            self.line = line;
        }
    }

    fn site_def(&mut self, def: &SiteDef) {
        self.word("site");
        self.number(def.id.0);
        let place = format!("{}:{}", self.text(def.path), def.line);
        let function = self.text(def.function).to_owned();
        for word in [place, function] {
            self.line.push(b' ');
            write_word(&mut self.line, &word);
        }
        if let Some(parent) = def.parent {
            self.word(" parent=");
            decimal(&mut self.line, u64::from(parent.0));
        }
    }

    fn dict(&mut self, object: Tag, state: DictState, capacity: u32) {
        self.about("dict", object);
        self.line.push(b' ');
        let name = DICT_STATES.iter().find(|(_, known)| *known == state).map_or("none", |(name, _)| name);
        self.word(name);
        if capacity != 0 {
            self.number(capacity);
        }
    }

    fn scope(&mut self, keyword: &str, scope: Scope) {
        self.word(keyword);
        self.word(match scope {
            Scope::Full => " full",
            Scope::Garbage => " garbage",
            Scope::Own => " own",
        });
    }
}

impl EventSink for TextWriter {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Text(def) => {
                let place = self.texts.len() + 1;
                if def.id.0 as usize != place {
                    let problem = format!("text {} is defined where {place} is due", def.id.0);
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
                }
                self.texts.push(def.text.as_str().into());
                return Ok(());
            }
            Event::Type(def) => {
                self.word("type ");
                write_type_def(&mut self.line, def);
            }
            Event::Site(def) => self.site_def(def),
            &Event::Alloc { object, address, class, bytes, site } => {
                if let Some(addresses) = &mut self.addresses {
                    addresses.alloc(object.0, address)?;
                }
                self.fact("alloc", object, class.0);
                self.number(bytes);
                if site != SiteId::NONE {
                    self.site(site);
                }
            }
            &Event::Retype { object, class } => self.fact("retype", object, class.0),
            &Event::Resize { object, bytes } => self.fact("resize", object, bytes),
            &Event::Owns { object, bytes } => self.fact("owns", object, bytes),
            &Event::Dict { object, state, capacity } => self.dict(object, state, capacity),
            &Event::Name { object, name } => self.named("name", object, name),
            &Event::Code { object, site } => {
                self.about("code", object);
                self.site(site);
            }
            &Event::Ref { from, to, slot } => self.reference("ref", from, to, slot),
            &Event::Unref { from, to, slot } => self.reference("unref", from, to, slot),
            &Event::Hidden { from, to, slot, evidence } => self.hidden(from, to, slot, evidence),
            &Event::Root { object, name } => self.named("root", object, name),
            &Event::Unroot { object, name } => self.named("unroot", object, name),
            &Event::Incref { object } => self.about("incref", object),
            &Event::Decref { object } => self.about("decref", object),
            &Event::Count { object, count, flags } => {
                self.fact("count", object, count);
                if flags != ObjectFlags::default() {
                    self.line.push(b' ');
                    write_flags(&mut self.line, u64::from(flags.0), &ObjectFlags::NAMES);
                }
            }
            &Event::Free { object } => {
                self.about("free", object);
                if let Some(addresses) = &mut self.addresses {
                    addresses.free(object.0);
                }
            }
            &Event::Unreachable { object } => self.about("unreachable", object),
            &Event::GcStart { generation } => {
                self.word("gc start");
                self.number(generation);
            }
            &Event::GcLooked { objects } => {
                self.word("gc looked");
                self.number(objects);
            }
            &Event::GcPause { ns } => {
                self.word("gc pause");
                self.number(ns);
            }
            &Event::GcStop { collected, uncollectable } => {
                self.word("gc stop");
                self.number(collected);
                self.number(uncollectable);
            }
            Event::GcState(state) => {
                self.word(if state.enabled { "gc state on" } else { "gc state off" });
                state.thresholds.into_iter().chain(state.counts).for_each(|number| self.number(number));
                self.number(state.long_lived_pending);
                self.number(state.long_lived_total);
            }
            &Event::GcLists { generations, frozen } => {
                self.word("gc lists");
                generations.into_iter().for_each(|number| self.number(number));
                self.number(frozen);
            }
            &Event::GcMissed { collections } => {
                self.word("gc missed");
                self.number(collections);
            }
            &Event::Totals { class, born, left, bytes } => {
                self.word("totals");
                [u64::from(class.0), born, left, bytes].into_iter().for_each(|number| self.number(number));
            }
            &Event::Interpreters { others } => {
                self.word("interpreters");
                self.number(others);
            }
            &Event::Searched { objects, unfinished } => {
                self.word("searched");
                [objects, unfinished].into_iter().for_each(|number| self.number(number));
            }
            &Event::Places { object, places } => {
                self.about("places", object);
                if let Some(places) = places {
                    self.number(places);
                }
            }
            &Event::Unchanged { object, more } => {
                self.about("unchanged", object);
                if more > 0 {
                    self.number(more);
                }
            }
            &Event::Unseen { since } => {
                self.word("unseen");
                self.number(since);
            }
            Event::Stopped(reason) => {
                self.word("stopped ");
                write_reason(&mut self.line, reason);
            }
            Event::Mark(mark) => {
                self.word("mark ");
                write_mark(&mut self.line, mark);
            }
            &Event::Time { ns } => {
                self.word("time");
                self.number(ns);
            }
            &Event::Walk(scope) => self.scope("walk", scope),
            &Event::Checkpoint(scope) => self.scope("checkpoint", scope),
            Event::End => self.word("end"),
        }
        self.end_line()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        match self.out {
            Out::Plain(mut out) => out.flush(),
            Out::Packed(out) => out.finish()?.flush(),
        }
    }
}

fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn hexadecimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 16];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}
