//! Decodes the bytes of a record, as `docs/formats/binary.md` has them; the other half of `encode.rs`.
//!
//! Advice: the payload is followed by [`MARGIN`] zero bytes, so every record of bounded length is read from an array of
//! that size, where no index has to be checked and no byte is looked for in vain. Whether the record was whole is asked once, at its
//! end; so is whether its numbers fit. And of the common records no event is made: their fields go to the player in registers, and
//! the processor guesses once and not twice what a record is.

use super::encode::{TEXT_LIMIT, kind};
use crate::trace::formats::text::{definitions, read_shared};
use crate::trace::{
    DictState, ErrorKind, Event, Evidence, GcState, ObjectFlags, Player, Position, Scope, SiteDef, SiteId, Slot, Tag,
    TextDef, TextId, TypeId,
};

/// No record of bounded length has more bytes.
const OPERANDS: usize = 64;
/// The longest number has so many bytes.
const LONGEST: usize = 10;
/// Bytes that must follow a payload, all zero: a record, and a number that begins with its last byte.
pub(super) const MARGIN: usize = OPERANDS + LONGEST;

const TOO_LARGE: &str = "numbers that fit their fields";

/// Why a record cannot be decoded.
#[derive(Debug)]
pub(super) enum Bad {
    /// The payload ends before the record does.
    Cut,
    /// A zero byte where a record should begin.
    Nothing,
    /// The place is relative to the record.
    Kind(Position, ErrorKind),
}

/// Decodes one record after another.
#[derive(Debug)]
pub(super) struct Decoder {
    context: Context,
    dense: bool,
    /// The highest object number that an `alloc` has named.
    last_object: u64,
    /// The number of the last text.
    last_text: u32,
    problem: Option<Bad>,
}

/// What a difference is added to.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    subject: u64,
    target: u64,
    address: u64,
    time: u64,
}

impl Decoder {
    pub(super) fn new(dense: bool) -> Decoder {
        Decoder { context: Context::default(), dense, last_object: 0, last_text: 0, problem: None }
    }

    /// To be called when a block begins.
    pub(super) fn begin_block(&mut self) {
        self.context = Context::default();
    }

    /// Plays the record at `at`, which then stands at the next; `None` where it cannot be decoded: see
    /// [`Decoder::problem`]. `payload` ends with [`MARGIN`] zero bytes that do not count.
    #[inline(always)]
    pub(super) fn record<P: Player + ?Sized>(&mut self, payload: &[u8], at: &mut usize, player: &mut P) -> Option<()> {
        let start = *at;
        let bytes = payload.get(start..)?.first_chunk()?;
        let end = payload.len() - MARGIN;
        let mut operands = Operands::new(bytes);
        let kind = bytes[0];
        macro_rules! answer {
            ($method:ident($($operand:expr),*)) => {
                match operands.whole(start, end, record_name(kind)) {
                    Ok(next) => {
                        *at = next;
                        player.$method($($operand),*);
                        return Some(());
                    }
                    Err(bad) => {
                        self.problem = Some(bad);
                        return None;
                    }
                }
            };
        }
        match kind {
            kind::REF_SAME => {
                let from = Tag(self.context.subject);
                let (to, slot) = self.target_and_slot(&mut operands);
                answer!(reference(from, to, slot))
            }
            kind::REF => {
                let from = self.object(&mut operands);
                let (to, slot) = self.target_and_slot(&mut operands);
                answer!(reference(from, to, slot))
            }
            kind::UNREF => {
                let from = self.object(&mut operands);
                let (to, slot) = self.target_and_slot(&mut operands);
                answer!(unreference(from, to, slot))
            }
            kind::ALLOC => {
                let object = self.object(&mut operands);
                let mut address = object.0;
                if self.dense {
                    if object.0.wrapping_sub(1) >= self.last_object {
                        self.next_object(object.0, &mut operands);
                    }
                    address = add(&mut self.context.address, operands.difference());
                }
                let (class, bytes, site) = (operands.short(), operands.number(), operands.short());
                answer!(birth(object, address, TypeId(class), bytes, SiteId(site)))
            }
            kind::FREE => {
                let object = self.object(&mut operands);
                answer!(free(object))
            }
            kind::INCREF => {
                let object = self.object(&mut operands);
                answer!(incref(object))
            }
            kind::DECREF => {
                let object = self.object(&mut operands);
                answer!(decref(object))
            }
            kind::COUNT => {
                let object = self.object(&mut operands);
                let flags = operands.byte();
                if u32::from(flags) >> ObjectFlags::NAMES.len() != 0 {
                    operands.refuse("flags below 16");
                }
                let count = operands.number();
                answer!(event(Event::Count { object, count, flags: ObjectFlags(flags) }))
            }
            _ => match self.rare(kind, payload, start, operands) {
                Ok((event, next)) => {
                    *at = next;
                    player.event(event);
                    Some(())
                }
                Err(bad) => {
                    self.problem = Some(bad);
                    None
                }
            },
        }
    }

    /// Why the last record could not be decoded.
    pub(super) fn problem(&mut self) -> Bad {
        self.problem.take().unwrap_or(Bad::Cut)
    }

    /// The kinds that are not worth the room in the hot loop.
    #[inline(never)]
    fn rare(&mut self, kind: u8, payload: &[u8], at: usize, mut operands: Operands<'_>) -> Result<(Event, usize), Bad> {
        let end = payload.len() - MARGIN;
        let name = record_name(kind);
        let event = match kind {
            kind::PAD => return Err(Bad::Nothing),
            kind::SITE => {
                let (id, parent, line) = (operands.short(), operands.short(), operands.short());
                let (path, function) = (TextId(operands.short()), TextId(operands.short()));
                if id == 0 {
                    operands.refuse("a site's number from 1 on");
                }
                let parent = (parent != 0).then_some(SiteId(parent));
                Event::Site(SiteDef { id: SiteId(id), path, line, function, parent })
            }
            kind::RETYPE => Event::Retype { object: self.object(&mut operands), class: TypeId(operands.short()) },
            kind::RESIZE => Event::Resize { object: self.object(&mut operands), bytes: operands.number() },
            kind::OWNS => Event::Owns { object: self.object(&mut operands), bytes: operands.number() },
            kind::NAME => Event::Name { object: self.object(&mut operands), name: TextId(operands.short()) },
            kind::CODE => Event::Code { object: self.object(&mut operands), site: SiteId(operands.short()) },
            kind::ROOT => Event::Root { object: self.object(&mut operands), name: TextId(operands.short()) },
            kind::UNROOT => Event::Unroot { object: self.object(&mut operands), name: TextId(operands.short()) },
            kind::UNREACHABLE => Event::Unreachable { object: self.object(&mut operands) },
            kind::DICT => {
                let object = self.object(&mut operands);
                let state = match operands.byte() {
                    0 => DictState::None,
                    1 => DictState::Inline,
                    2 => DictState::Split,
                    3 => DictState::Combined,
                    4 => DictState::Detached,
                    _ => {
                        operands.refuse("a state from 0 to 4");
                        DictState::None
                    }
                };
                Event::Dict { object, state, capacity: operands.short() }
            }
            kind::HIDDEN => {
                let from = self.object(&mut operands);
                let evidence = Evidence::ALL.get(usize::from(operands.byte())).map(|&(_, evidence)| evidence);
                if evidence.is_none() {
                    operands.refuse("evidence from 0 to 2");
                }
                let (to, slot) = self.target_and_slot(&mut operands);
                Event::Hidden { from, to, slot, evidence: evidence.unwrap_or(Evidence::Address) }
            }
            kind::GC_START => Event::GcStart { generation: operands.byte() },
            kind::GC_STOP => Event::GcStop { collected: operands.number(), uncollectable: operands.number() },
            kind::GC_LOOKED => Event::GcLooked { objects: operands.number() },
            kind::GC_PAUSE => Event::GcPause { ns: operands.number() },
            kind::GC_STATE => Event::GcState(Box::new(operands.gc_state())),
            kind::GC_LISTS => {
                Event::GcLists { generations: [(); 3].map(|()| operands.number()), frozen: operands.number() }
            }
            kind::GC_MISSED => Event::GcMissed { collections: operands.number() },
            kind::TOTALS => {
                let (class, [born, left, bytes]) = (TypeId(operands.short()), [(); 3].map(|()| operands.number()));
                Event::Totals { class, born, left, bytes }
            }
            kind::INTERPRETERS => Event::Interpreters { others: operands.number() },
            kind::SEARCHED => Event::Searched { objects: operands.number(), unfinished: operands.number() },
            kind::PLACES => {
                let (object, places) = (self.object(&mut operands), operands.number());
                let places = places.checked_sub(1).map(|places| {
                    u32::try_from(places).unwrap_or_else(|_| {
                        operands.refuse("places of 32 bits");
                        0
                    })
                });
                Event::Places { object, places }
            }
            kind::UNCHANGED => Event::Unchanged { object: self.object(&mut operands), more: operands.number() },
            kind::UNSEEN => Event::Unseen { since: operands.number() },
            kind::TIME => Event::Time { ns: add(&mut self.context.time, operands.difference()) },
            kind::WALK => Event::Walk(operands.scope()),
            kind::CHECKPOINT => Event::Checkpoint(operands.scope()),
            kind::END => Event::End,
            kind::TYPE | kind::TEXT | kind::MARK | kind::STOPPED => return self.text(kind, payload, at, operands),
            unknown => return Err(Bad::Kind(Position::default(), ErrorKind::UnknownRecord(unknown.to_string()))),
        };
        operands.whole(at, end, name).map(|next| (event, next))
    }

    /// The kinds that have a text behind their numbers.
    fn text(&mut self, kind: u8, payload: &[u8], at: usize, mut operands: Operands<'_>) -> Result<(Event, usize), Bad> {
        let end = payload.len() - MARGIN;
        let name = record_name(kind);
        let id = if kind == kind::TEXT { operands.short() } else { 0 };
        let length = operands.number();
        let start = operands.whole(at, end, name)?;
        if kind == kind::TEXT && length > TEXT_LIMIT as u64 {
            return bad(name, "at most 65536 bytes of text");
        }
        let Some(next) = usize::try_from(length).ok().and_then(|n| start.checked_add(n)).filter(|next| *next <= end)
        else {
            return Err(Bad::Cut);
        };
        let text = &payload[start..next];
        let position = Position { line: None, byte: (start - at) as u64 };
        let placed = |(position, kind)| Bad::Kind(position, kind);
        let event = match kind {
            kind::TYPE => {
                let def = read_shared(name, text, position, definitions::type_def).map_err(placed)?;
                Event::Type(Box::new(def))
            }
            kind::MARK => {
                let mark = read_shared(name, text, position, definitions::mark).map_err(placed)?;
                Event::Mark(Box::new(mark))
            }
            kind::STOPPED => {
                let reason = read_shared(name, text, position, definitions::reason).map_err(placed)?;
                Event::Stopped(reason)
            }
            _ => {
                let Ok(text) = str::from_utf8(text) else { return bad(name, "UTF-8") };
                if self.last_text.checked_add(1) != Some(id) || Slot::from_raw(id).as_text().is_none() {
                    return bad(name, "the next number of a text");
                }
                self.last_text = id;
                Event::Text(Box::new(TextDef { id: TextId(id), text: text.to_owned() }))
            }
        };
        Ok((event, next))
    }

    /// The first object of its number; the numbers come in order.
    #[inline]
    fn next_object(&mut self, number: u64, operands: &mut Operands<'_>) {
        if number == self.last_object + 1 && u32::try_from(number).is_ok() {
            self.last_object = number;
        } else {
            operands.refuse("a number that was freed, or the next one");
        }
    }

    #[inline(always)]
    fn object(&mut self, operands: &mut Operands<'_>) -> Tag {
        Tag(add(&mut self.context.subject, operands.difference()))
    }

    #[inline(always)]
    fn target_and_slot(&mut self, operands: &mut Operands<'_>) -> (Tag, Slot) {
        let to = add(&mut self.context.target, operands.difference());
        (Tag(to), Slot::from_raw(operands.short().rotate_right(1)))
    }
}

/// The bytes behind a record's kind.
struct Operands<'a> {
    bytes: &'a [u8; MARGIN],
    at: usize,
    /// More than 32 bits if some number has more than its field, or there is a problem: one question at the end, not one
    /// for each number.
    excess: u64,
    /// What was expected where something else stood. A record that is cut off is that first.
    problem: Option<&'static str>,
}

impl<'a> Operands<'a> {
    #[inline(always)]
    fn new(bytes: &'a [u8; MARGIN]) -> Operands<'a> {
        Operands { bytes, at: 1, excess: 0, problem: None }
    }

    /// LEB128, four bytes at once: how long the number is cannot be predicted, so nothing branches on it but that it has
    /// no more.
    #[inline(always)]
    fn number(&mut self) -> u64 {
        const LAST: u32 = 0x8080_8080;
        let word = u32::from_le_bytes(*self.rest());
        // The first byte without its top bit is the last of the number.
        let last = !word & LAST;
        if last == 0 {
            let (number, n_bytes) = long_number(self.rest());
            self.at += n_bytes;
            self.excess |= if number.is_none() { u64::MAX } else { 0 };
            return number.unwrap_or(0);
        }
        self.at += last.trailing_zeros() as usize / 8 + 1;
        let word = word & (last ^ (last - 1)) & !LAST;
        // Seven bits of each byte are pushed together: to groups of 14, then 28.
        let word = (word & 0x007f_007f) | (word & 0x7f00_7f00) >> 1;
        u64::from((word & 0x0000_3fff) | (word & 0x3fff_0000) >> 2)
    }

    /// No record takes more than five numbers of ten bytes and two bytes: the remainder never bites, it spares a check.
    #[inline(always)]
    fn rest<const N: usize>(&self) -> &'a [u8; N] {
        self.bytes[self.at % OPERANDS..].first_chunk().unwrap_or(&[0; N])
    }

    /// A number of 32 bits.
    #[inline(always)]
    fn short(&mut self) -> u32 {
        let number = self.number();
        self.excess |= number;
        number as u32
    }

    /// Zigzag.
    #[inline(always)]
    fn difference(&mut self) -> u64 {
        let number = self.number();
        (number >> 1) ^ (number & 1).wrapping_neg()
    }

    /// The record is wrong: this was expected.
    #[inline(always)]
    fn refuse(&mut self, expected: &'static str) {
        self.excess = u64::MAX;
        self.problem = Some(expected);
    }

    fn scope(&mut self) -> Scope {
        match self.byte() {
            0 => Scope::Full,
            1 => Scope::Garbage,
            2 => Scope::Own,
            _ => {
                self.refuse("a scope of 0, 1 or 2");
                Scope::Full
            }
        }
    }

    fn gc_state(&mut self) -> GcState {
        let enabled = self.byte();
        if enabled > 1 {
            self.refuse("a state of 0 or 1");
        }
        GcState {
            enabled: enabled == 1,
            thresholds: [(); 3].map(|()| self.short()),
            counts: [(); 3].map(|()| self.short()),
            long_lived_pending: self.number(),
            long_lived_total: self.number(),
        }
    }

    #[inline(always)]
    fn byte(&mut self) -> u8 {
        let [byte] = *self.rest();
        self.at += 1;
        byte
    }

    /// Where the next record begins, if this one is within the payload and its numbers within their fields.
    #[inline(always)]
    fn whole(&self, at: usize, end: usize, name: &'static str) -> Result<usize, Bad> {
        let next = at + self.at;
        if next > end {
            return Err(Bad::Cut);
        }
        if self.excess > u64::from(u32::MAX) {
            return bad(name, self.problem.unwrap_or(TOO_LARGE));
        }
        Ok(next)
    }
}

/// LEB128 of any length, and how many bytes it has; `None` where it has more than 64 bits.
#[cold]
fn long_number(bytes: &[u8; LONGEST]) -> (Option<u64>, usize) {
    let mut number = 0;
    for (n, &byte) in bytes.iter().enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * n);
        if byte < 0x80 {
            return ((n + 1 < LONGEST || byte <= 1).then_some(number), n + 1);
        }
    }
    (None, LONGEST)
}

#[inline(always)]
fn add(last: &mut u64, difference: u64) -> u64 {
    *last = last.wrapping_add(difference);
    *last
}

#[cold]
fn bad<T>(record: &'static str, expected: &str) -> Result<T, Bad> {
    Err(Bad::Kind(Position::default(), ErrorKind::Malformed { record, expected: expected.to_owned() }))
}

/// What the text form calls it.
fn record_name(kind: u8) -> &'static str {
    const NAMES: [&str; 45] = [
        "",
        "type",
        "site",
        "text",
        "alloc",
        "retype",
        "resize",
        "owns",
        "dict",
        "name",
        "code",
        "ref",
        "unref",
        "root",
        "unroot",
        "incref",
        "decref",
        "count",
        "free",
        "gc start",
        "gc stop",
        "mark",
        "time",
        "walk",
        "checkpoint",
        "end",
        "ref",
        "unreachable",
        "gc missed",
        "interpreters",
        "unseen",
        "stopped",
        "gc looked",
        "gc pause",
        "hidden",
        "gc state",
        "gc lists",
        "",
        "",
        "",
        "",
        "totals",
        "searched",
        "places",
        "unchanged",
    ];
    NAMES.get(usize::from(kind)).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_that_can_be_read_has_a_name() {
        for kind in 1..=u8::MAX {
            let mut payload = [0; 1 + MARGIN];
            payload[0] = kind;
            let mut decoder = Decoder::new(false);
            let is_read = decoder.record(&payload, &mut 0, &mut Vec::new()).is_some();
            let is_known = is_read || !matches!(decoder.problem(), Bad::Kind(_, ErrorKind::UnknownRecord(_)));
            assert_eq!(!record_name(kind).is_empty(), is_known, "{kind}");
        }
    }

    fn number(bytes: &[u8]) -> (u64, usize, bool) {
        let mut padded = [0; MARGIN];
        padded[1..=bytes.len()].copy_from_slice(bytes);
        let mut operands = Operands::new(&padded);
        (operands.number(), operands.at - 1, operands.excess == 0)
    }

    #[test]
    fn numbers_of_every_length_are_what_was_written() {
        for bits in 0..64 {
            for value in [1u64 << bits, (1 << bits) - 1, u64::MAX >> bits, 0x5a5a_5a5a_5a5a_5a5a >> bits] {
                let mut encoder = super::super::encode::Encoder::new(false);
                encoder.begin_block();
                let record = encoder.fact(kind::RESIZE, 0, value);
                assert_eq!(number(&record[2..]), (value, record.len() - 2, true));
            }
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_none() {
        assert!(!number(&[0xff; 12]).2);
        assert!(!number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02").2);
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), (u64::MAX, 10, true));
        assert_eq!(number(b"\x80\x00"), (0, 2, true));
    }
}
