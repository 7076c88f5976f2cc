//! Runs `export`: replays each trace, and adds what was found to the tables of its partition.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use refloop::export::{self, ExportError, Origin, Partition, Tables};
use refloop::findings::{self, Ownership};
use refloop::human::{count, counted};
use refloop::report::{Report, ReportOptions};
use refloop::run::{Extras, Options};
use refloop::trace::TraceError;

use crate::args;
use crate::inputs;
use crate::replay::{Replayed, replay, try_cuts};
use crate::settings;
use crate::status::{Failure, Outcome};

/// What the tables have that not every report has.
const EXTRAS: Extras = Extras { retained: false, makers: true };

pub(crate) fn export(command: &args::Export) -> Result<Outcome, Failure> {
    let settings = settings::load(&command.project)?;
    let ownership = super::report::ownership(&settings)?;
    let Traces { partitions, there, mut error } = find(command)?;
    let mut exported = 0;
    for (partition, traces) in &partitions {
        let (n, unread) = fill(partition, traces, &ownership, command)?;
        exported += n;
        error = error.or(unread);
    }
    if !command.messages.quiet {
        let partitions = counted(partitions.len() as u64, "partition", "partitions");
        let rest = if there > 0 { format!("; {} there already", count(there)) } else { String::new() };
        let folder = command.output.display();
        eprintln!("wrote {} to {folder}, in {partitions}{rest}", counted(exported, "trace", "traces"));
    }
    error.map_or(Ok(Outcome::Nothing), Err)
}

/// The traces to export, by partition.
struct Traces {
    partitions: BTreeMap<Partition, Vec<(PathBuf, Origin)>>,
    /// Traces that the tables have already.
    there: u64,
    /// The first that could not be opened.
    error: Option<Failure>,
}

/// Opens each trace, to see where it belongs. Fails only where none can be opened.
fn find(command: &args::Export) -> Result<Traces, Failure> {
    let mut known = export::known(&command.output).map_err(Failure::input)?;
    let mut found = Traces { partitions: BTreeMap::new(), there: 0, error: None };
    for path in inputs::find(&command.traces.traces)? {
        if path == Path::new("-") {
            return Err(Failure::usage("export looks at each trace twice: name a file"));
        }
        match origin(&path, command) {
            Ok(origin) if !known.insert(origin.id.clone()) => found.there += 1,
            Ok(origin) => found.partitions.entry(origin.partition()).or_default().push((path, origin)),
            Err(error) => found.error = found.error.or(Some(error)),
        }
    }
    match found.error {
        Some(error) if found.partitions.is_empty() && found.there == 0 => Err(error),
        _ => Ok(found),
    }
}

/// Where a trace comes from: what the command line says, else what its header does.
fn origin(path: &Path, command: &args::Export) -> Result<Origin, Failure> {
    let events = inputs::open(path)?;
    let said =
        Origin::of(path, events.header()).map_err(|error| Failure::from(TraceError::from(error).in_file(path)))?;
    Ok(Origin {
        day: command.day.or(said.day),
        service: command.service.clone().or(said.service),
        host: command.host.clone().or(said.host),
        ..said
    })
}

/// Writes the tables of one partition. Returns how many traces are in them, and the first error in one.
fn fill(
    partition: &Partition,
    traces: &[(PathBuf, Origin)],
    ownership: &Ownership,
    command: &args::Export,
) -> Result<(u64, Option<Failure>), Failure> {
    let cannot = |error: ExportError| Failure::input(format!("cannot write {error}"));
    let mut tables =
        Tables::create(&command.output, partition, traces.iter().map(|(_, origin)| origin)).map_err(cannot)?;
    let options = Options { extras: EXTRAS, ..Options::default() };
    let (mut exported, mut error) = (0, None);
    for (path, origin) in traces {
        let replayed = match replay(std::slice::from_ref(path), &options, &command.messages) {
            Ok(replayed) => replayed,
            Err(unread) => {
                error = error.or(Some(unread));
                continue;
            }
        };
        let mut findings = findings::find(&replayed.run, ownership);
        try_cuts(&replayed, &mut findings, |_| true, ownership, &command.messages);
        let Replayed { run, error: unread } = replayed;
        let report = Report::new(&run, &findings, None, ownership, &ReportOptions::default());
        tables.add(origin, &report).map_err(cannot)?;
        error = error.or(unread.map(Failure::from));
        exported += 1;
    }
    tables.finish().map_err(cannot)?;
    Ok((exported, error))
}
