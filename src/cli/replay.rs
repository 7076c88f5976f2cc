//! Opens each trace, shows how far its replay is, and says what it could not read.

use std::path::{Path, PathBuf};
use std::time::Instant;

use refloop::findings::proof::Trials;
use refloop::findings::{Finding, Ownership};
use refloop::run::{self, Options, Run, TraceRun};
use refloop::trace::{self, TraceError};
use refloop::whatif;

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

/// Traces that are larger together, as they lie on the disk, are not replayed once more.
const MOST_BYTES: u64 = 256 << 20;

/// Replays the traces once more, to see what the cuts would have done that are offered for the findings of which `wanted`
/// holds. Not done where they cannot be read twice, or are too large.
pub(crate) fn try_cuts(
    replayed: &Replayed,
    findings: &mut [Finding],
    wanted: impl Fn(usize) -> bool,
    ownership: &Ownership,
    messages: &Messages,
) {
    let trials = Trials::of(&replayed.run, findings, wanted);
    let paths: Vec<&Path> = replayed.run.inputs.iter().map(|input| Path::new(&input.path)).collect();
    if trials.is_empty() || replayed.error.is_some() || !are_small_files(&paths) {
        return;
    }
    let started = Instant::now();
    let mut sum: Option<Vec<whatif::Outcome>> = None;
    for path in paths {
        // What is gone meanwhile, or not to be read any more, proves nothing.
        let Ok(mut events) = trace::open(path) else { return };
        let progress = Progress::new(path, events.as_ref(), messages);
        let played = whatif::replay(events.as_mut(), trials.sets(), &mut |position| progress.at(position));
        if played.error.is_some() {
            return;
        }
        match &mut sum {
            None => sum = Some(played.outcomes),
            Some(sum) => sum.iter_mut().zip(played.outcomes).for_each(|(known, more)| known.add(more)),
        }
    }
    let n = trials.sets().count();
    output::note(messages, &format!("{n} cuts tried in {:.2} s", started.elapsed().as_secs_f64()));
    trials.conclude(sum.unwrap_or_default(), findings, ownership);
}

fn are_small_files(paths: &[&Path]) -> bool {
    let sizes = paths.iter().map(|path| path.metadata().ok().filter(|of| of.is_file()).map(|of| of.len()));
    let sum: Option<u64> = sizes.sum();
    sum.is_some_and(|sum| sum <= MOST_BYTES)
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
