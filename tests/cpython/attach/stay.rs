//! Records programs from an attachment to a detachment: what was made since has its stack, and nothing is left behind.

use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use refloop::trace::Ending;
use serde_json::Value;

use super::{LOOPS, Running, is_reached, recorded, signal};
use crate::each::report;
use crate::record::{Contents, read, text};
use crate::support::pythons::Python;
use crate::support::refloop;

on_each_python! {
    what_is_made_since_has_its_stack,
    all_births_and_deaths_are_recorded,
    whoever_ends_a_recording_ends_it_whole,
    a_second_recorder_is_refused,
    a_wrapper_that_lies_over_the_hook_is_told,
    a_program_forks_while_it_is_recorded,
    a_full_disk_leaves_nothing_behind,
}

impl Running {
    /// Attaches for some time.
    fn stay(&self, trace: &str, options: &[&str]) -> Output {
        let attached = self.command("attach", &["-o", trace]).args(options).output().unwrap();
        assert!(attached.status.success(), "{}", text(&attached.stderr));
        attached
    }

    /// Attaches until somebody ends it.
    fn stay_on(&self, trace: &str) -> Child {
        let mut command = self.command("attach", &["-o", trace, "--every", "0.2"]);
        let mut attached = command.stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        while !self.is_recorded(trace) {
            assert_eq!(attached.try_wait().unwrap(), None);
            assert!(start.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(10));
        }
        // What follows comes behind the first checkpoint.
        std::thread::sleep(Duration::from_millis(300));
        attached
    }

    fn is_recorded(&self, trace: &str) -> bool {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.child.id())).unwrap();
        maps.lines().any(|line| line.ends_with(trace))
    }

    /// A trace that ended in order, with so many checkpoints at least.
    fn whole(&self, python: &Python, trace: &str, checkpoints: usize) -> Contents {
        let contents = read(&self.place.path().join(trace));
        assert!(
            contents.ending == Some(Ending::Complete) && contents.full_checkpoints >= checkpoints,
            "{python}: {trace}: {}",
            contents.full_checkpoints
        );
        contents
    }

    /// The lines of the page of stacks.
    fn stacks(&self, trace: &str) -> String {
        let trace = self.place.path().join(trace);
        let output = refloop().args(["analyze", "-q", "--format", "collapsed"]).arg(trace).output().unwrap();
        text(&output.stdout)
    }
}

fn what_is_made_since_has_its_stack(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "births");
    let said = running.stay("app.reftrace", &["--for", "1s", "--every", "300ms"]);
    let said = text(&said.stderr);
    assert!(said.contains("is recorded for 1.0 s into app.reftrace; Ctrl-C or refloop detach "), "{python}: {said}");
    running.whole(python, "app.reftrace", 3);
    let stacks = running.stacks("app.reftrace");
    assert_eq!(
        report("analyze", &running.place.path().join("app.reftrace"))["suspected_lost"],
        Value::Null,
        "{python}"
    );
    let page = refloop().arg("analyze").arg(running.place.path().join("app.reftrace")).output().unwrap();
    assert!(text(&page.stdout).contains("  lost references   not known: memory was not searched"), "{python}");
    let of_births = |line: &&str| line.starts_with("alive;") && line.contains(" births");
    assert!(stacks.lines().any(|line| of_births(&line)), "{python}: {stacks}");
    // What was there has none, and the page says why.
    let page = refloop().arg("loops").arg(running.place.path().join("app.reftrace")).output().unwrap();
    let page = text(&page.stdout);
    assert!(page.contains(&format!("{LOOPS} × ")), "{python}: {page}");
    assert!(page.contains("made         before the recording began"), "{python}: {page}");
    assert!(stacks.contains("made before the recording began"), "{python}: {stacks}");
    running.end(python);
}

fn all_births_and_deaths_are_recorded(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "births");
    running.stay("app.reftrace", &["--for", "500ms", "--events", "full"]);
    let contents = read(&running.place.path().join("app.reftrace"));
    // Each time around one stays and fifty do not: most of them are written, with the stack that made them.
    assert!(contents.ever["__main__.Fresh"] > 1000, "{python}: {}", contents.ever["__main__.Fresh"]);
    let stacks = &contents.stacks["__main__.Fresh"];
    assert!(stacks.iter().any(|stack| stack.contains(&"births".to_owned())), "{python}: {stacks:?}");
    running.end(python);
}

fn whoever_ends_a_recording_ends_it_whole(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "births");
    // Another command.
    let attached = running.stay_on("first.reftrace");
    let detached = running.command("detach", &[]).output().unwrap();
    let said = text(&detached.stderr);
    assert!(detached.status.success() && said.contains("first.reftrace: "), "{python}: {said}");
    let attached = attached.wait_with_output().unwrap();
    assert!(attached.status.success(), "{python}: {}", text(&attached.stderr));
    // A signal: not that of Ctrl-C, which whoever began the tests may have had ignored.
    let attached = running.stay_on("second.reftrace");
    assert!(signal("TERM", attached.id()));
    let attached = attached.wait_with_output().unwrap();
    let said = text(&attached.stderr);
    assert!(attached.status.success() && said.contains("second.reftrace: "), "{python}: {said}");
    for trace in ["first.reftrace", "second.reftrace"] {
        assert!(!running.is_recorded(trace));
        running.whole(python, trace, 2);
    }
    // The program's own end. What it sees then has the recorder in it.
    let mut running = running;
    let attached = running.stay_on("third.reftrace");
    std::fs::write(running.place.path().join("stop"), "").unwrap();
    assert_eq!(running.child.wait().unwrap().code(), Some(7), "{python}");
    let attached = attached.wait_with_output().unwrap();
    let said = text(&attached.stderr);
    assert!(attached.status.success() && said.contains("third.reftrace: "), "{python}: {said}");
    let contents = read(&running.place.path().join("third.reftrace"));
    assert_eq!(contents.ending, Some(Ending::Complete), "{python}");
}

fn a_second_recorder_is_refused(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "sleep");
    let refused = |name: &str, options: &[&str]| {
        let output = running.command(name, options).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{python}");
        text(&output.stderr)
    };
    assert!(refused("detach", &[]).ends_with(" is not recorded\n"), "{python}");
    let attached = running.stay_on("app.reftrace");
    for options in [["-o", "other.reftrace"].as_slice(), &["--snapshot", "-o", "other.reftrace"]] {
        let said = refused("attach", options);
        assert!(said.contains("is recorded already, into ") && said.contains("app.reftrace"), "{python}: {said}");
    }
    assert!(running.command("detach", &["-q"]).output().unwrap().stderr.is_empty(), "{python}");
    assert!(attached.wait_with_output().unwrap().status.success(), "{python}");
    assert!(refused("detach", &[]).ends_with(" is not recorded\n"), "{python}");
    running.snapshot("again.reftrace");
    assert_eq!(running.loops("again.reftrace"), LOOPS as u64, "{python}");
    running.end(python);
}

fn a_wrapper_that_lies_over_the_hook_is_told(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "traced");
    let attached = running.stay_on("first.reftrace");
    std::fs::write(running.place.path().join("over"), "").unwrap();
    running.wait_for("traced");
    let detached = running.command("detach", &[]).output().unwrap();
    let said = text(&detached.stderr);
    assert!(said.contains("keeps a function that passes on what the memory allocator is asked"), "{python}: {said}");
    attached.wait_with_output().unwrap();
    // Once more, with functions of its own over those.
    running.stay("second.reftrace", &["--for", "300ms"]);
    std::fs::write(running.place.path().join("off"), "").unwrap();
    running.wait_for("untraced");
    // What tracemalloc has put back is ours, and goes as the next recording ends.
    let last = running.stay("third.reftrace", &["--for", "300ms"]);
    assert!(!text(&last.stderr).contains("keeps a function"), "{python}: {}", text(&last.stderr));
    running.end(python);
}

fn a_program_forks_while_it_is_recorded(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "forks");
    running.stay("app.reftrace", &["--for", "1s", "--every", "0.1"]);
    running.whole(python, "app.reftrace", 3);
    assert_eq!(running.place.traces().len(), 1, "{python}");
    running.end(python);
}

/// Where the recording stops before anybody asks, all is taken out as well.
fn a_full_disk_leaves_nothing_behind(python: &Python) {
    if !is_reached(python) {
        return;
    }
    let running = Running::begin(python, "births");
    let attached = running.stay_on("app.reftrace");
    std::fs::OpenOptions::new()
        .write(true)
        .open(running.place.path().join("app.reftrace"))
        .unwrap()
        .set_len(64)
        .unwrap();
    let attached = attached.wait_with_output().unwrap();
    let said = text(&attached.stderr);
    assert!(attached.status.code() == Some(3) && said.contains("another program"), "{python}: {said}");
    running.end(python);
}

/// Who records a program with `refloop record` ends it as the program ends.
#[test]
fn a_recording_from_the_start_is_not_ended_from_outside() {
    let Some(python) = crate::support::pythons::find("system").filter(is_reached) else { return };
    let (place, mut child, process) = recorded(&python, "app.reftrace");
    let detached = refloop().args(["detach", &process]).output().unwrap();
    let said = text(&detached.stderr);
    assert!(detached.status.code() == Some(3) && said.contains("its recording ends with it"), "{said}");
    std::fs::write(place.path().join("stop"), "").unwrap();
    assert!(child.wait().unwrap().code().is_some());
}
