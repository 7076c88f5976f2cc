//! Reads a trace on a second thread, in batches, while the first one plays what came before.
//!
//! Advice: this is for forms that are read for as long as they are played, as the text form is. An event that goes from one
//! thread to the other is written, read and looked at twice; the binary form is decoded in less. The batches go round in a
//! circle, so that their memory is in the cache; each is large enough that handing it over costs nothing beside its events.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::vec::Drain;

use crate::trace::{Event, Events, Position, TraceError};

/// Events in a batch: 160 KiB.
const BATCH: usize = 4096;
/// Batches under way.
const BATCHES: usize = 4;

type Batch = (Vec<Event>, Position);

/// Reads to the end and calls `play` with the events, batch by batch in their order, and with where the reader was after
/// each. Answers the error that ended it, if one did: the events before it were played.
pub(super) fn read_ahead(
    events: &mut dyn Events,
    mut play: impl FnMut(Drain<'_, Event>, Position),
) -> Option<TraceError> {
    let mut first = Vec::new();
    let more = events.play(&mut first, BATCH);
    play(first.drain(..), events.position());
    let Ok(true) = more else { return more.err() };
    let (filled, to_play) = sync_channel(BATCHES);
    let (played, to_fill) = sync_channel(BATCHES);
    for batch in std::iter::once(first).chain(std::iter::repeat_with(Vec::new)).take(BATCHES) {
        // There is room for all of them.
        let _ = played.send(batch);
    }
    // What it has it drops when `play` panics, and the reader stops.
    thread::scope(move |scope| {
        let reader = scope.spawn(move || read_all(events, &to_fill, &filled));
        for (mut batch, position) in to_play {
            play(batch.drain(..), position);
            // The reader may be done.
            let _ = played.send(batch);
        }
        match reader.join() {
            Ok(error) => error,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn read_all(events: &mut dyn Events, to_fill: &Receiver<Vec<Event>>, filled: &SyncSender<Batch>) -> Option<TraceError> {
    for mut batch in to_fill {
        let more = events.play(&mut batch, BATCH);
        // Nobody takes it only where the player has panicked.
        if filled.send((batch, events.position())).is_err() || !matches!(more, Ok(true)) {
            return more.err();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::trace::{Ending, ErrorKind, Header};

    /// So many events, each with its number, then an error or the end.
    struct Counter {
        header: Header,
        next: u64,
        length: u64,
        fails: bool,
    }

    impl Counter {
        fn new(length: u64, fails: bool) -> Counter {
            Counter { header: Header::new("test"), next: 0, length, fails }
        }
    }

    impl Events for Counter {
        fn header(&self) -> &Header {
            &self.header
        }

        fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
            match self.next {
                next if next < self.length => {
                    self.next += 1;
                    Ok(Some(Event::Time { ns: next }))
                }
                _ if self.fails => Err(TraceError::at(self.position(), ErrorKind::Empty)),
                _ => Ok(None),
            }
        }

        fn position(&self) -> Position {
            Position { line: None, byte: self.next }
        }

        fn ending(&self) -> Ending {
            Ending::Open
        }
    }

    #[test]
    fn every_event_is_played_once_and_in_order_whatever_the_length() {
        let batch = BATCH as u64;
        for length in [0, 1, batch - 1, batch, batch + 1, 2 * batch, 20 * batch + 7] {
            for fails in [false, true] {
                let (mut n_played, mut last) = (0, Position::default());
                let error = read_ahead(&mut Counter::new(length, fails), |events, position| {
                    for event in events {
                        assert_eq!(event, Event::Time { ns: n_played });
                        n_played += 1;
                    }
                    last = position;
                });
                assert_eq!((n_played, last.byte, error.is_some()), (length, length, fails));
            }
        }
    }

    #[test]
    fn a_player_that_panics_does_not_leave_the_reader_waiting() {
        for n_batches in 1..=9 {
            let mut left: u32 = n_batches;
            let play = |_: Drain<'_, Event>, _| {
                left -= 1;
                assert!(left > 0, "as it should");
            };
            let mut events = Counter::new(8 * BATCH as u64, false);
            let panicked = catch_unwind(AssertUnwindSafe(|| read_ahead(&mut events, play))).is_err();
            assert!(panicked, "{n_batches}");
        }
    }
}
