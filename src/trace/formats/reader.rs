//! Holds the events of each step of a reader until they are asked for.

use std::collections::VecDeque;

use super::lines::{Line, Lines};
use crate::trace::input::Input;
use crate::trace::{Ending, ErrorKind, Event, Events, Header, Position, TraceError};

/// Events that a step has read, in order.
pub(super) type Pending = VecDeque<Event>;

/// What a record is called, and what was expected in it.
pub(super) type Expected = (&'static str, &'static str);

/// A file that is read in steps.
pub(super) trait Source: Send {
    /// Reads on, and puts the events in `out`; the ending when there is no more. After an error it is asked again.
    fn step(&mut self, out: &mut Pending) -> Result<Option<Ending>, TraceError>;
    fn position(&self) -> Position;
    fn length(&self) -> Option<u64>;
}

/// A reader of any [`Source`]. Memory is that of the source, and of the events of one step.
pub(super) struct StepReader<S> {
    header: Header,
    source: S,
    pending: Pending,
    ending: Option<Ending>,
}

impl<S: Source> StepReader<S> {
    pub(super) fn new(header: Header, source: S) -> StepReader<S> {
        StepReader { header, source, pending: Pending::new(), ending: None }
    }
}

impl<S: Source> Events for StepReader<S> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(Some(event));
            }
            if self.ending.is_some() {
                return Ok(None);
            }
            self.ending = self.source.step(&mut self.pending)?;
            if self.ending == Some(Ending::Complete) {
                self.pending.push_back(Event::End);
            }
        }
    }

    fn position(&self) -> Position {
        self.source.position()
    }

    fn length(&self) -> Option<u64> {
        self.source.length()
    }

    fn ending(&self) -> Ending {
        self.ending.unwrap_or(Ending::Open)
    }
}

/// What understands the lines of a log, one after the other.
pub(super) trait LineParser: Send {
    /// What comes before the first line.
    fn begin(&mut self, _: &mut Pending) {}

    /// Takes the line at `position`, without its end.
    fn line(&mut self, line: &[u8], position: Position, out: &mut Pending) -> Result<(), Expected>;

    /// Takes the end of the file, which is at `here`: how the log ends, as far as its lines tell.
    fn end(&mut self, here: Position, out: &mut Pending) -> Ending;
}

/// Gives the lines of an input to a parser. After a line that cannot be read it goes on with the next; where that line
/// has no end of its own, the log is cut there.
pub(super) struct LineSource<P> {
    lines: Lines,
    parser: P,
    has_begun: bool,
    cut_line: Option<Position>,
}

impl<P: LineParser> LineSource<P> {
    /// Of each line so many bytes are looked at.
    pub(super) fn new(input: Input, looked_at: usize, parser: P) -> LineSource<P> {
        LineSource { lines: Lines::new(input, looked_at), parser, has_begun: false, cut_line: None }
    }
}

impl<P: LineParser> Source for LineSource<P> {
    fn step(&mut self, out: &mut Pending) -> Result<Option<Ending>, TraceError> {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.parser.begin(out);
        }
        let (parser, position) = (&mut self.parser, self.lines.position());
        match self.lines.next(|line| parser.line(line, position, out))? {
            None => {
                let here = self.lines.position();
                let ending = self.parser.end(here, out);
                let cut = self.cut_line.or(self.lines.input.is_cut().then_some(here));
                Ok(Some(cut.map_or(ending, Ending::Cut)))
            }
            Some(Line { value: Ok(()), .. }) => Ok(None),
            Some(Line { value: Err(_), position, whole: false }) => {
                self.cut_line = Some(position);
                Ok(None)
            }
            Some(Line { value: Err((record, expected)), position, whole: true }) => {
                let kind = ErrorKind::Malformed { record, expected: expected.to_owned() };
                Err(self.lines.input.error(position, kind))
            }
        }
    }

    fn position(&self) -> Position {
        self.lines.position()
    }

    fn length(&self) -> Option<u64> {
        self.lines.input.length()
    }
}

/// A reader of a log, of whose lines so many bytes are looked at.
pub(super) fn of_lines<P: LineParser + Default + 'static>(
    header: Header,
    input: Input,
    looked_at: usize,
) -> Box<dyn Events> {
    Box::new(StepReader::new(header, LineSource::new(input, looked_at, P::default())))
}
