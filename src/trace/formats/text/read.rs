//! Splits an input into lines, and reads each as an event.

use memchr::memchr;

use super::leaves::{at_line_end, blanks};
use super::texts::Texts;
use super::{LINE_LIMIT, malformed, read_header, records};
use crate::trace::input::Input;
use crate::trace::{Ending, ErrorKind, Event, Events, Header, Numbers, Player, Position, TraceError};

/// Reads the text form. After a line that cannot be read it goes on with the next.
pub struct Reader {
    input: Input,
    header: Header,
    /// Lines passed.
    line: u64,
    texts: Texts,
    /// What is to be said before the next line is read, the last first: texts, then the event that uses them.
    held: Vec<Event>,
    ending: Ending,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// Behind `end`: nothing may follow.
    Ended,
    Done,
}

/// What stands at the front of the input.
enum Line {
    /// A line of so many bytes, and its newline.
    Whole(usize),
    /// The last bytes, without a newline.
    Last(usize),
    TooLong,
    None,
}

impl Reader {
    /// Reads up to the header, the first line that is not blank and no comment.
    pub fn new(input: Input) -> Result<Reader, TraceError> {
        let header = Header::new("");
        let (texts, held, ending, state) = (Texts::default(), Vec::new(), Ending::Open, State::Reading);
        let mut reader = Reader { input, header, line: 0, texts, held, ending, state };
        loop {
            let (length, passed) = match reader.next_line()? {
                Line::Whole(length) => (length, length + 1),
                Line::Last(length) => (length, length),
                Line::TooLong => return Err(reader.too_long()),
                Line::None => (0, 0),
            };
            let position = reader.position();
            let line = without_return(&reader.input.window()[..length]);
            if passed == 0 || !at_line_end(line) {
                let header = read_header(line, position, Numbers::Tags);
                reader.header = header.map_err(|(position, kind)| reader.input.error(position, kind))?;
                reader.pass(passed);
                return Ok(reader);
            }
            reader.pass(passed);
        }
    }

    #[cold]
    fn next_line(&mut self) -> Result<Line, TraceError> {
        let mut seen = 0;
        loop {
            let window = self.input.window();
            if let Some(n) = memchr(b'\n', &window[seen..]) {
                let length = seen + n;
                return Ok(if length <= LINE_LIMIT { Line::Whole(length) } else { Line::TooLong });
            }
            seen = window.len();
            if seen > LINE_LIMIT {
                return Ok(Line::TooLong);
            }
            if !self.input.refill()? {
                return Ok(if seen == 0 { Line::None } else { Line::Last(seen) });
            }
        }
    }

    #[inline]
    fn pass(&mut self, bytes: usize) {
        self.input.advance(bytes);
        self.line += 1;
    }

    /// Passes the empty lines at the front, as many as are at hand.
    #[cold]
    fn pass_empty(&mut self) {
        let lines = self.input.window().iter().take_while(|&&byte| byte == b'\n').count();
        self.input.advance(lines);
        self.line += lines as u64;
    }

    /// Passes a line that is too long, however long it is, and says so.
    #[cold]
    fn too_long(&mut self) -> TraceError {
        let position = self.position();
        loop {
            let window = self.input.window();
            let newline = memchr(b'\n', window);
            let passed = newline.map_or(window.len(), |n| n + 1);
            self.input.advance(passed);
            match (newline, self.input.window().is_empty()) {
                (Some(_), _) => break,
                (None, _) => match self.input.refill() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => return error,
                },
            }
        }
        self.line += 1;
        let expected = format!("no more than {} MiB", LINE_LIMIT >> 20);
        self.input.error(position, ErrorKind::Malformed { record: "line", expected })
    }

    /// The event of a line, `None` for a blank one or a comment.
    #[inline(never)]
    fn parse(&mut self, length: usize) -> Result<Option<Event>, TraceError> {
        let line = without_return(&self.input.window()[..length]);
        let (record, outcome) = match line.first() {
            Some(b'a'..=b'z') => (line, records::record(line, &mut self.texts)),
            _ if at_line_end(line) => return Ok(None),
            _ => {
                let record = blanks(line);
                (record, records::record(record, &mut self.texts))
            }
        };
        match outcome {
            Ok((_, event)) => Ok(Some(event)),
            Err(error) => {
                let start = self.input.offset() + (line.len() - record.len()) as u64;
                let (position, kind) = malformed(error, record, Position { line: Some(self.line + 1), byte: start });
                Err(self.input.error(position, kind))
            }
        }
    }

    /// Says the texts that the event is the first to use, and then the event.
    #[cold]
    fn with_texts(&mut self, event: Event) -> Option<Event> {
        self.held.push(event);
        self.held.extend(self.texts.take_fresh().into_iter().rev().map(|text| Event::Text(Box::new(text))));
        self.held.pop()
    }

    /// Everything that is not a whole line in the middle of the trace.
    #[cold]
    fn finish(&mut self, line: Line) -> Result<Option<Event>, TraceError> {
        match line {
            Line::Whole(length) => {
                self.pass(length + 1);
                Ok(None)
            }
            Line::TooLong => Err(self.too_long()),
            Line::Last(length) => {
                let position = self.position();
                let event = self.parse(length);
                self.pass(length);
                match event {
                    Ok(Some(event)) => Ok(self.say(event)),
                    Ok(None) => self.finish(Line::None),
                    Err(_) => {
                        self.state = State::Done;
                        self.ending = Ending::Cut(position);
                        Ok(None)
                    }
                }
            }
            Line::None => {
                if self.input.is_cut() && self.state == State::Reading {
                    self.ending = Ending::Cut(self.position());
                }
                self.state = State::Done;
                Ok(None)
            }
        }
    }

    #[inline]
    fn say(&mut self, event: Event) -> Option<Event> {
        if matches!(event, Event::End) {
            self.state = State::Ended;
            self.ending = Ending::Complete;
        }
        if self.texts.has_fresh() {
            return self.with_texts(event);
        }
        Some(event)
    }

    /// Plays the next event; `false` where there is none.
    ///
    /// Advice: an event that is made in one place and moved to another is stored field by field and loaded as a whole,
    /// and the processor waits for it each time; that was half of the time this reader took. So the fields of the commonest records go
    /// to the player as they are. All other records, and what is wrong with these, are left to `parse`.
    #[inline(always)]
    fn read<P: Player + ?Sized>(&mut self, player: &mut P) -> Result<bool, TraceError> {
        if !self.held.is_empty() || self.state != State::Reading {
            return Ok(self.read_rest()?.map(|event| player.event(event)).is_some());
        }
        loop {
            let length = match memchr(b'\n', self.input.window()) {
                Some(length) if length <= LINE_LIMIT => length,
                _ => match self.next_line() {
                    Ok(Line::Whole(length)) => length,
                    Ok(other) => return Ok(self.finish(other)?.map(|event| player.event(event)).is_some()),
                    Err(error) => {
                        self.state = State::Done;
                        self.ending = Ending::Cut(self.position());
                        return Err(error);
                    }
                },
            };
            let line = without_return(&self.input.window()[..length]);
            macro_rules! answer {
                ($operands:expr, $fields:pat => $method:ident($($operand:expr),*)) => {
                    if let Ok((_, $fields)) = $operands {
                        self.pass(length + 1);
                        if !self.texts.has_fresh() {
                            player.$method($($operand),*);
                            return Ok(true);
                        }
                        // The texts that it is the first to use are said before it.
                        let mut event = None;
                        event.$method($($operand),*);
                        return Ok(event.and_then(|event| self.with_texts(event)).map(|event| player.event(event)).is_some());
                    }
                };
            }
            match line {
                [b'r', b'e', b'f', b' ', ..] => {
                    answer!(records::change("ref", line, &mut self.texts), (from, to, slot) => reference(from, to, slot));
                }
                [b'a', ..] => {
                    answer!(records::birth(line), (object, class, bytes, site) => birth(object, object.0, class, bytes, site));
                }
                [b'u', _, _, b'e', ..] => {
                    answer!(records::change("unref", line, &mut self.texts), (from, to, slot) => unreference(from, to, slot));
                }
                [b'f', ..] => answer!(records::subject("free", line), object => free(object)),
                [b'i', ..] => answer!(records::subject("incref", line), object => incref(object)),
                [b'd', b'e', ..] => answer!(records::subject("decref", line), object => decref(object)),
                [] if length == 0 => {
                    self.pass_empty();
                    continue;
                }
                _ => {}
            }
            let event = self.parse(length);
            self.pass(length + 1);
            if let Some(event) = event? {
                return Ok(self.say(event).map(|event| player.event(event)).is_some());
            }
        }
    }

    /// The next event where no line is to be read for it, or none.
    #[cold]
    fn read_rest(&mut self) -> Result<Option<Event>, TraceError> {
        match (self.held.pop(), self.state) {
            (None, State::Ended) => self.after_end(),
            (held, _) => Ok(held),
        }
    }

    /// Behind `end` blank lines and comments may stand.
    #[cold]
    fn after_end(&mut self) -> Result<Option<Event>, TraceError> {
        loop {
            self.pass_empty();
            let (length, passed) = match self.next_line()? {
                Line::Whole(length) => (length, length + 1),
                Line::Last(length) => (length, length),
                Line::TooLong => (1, 0),
                Line::None => return self.finish(Line::None),
            };
            if passed == 0 || !at_line_end(without_return(&self.input.window()[..length])) {
                self.state = State::Done;
                let expected = "nothing after 'end'".to_owned();
                return Err(self.input.error(self.position(), ErrorKind::Malformed { record: "trace", expected }));
            }
            self.pass(passed);
        }
    }
}

impl Events for Reader {
    fn header(&self) -> &Header {
        &self.header
    }

    #[inline]
    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        let mut event = None;
        self.read(&mut event)?;
        Ok(event)
    }

    fn play(&mut self, player: &mut dyn Player, limit: usize) -> Result<bool, TraceError> {
        for _ in 0..limit {
            if !self.read(player)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn position(&self) -> Position {
        Position { line: Some(self.line + 1), byte: self.input.offset() }
    }

    fn length(&self) -> Option<u64> {
        self.input.length()
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

#[inline]
fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
