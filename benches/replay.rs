//! How fast a trace is replayed, and the memory it takes.
//!
//! `cargo bench --bench replay -- [EVENTS]`: a made-up trace with references as events, in binary and text form.
//! `cargo bench --bench replay -- FILE…`: traces at hand. A long one with a large heap is recorded by
//!
//! ```text
//! refloop record --events full -o service.reftrace -- python3 benches/support/service.py 100000
//! ```
//!
//! Each is replayed in a process of its own, from a mapped file that is in the page cache: parse, identity, tallies, at the
//! end the frozen graph. The CPU time, of the thread that reads and of the one that plays together, is the one that counts on
//! a busy machine. Memory is what the process has for itself (`RssAnon`) while the last graph is there.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use refloop::heap::{Heap, HeapGraph, Observer, SnapshotKind, replay};
use refloop::trace::formats::{WriteOptions, named};
use refloop::trace::{Events, convert, open};

#[path = "support/cpu.rs"]
mod cpu;
mod support;

const DEFAULT_EVENTS: u64 = 2_000_000;
/// The first argument of a process that replays.
const REPLAY: &str = "replay-one";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [command, path] = arguments.as_slice()
        && command == REPLAY
    {
        return replay_one(Path::new(path));
    }
    let n_events = match arguments.first().map(|first| first.parse()) {
        None => DEFAULT_EVENTS,
        Some(Ok(n_events)) => n_events,
        Some(Err(_)) => return arguments.iter().for_each(|path| replay_apart(Path::new(path))),
    };
    for format in ["binary", "text"] {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let mut trace = support::Generated::new(n_events);
        let writer = named(format).and_then(|format| format.writer()).expect("a format that can be written");
        let out = Box::new(file.reopen().expect("the same file"));
        let sink = writer(trace.header(), out, WriteOptions::default()).expect("a header");
        convert(&mut trace, sink).expect("a whole trace");
        replay_apart(file.path());
    }
}

/// In a process of its own, whose memory is that of the replay.
fn replay_apart(path: &Path) {
    let program = std::env::current_exe().expect("this program");
    let status = Command::new(program).arg(REPLAY).arg(path).status().expect("a process");
    assert!(status.success(), "{} was not replayed", path.display());
}

fn replay_one(path: &Path) {
    // The file into the page cache.
    std::io::copy(&mut std::fs::File::open(path).expect("a file"), &mut std::io::sink()).expect("a file");
    let mut events = open(path).expect("a trace");
    let mut observer = Measure { before: anonymous_bytes(), ..Measure::default() };
    let (began, cpu) = (Instant::now(), cpu::time());
    let replayed = replay(&mut *events, &mut observer, &mut |_| {});
    let (wall, cpu) = (began.elapsed(), cpu::time().saturating_sub(cpu));
    let heap = &replayed.heap;
    assert_eq!(heap.anomalies().total(), 0, "{:?}", heap.anomalies());
    let rate = |time: Duration| replayed.events as f64 / time.as_secs_f64() / 1e6;
    println!(
        "{:?}: {} events, {:.1} M/s wall, {:.1} M/s CPU; {} live objects (peak {}), {} references, {:.1} bytes an object at 16 a reference",
        events.header().numbers,
        replayed.events,
        rate(wall),
        rate(cpu),
        heap.n_live(),
        heap.peak().0,
        observer.n_references,
        (observer.bytes as f64 - 16.0 * observer.n_references as f64) / heap.peak().0 as f64,
    );
}

#[derive(Default)]
struct Measure {
    before: u64,
    bytes: u64,
    n_references: usize,
}

impl Observer for Measure {
    fn on_snapshot(&mut self, _: &mut Heap, graph: &HeapGraph, _: SnapshotKind) {
        self.bytes = anonymous_bytes() - self.before;
        self.n_references = graph.n_references();
    }
}

/// Bytes that the process has for itself, 0 where the system does not say.
fn anonymous_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
