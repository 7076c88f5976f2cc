//! Holds the moments at which garbage is counted: the collections, and enough others to see it rise between them.

/// A moment of the replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tick {
    pub event: u64,
    /// Nanoseconds, in a log with times.
    pub ns: Option<u64>,
}

/// Moments in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    ticks: Vec<Tick>,
    /// The place of each collection among them.
    collections: Vec<usize>,
}

/// Moments beside collections are at least so many events apart.
const FEWEST_EVENTS: u64 = 64;
/// And as far apart as this part of all events until then, so that there are few of them in a long log.
const PART: u64 = 256;

impl Timeline {
    /// Whether it is time for a moment that is no collection.
    pub(super) fn is_due(&self, event: u64) -> bool {
        let since = self.ticks.last().map_or(0, |last| last.event);
        event.saturating_sub(since) >= FEWEST_EVENTS.max(event / PART)
    }

    pub(super) fn push(&mut self, tick: Tick) {
        self.ticks.push(tick);
    }

    /// The moment to come is a collection.
    pub(super) fn push_collection(&mut self, tick: Tick) {
        self.collections.push(self.ticks.len());
        self.ticks.push(tick);
    }

    pub(super) fn all(&self) -> &[Tick] {
        &self.ticks
    }

    /// The place of the first moment after `event`.
    pub(super) fn after(&self, event: u64) -> usize {
        self.ticks.partition_point(|tick| tick.event <= event)
    }

    /// The place of the nth collection.
    pub(super) fn of_collection(&self, nth: usize) -> usize {
        self.collections[nth]
    }
}
