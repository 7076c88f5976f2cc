//! Reads what numpy's arrays, records and dtypes refer to, which none of them shows, and the memory that an array owns
//! (`numpy/ndarraytypes.h` and `numpy/arrayscalars.h`, 1.16 to 2.5; the fields of an array are the same from 1.13 on).
//!
//! An array that owns its memory owns the objects in it; another has a `base`, which it owns. Objects in a subarray of a
//! structured dtype are left out.

use super::{Found, Where};
use crate::cpython::dict::{self, Table};
use crate::cpython::integer;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{byte, half, signed, tuple_items, ty, type_of, word};
use crate::cpython::object::WORD;
use crate::memory::Grow;

/// `PyArrayObject_fields`.
const DATA: usize = 16;
const N_DIMENSIONS: usize = 24;
const DIMENSIONS: usize = 32;
const BASE: usize = 48;
const DTYPE: usize = 56;
const FLAGS: usize = 64;
/// `NPY_MAXDIMS`: 32 in numpy 1, 64 in numpy 2.
const MOST_DIMENSIONS: usize = 64;

/// `PyVoidScalarObject`.
const RECORD_DATA: usize = 24;
const RECORD_DTYPE: usize = 32;
const RECORD_FLAGS: usize = 40;
const RECORD_BASE: usize = 48;

/// `NPY_ARRAY_C_CONTIGUOUS`, `NPY_ARRAY_F_CONTIGUOUS`, `NPY_ARRAY_OWNDATA`.
const CONTIGUOUS: i32 = 3;
const OWNS_DATA: i32 = 4;

/// `PyArray_Descr`: `type_num`, of which `NPY_OBJECT` is that of references.
const TYPE_NUMBER: usize = 28;
const OBJECT: i32 = 17;
/// Up to 1.26 the size of an item and its alignment, two `int`. From 2.0 on flags of 64 bits stand there, of which the upper
/// half is zero, as no alignment is, and then the size as a word.
const ITEM_SIZE_1: usize = 32;
const ALIGNMENT_1: usize = 36;
const ITEM_SIZE_2: usize = 40;
/// `NPY_ITEM_REFCOUNT`.
const HAS_OBJECTS: u8 = 1;

/// Structured dtypes within each other that are followed, and objects in one record.
const MOST_NESTED: usize = 4;
const MOST_FIELDS: usize = 256;

/// What differs between numpy 1 and 2.
struct DTypeRow {
    /// `tp_basicsize` of `numpy.dtype`.
    bytes: usize,
    flags: usize,
    fields: usize,
    metadata: usize,
}

const ROWS: [DTypeRow; 2] = [
    DTypeRow { bytes: 96, flags: 27, fields: 48, metadata: 72 },
    DTypeRow { bytes: 120, flags: 32, fields: 96, metadata: 56 },
];

impl DTypeRow {
    /// `None` where the layout is not a known one.
    unsafe fn of(dtype: usize) -> Option<&'static DTypeRow> {
        // SAFETY: as the caller promises.
        let bytes = unsafe { word(type_of(dtype) + ty::BASIC_SIZE) };
        ROWS.iter().find(|row| row.bytes == bytes)
    }
}

/// Bytes of an item.
unsafe fn item_size(dtype: usize) -> usize {
    // SAFETY: as the caller promises.
    let size = unsafe {
        match half(dtype + ALIGNMENT_1) {
            0 => signed(dtype + ITEM_SIZE_2),
            _ => half(dtype + ITEM_SIZE_1) as isize,
        }
    };
    size.max(0).cast_unsigned()
}

/// The lengths of an array; `None` where it has more dimensions than there can be.
unsafe fn lengths(array: usize) -> Option<impl ExactSizeIterator<Item = usize>> {
    // SAFETY: as the caller promises; there is a length for each dimension.
    unsafe {
        let n = usize::try_from(half(array + N_DIMENSIONS)).ok().filter(|&n| n <= MOST_DIMENSIONS)?;
        let dimensions = word(array + DIMENSIONS);
        (n == 0 || dimensions != 0)
            .then(|| (0..n).map(move |nth| signed(dimensions + WORD * nth).max(0).cast_unsigned()))
    }
}

/// Bytes outside of its block that an array owns: its data, if they are its own, and its dimensions and strides.
pub(super) unsafe fn storage(array: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe {
        let dtype = word(array + DTYPE);
        let Some(lengths) = lengths(array).filter(|_| dtype != 0) else { return 0 };
        let shape = 2 * WORD * lengths.len();
        if half(array + FLAGS) & OWNS_DATA == 0 {
            return shape;
        }
        shape.saturating_add(lengths.fold(item_size(dtype), usize::saturating_mul))
    }
}

pub(super) unsafe fn of_array(interpreter: &Interpreter, array: usize, found: &mut Found) {
    // SAFETY: as the caller promises; an array that owns its memory has so many items there.
    unsafe {
        found.add((word(array + BASE), Where::Field(".base")));
        found.add((word(array + DTYPE), Where::Field(".dtype")));
        let flags = half(array + FLAGS);
        if flags & OWNS_DATA == 0 || flags & CONTIGUOUS == 0 {
            return;
        }
        let Some(lengths) = lengths(array) else { return };
        let items = lengths.fold(1, usize::saturating_mul);
        objects(interpreter, word(array + DATA), items, word(array + DTYPE), found);
    }
}

pub(super) unsafe fn of_record(interpreter: &Interpreter, record: usize, found: &mut Found) {
    // SAFETY: as the caller promises; a record that owns its memory has one item there.
    unsafe {
        found.add((word(record + RECORD_BASE), Where::Field(".base")));
        found.add((word(record + RECORD_DTYPE), Where::Field(".dtype")));
        if half(record + RECORD_FLAGS) & OWNS_DATA != 0 {
            objects(interpreter, word(record + RECORD_DATA), 1, word(record + RECORD_DTYPE), found);
        }
    }
}

pub(super) unsafe fn of_dtype(dtype: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    unsafe {
        if let Some(row) = DTypeRow::of(dtype) {
            found.add((word(dtype + row.metadata), Where::Field(".metadata")));
        }
    }
}

/// The objects in so many items at `data`.
unsafe fn objects(interpreter: &Interpreter, data: usize, items: usize, dtype: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    unsafe {
        let Some(row) = (if dtype == 0 { None } else { DTypeRow::of(dtype) }) else { return };
        if data == 0 || byte(dtype + row.flags) & HAS_OBJECTS == 0 {
            return;
        }
        let mut offsets = Vec::new();
        add_offsets(interpreter, dtype, 0, MOST_NESTED, &mut offsets);
        let size = item_size(dtype);
        for item in 0..items {
            for &offset in &offsets {
                // Numpy packs records: a pointer may stand anywhere.
                if !found.add((word(data + item * size + offset), Where::Item(item))) {
                    return;
                }
            }
        }
    }
}

/// Where in an item of this dtype objects are.
unsafe fn add_offsets(interpreter: &Interpreter, dtype: usize, start: usize, deeper: usize, offsets: &mut Vec<usize>) {
    // SAFETY: as the caller promises; `fields` is a dict, whose values are tuples of a dtype and an offset.
    unsafe {
        let Some(row) = DTypeRow::of(dtype) else { return };
        if half(dtype + TYPE_NUMBER) == OBJECT {
            offsets.add(start);
            return;
        }
        let fields = word(dtype + row.fields);
        if byte(dtype + row.flags) & HAS_OBJECTS == 0 || fields == 0 || type_of(fields) != interpreter.dict {
            return;
        }
        let table = Table::of(interpreter.row, word(fields + dict::KEYS), word(fields + dict::VALUES));
        // A field with a title is there under both names.
        let mut known = 0;
        for index in 0..table.count {
            let (_, field) = table.entry(index);
            if field == 0 || field == known || type_of(field) != interpreter.tuple || offsets.len() >= MOST_FIELDS {
                continue;
            }
            known = field;
            if let [inner, offset, ..] = tuple_items(interpreter.row, field)
                && let Some(offset) = integer::small(interpreter.row, *offset)
                && deeper > 0
            {
                add_offsets(interpreter, *inner, start + offset, deeper - 1, offsets);
            }
        }
    }
}
