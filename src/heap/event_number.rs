//! Stores the number of an event in six bytes, for one field of each object.

/// A number below 2⁴⁸. A trace of two hundred million million events ends there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C, packed(2))]
pub(super) struct EventNumber {
    low: u32,
    high: u16,
}

impl EventNumber {
    /// Events count from 1.
    pub(super) const NONE: EventNumber = EventNumber { low: 0, high: 0 };

    #[inline]
    pub(super) fn of(number: u64) -> EventNumber {
        EventNumber { low: number as u32, high: (number >> 32) as u16 }
    }

    #[inline]
    pub(super) fn get(self) -> u64 {
        u64::from(self.low) | u64::from(self.high) << 32
    }
}
