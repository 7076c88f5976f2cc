//! Programs under random limits, and killed at random moments, on each CPython at hand.
//!
//! `REFLOOP_SURVIVAL_RUNS` says how many runs of each there are for each build, `REFLOOP_SURVIVAL_SEED` which ones. A
//! failure names its seed.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::record::{Place, read, text};
use crate::support::pythons::Python;
use crate::support::root;
use refloop::trace::Ending;

on_each_python! {
    a_limit_changes_neither_the_program_nor_what_its_trace_says,
    a_signal_at_any_moment_leaves_a_trace_that_can_be_read,
}

/// Loops that `limited.py` makes.
const LOOPS: usize = 1400;

/// Names and numbers of signals that end a program.
const SIGNALS: [(&str, i32); 8] =
    [("HUP", 1), ("QUIT", 3), ("ABRT", 6), ("BUS", 7), ("KILL", 9), ("SEGV", 11), ("ALRM", 14), ("TERM", 15)];

/// The seeds of the runs for a build.
fn seeds() -> impl Iterator<Item = u64> {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().expect("a number"));
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 % 1_000_000_000;
    let first = number("REFLOOP_SURVIVAL_SEED").unwrap_or_else(now);
    (first..).take(number("REFLOOP_SURVIVAL_RUNS").unwrap_or(2) as usize)
}

/// A random number below `end`, and the next state.
fn random(state: &mut u64, end: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % end
}

fn a_limit_changes_neither_the_program_nor_what_its_trace_says(python: &Python) {
    let program = std::fs::read_to_string(root().join("tests/cpython/survival/limited.py")).unwrap();
    for seed in seeds() {
        let mut state = seed;
        let (kind, amount) = match random(&mut state, 4) {
            0 => ("file", 1 << random(&mut state, 24)),
            1 => ("descriptors", 3 + random(&mut state, 40)),
            2 => ("disk", (1 + random(&mut state, 40)) << 14),
            _ => ("memory", (1 + random(&mut state, 200)) << 20),
        };
        let mode = ["survivors", "full"][random(&mut state, 2) as usize];
        let context = format!("{python}, seed {seed}: {kind} {amount}, {mode}");
        let place = Place::with(&program);
        let amount_word = amount.to_string();
        let alone = place.alone(&python.path, &["app.py", kind, &amount_word]);
        if alone.status.signal().is_some() {
            // CPython does not survive this one itself.
            continue;
        }
        let disk = (kind == "disk").then(|| Disk::of(&place.path().join("disk"), amount)).flatten();
        let folder = if disk.is_some() { "disk/app.reftrace" } else { "app.reftrace" };
        let options = ["--events", mode, "-o", folder];
        let mut command = crate::support::refloop();
        command.arg("record").args(options).arg("--").arg(&python.path).args(["app.py", kind, &amount_word]);
        let recorded = command.current_dir(place.path()).stdin(Stdio::null()).output().unwrap();
        let said = text(&recorded.stderr);
        assert_eq!(recorded.status.code(), alone.status.code(), "{context}: {said}");
        assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{context}: {said}");
        let own: Vec<&str> = said.lines().filter(|line| !line.starts_with("refloop: ")).collect();
        assert_eq!(own.join("\n").trim(), text(&alone.stderr).trim(), "{context}");
        let trace = place.path().join(folder);
        let is_whole = trace.exists() && {
            let contents = read(&trace);
            let found = contents.garbage.get("__main__.Loop").copied().unwrap_or(0);
            let is_whole = contents.ending == Some(Ending::Complete);
            assert!(if is_whole { found == LOOPS } else { found <= LOOPS }, "{context}: {found} loops; {said}");
            is_whole
        };
        assert!(is_whole || said.contains("recording stopped") || said.contains("nothing"), "{context}: {said}");
    }
}

fn a_signal_at_any_moment_leaves_a_trace_that_can_be_read(python: &Python) {
    // Whoever runs the tests in the background may have had signals ignored; and where none comes, the program ends.
    let program = "import os, resource, signal, time\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n\
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n\
        class Loop: pass\nprint(os.getpid(), flush=True)\nkept, end = [], time.monotonic() + 120\n\
        while time.monotonic() < end:\n    loop = Loop()\n    loop.me = loop\n\
        \x20   kept = kept[-100:] + [[loop, [str(len(kept))]]]\n";
    for seed in seeds() {
        let mut state = seed;
        let (name, number) = SIGNALS[random(&mut state, 8) as usize];
        let mode = ["survivors", "full"][random(&mut state, 2) as usize];
        let delay = Duration::from_micros(random(&mut state, 300_000));
        let context = format!("{python}, seed {seed}: SIG{name} after {delay:?}, {mode}");
        let place = Place::with(program);
        let mut command = crate::support::refloop();
        command.args(["record", "-o", "app.reftrace", "--events", mode, "--"]).arg(&python.path).arg("app.py");
        command.current_dir(place.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut id = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut id).unwrap();
        std::thread::sleep(delay);
        assert!(Command::new("kill").args(["-s", name, id.trim()]).status().unwrap().success(), "{context}");
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(128 + number), "{context}: {said}");
        let contents = read(&place.path().join("app.reftrace"));
        // Before SIGTERM ends it, the program has its last checkpoint.
        let is_whole = name == "TERM" && contents.ending == Some(Ending::Complete);
        let is_open = matches!(contents.ending, Some(Ending::Open | Ending::Cut(_)));
        assert!(is_whole || is_open, "{context}: {:?}", contents.ending);
        assert_eq!(said.contains("without its last checkpoint"), is_open, "{context}: {said}");
    }
}

/// A small file system of its own, where that may be made.
struct Disk(std::path::PathBuf);

impl Disk {
    fn of(folder: &Path, bytes: u64) -> Option<Disk> {
        std::fs::create_dir(folder).unwrap();
        let size = format!("size={bytes}");
        let made = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output();
        made.is_ok_and(|output| output.status.success()).then(|| Disk(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
