//! How fast a trace is read.
//!
//! `cargo bench --bench trace`: events a second of a made-up trace in the text form, the binary form, and the binary form packed.
//! `cargo bench --bench trace -- FILE…`: the CPU time of reading files of any format.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use refloop::trace::formats::{WriteOptions, named};
use refloop::trace::{Event, Events, convert, open};
use tempfile::NamedTempFile;

#[path = "support/cpu.rs"]
mod cpu;
mod support;

const N_EVENTS: u64 = 1_000_000;

/// A file with the trace, which is mapped when it is read.
fn written(format: &str, zstd: Option<i32>) -> NamedTempFile {
    let mut trace = support::Generated::new(N_EVENTS);
    let file = NamedTempFile::new().expect("a temporary file");
    let writer = named(format).and_then(|format| format.writer()).expect("a format that can be written");
    let out = Box::new(file.reopen().expect("the same file"));
    let sink = writer(trace.header(), out, WriteOptions { zstd }).expect("a header");
    convert(&mut trace, sink).expect("a whole trace");
    file
}

/// Reads to the end; how many events and how many of them reference changes.
fn read(path: &Path) -> (u64, u64) {
    let mut reader = open(path).expect("a trace");
    let (mut n_events, mut n_changes) = (0, 0);
    while let Some(event) = reader.next_event().expect("a sound trace") {
        n_events += 1;
        n_changes += u64::from(matches!(event, Event::Ref { .. } | Event::Unref { .. }));
    }
    (n_events, n_changes)
}

fn benchmark(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for (name, format, zstd) in [("text", "text", None), ("binary", "binary", None), ("binary-zstd", "binary", Some(1))]
    {
        let file = written(format, zstd);
        let (n_events, n_changes) = read(file.path());
        let n_bytes = file.as_file().metadata().expect("its length").len();
        let each = n_bytes as f64 / n_events as f64;
        println!("{name}: {n_events} events, {}% reference changes, {each:.1} bytes each", 100 * n_changes / n_events);
        group.throughput(Throughput::Elements(n_events));
        group.bench_function(name, |bencher| bencher.iter(|| read(black_box(file.path()))));
    }
    group.finish();
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for file in &arguments {
        let before = cpu::time();
        let (n_events, _) = read(Path::new(file));
        println!("{:.2} s of CPU, {n_events} events, {file}", (cpu::time() - before).as_secs_f64());
    }
    if arguments.is_empty() {
        let mut criterion = Criterion::default().configure_from_args();
        benchmark(&mut criterion);
        criterion.final_summary();
    }
}
