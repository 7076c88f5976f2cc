//! Turns the end of a command into an exit code, and its error into one line on stderr.

use std::io;
use std::process::ExitCode;

use refloop::trace::{ErrorKind, TraceError};

/// A command that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Nothing,
    /// Exit code 1: `check` failed, `diff --fail-on-new` found something new.
    Findings,
    /// `record`: the exit code of the program that was recorded.
    Program(u8),
}

/// A command that could not.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Exit code 2: it was asked for what does not exist, or configured wrongly.
    Usage(anyhow::Error),
    /// Exit code 3: something could not be read or written.
    Input(anyhow::Error),
}

impl Failure {
    pub(crate) fn usage(message: impl std::fmt::Display) -> Failure {
        Failure::Usage(anyhow::anyhow!("{message}"))
    }

    pub(crate) fn input(message: impl std::fmt::Display) -> Failure {
        Failure::Input(anyhow::anyhow!("{message}"))
    }
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Failure {
        let is_missing = matches!(error.kind(), ErrorKind::Io(cause) if cause.kind() == io::ErrorKind::NotFound);
        let hint = if is_missing { "; where `refloop record` cannot record, it writes no file" } else { "" };
        // Its text has its causes in it already.
        Failure::input(format!("{error}{hint}"))
    }
}

/// The only place that prints errors. A closed pipe is success.
pub(crate) fn exit(result: Result<Outcome, Failure>) -> ExitCode {
    let (error, code) = match result {
        Ok(Outcome::Nothing) => return ExitCode::SUCCESS,
        Ok(Outcome::Findings) => return ExitCode::from(1),
        Ok(Outcome::Program(code)) => return ExitCode::from(code),
        Err(Failure::Usage(error)) => (error, 2),
        Err(Failure::Input(error)) if is_closed_pipe(&error) => return ExitCode::SUCCESS,
        Err(Failure::Input(error)) => (error, 3),
    };
    eprintln!("error: {error:#}");
    ExitCode::from(code)
}

pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    kinds.map(io::Error::kind).any(|kind| kind == io::ErrorKind::BrokenPipe)
}
