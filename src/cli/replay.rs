//! Opens each trace, shows how far its replay is, and says what it could not read.

use std::path::{Path, PathBuf};
use std::time::Instant;

use refloop::run::{self, Options, Run, TraceRun};
use refloop::trace::{self, TraceError};

use crate::args::Messages;
use crate::progress::Progress;
use crate::status::Failure;
use crate::{inputs, output};

/// What is left of the traces, and the first error in one of them: what came before it is in the run.
pub(crate) struct Replayed {
    pub run: Run,
    pub error: Option<TraceError>,
}

/// Replays each trace. Fails only where nothing at all could be read.
pub(crate) fn replay(paths: &[PathBuf], options: &Options, messages: &Messages) -> Result<Replayed, Failure> {
    let mut error = None;
    let traces = inputs::find(paths)?;
    let run = Run::merge(traces.iter().filter_map(|path| match replay_one(path, options, messages) {
        Ok(mut trace) => {
            error = error.take().or(trace.error.take());
            Some(trace)
        }
        Err(unread) => {
            error = error.take().or(Some(unread));
            None
        }
    }));
    match error {
        Some(error) if run.inputs.is_empty() => Err(error.into()),
        error => Ok(Replayed { run, error }),
    }
}

fn replay_one(path: &Path, options: &Options, messages: &Messages) -> Result<TraceRun, TraceError> {
    let started = Instant::now();
    let mut events = trace::open(path)?;
    let progress = Progress::new(path, events.as_ref(), messages);
    let trace = run::replay(path, events.as_mut(), options, &mut |position| progress.at(position));
    drop(progress);
    let shown = path.display();
    if let Some(byte) = trace.input.cut_at {
        let place = format!("cut short at byte {byte}; analysed up to the last whole record");
        output::warn(messages, &format!("{shown}: {place}"));
    }
    let (events, seconds) = (trace.input.events, started.elapsed().as_secs_f64());
    let rate = events as f64 / seconds.max(1e-9) / 1e6;
    output::note(messages, &format!("{shown}: {events} events in {seconds:.2} s, {rate:.1} million a second"));
    Ok(trace)
}
