//! Has a copy of a program walked: it finds what a walk finds and more, and the program goes on meanwhile.

use serde_json::Value;

use super::{LOOPS, Running, has_gdb, is_reached, refloop, signal};
use crate::record::text;
use crate::support::pythons::Python;

on_each_python! {
    a_copy_has_what_the_process_has,
    what_objects_hide_is_found_in_a_copy,
    twenty_copies_are_made_of_a_program_whose_threads_ask_for_memory,
    a_program_forks_and_closes_while_its_copy_is_walked,
    a_process_has_one_copy_at_a_time,
    a_program_that_ends_leaves_its_copy_behind,
    a_command_that_is_interrupted_leaves_the_copy_at_work_and_no_folder,
}

impl Running {
    fn copy(&self, trace: &str) {
        let attached = self.attach(trace, &["--fork"]);
        let said = text(&attached.stderr);
        assert!(attached.status.success() && said.contains("while it was copied"), "{said}");
    }

    /// Begins to walk a copy, and waits until it is at work.
    fn begin_copy(&self, trace: &str) -> std::process::Child {
        let mut command = self.command("attach", &["-q", "--snapshot", "--fork", "-o", trace]);
        let attaching = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        self.wait_for_trace(trace);
        attaching
    }

    /// Has the copy stand still: its number, unless it has ended.
    fn stop_copy(&self) -> Option<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let children = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
        let copy = children.filter_map(|line| line.trim().parse().ok()).next()?;
        signal("STOP", copy).then_some(copy)
    }
}

fn a_copy_has_what_the_process_has(python: &Python) {
    if !has_gdb() {
        return;
    }
    for name in ["accept", "sleep", "threads", "loop", "released"] {
        let running = Running::begin(python, name);
        running.copy("app.reftrace");
        assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}: {name}");
        // The number is that of the process.
        let trace = std::fs::read(running.place.path().join("app.reftrace")).unwrap();
        assert!(text(&trace[..500]).contains(&format!(" pid={} ", running.child.id())), "{python}: {name}");
        running.end(python);
    }
}

fn what_objects_hide_is_found_in_a_copy(python: &Python) {
    if !has_gdb() {
        return;
    }
    let running = Running::begin(python, "hiding");
    running.copy("app.reftrace");
    let check = refloop()
        .args(["check", "-q", "--format", "json"])
        .arg(running.place.path().join("app.reftrace"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&check.stdout).unwrap();
    let mut findings = report["findings"].as_array().unwrap().iter();
    let found = findings.find(|finding| finding["rule"] == "hidden-reference");
    let found = found.unwrap_or_else(|| panic!("{python}: {}", text(&check.stdout)));
    assert_eq!((&found["count"], &found["severity"]), (&20.into(), &"error".into()), "{python}: {found}");
    running.end(python);
}

/// A lock of the C library that a thread has at that moment is locked in the copy for ever.
fn twenty_copies_are_made_of_a_program_whose_threads_ask_for_memory(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "allocating");
    for _ in 0..20 {
        running.copy("app.reftrace");
        assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
    }
    running.answer(python);
}

fn a_program_forks_and_closes_while_its_copy_is_walked(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "copied");
    for _ in 0..3 {
        running.copy("app.reftrace");
    }
    assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
    let answer = running.answer(python);
    assert!(answer["forked"].as_u64().unwrap() > 0, "{python}: {answer}");
}

fn a_process_has_one_copy_at_a_time(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "large");
    let is_refused = || {
        let mut first = running.begin_copy("first.reftrace");
        // One that stands still is walked for as long as the second takes to come.
        let stopped = running.stop_copy();
        let second = running.attach("second.reftrace", &[]);
        if let Some(copy) = stopped {
            signal("CONT", copy);
        }
        assert!(first.wait().unwrap().success(), "{python}");
        std::fs::remove_file(running.place.path().join("first.reftrace")).unwrap();
        let said = text(&second.stderr);
        assert!(second.status.success() || said.contains("a copy of it is walked at this moment"), "{python}: {said}");
        !second.status.success()
    };
    // A copy may have ended before it is stopped.
    assert!((0..10).any(|_| is_refused()), "{python}");
    running.copy("third.reftrace");
    running.end(python);
}

fn a_program_that_ends_leaves_its_copy_behind(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let mut running = Running::begin(python, "large");
    let attaching = running.begin_copy("app.reftrace");
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let attached = attaching.wait_with_output().unwrap();
    assert!(attached.status.success(), "{python}: {}", text(&attached.stderr));
    assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
}

fn a_command_that_is_interrupted_leaves_the_copy_at_work_and_no_folder(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "large");
    let folders = running.place.path().join("folders");
    std::fs::create_dir(&folders).unwrap();
    let mut command = running.command("attach", &["-q", "--snapshot", "--fork", "-o", "app.reftrace"]);
    let attaching = command.env("TMPDIR", &folders).stderr(std::process::Stdio::piped()).spawn().unwrap();
    running.wait_for_trace("app.reftrace");
    let copy = running.stop_copy();
    // Not the signal of Ctrl-C, which whoever began the tests may have had ignored.
    assert!(signal("TERM", attaching.id()));
    let attached = attaching.wait_with_output().unwrap();
    let Some(copy) = copy else { return };
    let said = text(&attached.stderr);
    assert!(attached.status.code() == Some(3) && said.contains("error: interrupted: process "), "{python}: {said}");
    assert_eq!(std::fs::read_dir(&folders).unwrap().count(), 0, "{python}");
    signal("CONT", copy);
    while signal("0", copy) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
    running.end(python);
}
