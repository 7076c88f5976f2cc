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
use crate::replay::{Replayed, replay, try_cuts};
use crate::settings;
use crate::status::{Failure, Outcome};
use crate::{inputs, output};

/// What the tables have that not every report has.
const EXTRAS: Extras = Extras { retained: false, makers: true };

pub(crate) fn export(command: &args::Export) -> Result<Outcome, Failure> {
    let settings = settings::load(&command.project)?;
    let ownership = super::report::ownership(&settings)?;
    let mut unread = Unread { messages: &command.messages, traces: 0 };
    let Traces { partitions, there } = find(command, &mut unread)?;
    let mut exported = 0;
    for (partition, traces) in &partitions {
        exported += fill(partition, traces, &ownership, command, &mut unread)?;
    }
    if !command.messages.quiet {
        let partitions = counted(partitions.len() as u64, "partition", "partitions");
        let rest = if there > 0 { format!("; {} there already", count(there)) } else { String::new() };
        let folder = command.output.display();
        eprintln!("wrote {} to {folder}, in {partitions}{rest}", counted(exported, "trace", "traces"));
    }
    match unread.traces {
        0 => Ok(Outcome::Nothing),
        n => Err(Failure::input(format!("{} could not be read, or not to the end", counted(n, "trace", "traces")))),
    }
}

/// Traces that could not be read to their end.
struct Unread<'a> {
    messages: &'a args::Messages,
    traces: u64,
}

impl Unread<'_> {
    /// Says why one could not be.
    fn add(&mut self, (Failure::Usage(reason) | Failure::Input(reason)): Failure) {
        output::warn(self.messages, &format!("{reason:#}"));
        self.traces += 1;
    }
}

/// The traces to export, by partition.
struct Traces {
    partitions: BTreeMap<Partition, Vec<(PathBuf, Origin)>>,
    /// Traces that the tables have already.
    there: u64,
}

/// Opens each trace, to see where it belongs.
fn find(command: &args::Export, unread: &mut Unread) -> Result<Traces, Failure> {
    let mut known = export::known(&command.output).map_err(Failure::input)?;
    let mut found = Traces { partitions: BTreeMap::new(), there: 0 };
    for path in inputs::find(&command.traces)? {
        if path == Path::new("-") {
            return Err(Failure::usage("export looks at each trace twice: name a file"));
        }
        match origin(&path, command) {
            Ok(origin) if !known.insert(origin.id.clone()) => found.there += 1,
            Ok(origin) => found.partitions.entry(origin.partition()).or_default().push((path, origin)),
            Err(error) => unread.add(error),
        }
    }
    Ok(found)
}

/// Where a trace comes from: what the command line says, else what its header does.
fn origin(path: &Path, command: &args::Export) -> Result<Origin, Failure> {
    let events = inputs::open(path)?;
    let said = Origin::of(path, events.header()).map_err(|error| TraceError::from(error).in_file(path))?;
    Ok(Origin {
        day: command.day.or(said.day),
        service: command.service.clone().or(said.service),
        host: command.host.clone().or(said.host),
        ..said
    })
}

/// Writes the tables of one partition. Returns how many traces are in them.
fn fill(
    partition: &Partition,
    traces: &[(PathBuf, Origin)],
    ownership: &Ownership,
    command: &args::Export,
    unread: &mut Unread,
) -> Result<u64, Failure> {
    let cannot = |error: ExportError| Failure::input(format!("cannot write {error}"));
    let mut tables =
        Tables::create(&command.output, partition, traces.iter().map(|(_, origin)| origin)).map_err(cannot)?;
    let options = Options { extras: EXTRAS, ..Options::default() };
    let mut exported = 0;
    for (path, origin) in traces {
        let replayed = match replay(std::slice::from_ref(path), &options, &command.messages) {
            Ok(replayed) => replayed,
            Err(error) => {
                unread.add(error);
                continue;
            }
        };
        let mut findings = findings::find(&replayed.run, ownership);
        try_cuts(&replayed, &mut findings, |_| true, ownership, &command.messages);
        let Replayed { run, error } = replayed;
        let report = Report::new(&run, &findings, None, ownership, &ReportOptions::default());
        tables.add(origin, &report).map_err(cannot)?;
        error.into_iter().for_each(|error| unread.add(error.into()));
        exported += 1;
    }
    tables.finish().map_err(cannot)?;
    Ok(exported)
}
