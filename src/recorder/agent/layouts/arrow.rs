//! Reads how much memory buffers, arrays and tables of pyarrow own, and whose memory they hide (`arrow/buffer.h`, `arrow/array/data.h`,
//! `arrow/array/array_nested.h`, `arrow/array/array_dict.h`, `arrow/chunked_array.h`, and `arrow/table.cc` and
//! `arrow/record_batch.cc`, 8.0 to 26.0).
//!
//! An object of Python has a shared pointer to one of C++, which has shared pointers to others, down to the buffers. A buffer
//! that several hold counts with each of them for its part; what an array holds of itself a second time, as an array of its
//! own, is followed too. Whether a buffer's memory is its own is told by its C++ class, whose name its type information has.
//! That of another belongs to its parent, to a file, or to an object of Python that it keeps alive, and counts where the buffer
//! alone holds that one.

use super::{Found, Where, imported, numpy};
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{c_string, half, signed, size_of, ty, type_of, word};
use crate::cpython::object::WORD;
use crate::memory::Grow;

/// What an object of Python holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Buffer,
    Array,
    ChunkedArray,
    RecordBatch,
    Table,
}

/// `tp_name`.
const HOLDERS: [(&[u8], Holder); 5] = [
    (b"pyarrow.lib.Buffer", Holder::Buffer),
    (b"pyarrow.lib.Array", Holder::Array),
    (b"pyarrow.lib.ChunkedArray", Holder::ChunkedArray),
    (b"pyarrow.lib.RecordBatch", Holder::RecordBatch),
    (b"pyarrow.lib.Table", Holder::Table),
];

/// What differs between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The first and the last major version.
    versions: [u32; 2],
    /// The shared pointer of `arrow::Buffer` to the buffer that it is a part of. From 14 on a kind of device stands before it.
    parent: usize,
    /// The arrays that `arrow::SimpleRecordBatch` has made of its columns. From 23 on a lock stands before them.
    boxed: usize,
    /// Where `arrow::Buffer` ends, and a class that descends from it has an object of Python whose memory it is.
    end: usize,
}

const ROWS: [Row; 3] = [
    Row { versions: [8, 13], parent: 40, boxed: 56, end: 72 },
    Row { versions: [14, 22], parent: 48, boxed: 56, end: 80 },
    Row { versions: [23, 26], parent: 48, boxed: 96, end: 80 },
];

/// The shared pointer of each of these classes of Cython: behind the head, the list of weak references and the table of methods.
const POINTER: usize = 32;

/// `arrow::Buffer`.
const CAPACITY: usize = 32;
/// Classes of buffers: whose memory is their own, and whose memory is that of an object of Python, how far behind the end it is.
const MEMORY_IS_OWN: &[u8] = b"N5arrow10PoolBufferE";
const LENDERS: [(&[u8], usize); 3] =
    [(b"N5arrow2py11NumPyBufferE", 0), (b"N5arrow2py15PyForeignBufferE", 0), (b"N5arrow2py8PyBufferE", 8)];

/// `arrow::Array`: a shared pointer to its data.
const DATA: usize = 8;
/// Classes of arrays that hold other arrays, which are made of the same data: where their shared pointers are.
const VIEWS: [(&[u8], &[usize]); 6] = [
    (b"N5arrow9ListArrayE", &[40]),
    (b"N5arrow14LargeListArrayE", &[40]),
    (b"N5arrow18FixedSizeListArrayE", &[40]),
    (b"N5arrow8MapArrayE", &[40, 72, 88]),
    (b"N5arrow15DictionaryArrayE", &[40, 56]),
    (b"N5arrow14ExtensionArrayE", &[32]),
];
/// `arrow::ArrayData`: vectors of shared pointers to buffers and to data, and a shared pointer to data.
const BUFFERS: usize = 40;
const CHILDREN: usize = 64;
const DICTIONARY: usize = 88;
/// `arrow::ChunkedArray`: a vector of shared pointers to arrays.
const CHUNKS: usize = 0;
/// `arrow::SimpleRecordBatch`: a vector of shared pointers to data.
const COLUMNS: usize = 32;
/// `arrow::SimpleTable`: a vector of shared pointers to chunked arrays.
const TABLE_COLUMNS: usize = 32;

/// A type in a type, and a part of a part, are followed so far.
const MOST_NESTED: usize = 32;

/// What instances of the type of this name hold.
pub(super) fn holder(name: &[u8]) -> Option<Holder> {
    HOLDERS.iter().find(|(known, _)| *known == name).map(|&(_, holder)| holder)
}

/// That of the imported version, where it is a known one.
pub(super) unsafe fn row(interpreter: &Interpreter) -> Option<&'static Row> {
    // SAFETY: as the caller promises, the interpreter's lock is held.
    let (major, _) = unsafe { imported::version(interpreter, b"pyarrow") }?;
    ROWS.iter().find(|row| (row.versions[0]..=row.versions[1]).contains(&major))
}

/// A buffer that an object of Python leads to and whose memory is no other buffer's.
#[derive(Clone, Copy)]
struct Buffer {
    address: usize,
    /// Of its own memory.
    bytes: usize,
    /// The object of Python that lent it the memory, or 0.
    lender: usize,
    /// How much of it the object holds: 1 where nobody else does.
    part: f64,
}

/// Parts of thirds do not add up to 1 exactly.
const WHOLE: f64 = 0.999;

/// Bytes that `object` owns, and its part of those that it shares. An array whose reference the walk writes has bytes itself.
pub(super) unsafe fn storage(holder: Holder, row: &Row, object: usize, are_lenders_written: bool) -> usize {
    // SAFETY: as the caller promises, the object is alive, and the C++ objects that it holds are.
    unsafe {
        let bytes = buffers(holder, row, object).into_iter().map(|buffer| {
            let is_written = are_lenders_written && buffer.part > WHOLE && is_array(buffer.lender);
            if is_written { 0.0 } else { owned(&buffer) as f64 * buffer.part }
        });
        bytes.sum::<f64>() as usize
    }
}

/// The lenders of buffers that only `object` holds: each of them has one reference to its lender.
pub(super) unsafe fn lenders(holder: Holder, row: &Row, object: usize, found: &mut Found) {
    // SAFETY: as the caller promises, the object is alive, and the C++ objects that it holds are.
    let buffers = unsafe { buffers(holder, row, object) };
    let own = buffers.into_iter().filter(|buffer| buffer.part > WHOLE);
    found.add_each(own.map(|buffer| (buffer.lender, Where::Field(".obj"))));
}

/// Bytes of a buffer's memory that live with it: of a lender's, those that only it holds.
unsafe fn owned(buffer: &Buffer) -> usize {
    let lender = buffer.lender;
    // SAFETY: as the caller promises, the lender is alive or 0; a count of one fits the lower half on each CPython.
    unsafe {
        if lender == 0 {
            return buffer.bytes;
        }
        match c_string(word(type_of(lender) + ty::NAME)) {
            _ if half(lender) != 1 => 0,
            b"bytes" | b"bytearray" => size_of(lender).max(0).cast_unsigned(),
            _ if is_array(lender) => numpy::storage(lender),
            _ => 0,
        }
    }
}

unsafe fn is_array(lender: usize) -> bool {
    // SAFETY: as the caller promises, the lender is alive or 0.
    lender != 0 && unsafe { c_string(word(type_of(lender) + ty::NAME)) } == b"numpy.ndarray"
}

/// Each buffer that `object` leads to, once.
unsafe fn buffers(holder: Holder, row: &Row, object: usize) -> Vec<Buffer> {
    let mut found: Vec<Buffer> = Vec::new();
    // SAFETY: as the caller promises, the object is alive, and the C++ objects that it holds are.
    unsafe {
        let held = Shared::at(object + POINTER, 1);
        match holder {
            _ if held.object == 0 => {}
            Holder::Buffer => of_buffer(row, held, &mut found),
            Holder::Array => of_array(row, held, MOST_NESTED, &mut found),
            Holder::ChunkedArray => of_chunks(row, held, &mut found),
            Holder::RecordBatch => {
                held.each(COLUMNS).for_each(|data| of_data(row, data, MOST_NESTED, &mut found));
                held.each(row.boxed).for_each(|array| of_array(row, array, MOST_NESTED, &mut found));
            }
            Holder::Table => held.each(TABLE_COLUMNS).for_each(|chunks| of_chunks(row, chunks, &mut found)),
        }
    }
    found.sort_unstable_by_key(|buffer| buffer.address);
    found.dedup_by(|next, first| {
        let is_same = next.address == first.address;
        first.part += if is_same { next.part } else { 0.0 };
        is_same
    });
    found
}

unsafe fn of_chunks(row: &Row, chunks: Shared, found: &mut Vec<Buffer>) {
    // SAFETY: as the caller promises, the object is alive.
    unsafe { chunks.each(CHUNKS).for_each(|array| of_array(row, array, MOST_NESTED, found)) }
}

unsafe fn of_array(row: &Row, array: Shared, nested: usize, found: &mut Vec<Buffer>) {
    if array.object == 0 || nested == 0 {
        return;
    }
    // SAFETY: as the caller promises, the object is alive; it has virtual functions.
    unsafe {
        let class = class_name(array.object);
        let views = VIEWS.iter().find(|(known, _)| *known == class).map_or(&[][..], |&(_, views)| views);
        views.iter().for_each(|&view| of_array(row, array.follow(view), nested - 1, found));
        of_data(row, array.follow(DATA), nested, found);
    }
}

unsafe fn of_data(row: &Row, data: Shared, nested: usize, found: &mut Vec<Buffer>) {
    if data.object == 0 || nested == 0 {
        return;
    }
    // SAFETY: as the caller promises, the object is alive.
    unsafe {
        data.each(BUFFERS).for_each(|buffer| of_buffer(row, buffer, found));
        data.each(CHILDREN).for_each(|child| of_data(row, child, nested - 1, found));
        of_data(row, data.follow(DICTIONARY), nested - 1, found);
    }
}

unsafe fn of_buffer(row: &Row, mut buffer: Shared, found: &mut Vec<Buffer>) {
    for _ in 0..MOST_NESTED {
        if buffer.object == 0 {
            break;
        }
        // SAFETY: as the caller promises, the object is alive; it has virtual functions.
        unsafe {
            let (class, part) = (class_name(buffer.object), 1.0 / buffer.holders as f64);
            if class == MEMORY_IS_OWN {
                let bytes = signed(buffer.object + CAPACITY).max(0).cast_unsigned();
                found.add(Buffer { address: buffer.object, bytes, lender: 0, part });
                break;
            }
            if let Some((_, place)) = LENDERS.iter().find(|(known, _)| *known == class) {
                let lender = word(buffer.object + row.end + place);
                found.add(Buffer { address: buffer.object, bytes: 0, lender, part });
                break;
            }
            buffer = buffer.follow(row.parent);
        }
    }
}

/// The mangled name of the C++ class of an object that has virtual functions: a word before those stands its type information.
unsafe fn class_name<'a>(object: usize) -> &'a [u8] {
    // SAFETY: as the caller promises; so it is laid down by the ABI for C++ that all compilers of Linux have.
    unsafe { c_string(word(word(word(object) - WORD) + WORD)) }
}

/// What a `std::shared_ptr` of libstdc++ leads to, 0 where it is empty.
#[derive(Clone, Copy)]
struct Shared {
    object: usize,
    /// How many hold it, each of those that hold its holder counted.
    holders: usize,
}

impl Shared {
    /// That at an address, in an object with so many holders.
    unsafe fn at(address: usize, holders: usize) -> Shared {
        // SAFETY: as the caller promises, there is a shared pointer; its control block has the uses behind its functions.
        unsafe {
            let (object, control) = (word(address), word(address + WORD));
            let uses = if control == 0 { 1 } else { usize::try_from(half(control + WORD)).unwrap_or(1).max(1) };
            Shared { object, holders: holders.saturating_mul(uses) }
        }
    }

    /// That at an offset in the object.
    unsafe fn follow(self, offset: usize) -> Shared {
        // SAFETY: as the caller promises.
        unsafe { Shared::at(self.object + offset, self.holders) }
    }

    /// Those of the `std::vector` at an offset in the object.
    unsafe fn each(self, offset: usize) -> impl Iterator<Item = Shared> {
        // SAFETY: as the caller promises: a vector begins with where its elements begin and end.
        let (start, end) = unsafe { (word(self.object + offset), word(self.object + offset + WORD)) };
        // SAFETY: as the caller promises, each element is a shared pointer.
        (start..end).step_by(2 * WORD).map(move |element| unsafe { Shared::at(element, self.holders) })
    }
}
