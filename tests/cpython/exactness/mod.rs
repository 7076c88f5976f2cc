//! The objects that the analysis calls cyclic garbage are exactly those that CPython's collector finds, by address: on
//! every interpreter at hand, for every program in `tests/cpython/exactness/scenarios/`.
//!
//! The collector is asked twice. What it prints under `gc.DEBUG_COLLECTABLE` is what it found, before any finalizer ran:
//! that must be equal always. What it leaves in `gc.garbage` under `gc.DEBUG_SAVEALL` is what finalizers left of that:
//! it must be equal where the scenario has none (`FINALIZERS`).

mod page;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use refloop::cycles::Garbage;
use refloop::heap::{Heap, HeapGraph, Observer, SnapshotKind, replay};
use refloop::trace;

use self::page::Page;
use crate::each::record;
use crate::support::pythons::Python;
use crate::support::{refloop, root};

on_each_python! {
    cyclic_garbage_is_exactly_what_the_collector_finds,
    every_collection_of_a_busy_program_is_foreseen,
}

/// The first two search themselves as a collection begins, the others have the collector say what it found.
const MODES: [&str; 4] = ["survivors", "full", "none", "leaks"];

/// What `tests/cpython/exactness/run.py` exits with when the interpreter is too old for a scenario.
const TOO_OLD: i32 = 77;

fn cyclic_garbage_is_exactly_what_the_collector_finds(python: &Python) {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 40, "only {} scenarios", scenarios.len());
    let folder = tempfile::tempdir().unwrap();
    let (mut compared, mut differences) = (0, Vec::new());
    for scenario in &scenarios {
        let mut told: Option<Page> = None;
        for mode in MODES {
            match compare(python, scenario, mode, folder.path()) {
                Ok(None) => {}
                Ok(Some(page)) => {
                    compared += 1;
                    let first = told.get_or_insert_with(|| page.clone());
                    differences.extend(page.difference(first).map(|how| format!("{scenario:?} {mode}: {how}")));
                }
                Err(difference) => differences.push(format!("{mode}: {difference}")),
            }
        }
    }
    assert!(differences.is_empty(), "{python}: {} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(compared >= 40 * MODES.len(), "{python}: only {compared} scenarios compared");
}

fn every_collection_of_a_busy_program_is_foreseen(python: &Python) {
    MODES.into_iter().for_each(|mode| every_collection_is_foreseen(python, mode));
}

fn every_collection_is_foreseen(python: &Python, mode: &str) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("churn.reftrace");
    let program = root().join("tests/cpython/exactness/churn.py");
    let output = record(&python.path, &["--events", mode], &trace, &program, &["20000"]);
    let printed = printed_collections(&String::from_utf8_lossy(&output.stderr));
    let found = garbage_of_collections(&trace).unwrap();
    // The first collections are those before the collector is told to print: of the start, and the explicit one.
    let before = found.len().checked_sub(printed.len()).expect("every collection is in the trace");
    let objects: usize = printed.iter().map(BTreeSet::len).sum();
    assert!(printed.len() > 10 && objects > 10_000, "{} collections of {objects} objects", printed.len());
    for (number, (ours, theirs)) in found[before..].iter().zip(&printed).enumerate() {
        assert!(ours == theirs, "{python}, {mode}, collection {number}: {}", difference(ours, theirs));
    }
}

/// Compares one scenario, and gives what the page says of it; nothing when the interpreter is too old for it.
fn compare(python: &Python, scenario: &Path, mode: &str, folder: &Path) -> Result<Option<Page>, String> {
    let name = scenario.file_stem().unwrap().to_string_lossy().into_owned();
    let trace = folder.join(format!("{name}.reftrace"));
    let output = refloop()
        .args(["record", "-q", "--events", mode, "-o"])
        .arg(&trace)
        .arg("--")
        .arg(&python.path)
        .arg(root().join("tests/cpython/exactness/run.py"))
        .arg(scenario)
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let place = &name;
    if output.status.code() == Some(TOO_OLD) {
        return Ok(None);
    }
    if !output.status.success() {
        return Err(format!("{place}: exit {:?}\n{stderr}", output.status.code()));
    }
    let mut lines = stdout.lines().skip_while(|line| !["plain", "finalizers"].contains(line));
    let plain = lines.next() == Some("plain");
    let saved = addresses(lines.last().unwrap_or("").split(' '));
    let printed = addresses(stderr.lines().filter_map(printed_address));
    let found = garbage_of_collections(&trace).map_err(|error| format!("{place}: {error}"))?;
    let found = found.into_iter().next_back().unwrap_or_default();
    if found != printed {
        return Err(format!("{place}: against what the collector prints: {}", difference(&found, &printed)));
    }
    if plain && found != saved {
        return Err(format!("{place}: against gc.garbage: {}", difference(&found, &saved)));
    }
    Ok(Some(Page::of(&trace)))
}

/// What the analysis finds at the start of each collection: addresses of those that the collector counts.
fn garbage_of_collections(trace: &Path) -> Result<Vec<BTreeSet<u64>>, trace::TraceError> {
    #[derive(Default)]
    struct Collections(Vec<BTreeSet<u64>>);
    impl Observer for Collections {
        fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
            if kind == SnapshotKind::Garbage {
                let garbage = Garbage::of(graph);
                assert_eq!(garbage.nodes.len(), graph.n_nodes(), "all that is in a garbage walk is garbage");
                let tracked = garbage.nodes.iter().filter(|&&node| graph.state(node).tracked);
                // The walk belongs to the collection that begins now; those since the last walk found nothing.
                self.0.resize_with(heap.collections().runs as usize, BTreeSet::new);
                self.0.push(tracked.map(|&node| heap.object(graph.object(node)).address).collect());
            }
        }
    }
    let mut events = trace::open(trace)?;
    let mut collections = Collections::default();
    let replayed = replay(events.as_mut(), &mut collections, &mut |_| {});
    if let Some(error) = replayed.error {
        return Err(error);
    }
    collections.0.resize_with(replayed.heap.collections().runs as usize, BTreeSet::new);
    Ok(collections.0)
}

/// What the collector prints under `DEBUG_STATS` and `DEBUG_COLLECTABLE`, collection by collection.
fn printed_collections(stderr: &str) -> Vec<BTreeSet<u64>> {
    let mut collections: Vec<BTreeSet<u64>> = Vec::new();
    for line in stderr.lines() {
        if line.starts_with("gc: collecting generation") {
            collections.push(BTreeSet::new());
        } else if let (Some(address), Some(collection)) = (printed_address(line), collections.last_mut()) {
            collection.extend(addresses(std::iter::once(address)));
        }
    }
    collections
}

/// The address in a line such as `gc: collectable <Node 0x7f10>`.
fn printed_address(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("gc: collectable <").or_else(|| line.strip_prefix("gc: uncollectable <"))?;
    rest.strip_suffix('>')?.rsplit_once("0x").map(|(_, address)| address)
}

fn scenarios() -> Vec<PathBuf> {
    let mut scenarios: Vec<PathBuf> = std::fs::read_dir(root().join("tests/cpython/exactness/scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    scenarios.sort();
    scenarios
}

fn addresses<'a>(words: impl Iterator<Item = &'a str>) -> BTreeSet<u64> {
    words.filter(|word| !word.is_empty()).map(|word| u64::from_str_radix(word, 16).unwrap()).collect()
}

fn difference(ours: &BTreeSet<u64>, theirs: &BTreeSet<u64>) -> String {
    let only = |a: &BTreeSet<u64>, b: &BTreeSet<u64>| a.difference(b).count();
    format!(
        "{} here, {} there; {} only here, {} only there",
        ours.len(),
        theirs.len(),
        only(ours, theirs),
        only(theirs, ours)
    )
}
