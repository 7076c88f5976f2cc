//! Attaches to a service under load, and detaches, again and again: no request fails, and nothing of it is left.
//!
//! `REFLOOP_ATTACHMENTS=100 cargo test --test cpython attach::load -- --nocapture` says what it measured.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{Running, is_reached};
use crate::record::text;
use crate::support::pythons::Python;

on_each_python! {
    a_service_under_load_notices_nothing,
}

const CLIENT: &str = include_str!("client.py");
/// Times that a test attaches, where nobody says another number.
const ATTACHMENTS: usize = 5;
/// Kilobytes that a service has more afterwards at most, however often it was attached to: the agent, the stack of its thread, and
/// what the C library keeps of what was freed.
const MORE: u64 = 8 << 10;

/// What is done each time, in turn.
const WAYS: [&[&str]; 4] = [
    &["--for", "200ms", "--every", "50ms"],
    &["--for", "200ms", "--events", "full"],
    &["--snapshot"],
    &["--snapshot", "--fork"],
];

fn a_service_under_load_notices_nothing(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let asked = std::env::var("REFLOOP_ATTACHMENTS").ok().and_then(|number| number.parse().ok());
    let attachments: usize = asked.unwrap_or(ATTACHMENTS);
    let alone = asked.map(|_| under_load(python, 0, attachments));
    let attached = under_load(python, attachments, attachments);
    if let Some(alone) = alone {
        println!("{python}: alone {alone}\n{python}: attached to {attachments} times {attached}");
    }
}

/// What a client and the service measure, attached to so many times, or alone as long.
fn under_load(python: &Python, attachments: usize, times: usize) -> Value {
    let running = Running::begin(python, "serve");
    let client = client(python, &running);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let before = memory(&running);
    for number in 0..times {
        if attachments == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1500));
            continue;
        }
        let mut command = running.command("attach", &["-q", "-o", "app.reftrace"]);
        let output = command.args(WAYS[number % WAYS.len()]).output().unwrap();
        assert!(output.status.success(), "{python}: {number}: {}", text(&output.stderr));
    }
    let after = memory(&running);
    std::fs::write(running.place.path().join("enough"), "").unwrap();
    let output = client.wait_with_output().unwrap();
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["failed"], &answer["wrong"]), (&Value::Array(Vec::new()), &"".into()), "{python}");
    assert!(answer["requests"].as_u64().unwrap() > 50, "{python}: {answer}");
    running.answer(python);
    assert!(after <= before + MORE, "{python}: {before} kB before, {after} kB at the end");
    answer["kilobytes"] = serde_json::json!([before, after]);
    answer
}

fn client(python: &Python, running: &Running) -> Child {
    let mut command = Command::new(&python.path);
    command.args(["-c", CLIENT]).current_dir(running.place.path());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Kilobytes of a process's own memory.
fn memory(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
