//! Has a debugger hand a request to the agent: it stops the process, calls a few functions in it, and lets it go.

mod gdb;
mod lldb;
mod trial;

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::request::Request;
use super::target::Target;
use super::waiting::{Waiting, waiting};

/// A program that calls functions in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Debugger {
    Gdb,
    Lldb,
}

/// Threads that a script knows of.
const THREADS: usize = 16;
/// The function of the agent that takes a request.
const FUNCTION: &str = "refloop_attach";
const PAGE: usize = 4096;
/// How long a debugger may take before it is told to stop what it does: the process stands still meanwhile.
const PATIENCE: Duration = Duration::from_secs(20);
/// And how long to do so.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// What came of it in the process.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// The agent was loaded in a thread that waits: 0, or the number of an error of the system.
    Loaded(i32),
    /// It is to be loaded at the next safe point of the main thread, if this is 0.
    Queued(i32),
    NotLoaded(String),
}

/// What a debugger printed.
struct Said {
    output: String,
    errors: String,
    /// It was told to let go before it was done.
    is_late: bool,
}

impl Debugger {
    /// Those on the path, the one to prefer first.
    pub(super) fn at_hand() -> Vec<Debugger> {
        [Debugger::Gdb, Debugger::Lldb].into_iter().filter(|debugger| debugger.is_there()).collect()
    }

    /// The first of these that does no harm to a process of our own.
    ///
    /// # Errors
    /// One clause that says what each did, where there is none.
    pub(super) fn first_harmless(debuggers: &[Debugger], request: &Request) -> Result<Debugger, String> {
        let mut failures = Vec::new();
        for &debugger in debuggers {
            match debugger.try_out(request) {
                Ok(()) => return Ok(debugger),
                Err(reason) => failures.push(reason),
            }
        }
        Err(failures.join("; "))
    }

    pub(super) fn is_there(self) -> bool {
        env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(self.name()).is_file()))
    }

    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Debugger::Gdb => "gdb",
            Debugger::Lldb => "lldb",
        }
    }

    /// Stops the process, and has the agent loaded in it: at once in a thread that waits, else at the next safe point of the main
    /// thread. Says how long that took, all in all: the process stood still for less.
    ///
    /// # Errors
    /// One clause.
    pub(super) fn hand_over(self, target: &Target, request: &Request) -> Result<Duration, String> {
        let mut threads = waiting(target.id);
        threads.truncate(THREADS);
        let script = match self {
            Debugger::Gdb => gdb::script(target, request, &threads)?,
            Debugger::Lldb => lldb::script(target, request, &threads)?,
        };
        let script = request.file("attach.script", script.as_bytes()).map_err(|error| self.unusable(&error))?;
        let start = Instant::now();
        let said = self.run(target.id, &script)?;
        match self.verdict(&said.output, &said.errors) {
            Ok(()) => Ok(start.elapsed()),
            Err(reason) if said.is_late => {
                let (name, patience) = (self.name(), PATIENCE.as_secs());
                Err(format!("{name} was not done after {patience} s, and was told to let go: {reason}"))
            }
            Err(reason) => Err(reason),
        }
    }

    /// Runs a script in a process, and gives what was printed.
    ///
    /// # Errors
    /// One clause, where it cannot be run or does not end.
    fn run(self, process: u32, script: &Path) -> Result<Said, String> {
        let mut command = self.command(process, script);
        // It would ask servers for sources.
        command.env_remove("DEBUGINFOD_URLS");
        // An interrupt from the terminal is for this process alone: the debugger finishes what it has begun to call.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = command.spawn().map_err(|error| self.unusable(&error))?;
        let id = running.id();
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || send.send(running.wait_with_output()));
        let held =
            |_| format!("{}, process {id}, does not let go of process {process}: it may be stuck in it", self.name());
        let (output, is_late) = match receive.recv_timeout(PATIENCE) {
            Ok(output) => (output, false),
            Err(_) => {
                // It goes back to where it was then, and lets go.
                super::signal("INT", id);
                (receive.recv_timeout(LAST_PATIENCE).map_err(held)?, true)
            }
        };
        let output = output.map_err(|error| self.unusable(&error))?;
        let [output, errors] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(Said { output, errors, is_late })
    }

    fn unusable(self, error: &std::io::Error) -> String {
        format!("{} cannot be used: {}", self.name(), super::words(error))
    }

    /// What runs a script in a process.
    fn command(self, process: u32, script: &Path) -> Command {
        let mut command = Command::new(self.name());
        match self {
            // The names of functions are enough: what describes their lines would take seconds to read.
            Debugger::Gdb => command.args(["-nx", "-q", "--batch", "--readnever", "-p", &process.to_string(), "-x"]),
            Debugger::Lldb => command.args(["--no-lldbinit", "--script-language", "none", "--batch", "-s"]),
        };
        command.arg(script);
        command
    }

    /// What the script printed, or what kept it from that.
    fn verdict(self, said: &str, errors: &str) -> Result<(), String> {
        let name = self.name();
        let answer = match self {
            Debugger::Gdb => gdb::answer(said),
            Debugger::Lldb => lldb::answer(said),
        };
        match answer {
            Some(Answer::Loaded(0) | Answer::Queued(0)) => Ok(()),
            Some(Answer::Queued(_)) => Err("CPython's queue of pending calls is full".into()),
            Some(Answer::NotLoaded(reason)) => Err(format!("the agent could not be loaded: {reason}")),
            Some(Answer::Loaded(error)) => {
                let error = std::io::Error::from_raw_os_error(error);
                Err(format!("the system gives the agent no thread: {}", super::words(&error)))
            }
            None => Err(format!("{name} failed: {}", last_error(errors))),
        }
    }
}

/// What went wrong, of all that was printed as an error.
fn last_error(errors: &str) -> &str {
    let telling = |line: &&str| !line.trim().is_empty() && !line.starts_with("warning:");
    let last = errors.lines().rev().find(telling).unwrap_or("it said nothing");
    last.strip_prefix("error: ").unwrap_or(last)
}

/// Whether a thread is one of those that wait, in C with the debugger's name for the stack pointer.
fn is_waiting(threads: &[Waiting]) -> String {
    let is_it = |thread: &Waiting| format!("(unsigned long) $sp == {:#x}", thread.stack_pointer);
    match threads {
        [] => "0".into(),
        threads => threads.iter().map(is_it).collect::<Vec<_>>().join(" || "),
    }
}

/// A room in the process for a script of Python that has so many bytes before it: its address, its length, and the script, which
/// says both and ends with a zero byte.
fn place_script(target: &Target, request: &Request, before: usize) -> Result<(u64, usize, Vec<u8>), String> {
    // The length of the script depends a little on the numbers in it.
    let length = (before + request.script(Some((u64::MAX, u64::MAX))).len() + 1).next_multiple_of(PAGE);
    let address = target.free_room(length as u64).ok_or("its address space has no room")?;
    let mut script = request.script(Some((address, length as u64))).into_bytes();
    script.push(0);
    Ok((address, length, script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_debugger_says_is_understood() {
        let gdb = |said, errors| Debugger::Gdb.verdict(said, errors);
        assert_eq!(gdb("Restoring\nrefloop: loaded 0\n[Inferior 1 detached]\n", ""), Ok(()));
        assert_eq!(gdb("refloop: queued 0\n", "warning: x\n"), Ok(()));
        let failed = |said, errors| gdb(said, errors).unwrap_err();
        assert!(failed("refloop: queued -1\n", "").contains("full"));
        assert!(failed("refloop: not loaded: no such file\n", "").contains("no such file"));
        let refused = failed("refloop: loaded 11\n", "");
        assert!(refused.starts_with("the system gives the agent no thread: resource temporarily"), "{refused}");
        assert_eq!(failed("", "ptrace: Operation not permitted.\n\n"), "gdb failed: ptrace: Operation not permitted.");

        let lldb = |said, errors| Debugger::Lldb.verdict(said, errors);
        assert_eq!(lldb("(lldb) expression -- $refloop_loaded\n(int) $refloop_loaded = 0\n", "error: x\n"), Ok(()));
        assert_eq!(lldb("(int) $refloop_queued = 0\nProcess 7 detached\n", ""), Ok(()));
        assert!(lldb("(int) $refloop_queued = -1\n", "").unwrap_err().contains("full"));
        let no_file = "(char *) $refloop_reason = 0x00005581 \"/a: no such file\"\n";
        assert_eq!(lldb(no_file, ""), Err("the agent could not be loaded: /a: no such file".into()));
        let refused = lldb("", "error: attach failed: Operation not permitted\n");
        assert_eq!(refused, Err("lldb failed: attach failed: Operation not permitted".into()));
    }
}
