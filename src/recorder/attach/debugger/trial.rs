//! Tries a debugger on a process of our own, before it touches another's.
//!
//! What a debugger changes in a thread, it puts back before it lets go. Where it cannot, the system call in which the thread waited
//! fails: gdb 13.1 does so much to any process on a processor that has more registers than it knows (AMX), and 18.1 does not.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Debugger, Said, gdb, last_error, lldb, waiting};
use crate::recorder::attach::request::Request;
use crate::recorder::launch::words;

/// What waits in a system call, with how long: longer than a debugger may take.
const WAITS: &str = "sleep";
const SECONDS: &str = "60";
/// How long that may take to begin.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long what was let go is watched: a system call that fails ends it at once.
const WATCHED: Duration = Duration::from_millis(20);
const LOOK: Duration = Duration::from_millis(1);

impl Debugger {
    /// Has it stop a process that waits, call a function there, and let go.
    ///
    /// # Errors
    /// One clause that says what it did. Where it may not touch even that process, the attempt at another says why.
    pub(super) fn try_out(self, request: &Request) -> Result<(), String> {
        let mut command = Command::new(WAITS);
        command.arg(SECONDS).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let failed = |error| format!("{} cannot be tried: {WAITS}: {}", self.name(), words(&error));
        let mut process = command.spawn().map_err(failed)?;
        let tried = self.try_on(&mut process, request);
        // It may have ended by itself.
        let _ = process.kill();
        let _ = process.wait();
        tried
    }

    fn try_on(self, process: &mut Child, request: &Request) -> Result<(), String> {
        let id = process.id();
        let start = Instant::now();
        while waiting(id).is_empty() && start.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
        let script = match self {
            Debugger::Gdb => gdb::TRIAL.to_owned(),
            Debugger::Lldb => lldb::trial(id),
        };
        let script = request.file("trial.script", script.as_bytes()).map_err(|error| self.unusable(&error))?;
        let Said { output, errors, .. } = self.run(id, &script)?;
        if errors.contains("not permitted") {
            return Ok(());
        }
        let was_called = output.lines().any(|line| line.starts_with(['$', '(']) && line.ends_with(&format!(" = {id}")));
        std::thread::sleep(WATCHED);
        let is_unharmed = process.try_wait().is_ok_and(|ended| ended.is_none());
        match (was_called, is_unharmed) {
            (true, true) => Ok(()),
            (true, false) => {
                Err(format!("{} harms what it attaches to on this machine, so it is not used", self.name()))
            }
            (false, _) => Err(format!(
                "{} cannot call functions on this machine, so it is not used ({}): a newer one may",
                self.name(),
                last_error(&errors).trim_end_matches('.'),
            )),
        }
    }
}
