//! Traces are replayed one after the other, and what each leaves behind is put together.

use std::path::{Path, PathBuf};
use std::time::Instant;

use refloop::cycles::Tracker;
use refloop::findings::Facts;
use refloop::findings::layout::Classes;
use refloop::heap;
use refloop::overhead::{Profiler, SlotsOptions};
use refloop::report::{Input, InputEnding, Known, SlotsRow, TypeRow, rows};
use refloop::trace::{Births, Ending, References, TraceError};

use crate::args::Messages;
use crate::progress::Progress;
use crate::status::Failure;
use crate::{inputs, output};

/// What the replay of all traces left behind. The heaps themselves are gone.
#[derive(Debug, Default)]
pub struct Run {
    pub inputs: Vec<Input>,
    pub facts: Facts,
    pub live_objects: u64,
    pub live_bytes: u64,
    pub profiled_bytes: u64,
    pub types: Vec<TypeRow>,
    /// Types are told by module.
    pub by_module: bool,
    pub types_notes: Vec<String>,
    /// Traces of whose types nothing is known.
    pub untyped: Vec<String>,
    pub slots: Vec<SlotsRow>,
    pub slots_notes: Vec<String>,
    pub slots_not_understood: Vec<String>,
    /// The first trace that could not be read to its end. What came before it is in the rest.
    pub error: Option<TraceError>,
}

/// Replays each trace. Fails only where nothing at all could be read.
pub fn replay(paths: &[PathBuf], options: &SlotsOptions, messages: &Messages) -> Result<Run, Failure> {
    let mut run = Run::default();
    let mut facts = Vec::new();
    for path in inputs::find(paths)? {
        match replay_one(&path, options, messages, &mut run) {
            Ok(of_one) => facts.push(of_one),
            Err(error) => run.error = run.error.or(Some(error)),
        }
    }
    run.types_notes.extend(without_types(&run.untyped));
    match run.error {
        Some(error) if facts.is_empty() => Err(error.into()),
        _ => Ok(Run { facts: Facts::merge(facts), ..run }),
    }
}

fn replay_one(path: &Path, options: &SlotsOptions, messages: &Messages, run: &mut Run) -> Result<Facts, TraceError> {
    let started = Instant::now();
    let mut events = refloop::trace::open(path)?;
    let mut watch = (Tracker::new(), Profiler::new());
    let progress = Progress::new(path, events.as_ref(), messages);
    let replayed = heap::replay(events.as_mut(), &mut watch, &mut |position| progress.at(position));
    drop(progress);
    let heap = replayed.heap;
    let profile = watch.1.finish(&heap);
    let facts = Facts::of(watch.0.finish(&heap), Classes::of(&profile), &heap);
    let advice = profile.advise(options);
    // Where only survivors are told of, it takes a full checkpoint to meet what is alive.
    let is_met = heap.header().births == Births::All || replayed.whole_snapshots > 0;
    if is_met && heap.header().references != References::None {
        run.live_objects += heap.n_live();
        run.live_bytes += heap.live_bytes();
        run.profiled_bytes += profile.coverage.heap_bytes;
        if heap.n_live() > 0 && heap.live_bytes() == 0 {
            let name = heap::printable(&path.to_string_lossy()).into_owned();
            run.types_notes.push(format!("{name} has no sizes, so what its types cost is not known"));
        } else {
            run.types.extend(rows::types_of(&profile, &heap));
        }
    } else {
        run.untyped.push(path.to_string_lossy().into_owned());
    }
    run.slots.extend(rows::slots_of(&advice));
    add_new(&mut run.types_notes, profile.coverage.sentence());
    add_new(&mut run.slots_notes, rows::notes_of(&advice, options.min_saving));
    add_new(&mut run.slots_not_understood, advice.not_understood.iter().cloned());
    let is_complete = replayed.error.is_none() && matches!(replayed.ending, Ending::Complete);
    let mut input = Input {
        path: path.to_string_lossy().into_owned(),
        runtime: heap.header().runtime.clone(),
        references: heap.header().references,
        events: replayed.events,
        snapshots: replayed.snapshots,
        known: Known::of(replayed.snapshots, replayed.whole_snapshots, is_complete),
        ending: match replayed.ending {
            Ending::Complete => InputEnding::Complete,
            Ending::Open => InputEnding::Open,
            Ending::Cut(_) => InputEnding::Cut,
        },
        ..Input::default()
    };
    match (replayed.error, replayed.ending) {
        (Some(error), _) => {
            let error = error.in_file(path);
            (input.ending, input.error) = (InputEnding::Error, Some(error.to_string()));
            run.error = run.error.take().or(Some(error));
        }
        (None, Ending::Cut(position)) => {
            input.cut_at = Some(position.byte);
            let place = format!("cut short at byte {}; analysed up to the last whole record", position.byte);
            output::warn(messages, &format!("{}: {place}", path.display()));
        }
        (None, Ending::Open | Ending::Complete) => {}
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = input.events as f64 / seconds.max(1e-9) / 1e6;
    let shown = path.display();
    output::note(messages, &format!("{shown}: {} events in {seconds:.2} s, {rate:.1} million a second", input.events));
    run.inputs.push(input);
    Ok(facts)
}

/// What the types of all traces do not cover, as a sentence.
fn without_types(untyped: &[String]) -> Option<String> {
    let (first, others) = untyped.split_first()?;
    let (first, why) = (heap::printable(first), "without a full checkpoint nothing is known of the types");
    Some(match others.len() {
        0 => format!("{why} of {first}"),
        1 => format!("{why} of {first} and 1 more trace"),
        n => format!("{why} of {first} and {n} more traces"),
    })
}

fn add_new(notes: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for note in more {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}
