//! Reads and writes traces: inputs, formats and their registry, errors with a position.

pub mod convert;
pub mod error;
pub mod event;
pub mod formats;
pub mod input;
pub mod player;
pub mod strip;

pub use convert::{ConvertError, convert};
pub use error::{ErrorKind, Position, TraceError};
pub use event::*;
pub use formats::{open, open_bytes, open_input};
pub use player::Player;

/// A trace that is being read: its header, then its events in order. Some other thread may read it than the one that
/// opened it.
pub trait Events: Send {
    fn header(&self) -> &Header;

    /// The next event; `None` at the end. After an error the reader may be asked again where the format allows it (the
    /// text form goes on with the next line), and answers `None` where it does not.
    fn next_event(&mut self) -> Result<Option<Event>, TraceError>;

    /// Plays the next `limit` events; fewer only at the end and before an error. Answers whether there may be more.
    ///
    /// The same as so many calls of [`Events::next_event`], and cheaper.
    fn play(&mut self, player: &mut dyn Player, limit: usize) -> Result<bool, TraceError> {
        for _ in 0..limit {
            match self.next_event()? {
                Some(event) => player.event(event),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether an event is read in less time than it takes to hand it to another thread.
    fn is_quick(&self) -> bool {
        false
    }

    /// Where the next event will be read from.
    fn position(&self) -> Position;

    /// Where the input ends, for a progress bar: in the same bytes as [`Events::position`], `None` where that is not known
    /// beforehand (a pipe, a packed file).
    fn length(&self) -> Option<u64> {
        None
    }

    /// How the trace ended; meaningful once `next_event` has answered `None`.
    fn ending(&self) -> Ending;
}

/// How a trace ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its `end` record.
    Complete,
    /// At a whole record, but without `end`: the program was killed, or wrote by hand.
    Open,
    /// In the middle of a record or block, at this place; all whole records before it were read.
    Cut(Position),
}

/// Takes events and writes them down in one format.
pub trait EventSink {
    fn write(&mut self, event: &Event) -> std::io::Result<()>;
    /// Writes what is buffered. A sink that is dropped without it leaves a trace that is cut short.
    fn finish(self: Box<Self>) -> std::io::Result<()>;
}
