//! Attaches to programs that run: what is found is what they count of themselves, and nothing is left behind.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::each::at_hand;
use crate::record::{Place, read, text};
use crate::support::pythons::{Python, say_once};
use crate::support::refloop;
use serde_json::Value;

mod copied;
mod lldb;
mod load;
mod stay;

on_each_python! {
    a_program_that_waits_for_a_connection_is_walked,
    a_program_that_works_is_walked_and_goes_on,
    twenty_snapshots_leave_nothing_behind,
    a_request_that_comes_too_late_is_taken_back,
    a_collection_that_goes_on_is_waited_for,
    a_process_that_is_recorded_is_not_attached_to,
    a_debugger_that_does_harm_touches_no_process_but_one_of_ours,
}

const PROGRAMS: &str = include_str!("programs.py");
/// Loops of one object each that a program leaves lying.
const LOOPS: usize = 400;

/// Whether there is a debugger, which versions before 3.14 need, and any whose main thread waits.
fn has_gdb() -> bool {
    has_debugger("gdb")
}

/// One that cannot call a function in another process on this machine is none.
fn has_debugger(name: &str) -> bool {
    static CALLS: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());
    let found = *CALLS.lock().unwrap().entry(name.into()).or_insert_with(|| can_call(name));
    let expected = std::env::var("REFLOOP_EXPECT").unwrap_or_default();
    assert!(found || !expected.split_whitespace().any(|it| it == name), "REFLOOP_EXPECT promises {name}: not found");
    if !found {
        say_once(format!("SKIPPED: no {name} to attach with"));
    }
    found
}

fn can_call(debugger: &str) -> bool {
    let mut process = Command::new("sleep").arg("60").stderr(Stdio::null()).spawn().unwrap();
    // Until it sleeps.
    std::thread::sleep(Duration::from_millis(100));
    let id = process.id().to_string();
    let (attach, call) = (format!("process attach --pid {id}"), "expression -- ((int (*)(void)) getpid)()");
    let mut command = Command::new(debugger);
    match debugger {
        "gdb" => command.args(["-nx", "-q", "--batch", "-p", &id, "-ex", "print ((int (*)(void)) getpid)()"]),
        _ => command.args(["--no-lldbinit", "--script-language", "none", "--batch", "-o", &attach, "-o", call]),
    };
    let called = command.output().is_ok_and(|it| text(&it.stdout).contains(&format!(" = {id}\n")));
    process.kill().unwrap();
    process.wait().unwrap();
    called
}

/// Whether a process of this build can be reached, whatever it does.
fn is_reached(python: &Python) -> bool {
    python.minor >= 14 || has_gdb()
}

/// Sends a signal, by its name without `SIG`; false where there is no such process.
fn signal(name: &str, process: u32) -> bool {
    Command::new("kill").args([format!("-{name}"), process.to_string()]).status().unwrap().success()
}

/// A program that sleeps and that `refloop record` has started: its folder, the recorder, and the number of the program.
fn recorded(python: &Python, trace: &str) -> (Place, Child, String) {
    let place = Place::with(PROGRAMS);
    let mut command = refloop();
    command.args(["record", "-q", "-o", trace, "--"]).arg(&python.path).args(["app.py", "sleep", "3"]);
    let mut child = command.current_dir(place.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let process = std::fs::read_to_string(children).unwrap().trim().to_owned();
    (place, child, process)
}

/// A program that runs in a folder of its own, and is ready.
struct Running {
    place: Place,
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn begin(python: &Python, name: &str) -> Running {
        Running::begin_as(python, name, |_| {})
    }

    fn begin_as(python: &Python, name: &str, who: impl FnOnce(&mut Command)) -> Running {
        let place = Place::with(PROGRAMS);
        let mut command = Command::new(&python.path);
        command.args(["app.py", name, &LOOPS.to_string()]).current_dir(place.path());
        who(&mut command);
        let mut child =
            command.env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{python}: {name}");
        let running = Running { place, child, output };
        // What it is ready for, it does a moment later.
        std::thread::sleep(Duration::from_millis(50));
        running
    }

    /// `refloop attach` or `detach` with this process.
    fn command(&self, name: &str, options: &[&str]) -> Command {
        let mut command = refloop();
        command.args([name, &self.child.id().to_string()]).args(options).current_dir(self.place.path());
        command
    }

    fn attach(&self, trace: &str, options: &[&str]) -> Output {
        self.command("attach", &["--snapshot", "-o", trace]).args(options).output().unwrap()
    }

    /// Waits until the program has made a file.
    fn wait_for(&self, name: &str) {
        self.wait_for_bytes(name, 0);
    }

    /// Waits until the recorder has begun a trace: the command makes an empty file of the name beforehand, to see whether it may.
    fn wait_for_trace(&self, name: &str) {
        self.wait_for_bytes(name, 1);
    }

    fn wait_for_bytes(&self, name: &str, bytes: u64) {
        let start = Instant::now();
        while !std::fs::metadata(self.place.path().join(name)).is_ok_and(|file| file.len() >= bytes) {
            assert!(start.elapsed() < Duration::from_secs(60), "{name}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn snapshot(&self, trace: &str) {
        let attached = self.attach(trace, &[]);
        assert!(attached.status.success(), "{}", text(&attached.stderr));
        assert!(text(&attached.stderr).contains("stood still for"), "{}", text(&attached.stderr));
    }

    /// Cyclic garbage of the program's own class in a trace, counted by `loops`.
    fn loops(&self, trace: &str) -> u64 {
        let contents = read(&self.place.path().join(trace));
        assert_eq!(contents.full_checkpoints, 1);
        let output =
            refloop().args(["loops", "-q", "--format", "json"]).arg(self.place.path().join(trace)).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let of_nodes = report["loops"].as_array().unwrap().iter();
        of_nodes
            .filter(|found| found["path"].as_str().unwrap().contains("Node.me"))
            .map(|found| found["count"].as_u64().unwrap())
            .sum()
    }

    /// Lets the program end, and holds what it says against what it would say alone.
    fn end(self, python: &Python) {
        let answer = self.answer(python);
        // The collector finds the same as before: each node, and its dict where it has one.
        let collected = answer["collected"].as_u64().unwrap() as usize;
        assert!(collected == LOOPS || collected >= 2 * LOOPS, "{python}: {collected}");
    }

    /// What it says at its end, which is what it would say alone.
    fn answer(mut self, python: &Python) -> Value {
        let stop = self.place.path().join("stop");
        if UnixStream::connect(&stop).is_err() {
            std::fs::write(&stop, "").unwrap();
        }
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(7), ""), "{python}: {line}");
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["differs"], serde_json::json!({}), "{python}");
        assert_eq!((&answer["tasks"], &answer["kept"]), (&1.into(), &21.into()), "{python}");
        answer
    }
}

fn a_program_that_waits_for_a_connection_is_walked(python: &Python) {
    if !has_gdb() {
        return;
    }
    for name in ["accept", "sleep", "threads"] {
        let running = Running::begin(python, name);
        running.snapshot("app.reftrace");
        assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}: {name}");
        let trace = running.place.path().join("app.reftrace");
        let pages: [&[&str]; 3] = [&["slots"], &["why", "--type", "__main__.Node"], &["analyze"]];
        for page in pages {
            let output = refloop().arg(page[0]).arg(&trace).args(&page[1..]).output().unwrap();
            assert!(output.status.success() && text(&output.stdout).contains("Node"), "{python}: {page:?}");
        }
        assert_eq!(refloop().arg("check").arg(&trace).output().unwrap().status.code(), Some(1), "{python}");
        assert_eq!(mode(&trace), 0o600);
        running.end(python);
    }
}

fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

/// No thread waits in them: the main thread comes to a safe point by itself, at once or when its C code is done.
fn a_program_that_works_is_walked_and_goes_on(python: &Python) {
    if !is_reached(python) {
        return;
    }
    for name in ["loop", "released"] {
        let running = Running::begin(python, name);
        running.snapshot("app.reftrace");
        assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}: {name}");
        running.end(python);
    }
}

fn twenty_snapshots_leave_nothing_behind(python: &Python) {
    if !has_gdb() {
        return;
    }
    let running = Running::begin(python, "sleep");
    let maps = |place: &Path| {
        let text = std::fs::read_to_string(place).unwrap();
        text.lines().filter(|line| line.ends_with("_refloop.so")).count()
    };
    let place = format!("/proc/{}/maps", running.child.id());
    let mut mapped = 0;
    for number in 0..20 {
        running.snapshot("app.reftrace");
        let now = maps(Path::new(&place));
        assert!(number == 0 || now == mapped, "{python}: the agent is mapped once more");
        mapped = now;
    }
    assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
    running.end(python);
}

fn a_request_that_comes_too_late_is_taken_back(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "held");
    let start = Instant::now();
    let attached = running.attach("app.reftrace", &["--timeout", "300ms"]);
    let said = text(&attached.stderr);
    assert_eq!(attached.status.code(), Some(3), "{python}: {said}");
    assert!(said.contains("did not come back to the interpreter within 0.3 s"), "{python}: {said}");
    assert!(start.elapsed() < Duration::from_secs(60), "{python}");
    // When it comes back, it finds nothing to do.
    std::thread::sleep(Duration::from_secs(4));
    assert!(running.place.traces().is_empty(), "{python}");
    running.end(python);
}

fn a_collection_that_goes_on_is_waited_for(python: &Python) {
    if !has_gdb() {
        return;
    }
    let running = Running::begin(python, "collecting");
    running.snapshot("app.reftrace");
    // What the collection found, it has freed by then.
    assert_eq!(running.loops("app.reftrace"), 0, "{python}");
    let mut running = running;
    std::fs::write(running.place.path().join("stop"), "").unwrap();
    let mut line = String::new();
    running.output.read_line(&mut line).unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(7), "{python}: {line}");
}

fn a_process_that_is_recorded_is_not_attached_to(python: &Python) {
    let (place, mut child, process) = recorded(python, "first.reftrace");
    let attached =
        refloop().args(["attach", &process, "--snapshot", "-o", "second.reftrace"]).current_dir(place.path()).output();
    let said = text(&attached.unwrap().stderr);
    assert!(said.contains("is recorded already, into ") && said.contains("first.reftrace"), "{python}: {said}");
    std::fs::write(place.path().join("stop"), "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7), "{python}");
}

/// From 3.14 on, CPython would come back without one.
fn a_debugger_that_does_harm_touches_no_process_but_one_of_ours(python: &Python) {
    if python.minor >= 14 {
        return;
    }
    let running = Running::begin(python, "sleep");
    let script = running.place.path().join("gdb");
    let path = format!("{}:{}", running.place.path().display(), std::env::var("PATH").unwrap());
    let cases = [
        (
            "echo 'No registers.' >&2; exit 1",
            "gdb cannot call functions on this machine, so it is not used (No registers)",
        ),
        ("kill -KILL $6; echo \"\\$1 = $6\"", "gdb harms what it attaches to on this machine, so it is not used"),
    ];
    for (does, expected) in cases {
        // The process is its sixth argument.
        std::fs::write(&script, format!("#!/bin/sh\necho $6 >>asked\n{does}\n")).unwrap();
        std::fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        let attach = ["--snapshot", "-o", "app.reftrace", "--debugger", "gdb"];
        let attached = running.command("attach", &attach).env("PATH", &path).output().unwrap();
        let said = text(&attached.stderr);
        assert!(attached.status.code() == Some(3) && said.contains(expected), "{python}: {said}");
    }
    let asked = std::fs::read_to_string(running.place.path().join("asked")).unwrap();
    assert!(asked.lines().count() == 2 && !asked.lines().any(|it| it == running.child.id().to_string()), "{asked}");
    if has_debugger("lldb") {
        let attach = ["--snapshot", "-o", "app.reftrace"];
        let attached = running.command("attach", &attach).env("PATH", &path).output().unwrap();
        assert!(text(&attached.stderr).contains("lldb worked on it"), "{python}: {}", text(&attached.stderr));
        assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
    }
    running.end(python);
}

const NOBODY: u32 = 65534;

/// Where the tests run as root, with an interpreter that others can run.
#[test]
fn root_attaches_to_a_process_of_another_user() {
    let can_run = |python: &Python| {
        let mut command = Command::new(&python.path);
        command.args(["-c", ""]).uid(NOBODY).gid(NOBODY).current_dir("/").output().is_ok_and(|it| it.status.success())
    };
    let Some(python) = at_hand().into_iter().find(|python| can_run(python) && is_reached(python)) else {
        return say_once("SKIPPED: another user's process: no interpreter that he can run".into());
    };
    let running = Running::begin_as(&python, "sleep", |command| {
        let place = command.get_current_dir().unwrap();
        std::fs::set_permissions(place, Permissions::from_mode(0o777)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    });
    running.snapshot("app.reftrace");
    assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
    // The process writes the trace, and is not root.
    std::fs::set_permissions(running.place.path(), Permissions::from_mode(0o755)).unwrap();
    let refused = text(&running.attach("other.reftrace", &[]).stderr);
    assert!(refused.ends_with(&format!(": permission denied: the process writes it, as user {NOBODY}\n")), "{refused}");
    running.end(&python);
}

/// Where the tests run as root, who can become another user.
#[test]
fn a_process_of_another_user_is_refused() {
    // Whoever may not read the process may not run what is in its folders either.
    let place = tempfile::tempdir_in("/tmp").unwrap();
    let command = place.path().join("refloop");
    std::fs::copy(env!("CARGO_BIN_EXE_refloop"), &command).unwrap();
    std::fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let mut sleep = Command::new("sleep").arg("60").spawn().unwrap();
    let process = sleep.id().to_string();
    let attach = ["attach", &process, "--snapshot", "-o", "/nowhere/app.reftrace"];
    let output = Command::new(&command).args(attach).uid(NOBODY).gid(NOBODY).current_dir("/").output();
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    let output = match output {
        Ok(output) => output,
        Err(error) => return say_once(format!("SKIPPED: another user's process: {error}")),
    };
    let expected = format!(
        "error: process {process} may not be touched (permission denied): it belongs to user 0, and this is user {NOBODY}: \
         become that user, or root\n"
    );
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(3), expected));
}

/// One clause for each, of those that this machine can show.
#[test]
fn what_cannot_be_attached_to_is_said() {
    let refuse = |process: u32| {
        let output = refloop()
            .args(["attach", &process.to_string(), "--snapshot", "-o", "/nowhere/app.reftrace"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3));
        text(&output.stderr)
    };
    assert_eq!(refuse(u32::MAX / 2), "error: there is no process 2147483647\n");
    let mut sleep = Command::new("sleep").arg("60").spawn().unwrap();
    let said = refuse(sleep.id());
    assert!(said.contains("is not CPython: it runs /"), "{said}");
    assert!(signal("STOP", sleep.id()));
    while !std::fs::read_to_string(format!("/proc/{}/stat", sleep.id())).unwrap().contains(") T ") {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(refuse(sleep.id()).contains("is stopped, by SIGSTOP or a terminal"));
    sleep.kill().unwrap();
    // Nobody has asked how it ended.
    while !std::fs::read_to_string(format!("/proc/{}/stat", sleep.id())).unwrap().contains(") Z ") {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(refuse(sleep.id()).contains("has ended"));
    sleep.wait().unwrap();
}
