//! Attaches to a CPython that runs: has it load the agent, which writes its heap once, or records until it is asked to end.
//!
//! `target` looks at the process and refuses it, an `errand` brings a `request` by `remote` (3.14+) or a `debugger`, and `waiting` finds
//! threads in which that may call a function. What then happens in the process is in `agent/attach.rs` and `agent/attached.rs`.

mod debugger;
mod errand;
mod remote;
mod request;
mod target;
mod waiting;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::launch::{EventsMode, output_line, words};
use super::outcome::Process;
use super::{install, signals};
pub use debugger::Debugger;
use errand::Errand;
use target::Target;

/// What is asked of a process that runs.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Where the trace goes; `None` names it after the program, in the current folder.
    pub output: Option<PathBuf>,
    /// Whether the keys of dicts are written that are not names of attributes.
    pub keys: bool,
    pub way: Way,
}

/// How a process is reached.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// Who brings a request where CPython cannot: `None` for the one that is at hand.
    pub debugger: Option<Debugger>,
    /// How long the process may take until it is back at the interpreter.
    pub timeout: Duration,
}

/// What is recorded from an attachment to a detachment.
#[derive(Debug, Clone, Copy)]
pub struct Stay {
    pub events: EventsMode,
    /// Frames of each site, 0 for none.
    pub stack_depth: u32,
    /// Time between two checkpoints; `None` for one at the beginning and one at the end.
    pub every: Option<Duration>,
    /// How long; `None` until somebody ends it.
    pub time: Option<Duration>,
}

/// What became of a request.
#[derive(Debug)]
pub struct Attached {
    pub process: Process,
    /// The debugger, and how long it worked, with the process standing still for the most of it; `None` without one.
    pub debugger: Option<(Debugger, Duration)>,
}

/// What is walked for one checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshot {
    /// The process, which stands still meanwhile.
    Process,
    /// A copy of it, which is searched for hidden references too, while the process goes on.
    Copy,
}

/// Writes one full checkpoint of a process into a trace. From then on this process does not die of an interrupt, a hangup or a termination:
/// it takes the request back, or leaves the process to do what it has begun, and nothing else behind. `announce` hears how much memory the process has, before it is touched.
///
/// # Errors
/// One clause that says why there is none.
pub fn snapshot(
    process: u32,
    attachment: &Attachment,
    of: Snapshot,
    announce: impl FnOnce(u64),
) -> Result<Attached, String> {
    let action = match of {
        Snapshot::Process => "snapshot",
        Snapshot::Copy => "copy",
    };
    signals::count();
    let before = signals::asked();
    finish(&attach(process, attachment, action, Vec::new(), announce)?, before)
}

/// A recording that goes on in a process.
pub struct Recording {
    id: u32,
    errand: Errand,
    trace: PathBuf,
    way: Way,
    end: Option<Instant>,
}

/// Begins to record a process. From then on this process does not die of an interrupt, a hangup or a termination: it ends the
/// recording. `announce` hears as in [`snapshot`].
///
/// # Errors
/// One clause that says why nothing is recorded.
pub fn begin(
    process: u32,
    attachment: &Attachment,
    stay: Stay,
    announce: impl FnOnce(u64),
) -> Result<(Recording, Attached), String> {
    let mut lines = vec![format!("events={}", stay.events.name()), format!("depth={}", stay.stack_depth)];
    lines.extend(stay.every.map(|every| format!("every={}", every.as_secs_f64())));
    signals::count();
    let errand = attach(process, attachment, "record", lines, announce)?;
    let end = stay.time.map(|time| Instant::now() + time);
    let begun = Attached { process: errand.done(|| false)?, debugger: errand.debugger };
    let trace = begun.process.trace.clone();
    Ok((Recording { id: process, errand, trace, way: attachment.way, end }, begun))
}

impl Recording {
    /// Waits until the recording is over: by itself, or as its time is over, or as this process was asked to end.
    ///
    /// # Errors
    /// One clause. Where the process could not be asked to end it, the recording goes on.
    pub fn wait(self) -> Result<Attached, String> {
        let is_asked = || signals::asked() > 0 || self.end.is_some_and(|end| Instant::now() >= end);
        // What was said of the beginning was told then.
        let by_itself = |mut process: Process| {
            process.paused = None;
            Attached { process, debugger: None }
        };
        if let Some(process) = self.errand.over(&self.trace, is_asked)? {
            self.errand.wait_for_thread();
            return Ok(by_itself(process));
        }
        let failed = |reason| match self.errand.over(&self.trace, || true) {
            // It has ended meanwhile.
            Ok(Some(process)) => Ok(by_itself(process)),
            _ => Err(format!("{reason}: the recording goes on; refloop detach {} ends it", self.id)),
        };
        detach(self.id, self.way).or_else(failed)
    }
}

/// Ends a recording that [`begin`] began, in this process or another, and has all taken out of the process.
///
/// # Errors
/// One clause that says why it goes on, or that there is none.
pub fn detach(process: u32, way: Way) -> Result<Attached, String> {
    signals::count();
    let before = signals::asked();
    let target = look(process, way)?;
    if target.recorded_into().is_none() {
        return Err(format!("process {process} is not recorded"));
    }
    // The agent wants a name for a trace, and makes none.
    let errand = Errand::bring(target, vec!["output=/".into(), "attached=yes".into(), "action=detach".into()], way)?;
    finish(&errand, before)
}

/// Waits until what was asked is done, and nothing of the agent runs any more, or until this process is asked to end more often than `before`.
fn finish(errand: &Errand, before: u32) -> Result<Attached, String> {
    let process = errand.done(|| signals::asked() > before)?;
    errand.wait_for_thread();
    Ok(Attached { process, debugger: errand.debugger })
}

/// Brings the request to record to a process that is not recorded yet.
fn attach(
    process: u32,
    attachment: &Attachment,
    action: &str,
    mut lines: Vec<String>,
    announce: impl FnOnce(u64),
) -> Result<Errand, String> {
    let target = look(process, attachment.way)?;
    if let Some(trace) = target.recorded_into() {
        return Err(format!("process {process} is recorded already, into {}", trace.display()));
    }
    lines.extend([
        output_line(attachment.output.as_deref(), &target.command)?,
        "attached=yes".into(),
        format!("action={action}"),
    ]);
    if attachment.keys {
        lines.push("keys=yes".into());
    }
    announce(target.resident);
    Errand::bring(target, lines, attachment.way)
}

/// Looks at a process, and whether there is a way to bring it a request.
fn look(process: u32, way: Way) -> Result<Target, String> {
    install::supported()?;
    let target = Target::look(process)?;
    let is_remote = remote::can_reach(&target);
    if let Some(switch) = target.switched_off().filter(|_| is_remote) {
        return Err(format!("remote execution is switched off in process {process}: {switch}"));
    }
    match way.debugger {
        Some(debugger) if !debugger.is_there() => return Err(format!("there is no {} on the path", debugger.name())),
        None if !is_remote && Debugger::at_hand().is_empty() => {
            return Err(
                "there is no gdb or lldb on the path, which CPython before 3.14 needs: apt-get install gdb".into()
            );
        }
        _ => {}
    }
    Ok(target)
}

/// Sends a signal, by its name without `SIG`. Where there is no such process any more, nobody is to be told.
fn signal(name: &str, process: u32) {
    let _ = Command::new("kill").args([format!("-{name}"), process.to_string()]).status();
}

impl Snapshot {
    /// How long a process of so much memory stands still, about. A walk: of small objects, with what it writes (4.0 million: 1.3 s).
    /// A copy: of what says where the memory is.
    pub fn estimated_pause(self, bytes: u64) -> Duration {
        let bytes_a_second: u64 = match self {
            Snapshot::Process => 200 << 20,
            Snapshot::Copy => 20 << 30,
        };
        Duration::from_secs_f64(bytes as f64 / bytes_a_second as f64)
    }
}
