//! Reads the references that objects hold and do not show to the collector, where the layout of their type is known.
//!
//! Each such reference is one that the object owns: its count has it. Of some types it is known as well how much memory their
//! objects own (`buffers`). Everything is read from memory, no Python code runs.
//!
//! # Safety
//! Each `unsafe fn` here wants the interpreter's lock held, and the address of a live object of the type.

mod arrow;
mod boost;
pub(crate) mod buffers;
mod datetime;
mod imported;
mod numpy;
mod streams;
mod swig;
mod torch;

use crate::cpython::class::{chain, made_in_python};
use crate::cpython::frame;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{c_string, ty, word};
use crate::memory::Grow;

/// A type whose layout is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HidingType {
    Unknown,
    Code,
    DateTime,
    Time,
    Array,
    /// `numpy.void`.
    Record,
    DType,
    Swig,
    LifeSupport,
    ByteStream,
    TextStream,
    Arrow(arrow::Holder, &'static arrow::Row),
}

/// Where in the object a reference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Field(&'static str),
    Item(usize),
    /// The same of memory of its own, in an object that can be in no loop.
    Memory(&'static str),
}

/// References with their places.
pub(crate) type Found = Vec<(usize, Where)>;

impl HidingType {
    /// That of the nearest base of C code which has one.
    pub(crate) unsafe fn of(interpreter: &Interpreter, class: usize) -> HidingType {
        // SAFETY: as the caller promises, the class is ready.
        unsafe {
            for base in chain(class).filter(|&base| !made_in_python(interpreter, base)) {
                if base == interpreter.code {
                    return HidingType::Code;
                }
                let name = c_string(word(base + ty::NAME));
                return match name {
                    b"datetime.datetime" => HidingType::DateTime,
                    b"datetime.time" => HidingType::Time,
                    b"numpy.ndarray" => HidingType::Array,
                    b"numpy.void" => HidingType::Record,
                    b"numpy.dtype" => HidingType::DType,
                    b"SwigPyObject" => HidingType::Swig,
                    b"_io.BytesIO" => HidingType::ByteStream,
                    b"_io.StringIO" => HidingType::TextStream,
                    boost::LIFE_SUPPORT => HidingType::LifeSupport,
                    _ => match (arrow::holder(name), arrow::row(interpreter)) {
                        (Some(holder), Some(row)) => HidingType::Arrow(holder, row),
                        _ => continue,
                    },
                };
            }
        }
        HidingType::Unknown
    }

    /// Whether all that its instances hide is read.
    pub(crate) fn is_whole(self) -> bool {
        !matches!(self, HidingType::Unknown | HidingType::Swig | HidingType::TextStream)
    }

    /// Bytes at the end of `object`, an instance of a class of C code of this size, that it was allocated without.
    pub(crate) unsafe fn absent(self, object: usize, basic_size: usize) -> usize {
        match self {
            // SAFETY: as the caller promises, the object is alive and of this type.
            HidingType::DateTime | HidingType::Time => unsafe { datetime::absent(object, basic_size) },
            _ => 0,
        }
    }

    /// Fills `found` with what `object` refers to.
    pub(crate) unsafe fn read(self, interpreter: &Interpreter, object: usize, found: &mut Found) {
        found.clear();
        // SAFETY: as the caller promises, the object is alive and of this type.
        unsafe {
            match self {
                HidingType::Unknown => {}
                HidingType::Code => {
                    found.add((frame::constants(interpreter.row, object), Where::Field(".co_consts")));
                }
                HidingType::DateTime => datetime::of_datetime(object, found),
                HidingType::Time => datetime::of_time(object, found),
                HidingType::Array => numpy::of_array(interpreter, object, found),
                HidingType::Record => numpy::of_record(interpreter, object, found),
                HidingType::DType => numpy::of_dtype(object, found),
                HidingType::Swig => swig::of_object(object, found),
                HidingType::ByteStream => streams::of_bytes(object, found),
                HidingType::TextStream => streams::of_text(interpreter, object, found),
                HidingType::LifeSupport => boost::of_life_support(object, found),
                HidingType::Arrow(holder, row) => arrow::lenders(holder, row, object, found),
            }
        }
    }
}

/// The object that holds a weak reference to itself, if there is such a one.
pub(crate) unsafe fn nurse(weak_reference: usize) -> Option<usize> {
    // SAFETY: as the caller promises, of a weak reference.
    unsafe { boost::nurse(weak_reference) }
}
