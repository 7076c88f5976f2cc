//! Attaches to a CPython that runs: has it load the agent, and waits for what that writes.
//!
//! `target` looks at the process and refuses it, `remote` (3.14+) and `gdb` bring the `request`, and `waiting` finds threads in
//! which gdb may call a function. What then happens in the process is in `agent/attach.rs`.

mod gdb;
mod remote;
mod request;
mod target;
mod waiting;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::install;
use super::launch::{output_line, words};
use super::outcome::Process;
use request::Request;
use target::Target;

/// How long CPython may take to come back by itself before gdb is asked to help.
const GRACE: Duration = Duration::from_secs(1);
/// What CPython is asked to run.
const SCRIPT: &str = "attach.py";
/// Between two looks at what the agent says.
const LOOK: Duration = Duration::from_millis(5);

/// What is asked of a process that runs.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Where the trace goes; `None` names it after the program, in the current folder.
    pub output: Option<PathBuf>,
    /// Whether the keys of dicts are written that are not names of attributes.
    pub keys: bool,
    /// How long the process may take until it is back at the interpreter.
    pub timeout: Duration,
}

/// What became of it.
#[derive(Debug)]
pub struct Snapshot {
    pub process: Process,
    /// How long gdb worked, with the process standing still for the most of it; `None` without it.
    pub debugger: Option<Duration>,
}

/// Writes one full checkpoint of a process into a trace. `announce` hears how much memory the process has, before it is touched.
///
/// # Errors
/// One clause that says why there is none.
pub fn snapshot(process: u32, attachment: &Attachment, announce: impl FnOnce(u64)) -> Result<Snapshot, String> {
    install::supported()?;
    let target = Target::look(process)?;
    let is_remote = target.minor.is_some_and(|minor| minor >= remote::FIRST);
    if let Some(switch) = target.switched_off().filter(|_| is_remote) {
        return Err(format!("remote execution is switched off in process {process}: {switch}"));
    }
    if !is_remote && !gdb::is_there() {
        return Err("there is no gdb on the path, which CPython before 3.14 needs: apt-get install gdb".into());
    }
    let output = output_line(attachment.output.as_deref(), &target.command)?;
    let place = tempfile::Builder::new().prefix("refloop-").tempdir();
    let place = place.map_err(|error| format!("no temporary folder: {}", words(&error)))?;
    let agent =
        install::folder(place.path()).map_err(|error| format!("the agent cannot be unpacked: {}", words(&error)))?;
    let mut lines = vec![output, "attached=yes".into()];
    if attachment.keys {
        lines.push("keys=yes".into());
    }
    if is_remote {
        lines.push(format!("script={}", place.path().join(SCRIPT).display()));
    }
    let request = Request::new(place.path(), &agent.join("_refloop.so"), &lines)?;
    announce(target.resident);
    let debugger = match bring(&target, &request, is_remote, attachment.timeout) {
        Ok(debugger) => debugger,
        Err(reason) => {
            if is_remote && request.file(SCRIPT, b"").is_ok() {
                // CPython may look for it later, and would say that it is missing.
                let _ = place.keep();
            }
            return Err(reason);
        }
    };
    let process = finished(&target, &request)?;
    Ok(Snapshot { process, debugger })
}

/// Has the request reach the agent, and waits until that has begun.
fn bring(target: &Target, request: &Request, is_remote: bool, timeout: Duration) -> Result<Option<Duration>, String> {
    let start = Instant::now();
    let mut debugger = None;
    if is_remote {
        let script = request.file(SCRIPT, request.script(None).as_bytes()).map_err(|error| words(&error))?;
        remote::hand_over(target, &script)?;
        let may_help = gdb::is_there() && !waiting::waiting(target.id).is_empty();
        if !wait_for_claim(target, request, start, if may_help { GRACE.min(timeout) } else { timeout })? && may_help {
            debugger = Some(gdb::hand_over(target, request)?);
        }
    } else {
        debugger = Some(gdb::hand_over(target, request)?);
    }
    if wait_for_claim(target, request, start, timeout)? || !request.take_back() {
        return Ok(debugger);
    }
    Err(format!(
        "process {} did not come back to the interpreter within {} s, and the request was taken back: {}",
        target.id,
        timeout.as_secs_f64(),
        match waiting::waiting(target.id).first() {
            Some(_) if is_remote && debugger.is_none() =>
                "its main thread waits in a system call; gdb, which is not on the path, could use that time",
            _ => "its code in C neither ends nor gives the interpreter's lock up; --timeout waits longer",
        }
    ))
}

/// Waits until the agent has begun; false where the time is over first.
fn wait_for_claim(target: &Target, request: &Request, start: Instant, limit: Duration) -> Result<bool, String> {
    while !request.is_claimed() {
        if let Some(reason) = request.outcome().refused.first() {
            return Err(reason.clone());
        }
        if !target.is_there() {
            return Err(format!("process {} ended before anything was recorded", target.id));
        }
        if start.elapsed() >= limit {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

/// Waits until the agent is done.
fn finished(target: &Target, request: &Request) -> Result<Process, String> {
    loop {
        // Asked before, so that what it said last is read.
        let is_there = target.is_there();
        let outcome = request.outcome();
        if let Some(reason) = outcome.refused.first() {
            return Err(reason.clone());
        }
        let done = outcome.processes.into_iter().next().filter(|process| process.paused.is_some() || !is_there);
        match done {
            Some(process) => {
                wait_for_thread(target);
                return Ok(process);
            }
            None if !is_there => return Err(format!("process {} ended before anything was recorded", target.id)),
            None => std::thread::sleep(LOOK),
        }
    }
}

/// Waits, a while, until the agent's thread is gone.
fn wait_for_thread(target: &Target) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let start = Instant::now();
    while waiting::has_thread(target.id, "refloop") && start.elapsed() < PATIENCE {
        std::thread::sleep(LOOK);
    }
}

/// How long a walk of a heap of so much memory takes, about: of small objects, with what it writes (4.0 million: 1.3 s).
pub fn estimated_pause(bytes: u64) -> Duration {
    const BYTES_A_SECOND: u64 = 200 << 20;
    Duration::from_secs_f64(bytes as f64 / BYTES_A_SECOND as f64)
}
