//! Runs a command so that each Python in it is recorded. In go the command and what to record; the program has the
//! terminal, its own exit status, and nothing to notice; out comes what was recorded, or why nothing was.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use super::outcome::{Outcome, Process};
use super::{install, python, signals};
use crate::trace::Header;
use crate::trace::formats::binary::amend::add_to_header;

/// The variable that the agent reads, in this process's children and theirs.
const VARIABLE: &str = "REFLOOP_RECORD";

/// What to record.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the trace goes; `None` names it after the program, in the current folder.
    pub output: Option<PathBuf>,
    pub events: EventsMode,
    /// Frames of each site, 0 for none.
    pub stack_depth: u32,
    /// Code whose births have a stack though nothing has leaked yet, where only what leaks has one.
    pub sites: Vec<String>,
    /// Whether lists, dicts and tuples go around CPython's free lists, so that each has the stack that made it.
    pub bypass: bool,
    /// Whether the keys of dicts are written that are not names of attributes.
    pub keys: bool,
    /// Time between two checkpoints.
    pub every: Option<Duration>,
    /// A signal on which a checkpoint is written, where the program leaves it its default.
    pub signal: Option<CheckpointSignal>,
    /// Objects of its own that a child process has at least, if it is to leave a trace; 0 for all.
    pub children_from: u64,
    /// Whether processes that a recorded one starts or forks are recorded too. If not, they have the environment that they
    /// have alone.
    pub children: bool,
}

/// Which births and deaths are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsMode {
    /// Those of garbage alone, without stacks.
    None,
    /// The same, with stacks for what is made of a type that has leaked before.
    Leaks,
    /// Those of objects that a checkpoint or a collection met alive.
    Survivors,
    /// All.
    Full,
}

impl EventsMode {
    /// As the agent reads it, in `agent/options.rs`.
    pub(super) fn name(self) -> &'static str {
        match self {
            EventsMode::None => "none",
            EventsMode::Leaks => "leaks",
            EventsMode::Survivors => "survivors",
            EventsMode::Full => "full",
        }
    }
}

/// A signal that programs may use as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointSignal {
    Usr1,
    Usr2,
}

/// What became of the command.
#[derive(Debug)]
pub struct Recording {
    pub status: ExitStatus,
    pub outcome: Outcome,
    /// Why the program was not recorded, in one clause.
    pub failure: Option<String>,
}

/// Runs the command and waits for its end.
///
/// A command that runs but cannot be recorded is no error: [`Recording::failure`] says why. `warn` hears it before the
/// program starts, if it is known then.
///
/// # Errors
/// When the command cannot be started.
pub fn launch(command: &[OsString], options: &Options, warn: impl FnOnce(&str)) -> io::Result<Recording> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut child = Command::new(program);
    child.args(arguments);
    let place = tempfile::Builder::new().prefix("refloop-").tempdir();
    let prepared = match &place {
        Ok(place) => prepare(&mut child, command, options, place.path()),
        Err(error) => Err(format!("no temporary folder: {}", words(error))),
    };
    if let Err(reason) = &prepared {
        warn(reason);
    }
    signals::hold();
    let start = Instant::now();
    let mut running = child.spawn()?;
    signals::pass_to(running.id());
    let status = running.wait()?;
    signals::pass_to(0);
    let seconds = start.elapsed().as_secs_f64();
    let mut outcome = match &place {
        Ok(place) => Outcome::read(&place.path().join("status")),
        Err(_) => Outcome::default(),
    };
    outcome.ask_traces();
    for process in outcome.processes.iter().filter(|process| process.id == running.id()) {
        // A trace that is gone, or another's by now, says nothing of the end.
        let _ = write_end(process, status, seconds);
    }
    let failure = match prepared {
        Err(reason) => Some(reason),
        Ok(()) if outcome.processes.is_empty() => {
            Some(outcome.refused.first().cloned().unwrap_or_else(|| python::why_not_loaded(command)))
        }
        Ok(()) => None,
    };
    Ok(Recording { status, outcome, failure })
}

/// Writes into the trace of the program how that ended.
fn write_end(process: &Process, status: ExitStatus, seconds: f64) -> io::Result<bool> {
    let end = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit={code}"),
        (None, Some(signal)) => format!("signal={signal}"),
        (None, None) => return Ok(false),
    };
    let file = File::options().read(true).write(true).open(&process.trace)?;
    add_to_header(&file, &format!("pid={}", process.id), &format!("{end} seconds={seconds:.3}"))
}

/// Gives the command the environment in which Python loads the agent.
fn prepare(child: &mut Command, command: &[OsString], options: &Options, place: &Path) -> Result<(), String> {
    install::supported()?;
    let output = output_line(options.output.as_deref(), command)?;
    let folder =
        install::folder(place).map_err(|error| format!("the recorder cannot be unpacked: {}", words(&error)))?;
    let mut lines = vec![
        output,
        format!("status={}", place.join("status").display()),
        format!("events={}", options.events.name()),
        format!("depth={}", options.stack_depth),
    ];
    if !options.sites.is_empty() {
        lines.push(format!("sites={}", options.sites.join(" ")));
    }
    if !options.bypass {
        lines.push("bypass=no".into());
    }
    if options.keys {
        lines.push("keys=yes".into());
    }
    if options.children_from > 0 {
        lines.push(format!("children-from={}", options.children_from));
    }
    if let Some(signal) = options.signal {
        // Their numbers on Linux.
        lines.push(format!("signal={}", if signal == CheckpointSignal::Usr1 { 10 } else { 12 }));
    }
    if let Some(every) = options.every {
        lines.push(format!("every={}", every.as_secs_f64()));
    }
    let path = std::env::var_os("PYTHONPATH");
    if !options.children {
        lines.extend(["forks=no".into(), "children=no".into()]);
        if let Some(path) = &path {
            let text = path.to_str().filter(|text| !text.contains('\n'));
            lines.push(format!("pythonpath={}", text.ok_or("PYTHONPATH cannot be handed on")?));
        }
    }
    child.env(VARIABLE, lines.join("\n"));
    child.env("PYTHONPATH", in_front(folder.as_os_str(), path.as_deref()));
    Ok(())
}

/// Tells the agent where the trace goes, and makes way for it there; it is named after the command where nothing is given, or a
/// folder.
///
/// # Errors
/// One clause.
pub(super) fn output_line(given: Option<&Path>, command: &[OsString]) -> Result<String, String> {
    let given = match given {
        Some(folder) if folder.is_dir() || folder.to_string_lossy().ends_with('/') => {
            folder.join(python::trace_name(command))
        }
        Some(file) => file.to_path_buf(),
        None => python::trace_name(command),
    };
    // Where a link leads to, not the link.
    let output = given.canonicalize().or_else(|_| std::path::absolute(&given));
    let output = output.map_err(|error| format!("{}: {}", given.display(), words(&error)))?;
    let line = format!("output={}", handed_on(&output)?);
    make_way(&output).map_err(|error| format!("{}: {}", output.display(), words(&error)))?;
    Ok(line)
}

/// A path as the agent can be told of it, in a line.
///
/// # Errors
/// One clause, where that cannot be.
pub(super) fn handed_on(path: &Path) -> Result<&str, String> {
    let name = path.to_str().filter(|name| !name.contains('\n'));
    name.ok_or_else(|| format!("{}: this name cannot be handed on", path.display()))
}

/// Whether the program of the trace has ended, by the word of who started it.
fn is_over(header: &Header) -> bool {
    ["exit", "signal"].iter().any(|word| header.word(word).is_some())
}

/// A process that has the file in its memory, as a recorder has its trace; of those that may be looked at.
#[cfg(target_os = "linux")]
fn writer_of(file: &Path) -> Option<u32> {
    // `address permissions offset device inode path`
    let path = format!(" {}", file.display());
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    { ids }.find(|id| {
        let maps = std::fs::read_to_string(format!("/proc/{id}/maps")).unwrap_or_default();
        maps.lines().any(|line| line.ends_with(&path))
    })
}

#[cfg(not(target_os = "linux"))]
fn writer_of(_: &Path) -> Option<u32> {
    None
}

/// Takes away an older trace with those of its child processes, and makes sure that a new one can be made. Nothing else is
/// taken away: no device, and no file that is no trace.
fn make_way(output: &Path) -> io::Result<()> {
    if let Ok(there) = output.metadata() {
        if there.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !there.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let trace = crate::trace::open(output);
        if !trace.as_ref().is_ok_and(|trace| is_over(trace.header()))
            && let Some(writer) = writer_of(output)
        {
            let reason = format!("process {writer} is writing it, so it is not replaced; name another with -o");
            return Err(io::Error::other(reason));
        }
        if there.len() > 0 && trace.is_err() {
            return Err(io::Error::other("is there already and no trace, so it is not replaced"));
        }
        std::fs::remove_file(output)?;
    }
    if let Some(folder) = output.parent().filter(|folder| !folder.exists()) {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new().write(true).create_new(true).open(output)?;
    std::fs::remove_file(output)?;
    let folder = output.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    for entry in folder.into_iter().flatten().flatten() {
        let other = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_file()) && is_child_of(&other, output) {
            // One that stays is only in the way of whoever reads the whole folder.
            let _ = std::fs::remove_file(&other);
        }
    }
    Ok(())
}

/// Whether a file is what a recorded child process writes beside `output`, by its name and by its header:
/// `app.4271.reftrace`, as `agent/process.rs` names it.
fn is_child_of(path: &Path, output: &Path) -> bool {
    let number = || {
        let (own, of) = (path.file_stem()?.to_str()?, output.file_stem()?.to_str()?);
        let number = own.strip_prefix(of)?.strip_prefix('.')?;
        (path.extension() == output.extension() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
    };
    let Some(number) = number() else { return false };
    let Ok(trace) = crate::trace::open(path) else { return false };
    trace.header().word("pid") == Some(number) && trace.header().word("parent").is_some()
}

fn in_front(first: &OsStr, rest: Option<&OsStr>) -> OsString {
    let mut paths = first.to_os_string();
    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
        paths.push(":");
        paths.push(rest);
    }
    paths
}

/// The system's words for an error, without its number.
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_end_its_line_is_not_handed_on() {
        let refused = output_line(Some(Path::new("/nowhere/a\nb.reftrace")), &[]).unwrap_err();
        assert_eq!(refused, "/nowhere/a\nb.reftrace: this name cannot be handed on");
    }

    #[test]
    fn in_a_folder_the_trace_is_named_after_the_program() {
        let place = tempfile::tempdir().unwrap();
        let command = ["python3", "app.py"].map(OsString::from);
        let named = |folder: &str| output_line(Some(&place.path().join(folder)), &command).unwrap();
        let line = |folder: &str| format!("output={}", place.path().join(folder).join("app.reftrace").display());
        assert_eq!([named(""), named("new/")], [line(""), line("new/")]);
    }
}
