//! The number of an event in six bytes, for one field of each object.

/// A number below 2⁴⁸. A trace of two hundred million million events ends there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct EventNumber([u16; 3]);

impl EventNumber {
    /// Events count from 1.
    pub const NONE: EventNumber = EventNumber([0; 3]);

    #[inline]
    pub fn of(number: u64) -> EventNumber {
        EventNumber([number as u16, (number >> 16) as u16, (number >> 32) as u16])
    }

    #[inline]
    pub fn get(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 16 | u64::from(self.0[2]) << 32
    }
}
