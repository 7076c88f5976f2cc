//! Encodes records, as `docs/formats/binary.md` has them: from numbers to bytes that are valid until the next call.
//!
//! This file is compiled twice: here, for the converter, and into the recording agent (`recorder/agent`), which has no
//! dependency but `std`. So it uses nothing of this crate, and allocates nothing: the agent calls it inside CPython's
//! allocator. Framing (blocks, checksums) is the caller's work, because the agent frames in memory of its own.
//!
//! Whoever changes a record here changes `decode.rs` and the page as well; the round-trip property holds them together.

// In the agent all of it is used; here the converter uses a part.
#![allow(unreachable_pub)]

/// The first byte of each record.
pub mod kind {
    /// Never written: zero bytes mark where an open block ends.
    pub const PAD: u8 = 0;
    pub const TYPE: u8 = 1;
    pub const SITE: u8 = 2;
    pub const TEXT: u8 = 3;
    pub const ALLOC: u8 = 4;
    pub const RETYPE: u8 = 5;
    pub const RESIZE: u8 = 6;
    pub const OWNS: u8 = 7;
    pub const DICT: u8 = 8;
    pub const NAME: u8 = 9;
    pub const CODE: u8 = 10;
    pub const REF: u8 = 11;
    pub const UNREF: u8 = 12;
    pub const ROOT: u8 = 13;
    pub const UNROOT: u8 = 14;
    pub const INCREF: u8 = 15;
    pub const DECREF: u8 = 16;
    pub const COUNT: u8 = 17;
    pub const FREE: u8 = 18;
    pub const GC_START: u8 = 19;
    pub const GC_STOP: u8 = 20;
    pub const MARK: u8 = 21;
    pub const TIME: u8 = 22;
    pub const WALK: u8 = 23;
    pub const CHECKPOINT: u8 = 24;
    pub const END: u8 = 25;
    /// A `REF` whose referrer is the object that the record before was about.
    pub const REF_SAME: u8 = 26;
    pub const UNREACHABLE: u8 = 27;
    pub const GC_MISSED: u8 = 28;
    pub const INTERPRETERS: u8 = 29;
    pub const UNSEEN: u8 = 30;
    pub const STOPPED: u8 = 31;
    pub const GC_LOOKED: u8 = 32;
    pub const GC_PAUSE: u8 = 33;
    pub const HIDDEN: u8 = 34;
    pub const GC_STATE: u8 = 35;
    pub const GC_LISTS: u8 = 36;
    pub const TOTALS: u8 = 41;
    pub const SEARCHED: u8 = 42;
    pub const PLACES: u8 = 43;
    pub const UNCHANGED: u8 = 44;
}

/// First bytes of a binary trace.
pub const MAGIC: [u8; 8] = *b"\x89RFL\r\n\x1a\n";
/// Version of the binary form.
pub const VERSION: u32 = 1;
/// Bytes before the header text: magic, version, length, checksum.
pub const FILE_HEADER: usize = 20;
/// First bytes of a block.
pub const BLOCK_MAGIC: [u8; 4] = *b"RBLK";
/// Bytes of a block's header: magic, state, three zero bytes, then four little-endian words: stored bytes, raw bytes,
/// records, CRC-32 of the stored bytes.
pub const BLOCK_HEADER: usize = 24;
/// A block that is still being written: its words are zero, its records go up to the first zero byte.
pub const BLOCK_OPEN: u8 = 0;
pub const BLOCK_RAW: u8 = 1;
pub const BLOCK_ZSTD: u8 = 2;
/// No block is longer, raw or stored; a reader may refuse one that says so.
pub const BLOCK_LIMIT: usize = 16 << 20;
/// No text is longer; a writer cuts it.
pub const TEXT_LIMIT: usize = 1 << 16;

/// Puts words into the blanks at the end of a header text; false where there are too few. The checksum is the caller's.
pub fn add_words(text: &mut [u8], words: &str) -> bool {
    let said = text.trim_ascii_end().len();
    let Some(room) = text.get_mut(said + 1..said + 1 + words.len()) else { return false };
    room.copy_from_slice(words.as_bytes());
    true
}

/// A record of no more bytes is made in a register: most are.
pub const SHORT: usize = 16;

/// What a difference is taken from. It begins anew with each block, so that blocks decode one by one.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    /// The object that the last record was about.
    subject: u64,
    /// The referent of the last reference.
    target: u64,
    /// The address of the last `alloc`.
    address: u64,
    time: u64,
}

/// Encodes one record after another.
#[derive(Debug)]
pub struct Encoder {
    context: Context,
    /// Whether tags are dense, so that `alloc` carries the address as well.
    dense: bool,
    length: usize,
    record: [u8; 64],
}

impl Encoder {
    pub fn new(dense: bool) -> Encoder {
        Encoder { context: Context::default(), dense, length: 0, record: [0; 64] }
    }

    /// To be called when a block begins.
    pub fn begin_block(&mut self) {
        self.context = Context::default();
    }

    /// The memory of the last record. Behind a record of at most [`SHORT`] bytes there are zeros up to that many.
    pub fn buffer(&self) -> &[u8; 64] {
        &self.record
    }

    pub fn alloc(&mut self, object: u64, address: u64, class: u32, bytes: u64, site: u32) -> &[u8] {
        let object = self.about(object);
        if self.dense {
            let numbers = [object, self.beside(address), class.into(), bytes, site.into()];
            let (word, length) = short_alloc(numbers);
            if length <= SHORT {
                self.keep(word, length)
            } else {
                self.write(kind::ALLOC, &numbers);
                self.finish()
            }
        } else {
            self.make(kind::ALLOC, [object, class.into(), bytes, site.into()])
        }
    }

    /// Two records, of an object that dies before anything else is written: `ALLOC` and `FREE`. For dense tags.
    pub fn lifetime(&mut self, object: u64, address: u64, class: u32, bytes: u64, site: u32) -> &[u8] {
        let numbers = [self.about(object), self.beside(address), class.into(), bytes, site.into()];
        let (word, length) = short_alloc(numbers);
        if length + 2 <= SHORT {
            self.keep(word | u128::from(kind::FREE) << (8 * length), length + 2)
        } else {
            self.write(kind::ALLOC, &numbers);
            self.byte(kind::FREE);
            self.byte(0);
            self.finish()
        }
    }

    /// `RETYPE`, `RESIZE`, `OWNS`, `NAME`, `CODE`, `ROOT`, `UNROOT`, `UNCHANGED`: an object and a number.
    pub fn fact(&mut self, kind: u8, object: u64, value: u64) -> &[u8] {
        let object = self.about(object);
        self.make(kind, [object, value])
    }

    /// `FREE`, `INCREF`, `DECREF`, `UNREACHABLE`: an object alone.
    pub fn object(&mut self, kind: u8, object: u64) -> &[u8] {
        let object = self.about(object);
        self.make(kind, [object])
    }

    /// `state`: 0 none, 1 inline, 2 split, 3 combined, 4 detached.
    pub fn dict(&mut self, object: u64, state: u8, capacity: u32) -> &[u8] {
        let object = self.about(object);
        self.make_with_byte(kind::DICT, object, state, capacity.into())
    }

    pub fn count(&mut self, object: u64, count: u64, flags: u8) -> &[u8] {
        let object = self.about(object);
        self.make_with_byte(kind::COUNT, object, flags, count)
    }

    /// `slot` is the raw word of a `Slot`: the top bit set for an index.
    pub fn reference(&mut self, from: u64, to: u64, slot: u32) -> &[u8] {
        let [target, slot] = self.target_and_slot(to, slot);
        if from == self.context.subject {
            self.make(kind::REF_SAME, [target, slot])
        } else {
            let from = self.about(from);
            self.make(kind::REF, [from, target, slot])
        }
    }

    pub fn unreference(&mut self, from: u64, to: u64, slot: u32) -> &[u8] {
        let [target, slot] = self.target_and_slot(to, slot);
        let from = self.about(from);
        self.make(kind::UNREF, [from, target, slot])
    }

    /// `evidence`: 0 layout, 1 release, 2 address.
    pub fn hidden(&mut self, from: u64, to: u64, slot: u32, evidence: u8) -> &[u8] {
        let [target, slot] = self.target_and_slot(to, slot);
        let from = self.about(from);
        self.make(kind::HIDDEN, [from, evidence.into(), target, slot])
    }

    /// `parent` 0 is none.
    pub fn site(&mut self, site: u32, parent: u32, line: u32, path: u32, function: u32) -> &[u8] {
        self.make(kind::SITE, [site, parent, line, path, function].map(u64::from))
    }

    /// The head of a `TYPE`; `length` bytes of text follow: what stands after `type` in the text form.
    pub fn type_head(&mut self, length: usize) -> &[u8] {
        self.make(kind::TYPE, [length as u64])
    }

    /// The head of a `TEXT`; `length` bytes of UTF-8 follow.
    pub fn text_head(&mut self, text: u32, length: usize) -> &[u8] {
        self.make(kind::TEXT, [text.into(), length as u64])
    }

    /// The head of a `MARK`; `length` bytes of text follow: what stands after `mark` in the text form.
    pub fn mark_head(&mut self, length: usize) -> &[u8] {
        self.make(kind::MARK, [length as u64])
    }

    /// The head of a `STOPPED`; `length` bytes of text follow: what stands after `stopped` in the text form.
    pub fn stopped_head(&mut self, length: usize) -> &[u8] {
        self.make(kind::STOPPED, [length as u64])
    }

    pub fn gc_start(&mut self, generation: u8) -> &[u8] {
        self.keep(u128::from(kind::GC_START) | u128::from(generation) << 8, 2)
    }

    pub fn gc_looked(&mut self, objects: u64) -> &[u8] {
        self.make(kind::GC_LOOKED, [objects])
    }

    pub fn gc_pause(&mut self, ns: u64) -> &[u8] {
        self.make(kind::GC_PAUSE, [ns])
    }

    pub fn gc_stop(&mut self, collected: u64, uncollectable: u64) -> &[u8] {
        self.make(kind::GC_STOP, [collected, uncollectable])
    }

    /// `enabled` 0 or 1; then thresholds, counts, objects that are pending in the oldest generation, and those in it.
    pub fn gc_state(&mut self, enabled: u8, thresholds: [u32; 3], counts: [u32; 3], long_lived: [u64; 2]) -> &[u8] {
        self.length = 0;
        self.byte(kind::GC_STATE);
        self.byte(enabled);
        thresholds.into_iter().chain(counts).for_each(|number| self.number(number.into()));
        long_lived.into_iter().for_each(|number| self.number(number));
        self.finish()
    }

    pub fn gc_lists(&mut self, generations: [u64; 3], frozen: u64) -> &[u8] {
        let [youngest, middle, oldest] = generations;
        self.make(kind::GC_LISTS, [youngest, middle, oldest, frozen])
    }

    pub fn gc_missed(&mut self, collections: u64) -> &[u8] {
        self.make(kind::GC_MISSED, [collections])
    }

    pub fn totals(&mut self, class: u32, born: u64, left: u64, bytes: u64) -> &[u8] {
        self.make(kind::TOTALS, [class.into(), born, left, bytes])
    }

    pub fn interpreters(&mut self, others: u64) -> &[u8] {
        self.make(kind::INTERPRETERS, [others])
    }

    pub fn searched(&mut self, objects: u64, unfinished: u64) -> &[u8] {
        self.make(kind::SEARCHED, [objects, unfinished])
    }

    /// `None` is not known.
    pub fn places(&mut self, object: u64, places: Option<u32>) -> &[u8] {
        self.fact(kind::PLACES, object, places.map_or(0, |places| u64::from(places) + 1))
    }

    /// `since` as `time` has it, but no difference.
    pub fn unseen(&mut self, since: u64) -> &[u8] {
        self.make(kind::UNSEEN, [since])
    }

    pub fn time(&mut self, ns: u64) -> &[u8] {
        let difference = zigzag(ns.wrapping_sub(self.context.time));
        self.context.time = ns;
        self.make(kind::TIME, [difference])
    }

    /// `WALK` and `CHECKPOINT`: 0 is the full heap, 1 the garbage, 2 what a forked process has of its own.
    pub fn scope(&mut self, kind: u8, scope: u8) -> &[u8] {
        self.keep(u128::from(kind) | u128::from(scope) << 8, 2)
    }

    pub fn end(&mut self) -> &[u8] {
        self.make(kind::END, [])
    }

    /// What is written of the object that a record is about.
    fn about(&mut self, object: u64) -> u64 {
        let difference = object.wrapping_sub(self.context.subject);
        self.context.subject = object;
        zigzag(difference)
    }

    fn beside(&mut self, address: u64) -> u64 {
        let difference = address.wrapping_sub(self.context.address);
        self.context.address = address;
        zigzag(difference)
    }

    fn target_and_slot(&mut self, to: u64, slot: u32) -> [u64; 2] {
        let difference = to.wrapping_sub(self.context.target);
        self.context.target = to;
        // The index bit goes to the bottom, so that small indexes and early texts are both short.
        [zigzag(difference), slot.rotate_left(1).into()]
    }

    /// A record of these numbers.
    #[inline]
    fn make<const N: usize>(&mut self, kind: u8, numbers: [u64; N]) -> &[u8] {
        let (word, length) = short(kind, numbers);
        if length <= SHORT {
            self.keep(word, length)
        } else {
            self.write(kind, &numbers);
            self.finish()
        }
    }

    /// A record of an object, a plain byte, and a number.
    fn make_with_byte(&mut self, kind: u8, object: u64, byte: u8, number: u64) -> &[u8] {
        let (word, length) = short(kind, [object]);
        let word = word | u128::from(byte) << (8 * length % 128);
        let (word, length) = join((word, length + 1), number);
        if length <= SHORT {
            return self.keep(word, length);
        }
        self.write(kind, &[object]);
        self.byte(byte);
        self.number(number);
        self.finish()
    }

    #[inline]
    fn keep(&mut self, word: u128, length: usize) -> &[u8] {
        self.record[..SHORT].copy_from_slice(&word.to_le_bytes());
        &self.record[..length]
    }

    /// A record of any length, byte by byte.
    #[cold]
    fn write(&mut self, kind: u8, numbers: &[u64]) {
        self.record[0] = kind;
        self.length = 1;
        for &number in numbers {
            self.number(number);
        }
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    fn byte(&mut self, byte: u8) {
        self.record[self.length] = byte;
        self.length += 1;
    }

    fn finish(&self) -> &[u8] {
        &self.record[..self.length]
    }
}

/// A record in a register, and its length: more than [`SHORT`], and the record nonsense, where it does not fit.
#[inline]
fn short<const N: usize>(kind: u8, numbers: [u64; N]) -> (u128, usize) {
    numbers.into_iter().fold((u128::from(kind), 1), join)
}

/// As `short`. Many programs write more of these records than of all others, and two joins of what may be long take half
/// the time of five.
#[inline]
fn short_alloc(numbers: [u64; 5]) -> (u128, usize) {
    let [object, address, class, bytes, site] = numbers;
    if (class | bytes) >> 14 != 0 || (object | address | site) >> 28 != 0 {
        return short(kind::ALLOC, numbers);
    }
    let two_bytes = |number: u64| {
        let more = u64::from(number >= 1 << 7);
        ((number & 0x7F) | (number & 0x3F80) << 1 | more << 7, 1 + more as usize)
    };
    let ((object, object_count), (address, address_count)) = (leb128(object), leb128(address));
    let ((class, class_count), (bytes, bytes_count), (site, site_count)) =
        (two_bytes(class), two_bytes(bytes), leb128(site));
    let head = u64::from(kind::ALLOC) | object << 8;
    let tail = class | bytes << (8 * class_count) | site << (8 * (class_count + bytes_count));
    let (head_count, tail_count) = (1 + object_count, class_count + bytes_count + site_count);
    let word = u128::from(head) | u128::from(address) << (8 * head_count);
    (word | u128::from(tail) << (8 * (head_count + address_count)), head_count + address_count + tail_count)
}

#[inline]
fn join((word, length): (u128, usize), number: u64) -> (u128, usize) {
    let (bytes, count) = leb128(number);
    (word | u128::from(bytes) << (8 * length % 128), length + count)
}

/// LEB128 in the low bytes of a word, and how many they are: more than [`SHORT`] for a number that has no room there.
#[inline]
fn leb128(number: u64) -> (u64, usize) {
    if number < 1 << 28 {
        let halves = (number & 0x3FFF) | (number & 0x0FFF_C000) << 2;
        let groups = (halves & 0x007F_007F) | (halves & 0x3F80_3F80) << 1;
        // Comparisons that wait for nothing, where a search for the highest bit would be slow on many processors.
        let more = [number >= 1 << 7, number >= 1 << 14, number >= 1 << 21].map(u64::from);
        (groups | more[0] << 7 | more[1] << 15 | more[2] << 23, (1 + more[0] + more[1] + more[2]) as usize)
    } else if number < 1 << 56 {
        let halves = (number & 0x0FFF_FFFF) | (number & 0x00FF_FFFF_F000_0000) << 4;
        let quarters = (halves & 0x0000_3FFF_0000_3FFF) | (halves & 0x0FFF_C000_0FFF_C000) << 2;
        let groups = (quarters & 0x007F_007F_007F_007F) | (quarters & 0x3F80_3F80_3F80_3F80) << 1;
        let count = (70 - number.leading_zeros()) / 7;
        (groups | (0x0080_8080_8080_8080 & ((1 << (8 * (count - 1))) - 1)), count as usize)
    } else {
        (0, SHORT + 1)
    }
}

/// A difference modulo 2⁶⁴: small ones, of either sign, to small numbers.
fn zigzag(difference: u64) -> u64 {
    let signed = difference.cast_signed();
    ((signed << 1) ^ (signed >> 63)).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::{Encoder, kind};

    #[test]
    fn a_record_made_in_a_register_is_the_one_made_byte_by_byte() {
        let edges = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).collect::<Vec<_>>();
        let (mut quick, mut slow) = (Encoder::new(true), Encoder::new(true));
        for (place, &number) in edges.iter().enumerate() {
            let other = |step: usize| edges[place * step % edges.len()];
            let numbers = [number, other(7), other(11) >> 32, other(5), other(3) >> 32];
            slow.write(kind::SITE, &numbers);
            let slow = slow.finish();
            assert_eq!(quick.make(kind::SITE, numbers), slow);
            assert!(quick.buffer()[slow.len().min(16)..16].iter().all(|&byte| byte == 0) || slow.len() > 16);
        }
    }

    #[test]
    fn a_lifetime_is_a_birth_and_a_death() {
        let (mut one, mut two) = (Encoder::new(true), Encoder::new(true));
        for bit in 0..62 {
            for (class, site) in [(3, 5), (1 << 13, 1 << 20), (u32::MAX, 7), (9, u32::MAX)] {
                let (object, address, bytes) = (1 << (bit / 2), 0x7F00_0000_0000 + (1 << bit), 1 << (61 - bit));
                let mut both = two.alloc(object, address, class, bytes, site).to_vec();
                both.extend_from_slice(two.object(kind::FREE, object));
                assert_eq!(one.lifetime(object, address, class, bytes, site), both);
            }
        }
    }
}
