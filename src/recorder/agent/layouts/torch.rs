//! Reads how much memory tensors and storages of torch own (`c10/core/TensorImpl.h`, `c10/core/StorageImpl.h`,
//! `torch/csrc/autograd/python_variable.h`, `torch/csrc/Storage.h`, 2.4 to 2.15).
//!
//! A storage that several tensors have, views of each other, counts with each for its part. Memory that another object lent
//! (an array, a shared mapping) has that one behind it, and is not the storage's own; that of a device is not this process's.

use super::imported;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{byte, half, signed, word};

/// What an object of Python holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Tensor,
    Storage,
}

/// `tp_name`.
const HOLDERS: [(&[u8], Holder); 3] = [
    (b"torch._C.TensorBase", Holder::Tensor),
    (b"torch._C._TensorBase", Holder::Tensor),
    (b"torch._C.StorageBase", Holder::Storage),
];

/// What differs between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// The first and the last version.
    versions: [(u32, u32); 2],
    /// The pointer in `THPVariable` and `THPStorage`. Up to 2.9 it stands behind a word that says whether it is borrowed.
    pointer: usize,
}

const ROWS: [Row; 2] =
    [Row { versions: [(2, 4), (2, 9)], pointer: 24 }, Row { versions: [(2, 10), (2, 15)], pointer: 16 }];

/// `c10::TensorImpl`, of which no two objects of Python have the same.
const STORAGE: usize = 16;
/// `c10::StorageImpl`: how many hold it, the memory, what is to be freed when it is let go, the type of its device, and its size.
const HOLDING: usize = 8;
const DATA: usize = 16;
const CONTEXT: usize = 32;
const DEVICE: usize = 40;
const SIZE: usize = 48;
/// `c10::DeviceType::CPU`.
const CPU: u8 = 0;

/// What instances of the type of this name hold.
pub(super) fn holder(name: &[u8]) -> Option<Holder> {
    HOLDERS.iter().find(|(known, _)| *known == name).map(|&(_, holder)| holder)
}

/// That of the imported version, where it is a known one.
pub(super) unsafe fn row(interpreter: &Interpreter) -> Option<&'static Row> {
    // SAFETY: as the caller promises, the interpreter's lock is held.
    let version = unsafe { imported::version(interpreter, b"torch.version") }?;
    ROWS.iter().find(|row| (row.versions[0]..=row.versions[1]).contains(&version))
}

/// Bytes that `object` owns, or its part of those that it shares.
pub(super) unsafe fn storage(holder: Holder, row: &Row, object: usize) -> usize {
    // SAFETY: as the caller promises, the object is alive, and the C++ objects that it holds are.
    unsafe {
        let held = word(object + row.pointer);
        let storage = match holder {
            Holder::Tensor if held != 0 => word(held + STORAGE),
            _ => held,
        };
        if storage == 0 || byte(storage + DEVICE) != CPU || word(storage + DATA) != word(storage + CONTEXT) {
            return 0;
        }
        // A size that is not known before the program runs is an address with the upper bit set.
        let size = signed(storage + SIZE).max(0).cast_unsigned();
        size / usize::try_from(half(storage + HOLDING)).unwrap_or(1).max(1)
    }
}
