//! Maps events to the times between which they happened.

/// Times that are kept at most. Of more, every second one of the older half is forgotten: the older, the coarser.
const MOST: usize = 4_096;

/// When the trace told the time.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Number of the event, and nanoseconds since the start; both rise.
    times: Vec<(u64, u64)>,
}

impl Clock {
    pub(super) fn push(&mut self, event: u64, ns: u64) {
        if self.times.len() == MOST {
            let mut place = 0;
            self.times.retain(|_| {
                place += 1;
                place > MOST / 2 || place % 2 == 1
            });
        }
        self.times.push((event, ns));
    }

    /// The time that was told last.
    pub(super) fn last(&self) -> u64 {
        self.times.last().map_or(0, |&(_, ns)| ns)
    }

    /// The event that told it.
    pub(super) fn last_event(&self) -> u64 {
        self.times.last().map_or(0, |&(event, _)| event)
    }

    /// The last time that is known not to be later than this event; 0 is the start.
    pub(super) fn not_later(&self, event: u64) -> u64 {
        let place = self.times.partition_point(|&(at, _)| at <= event);
        place.checked_sub(1).map_or(0, |place| self.times[place].1)
    }

    /// The first time that is known not to be earlier than this event; else the last of all, which ends what is known.
    pub(super) fn not_earlier(&self, event: u64) -> u64 {
        let place = self.times.partition_point(|&(at, _)| at < event);
        self.times.get(place).or(self.times.last()).map_or(0, |&(_, ns)| ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_happened_between_two_times() {
        let mut clock = Clock::default();
        assert_eq!((clock.not_later(7), clock.not_earlier(7)), (0, 0));
        clock.push(10, 100);
        clock.push(20, 200);
        let between = |event| (clock.not_later(event), clock.not_earlier(event));
        assert_eq!([5, 10, 15, 20, 25].map(between), [(0, 100), (100, 100), (100, 200), (200, 200), (200, 200)]);
    }

    #[test]
    fn many_times_are_kept_in_little_room_and_stay_true() {
        let mut clock = Clock::default();
        (1..=100_000).for_each(|event| clock.push(event, event * 10));
        assert!(clock.times.len() <= MOST);
        for event in (1..=100_000).step_by(97) {
            assert!(clock.not_later(event) <= event * 10 && clock.not_earlier(event) >= event * 10);
        }
        assert_eq!(clock.not_later(99_999), 999_990);
    }
}
