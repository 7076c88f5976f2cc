//! Brings a request to the agent in a process, and hears what becomes of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::request::{Request, give};
use super::target::Target;
use super::{Debugger, Way, remote, waiting};
use crate::recorder::launch::words;
use crate::recorder::outcome::{Outcome, Process};
use crate::recorder::{install, signals};

/// How long CPython may take to come back by itself before a debugger is asked to help.
const GRACE: Duration = Duration::from_secs(1);
/// How long what lldb has begun to stop may take to be stopped, when it has let go (seen with 14.0).
const LLDB_GRACE: Duration = Duration::from_millis(200);
/// What CPython is asked to run.
const SCRIPT: &str = "attach.py";
/// Between two looks at what the agent says.
const LOOK: Duration = Duration::from_millis(5);
/// The same, while a recording goes on.
const WATCH: Duration = Duration::from_millis(50);
/// Between two looks whether the process still writes the trace.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the trace of a copy, whose process has ended, may be as it was.
const COPY_PATIENCE: Duration = Duration::from_secs(10);

/// A request that a process has taken.
pub(super) struct Errand {
    target: Target,
    request: Request,
    /// The folder of the request.
    _place: TempDir,
    /// The debugger, and how long it worked; `None` without one.
    pub debugger: Option<(Debugger, Duration)>,
}

impl Errand {
    /// Brings the request of these lines, and waits until the agent has begun with it.
    ///
    /// # Errors
    /// One clause. The request was taken back then.
    pub(super) fn bring(target: Target, mut lines: Vec<String>, way: Way) -> Result<Errand, String> {
        let place = tempfile::Builder::new().prefix("refloop-").tempdir();
        let place = place.map_err(|error| format!("no temporary folder: {}", words(&error)))?;
        let agent = match target.owner {
            None => install::folder(place.path()),
            // What is in this user's cache, another cannot read.
            Some(owner) => install::folder_in(place.path()).and_then(|folder| give_all(place.path(), &folder, owner)),
        };
        let agent = agent.map_err(|error| format!("the agent cannot be unpacked: {}", words(&error)))?;
        lines.push(format!("process={}", target.inner_id));
        let is_remote = remote::can_reach(&target);
        if is_remote {
            lines.push(format!("script={}", place.path().join(SCRIPT).display()));
        }
        let request = Request::new(place.path(), &agent.join("_refloop.so"), target.owner, &lines)?;
        match hand_over(&target, &request, is_remote, way) {
            Ok(debugger) => Ok(Errand { target, request, _place: place, debugger }),
            Err(reason) => {
                if is_remote && request.file(SCRIPT, b"").is_ok() {
                    // CPython may look for it later, and would say that it is missing.
                    let _ = place.keep();
                }
                Err(reason)
            }
        }
    }

    /// Waits until the agent has done what was asked, or nobody wants to wait any longer.
    ///
    /// # Errors
    /// One clause that says why it did not.
    pub(super) fn done(&self, is_given_up: impl Fn() -> bool) -> Result<Process, String> {
        // How long the trace was when it was last seen to grow, and when that was; its process may have gone before its copy is done.
        let mut grown: Option<(u64, Instant)> = None;
        loop {
            if self.debugger.is_some_and(|(debugger, _)| debugger == Debugger::Lldb) {
                self.target.let_go_on();
            }
            // Asked before, so that what it said last is read.
            let is_there = self.target.is_there();
            match self.said()? {
                Some(process) if process.paused.is_some() => return Ok(process),
                Some(process) if !is_there && process.written.is_some() => return Ok(process),
                // Another program may have taken its place (`exec`).
                Some(process) if !is_there || process.written.is_some() && !self.has_agent() => {
                    let length = process.trace.metadata().map_or(0, |trace| trace.len());
                    let since = match grown {
                        Some((before, since)) if before == length => since,
                        _ => grown.insert((length, Instant::now())).1,
                    };
                    let patience = if is_there { PATIENCE } else { COPY_PATIENCE };
                    if since.elapsed() > patience {
                        return Ok(process);
                    }
                }
                None if !is_there => return Err(ended(self.target.id)),
                _ => grown = None,
            }
            if is_given_up() {
                let id = self.target.id;
                return Err(format!("interrupted: process {id} does all the same what it has begun"));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until the recording is over, and says what was recorded; `None` where `is_asked` comes first.
    ///
    /// # Errors
    /// One clause.
    pub(super) fn over(&self, trace: &Path, is_asked: impl Fn() -> bool) -> Result<Option<Process>, String> {
        let mut looked = Instant::now();
        let mut was_writing = true;
        loop {
            let mut is_there = self.target.is_there();
            if looked.elapsed() >= PATIENCE {
                // A program that has taken its place (`exec`) says nothing.
                let is_writing = self.target.writes(trace);
                is_there &= is_writing || was_writing;
                (looked, was_writing) = (Instant::now(), is_writing);
            }
            match self.said()? {
                Some(process) if process.written.is_some() || process.stopped.is_some() || !is_there => {
                    return Ok(Some(process));
                }
                None if !is_there => return Err(ended(self.target.id)),
                _ if is_asked() => return Ok(None),
                _ => std::thread::sleep(WATCH),
            }
        }
    }

    /// Waits, a while, until the agent's thread is gone.
    pub(super) fn wait_for_thread(&self) {
        let start = Instant::now();
        while self.has_agent() && start.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
    }

    /// Whether a thread of the agent is in the process.
    fn has_agent(&self) -> bool {
        waiting::has_thread(self.target.id, "refloop")
    }

    /// What the agent has said so far of the process.
    fn said(&self) -> Result<Option<Process>, String> {
        let Outcome { processes, refused, .. } = self.request.outcome();
        match refused.into_iter().next() {
            Some(reason) => Err(format!("process {}: {reason}", self.target.id)),
            None => Ok(processes.into_iter().next()),
        }
    }
}

/// Gives the folder of a request, and the agent in it, to the user and the group of the process.
fn give_all(place: &Path, agent: &Path, owner: (u32, u32)) -> io::Result<PathBuf> {
    for entry in fs::read_dir(agent)? {
        give(&entry?.path(), owner)?;
    }
    give(agent, owner)?;
    give(place, owner)?;
    Ok(agent.to_owned())
}

/// Has the request reach the agent, and waits until that has begun. Says how long which debugger worked.
fn hand_over(
    target: &Target,
    request: &Request,
    is_remote: bool,
    Way { debugger, timeout }: Way,
) -> Result<Option<(Debugger, Duration)>, String> {
    let start = Instant::now();
    let before = signals::asked();
    let is_asked_to_end = || signals::asked() > before;
    let wait = |limit| wait_for_claim(target, request, || start.elapsed() >= limit || is_asked_to_end());
    let debuggers = debugger.map_or_else(Debugger::at_hand, |debugger| vec![debugger]);
    let mut worked = None;
    if is_remote {
        let script = request.file(SCRIPT, request.script(None).as_bytes()).map_err(|error| words(&error))?;
        remote::hand_over(target, &script)?;
        let can_help = !debuggers.is_empty() && !waiting::waiting(target.id).is_empty();
        let is_enough = wait(if can_help { GRACE.min(timeout) } else { timeout })? || is_asked_to_end();
        // CPython may come back by itself where none can be used.
        if can_help
            && !is_enough
            && let Ok(helper) = Debugger::first_harmless(&debuggers, request)
        {
            worked = ask(helper, target, request)?;
        }
    } else {
        worked = ask(Debugger::first_harmless(&debuggers, request)?, target, request)?;
    }
    if wait(timeout)? || !request.take_back() {
        return Ok(worked);
    }
    if is_asked_to_end() {
        return Err("interrupted, and the request was taken back".into());
    }
    Err(format!(
        "process {} did not come back to the interpreter within {} s, and the request was taken back: {}",
        target.id,
        timeout.as_secs_f64(),
        match waiting::waiting(target.id).first() {
            Some(_) if is_remote && worked.is_none() =>
                "its main thread waits in a system call; gdb or lldb, of which none can be used, could make use of that time",
            _ => "its code in C neither ends nor gives the interpreter's lock up; --timeout waits longer",
        }
    ))
}

/// Has a debugger bring the request, and says how long that took. Where the process has ended since the agent began, it may have failed.
fn ask(debugger: Debugger, target: &Target, request: &Request) -> Result<Option<(Debugger, Duration)>, String> {
    let handed_over = debugger.hand_over(target, request);
    let end = Instant::now() + LLDB_GRACE;
    while debugger == Debugger::Lldb && Instant::now() < end {
        target.let_go_on();
        std::thread::sleep(LOOK);
    }
    match handed_over {
        Ok(time) => Ok(Some((debugger, time))),
        Err(_) if request.is_claimed() => Ok(None),
        Err(reason) => Err(reason),
    }
}

/// Waits until the agent has begun; false where it `is_enough` first.
fn wait_for_claim(target: &Target, request: &Request, is_enough: impl Fn() -> bool) -> Result<bool, String> {
    while !request.is_claimed() {
        if let Some(reason) = request.outcome().refused.first() {
            return Err(format!("process {}: {reason}", target.id));
        }
        if !target.is_there() {
            return Err(ended(target.id));
        }
        if is_enough() {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

fn ended(process: u32) -> String {
    format!("process {process} ended before anything was recorded")
}
