//! Reads what Boost.Python keeps alive for as long as another object lives (`libs/python/src/object/life_support.cpp`, 1.56 to 1.88).
//!
//! The patient is held by an object that is the callback of a weak reference to the nurse. That weak reference has a count of its
//! own which its callback takes back, so it is the nurse that holds it.

use super::{Found, Where};
use crate::cpython::memory::{c_string, ty, type_of, word};
use crate::cpython::object::{CALLBACK, REFERENT};
use crate::memory::Grow;

/// `tp_name` of the callback.
pub(super) const LIFE_SUPPORT: &[u8] = b"Boost.Python.life_support";
/// `life_support`.
const PATIENT: usize = 16;

pub(super) unsafe fn of_life_support(object: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    found.add((unsafe { word(object + PATIENT) }, Where::Field(".patient")));
}

/// The object that holds a weak reference to itself for the sake of a patient.
pub(super) unsafe fn nurse(weak_reference: usize) -> Option<usize> {
    // SAFETY: as the caller promises; without a callback there is 0.
    unsafe {
        let callback = word(weak_reference + CALLBACK);
        let is_support = callback != 0 && c_string(word(type_of(callback) + ty::NAME)) == LIFE_SUPPORT;
        is_support.then(|| word(weak_reference + REFERENT))
    }
}
