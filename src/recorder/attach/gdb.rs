//! Has gdb hand a request to the agent: it stops the process, calls a few functions in it, and lets it go.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::request::Request;
use super::target::Target;
use super::waiting::waiting;

const SCRIPT: &str = include_str!("../bootstrap/attach.gdb");
/// Where the texts stand in the room.
const NAME: usize = 4096;
const REQUEST: usize = 4352;
const PAGE: usize = 4096;
/// Threads that the script knows of.
const THREADS: usize = 16;
/// How long gdb may take before it is told to stop what it does: the process stands still meanwhile.
const PATIENCE: Duration = Duration::from_secs(20);
/// And how long to do so.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

/// Whether there is a debugger.
pub(super) fn is_there() -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("gdb").is_file()))
}

/// Stops the process, and has the agent loaded in it: at once in a thread that waits, else at the next safe point of the main
/// thread. Says how long that took, all in all: the process stood still for less.
///
/// # Errors
/// One clause.
pub(super) fn hand_over(target: &Target, request: &Request) -> Result<Duration, String> {
    let failed = |error: std::io::Error| format!("gdb cannot be used: {}", super::words(&error));
    let threads: Vec<String> = { waiting(target.id) }
        .iter()
        .take(THREADS)
        .map(|thread| format!("(unsigned long) $sp == {:#x}", thread.stack_pointer))
        .collect();
    let Room { address, content, script } = Room::new(target, request)?;
    let length = content.len();
    let content = request.file("room", &content).map_err(failed)?;
    let is_waiting = if threads.is_empty() { "0".into() } else { threads.join(" || ") };
    let filled = [
        ("@WAITING@", is_waiting),
        ("@ROOM@", address.to_string()),
        ("@LENGTH@", length.to_string()),
        ("@CONTENT@", content.display().to_string()),
        ("@AGENT@", "0".into()),
        ("@NAME@", NAME.to_string()),
        ("@REQUEST@", REQUEST.to_string()),
        ("@SCRIPT@", script.to_string()),
    ];
    let text = { filled }.iter().fold(SCRIPT.to_owned(), |text, (name, value)| text.replace(name, value));
    let file = request.file("attach.gdb", text.as_bytes()).map_err(failed)?;
    let mut command = Command::new("gdb");
    // The names of functions are enough: what describes their lines would take seconds to read.
    command.args(["-nx", "-q", "--batch", "--readnever", "-p", &target.id.to_string(), "-x"]).arg(file);
    // It would ask servers for sources.
    command.env_remove("DEBUGINFOD_URLS");
    // An interrupt from the terminal is for this process alone: gdb finishes what it has begun to call.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let running = command.spawn().map_err(failed)?;
    let id = running.id();
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || send.send(running.wait_with_output()));
    let held = |_| format!("gdb, process {id}, does not let go of process {}: it may be stuck in it", target.id);
    let (output, is_late) = match receive.recv_timeout(PATIENCE) {
        Ok(output) => (output, false),
        Err(_) => {
            // It goes back to where it was then, and lets go: `unwindonsignal` in the script.
            let _ = Command::new("kill").args(["-INT", &id.to_string()]).status();
            (receive.recv_timeout(LAST_PATIENCE).map_err(held)?, true)
        }
    };
    let output = output.map_err(failed)?;
    match verdict(&String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr)) {
        Ok(()) => Ok(start.elapsed()),
        Err(reason) if is_late => {
            Err(format!("gdb was not done after {} s, and was told to let go: {reason}", PATIENCE.as_secs()))
        }
        Err(reason) => Err(reason),
    }
}

/// The texts that the process gets to see: where they go, and where the script stands among them.
struct Room {
    address: u64,
    content: Vec<u8>,
    script: usize,
}

impl Room {
    fn new(target: &Target, request: &Request) -> Result<Room, String> {
        let agent = request.agent().as_bytes();
        if agent.len() >= NAME {
            return Err("the path of the agent is too long".into());
        }
        let mut content = vec![0; REQUEST];
        content[..agent.len()].copy_from_slice(agent);
        let name = b"refloop_attach";
        content[NAME..][..name.len()].copy_from_slice(name);
        content.extend(request.text().as_bytes());
        content.push(0);
        let script = content.len();
        // The length of the script depends a little on the numbers in it.
        let length = (script + request.script(Some((u64::MAX, u64::MAX))).len() + 1).next_multiple_of(PAGE);
        let address = target.free_room(length as u64).ok_or("its address space has no room")?;
        content.extend(request.script(Some((address, length as u64))).as_bytes());
        content.resize(length, 0);
        Ok(Room { address, content, script })
    }
}

/// What the script printed, or what kept it from that.
fn verdict(said: &str, errors: &str) -> Result<(), String> {
    let answer = said.lines().rev().find_map(|line| line.strip_prefix("refloop: "));
    match answer {
        Some("loaded 0" | "queued 0") => Ok(()),
        Some("queued -1") => Err("CPython's queue of pending calls is full".into()),
        Some(answer) => Err(match (answer.strip_prefix("not loaded: "), number(answer)) {
            (Some(reason), _) => format!("the agent could not be loaded: {reason}"),
            (None, Some(error)) => {
                let error = std::io::Error::from_raw_os_error(error);
                format!("the system gives the agent no thread: {}", super::words(&error))
            }
            (None, None) => format!("gdb failed: {answer}"),
        }),
        None => {
            let telling = |line: &&str| !line.trim().is_empty() && !line.starts_with("warning:");
            let last: OsString = { errors }.lines().rev().find(telling).unwrap_or("it said nothing").into();
            Err(format!("gdb failed: {}", last.to_string_lossy()))
        }
    }
}

/// The number of an error of the system, with which the agent answered.
fn number(answer: &str) -> Option<i32> {
    answer.strip_prefix("loaded ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gdb_says_is_understood() {
        assert_eq!(verdict("Restoring\nrefloop: loaded 0\n[Inferior 1 detached]\n", ""), Ok(()));
        assert_eq!(verdict("refloop: queued 0\n", "warning: x\n"), Ok(()));
        let failed = |said, errors| verdict(said, errors).unwrap_err();
        assert!(failed("refloop: queued -1\n", "").contains("full"));
        assert!(failed("refloop: not loaded: no such file\n", "").contains("no such file"));
        let refused = failed("refloop: loaded 11\n", "");
        assert!(refused.starts_with("the system gives the agent no thread: resource temporarily"), "{refused}");
        assert_eq!(failed("", "ptrace: Operation not permitted.\n\n"), "gdb failed: ptrace: Operation not permitted.");
    }
}
