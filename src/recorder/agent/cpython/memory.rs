//! Reads CPython's memory: the words of an object's head, the same in 3.8 to 3.15 (64-bit builds with a GIL).
//!
//! What goes in is the address of a live `PyObject`, what comes out is a word of it. Nothing is written, no reference
//! is taken, no Python code runs.

use super::versions::{CPython, PreHeader};

/// `ob_refcnt` and `ob_type`.
pub(crate) const OBJECT_HEAD: u64 = 16;

/// Bytes in front of each object that the collector knows: `_gc_next`, `_gc_prev`.
pub(crate) const GC_HEAD: usize = 16;

/// Bytes of the pointers in front of that: to the dict, and to the weak references, of a managed class.
const PRE_HEADER: usize = 16;

/// `_gc_prev`: the finalizer has run.
pub(crate) const PREV_FINALIZED: usize = 1;
/// `_gc_prev`: the object is a candidate of the collection that is going on.
pub(crate) const PREV_COLLECTING: usize = 2;
/// `_gc_prev`: the rest is a pointer, or the collector's reference count.
pub(crate) const PREV_SHIFT: u32 = 2;
pub(crate) const PREV_FLAGS: usize = (1 << PREV_SHIFT) - 1;

/// In the head that the collector has in front of an object: `_gc_prev`.
pub(crate) const GC_PREV: usize = 8;
/// In front of the head of an object: the list of weak references of a managed class.
pub(crate) const MANAGED_WEAK_REFERENCES: usize = 32;

/// Thread state → interpreter state.
pub(crate) const THREAD_INTERPRETER: usize = 16;

/// `tp_flags`, from `Include/object.h`.
pub(crate) mod flag {
    pub(crate) const INLINE_VALUES: usize = 1 << 2;
    pub(crate) const MANAGED_WEAKREF: usize = 1 << 3;
    pub(crate) const MANAGED_DICT: usize = 1 << 4;
    pub(crate) const HEAP_TYPE: usize = 1 << 9;
    pub(crate) const READY: usize = 1 << 12;
    pub(crate) const HAVE_GC: usize = 1 << 14;
    pub(crate) const LONG_SUBCLASS: usize = 1 << 24;
    pub(crate) const LIST_SUBCLASS: usize = 1 << 25;
    pub(crate) const BYTES_SUBCLASS: usize = 1 << 27;
    pub(crate) const UNICODE_SUBCLASS: usize = 1 << 28;
    pub(crate) const EXCEPTION_SUBCLASS: usize = 1 << 30;
    pub(crate) const TYPE_SUBCLASS: usize = 1 << 31;
}

/// Offsets in a `PyTypeObject`, the same in 3.8 to 3.15.
pub(crate) mod ty {
    pub(crate) const NAME: usize = 24;
    pub(crate) const BASIC_SIZE: usize = 32;
    pub(crate) const ITEM_SIZE: usize = 40;
    pub(crate) const DEALLOC: usize = 48;
    pub(crate) const VECTORCALL_OFFSET: usize = 56;
    pub(crate) const BUFFER: usize = 160;
    pub(crate) const FLAGS: usize = 168;
    pub(crate) const TRAVERSE: usize = 184;
    pub(crate) const WEAKLIST_OFFSET: usize = 208;
    pub(crate) const MEMBERS: usize = 240;
    pub(crate) const GETSET: usize = 248;
    pub(crate) const BASE: usize = 256;
    pub(crate) const DICT: usize = 264;
    pub(crate) const DESCR_GET: usize = 272;
    pub(crate) const DESCR_SET: usize = 280;
    pub(crate) const DICT_OFFSET: usize = 288;
    pub(crate) const IS_GC: usize = 328;
    pub(crate) const BASES: usize = 336;
    pub(crate) const DEL: usize = 376;
}

/// The word at `address`, which need not be aligned: Debian's 3.13 aligns the heads of the collector's lists to four bytes.
pub(crate) unsafe fn word(address: usize) -> usize {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { (address as *const usize).read_unaligned() }
}

pub(crate) unsafe fn signed(address: usize) -> isize {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { (address as *const isize).read() }
}

pub(crate) unsafe fn half(address: usize) -> i32 {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { (address as *const i32).read() }
}

pub(crate) unsafe fn byte(address: usize) -> u8 {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { (address as *const u8).read() }
}

pub(crate) unsafe fn set_half(address: usize, value: i32) {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { (address as *mut i32).write(value) }
}

pub(crate) unsafe fn set_word(address: usize, value: usize) {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { (address as *mut usize).write_unaligned(value) }
}

pub(crate) unsafe fn type_of(object: usize) -> usize {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { word(object + 8) }
}

pub(crate) unsafe fn type_flags(class: usize) -> usize {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { word(class + ty::FLAGS) }
}

/// `_gc_prev` in a collector's head.
pub(crate) unsafe fn gc_prev(node: usize) -> usize {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { word(node + GC_PREV) }
}

pub(crate) unsafe fn set_gc_prev(node: usize, value: usize) {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { set_word(node + GC_PREV, value) }
}

/// `ob_size` of a variable-size object.
pub(crate) unsafe fn size_of(object: usize) -> isize {
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { signed(object + 16) }
}

/// A C string without its NUL.
pub(crate) unsafe fn c_string<'a>(address: usize) -> &'a [u8] {
    if address == 0 {
        return b"";
    }
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { std::ffi::CStr::from_ptr(address as *const std::ffi::c_char).to_bytes() }
}

/// Items of a tuple.
pub(crate) unsafe fn tuple_items<'a>(row: &CPython, tuple: usize) -> &'a [usize] {
    let items = (tuple + row.tuple_items) as *const usize;
    // SAFETY: as the caller promises, there is such a word at the address.
    unsafe { std::slice::from_raw_parts(items, size_of(tuple).max(0).cast_unsigned()) }
}

/// Bytes in front of the collector's head of instances of a class with these flags.
pub(crate) fn pre_header(row: &CPython, class_flags: usize) -> usize {
    let managed = match row.pre_header {
        PreHeader::None => 0,
        PreHeader::Dict => flag::MANAGED_DICT,
        PreHeader::DictAndWeakReferences => flag::MANAGED_DICT | flag::MANAGED_WEAKREF,
    };
    if class_flags & managed != 0 { PRE_HEADER } else { 0 }
}

/// The lowest bits of a reference in a frame (3.14+, `_PyStackRef`) say whether it has a count, or is no pointer at all.
/// The address of an object has none of them.
const REFERENCE_TAGS: usize = 3;
/// The tag of a small integer, which is no object.
const TAGGED_INTEGER: usize = 3;

/// The object that a reference in a frame refers to, 0 if none: the word itself before 3.14, without its tag since.
#[inline]
pub(crate) fn referent(word: usize) -> usize {
    if word & REFERENCE_TAGS == TAGGED_INTEGER { 0 } else { word & !REFERENCE_TAGS }
}

/// Of the pool whose first bytes these are: where in it the block begins that has the byte at `offset`, and how long the
/// block is. `None` where it is no pool (`struct pool_header` in `Objects/obmalloc.c`, the same in 3.8 to 3.15).
pub(crate) fn pool_block(head: &[u8], pool_bytes: usize, offset: usize) -> Option<(usize, usize)> {
    const POOL_HEAD: usize = 48;
    const ALIGNMENT: usize = 16;
    const CLASSES: usize = 32;
    const MOST_ARENAS: usize = 1 << 20;
    let field = |place: usize| Some(u32::from_ne_bytes(*head.get(place..)?.first_chunk()?) as usize);
    let (used, arena, class, next, last) = (field(0)?, field(32)?, field(36)?, field(40)?, field(44)?);
    let bytes = (class.min(CLASSES) + 1) * ALIGNMENT;
    let is_pool = class < CLASSES
        && (1..=pool_bytes / ALIGNMENT).contains(&used)
        && arena < MOST_ARENAS
        && last == pool_bytes - bytes
        && next <= pool_bytes;
    let in_blocks = offset.checked_sub(POOL_HEAD)?;
    is_pool.then_some((POOL_HEAD + in_blocks / bytes * bytes, bytes))
}
