//! Reads how much memory objects of C code own outside of their block, where the layout of their type is known.
//!
//! Each layout is that of the package's own headers, and is the same in all versions that are named. A type is known by the
//! name that its C code gives it, and so are its subclasses.

use super::{arrow, numpy, streams, torch};
use crate::cpython::class::{chain, made_in_python};
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{c_string, flag, half, signed, ty, type_flags, word};

/// Where a type of C code has the memory that its instances own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Array,
    Mapping,
    Foreign,
    ByteStream,
    TextStream,
    Arrow(arrow::Holder, &'static arrow::Row),
    Torch(torch::Holder, &'static torch::Row),
}

/// `tp_name`, and the layout.
const KNOWN: [(&[u8], Layout); 5] = [
    (b"numpy.ndarray", Layout::Array),
    (b"mmap.mmap", Layout::Mapping),
    (b"_ctypes._CData", Layout::Foreign),
    (b"_io.BytesIO", Layout::ByteStream),
    (b"_io.StringIO", Layout::TextStream),
];

/// Types that show as a buffer what stands in their own block, or belongs to another object; and those whose storage the walk
/// reads elsewhere.
const OTHERS: [&[u8]; 7] = [
    b"bytes",
    b"bytearray",
    b"memoryview",
    b"array.array",
    b"_io._BytesIOBuffer",
    b"pickle.PickleBuffer",
    b"numpy.generic",
];

/// Types that own memory and do not show it as a buffer of C.
const WITHOUT_BUFFER: [&[u8]; 1] = [b"ImagingCore"];

/// `mmap_object` of `Modules/mmapmodule.c`: the mapping, and its size.
const MAPPING: [usize; 2] = [16, 24];

/// `CDataObject` of `Modules/_ctypes/ctypes.h`: memory, whether it is the object's to free, its size, and the bytes of the
/// object, whose last 16 a small value is in.
const FOREIGN_MEMORY: usize = 16;
const FOREIGN_IS_OWN: usize = 24;
const FOREIGN_SIZE: usize = 40;
const FOREIGN_BYTES: usize = 88;

/// The layout of a type's own name.
///
/// # Safety
/// Under the GIL.
pub(crate) unsafe fn layout(interpreter: &Interpreter, name: &[u8]) -> Option<Layout> {
    if let Some(&(_, layout)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Some(layout);
    }
    // SAFETY: as the caller promises.
    unsafe {
        match (arrow::holder(name), torch::holder(name)) {
            (Some(holder), _) => arrow::row(interpreter).map(|row| Layout::Arrow(holder, row)),
            (_, Some(holder)) => torch::row(interpreter).map(|row| Layout::Torch(holder, row)),
            _ => None,
        }
    }
}

/// Whether instances of `class` own memory that cannot be read: they show a buffer, or are known to have one.
///
/// # Safety
/// A class that is ready, under the GIL.
pub(crate) unsafe fn is_closed(interpreter: &Interpreter, class: usize) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        let mut shows = false;
        for base in chain(class).filter(|&base| !made_in_python(interpreter, base)) {
            let name = c_string(word(base + ty::NAME));
            if type_flags(base) & (flag::BYTES_SUBCLASS | flag::UNICODE_SUBCLASS) != 0
                || OTHERS.contains(&name)
                || layout(interpreter, name).is_some()
            {
                return false;
            }
            let buffer = word(base + ty::BUFFER);
            shows |= WITHOUT_BUFFER.contains(&name)
                || arrow::holder(name).is_some()
                || torch::holder(name).is_some()
                || (buffer != 0 && word(buffer) != 0);
        }
        shows
    }
}

/// Bytes that an object owns outside of its block. What it hides has its own, where that is written.
///
/// # Safety
/// A live instance of a type with this layout, or of a subclass, under the GIL.
pub(crate) unsafe fn storage(
    interpreter: &Interpreter,
    layout: Layout,
    object: usize,
    hidden_is_written: bool,
) -> usize {
    // SAFETY: as the caller promises.
    unsafe {
        match layout {
            Layout::Array => numpy::storage(object),
            Layout::Mapping if word(object + MAPPING[0]) == 0 => 0,
            Layout::Mapping => signed(object + MAPPING[1]).max(0).cast_unsigned(),
            Layout::Foreign => {
                let is_inside = word(object + FOREIGN_MEMORY).wrapping_sub(object) < FOREIGN_BYTES;
                let is_own = half(object + FOREIGN_IS_OWN) != 0 && word(object + FOREIGN_MEMORY) != 0;
                if is_own && !is_inside { signed(object + FOREIGN_SIZE).max(0).cast_unsigned() } else { 0 }
            }
            Layout::ByteStream => streams::bytes_of_bytes(interpreter, object, hidden_is_written),
            Layout::TextStream => streams::bytes_of_text(interpreter, object, hidden_is_written),
            Layout::Arrow(holder, row) => arrow::storage(holder, row, object, hidden_is_written),
            Layout::Torch(holder, row) => torch::storage(holder, row, object),
        }
    }
}
