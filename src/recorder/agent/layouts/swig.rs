//! Reads the wrappers of the bases that a wrapper of SWIG has behind it (`SwigPyObject` in SWIG's `pyrun.swg`, 3.0 to 4.3).

use super::{Found, Where};
use crate::cpython::memory::{ty, type_of, word};
use crate::memory::Grow;

/// `next`, the last field; a later SWIG may have more.
const NEXT: usize = 40;
const BYTES: usize = 48;

pub(super) unsafe fn of_object(object: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    unsafe {
        if word(type_of(object) + ty::BASIC_SIZE) == BYTES {
            found.add((word(object + NEXT), Where::Field(".next")));
        }
    }
}
