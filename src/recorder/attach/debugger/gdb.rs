//! Makes the script for gdb, and reads what it prints.

use super::{Answer, FUNCTION, PAGE, is_waiting, place_script};
use crate::recorder::attach::request::Request;
use crate::recorder::attach::target::Target;
use crate::recorder::attach::waiting::Waiting;
use crate::recorder::launch::words;

const SCRIPT: &str = include_str!("../../bootstrap/attach.gdb");
/// Calls a function in the process, and prints what it answers: the number of the process.
pub(super) const TRIAL: &str = "print ((int (*)(void)) getpid)()\ndetach\nquit\n";
/// Where the texts stand in the room.
const NAME: usize = PAGE;
const REQUEST: usize = NAME + 256;

/// # Errors
/// One clause.
pub(super) fn script(target: &Target, request: &Request, threads: &[Waiting]) -> Result<String, String> {
    let agent = request.agent().as_bytes();
    if agent.len() >= NAME {
        return Err("the path of the agent is too long".into());
    }
    let mut content = vec![0; REQUEST];
    content[..agent.len()].copy_from_slice(agent);
    content[NAME..][..FUNCTION.len()].copy_from_slice(FUNCTION.as_bytes());
    content.extend(request.text().as_bytes());
    content.push(0);
    let place = content.len();
    let (address, length, script) = place_script(target, request, place)?;
    content.extend(script);
    content.resize(length, 0);
    let content = request.file("room", &content).map_err(|error| words(&error))?;
    let filled = [
        ("@WAITING@", is_waiting(threads)),
        ("@ROOM@", address.to_string()),
        ("@LENGTH@", length.to_string()),
        ("@CONTENT@", content.display().to_string()),
        ("@AGENT@", "0".into()),
        ("@NAME@", NAME.to_string()),
        ("@REQUEST@", REQUEST.to_string()),
        ("@SCRIPT@", place.to_string()),
    ];
    Ok({ filled }.iter().fold(SCRIPT.to_owned(), |text, (name, value)| text.replace(name, value)))
}

/// What the script printed last.
pub(super) fn answer(said: &str) -> Option<Answer> {
    let line = said.lines().rev().find_map(|line| line.strip_prefix("refloop: "))?;
    let number = |line: &str| line.trim().parse().ok();
    match line.split_once(' ')? {
        ("loaded", error) => number(error).map(Answer::Loaded),
        ("queued", error) => number(error).map(Answer::Queued),
        _ => line.strip_prefix("not loaded: ").map(|reason| Answer::NotLoaded(reason.to_owned())),
    }
}
