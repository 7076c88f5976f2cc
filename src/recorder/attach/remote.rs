//! Has CPython itself run the script that brings a request: remote execution (PEP 768, from 3.14 on).

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::target::Target;

/// The first minor version that can be asked.
const FIRST: u32 = 14;

/// Whether this CPython can be asked.
pub(super) fn can_reach(target: &Target) -> bool {
    target.minor.is_some_and(|minor| minor >= FIRST)
}

/// Asks with the interpreter that the process itself runs: versions do not understand each other.
///
/// # Errors
/// One clause.
pub(super) fn hand_over(target: &Target, script: &Path) -> Result<(), String> {
    let program = format!("/proc/{}/exe", target.id);
    let mut command = Command::new(&program);
    // By this name it finds its library.
    command.arg0(fs::read_link(&program).unwrap_or_else(|_| target.executable.clone()));
    command.args(["-S", "-s", "-P", "-c", "import sys; sys.remote_exec(int(sys.argv[1]), sys.argv[2])"]);
    command.arg(target.id.to_string()).arg(script).env_clear();
    for name in ["LD_LIBRARY_PATH", "PYTHONHOME"] {
        command.envs(target.variable(name).map(|value| (name, value)));
    }
    // An interrupt from the terminal is for this process alone.
    let output = command.stdin(Stdio::null()).process_group(0).output();
    let output =
        output.map_err(|error| format!("{} cannot be run: {}", target.executable.display(), super::words(&error)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(if last.contains("not enabled in the remote process") {
        "remote execution is switched off in it".into()
    } else {
        format!("remote execution failed: {last}")
    })
}
