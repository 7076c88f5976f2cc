//! Defines what can go wrong while a trace is read, with its place. Boxed, so that a result stays as small as an event.

use std::fmt;
use std::path::PathBuf;

/// A place in an input. Lines count from 1, bytes from 0; binary input has no lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    pub line: Option<u64>,
    pub byte: u64,
}

/// Why a trace, or a part of it, could not be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TraceError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// As the user wrote it; `-` is standard input. Empty until the opener fills it in.
    source: PathBuf,
    position: Option<Position>,
    kind: ErrorKind,
}

/// What happened, in one clause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("not a trace: no known format begins like this (known: {known})")]
    UnknownFormat { known: String },
    #[error("version {found} of the format; this program reads version {known}")]
    FutureVersion { found: u32, known: u32 },
    /// A record that does not follow the grammar: what it was meant to be, and what was expected.
    #[error("malformed {record}: expected {expected}")]
    Malformed { record: &'static str, expected: String },
    #[error("unknown record '{0}'")]
    UnknownRecord(String),
    #[error("the checksum is {found:08x} and should be {stored:08x}: the file is damaged here")]
    Checksum { stored: u32, found: u32 },
}

impl TraceError {
    pub fn new(kind: ErrorKind) -> TraceError {
        TraceError(Box::new(Inner { source: PathBuf::new(), position: None, kind }))
    }

    pub fn at(position: Position, kind: ErrorKind) -> TraceError {
        TraceError(Box::new(Inner { source: PathBuf::new(), position: Some(position), kind }))
    }

    /// The same error with the name of the file that it is about.
    pub fn in_file(mut self, path: impl Into<PathBuf>) -> TraceError {
        self.0.source = path.into();
        self
    }

    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    pub fn position(&self) -> Option<Position> {
        self.0.position
    }
}

impl From<std::io::Error> for TraceError {
    fn from(error: std::io::Error) -> TraceError {
        TraceError::new(ErrorKind::Io(error))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line} (byte {})", self.byte),
            None => write!(f, "byte {}", self.byte),
        }
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.source.as_os_str().is_empty() {
            write!(f, "{}: ", self.source.display())?;
        }
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        write!(f, "{}", self.kind)
    }
}

impl std::error::Error for Inner {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}
