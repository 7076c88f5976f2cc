//! Events to the bytes of a record, as `docs/formats/binary.md` has them. What goes in are plain numbers, what comes out
//! is the record's bytes, valid until the next call.
//!
//! This file is compiled twice: here, for the converter, and into the recording agent (`recorder/agent`), which has no
//! dependency but `std`. So it uses nothing of this crate, and allocates nothing: the agent calls it inside CPython's
//! allocator. Framing (blocks, checksums) is the caller's work, because the agent frames into a memory-mapped file.
//!
//! Whoever changes a record here changes `decode.rs` and the page as well; the round-trip property holds them together.

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
}

/// First bytes of a binary trace.
pub const MAGIC: [u8; 8] = *b"\x89RFL\r\n\x1a\n";
/// Version of the binary form.
pub const VERSION: u32 = 1;
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

    /// The memory of the last record; what stands behind the record means nothing.
    pub fn buffer(&self) -> &[u8; 64] {
        &self.record
    }

    pub fn alloc(&mut self, object: u64, address: u64, class: u32, bytes: u64, site: u32) -> &[u8] {
        self.about(kind::ALLOC, object);
        if self.dense {
            self.signed(address.wrapping_sub(self.context.address));
            self.context.address = address;
        }
        self.number(u64::from(class));
        self.number(bytes);
        self.number(u64::from(site));
        self.finish()
    }

    /// `RETYPE`, `RESIZE`, `OWNS`, `NAME`, `CODE`, `ROOT`, `UNROOT`: an object and a number.
    pub fn fact(&mut self, kind: u8, object: u64, value: u64) -> &[u8] {
        self.about(kind, object);
        self.number(value);
        self.finish()
    }

    /// `FREE`, `INCREF`, `DECREF`: an object alone.
    pub fn object(&mut self, kind: u8, object: u64) -> &[u8] {
        self.about(kind, object);
        self.finish()
    }

    /// `state`: 0 none, 1 inline, 2 split, 3 combined, 4 detached.
    pub fn dict(&mut self, object: u64, state: u8, capacity: u32) -> &[u8] {
        self.about(kind::DICT, object);
        self.byte(state);
        self.number(u64::from(capacity));
        self.finish()
    }

    pub fn count(&mut self, object: u64, count: u64, flags: u8) -> &[u8] {
        self.about(kind::COUNT, object);
        self.byte(flags);
        self.number(count);
        self.finish()
    }

    /// `slot` is the raw word of a `Slot`: the top bit set for an index.
    pub fn reference(&mut self, from: u64, to: u64, slot: u32) -> &[u8] {
        if from == self.context.subject {
            self.start(kind::REF_SAME);
        } else {
            self.about(kind::REF, from);
        }
        self.target_and_slot(to, slot);
        self.finish()
    }

    pub fn unreference(&mut self, from: u64, to: u64, slot: u32) -> &[u8] {
        self.about(kind::UNREF, from);
        self.target_and_slot(to, slot);
        self.finish()
    }

    /// `parent` 0 is none.
    pub fn site(&mut self, site: u32, parent: u32, line: u32, path: u32, function: u32) -> &[u8] {
        self.start(kind::SITE);
        for number in [site, parent, line, path, function] {
            self.number(u64::from(number));
        }
        self.finish()
    }

    /// The head of a `TYPE`; `length` bytes of text follow: what stands after `type` in the text form.
    pub fn type_head(&mut self, length: usize) -> &[u8] {
        self.start(kind::TYPE);
        self.number(length as u64);
        self.finish()
    }

    /// The head of a `TEXT`; `length` bytes of UTF-8 follow.
    pub fn text_head(&mut self, text: u32, length: usize) -> &[u8] {
        self.start(kind::TEXT);
        self.number(u64::from(text));
        self.number(length as u64);
        self.finish()
    }

    /// The head of a `MARK`; `length` bytes of text follow: what stands after `mark` in the text form.
    pub fn mark_head(&mut self, length: usize) -> &[u8] {
        self.start(kind::MARK);
        self.number(length as u64);
        self.finish()
    }

    pub fn gc_start(&mut self, generation: u8) -> &[u8] {
        self.start(kind::GC_START);
        self.byte(generation);
        self.finish()
    }

    pub fn gc_stop(&mut self, collected: u64, uncollectable: u64) -> &[u8] {
        self.start(kind::GC_STOP);
        self.number(collected);
        self.number(uncollectable);
        self.finish()
    }

    pub fn time(&mut self, ns: u64) -> &[u8] {
        self.start(kind::TIME);
        self.signed(ns.wrapping_sub(self.context.time));
        self.context.time = ns;
        self.finish()
    }

    /// `WALK` and `CHECKPOINT`: 0 is the full heap, 1 the garbage.
    pub fn scope(&mut self, kind: u8, scope: u8) -> &[u8] {
        self.start(kind);
        self.byte(scope);
        self.finish()
    }

    pub fn end(&mut self) -> &[u8] {
        self.start(kind::END);
        self.finish()
    }

    fn start(&mut self, kind: u8) {
        self.record[0] = kind;
        self.length = 1;
    }

    fn about(&mut self, kind: u8, object: u64) {
        self.start(kind);
        self.signed(object.wrapping_sub(self.context.subject));
        self.context.subject = object;
    }

    fn target_and_slot(&mut self, to: u64, slot: u32) {
        self.signed(to.wrapping_sub(self.context.target));
        self.context.target = to;
        // The index bit goes to the bottom, so that small indexes and early texts are both short.
        self.number(u64::from(slot.rotate_left(1)));
    }

    fn byte(&mut self, byte: u8) {
        self.record[self.length] = byte;
        self.length += 1;
    }

    /// LEB128.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    /// A difference modulo 2⁶⁴, zigzag, LEB128.
    fn signed(&mut self, difference: u64) {
        let signed = difference.cast_signed();
        self.number(((signed << 1) ^ (signed >> 63)).cast_unsigned());
    }

    fn finish(&self) -> &[u8] {
        &self.record[..self.length]
    }
}
