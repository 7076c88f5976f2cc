//! Reads `tzinfo` of a `datetime` and a `time`, which neither shows (`Include/datetime.h`, the same in 3.8 to 3.15).

use super::{Found, Where};
use crate::cpython::memory::{byte, word};
use crate::memory::Grow;

/// `hastzinfo`: without one the object ends before the field.
const HAS_ZONE: usize = 24;
/// `tzinfo` of a `PyDateTime_DateTime`, and of a `PyDateTime_Time`.
const ZONE_OF_DATETIME: usize = 40;
const ZONE_OF_TIME: usize = 32;

pub(super) unsafe fn of_datetime(object: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    unsafe { zone(object, ZONE_OF_DATETIME, found) }
}

pub(super) unsafe fn of_time(object: usize, found: &mut Found) {
    // SAFETY: as the caller promises.
    unsafe { zone(object, ZONE_OF_TIME, found) }
}

unsafe fn zone(object: usize, place: usize, found: &mut Found) {
    // SAFETY: as the caller promises; the field is there where the flag says so.
    unsafe {
        if byte(object + HAS_ZONE) != 0 {
            found.add((word(object + place), Where::Field(".tzinfo")));
        }
    }
}
