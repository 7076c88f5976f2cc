//! Reads `tzinfo` of a `datetime` and a `time`, which neither shows (`Include/datetime.h`, the same in 3.8 to 3.15).

use super::{Found, Where};
use crate::cpython::memory::{byte, word};
use crate::memory::Grow;

/// `hastzinfo`: without one the object ends before the field.
const HAS_ZONE: usize = 24;
/// `tzinfo` of a `PyDateTime_DateTime`, and of a `PyDateTime_Time`.
const ZONE_OF_DATETIME: usize = 40;
const ZONE_OF_TIME: usize = 32;
const FIELD: usize = 8;

pub(super) unsafe fn of_datetime(object: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    unsafe { zone(object, ZONE_OF_DATETIME, found) }
}

pub(super) unsafe fn of_time(object: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    unsafe { zone(object, ZONE_OF_TIME, found) }
}

/// Bytes of a type of this size that an instance of it does not have: the field, where it has no zone.
///
/// `datetime_alloc` and `time_alloc` in `Modules/_datetimemodule.c`, which a class of Python does not inherit (3.8 to 3.15).
pub(super) unsafe fn absent(object: usize, basic_size: usize) -> usize {
    // SAFETY: as the caller promises.
    let has_zone = unsafe { byte(object + HAS_ZONE) != 0 };
    if has_zone || ![ZONE_OF_DATETIME, ZONE_OF_TIME].contains(&(basic_size - FIELD)) { 0 } else { FIELD }
}

unsafe fn zone(object: usize, place: usize, found: &mut Found) {
    // SAFETY: as the caller promises; the field is there where the flag says so.
    unsafe {
        if byte(object + HAS_ZONE) != 0 {
            found.add((word(object + place), Where::Field(".tzinfo")));
        }
    }
}
