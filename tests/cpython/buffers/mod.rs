//! Compares the memory that a recording gives objects of C code outside of their block with what the program says.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use crate::each::record;
use crate::numpy::with_numpy;
use crate::pyarrow;
use crate::support::pythons::Python;
use crate::support::root;
use refloop::heap::replay;
use refloop::run::{Options, TraceRun, open};
use refloop::trace::formats;

on_each_python! {
    the_standard_library_s_buffers_are_in_the_loops_that_hold_them,
    the_data_of_arrays_is_in_the_loops_that_hold_them,
}

/// Of the loops of one class of the program.
fn bytes_of(run: &TraceRun, class: &str) -> u64 {
    let groups = run.garbage.groups.iter().filter(|group| group.path.to_string().contains(class));
    groups.map(|group| group.bytes + group.held_bytes).sum()
}

fn the_standard_library_s_buffers_are_in_the_loops_that_hold_them(python: &Python) {
    for events in ["survivors", "none"] {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("standard.reftrace");
        let program = root().join("tests/cpython/buffers/standard.py");
        let output = record(&python.path, &["--events", events], &trace, &program, &[]);
        let printed = String::from_utf8(output.stdout).unwrap();
        let owned: u64 = printed.lines().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
        let run = open(&trace, &Options::default()).unwrap();
        let found = bytes_of(&run, "Holder");
        // Beside the buffers there are 24 holders, their dicts, the objects themselves, and what streams have room for.
        assert!((owned..owned + 1_200_000).contains(&found), "{python} {events}: {owned} owned, {found} found");
    }
}

fn the_data_of_arrays_is_in_the_loops_that_hold_them(python: &Python) {
    let Some(inside) = with_numpy(python) else { return };
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("arrays.reftrace");
    let program = root().join("tests/cpython/buffers/arrays.py");
    let output = record(&inside, &[], &trace, &program, &[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(wrong_sizes(&trace, &printed), BTreeMap::new(), "{python}");
    let run = open(&trace, &Options::default()).unwrap();
    let found = bytes_of(&run, "Frame");
    assert!((14_400_000..14_420_000).contains(&found), "{python}: {found}");
    let closed = run.live.map(|live| live.closed).unwrap_or_default();
    assert!(!closed.keys().any(|name| name.starts_with("numpy.")), "{python}: {closed:?}");
}

#[test]
fn the_memory_of_tables_is_in_the_loops_that_hold_them() {
    for (package, inside) in pyarrow::with_oldest_and_newest() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("tables.reftrace");
        let output = record(&inside, &[], &trace, &root().join("tests/cpython/buffers/tables.py"), &[]);
        let printed = String::from_utf8(output.stdout).unwrap();
        let allocated: u64 = printed.trim().parse().unwrap();
        let run = open(&trace, &Options::default()).unwrap();
        let found = bytes_of(&run, "Holder");
        // Beside the memory there are 16 holders, their dicts, and the objects themselves.
        assert!((allocated..allocated + 20_000).contains(&found), "{package}: {allocated} allocated, {found} found");
        assert_eq!(arrow_not_read(run), Vec::<String>::new(), "{package}");

        let program = folder.path().join("to_come.py");
        fs::write(&program, "import pyarrow\npyarrow.__version__ = '1000.0.0'\nkept = pyarrow.array([1]), []\n")
            .unwrap();
        record(&inside, &[], &trace, &program, &[]);
        let run = open(&trace, &Options::default()).unwrap();
        assert_eq!(arrow_not_read(run), ["pyarrow.lib.Int64Array"], "a version that has no row is not known");
    }
}

/// The types of pyarrow whose memory a page says that it could not read.
fn arrow_not_read(run: TraceRun) -> Vec<String> {
    let closed = run.live.map(|live| live.closed).unwrap_or_default();
    closed.into_keys().filter(|name| name.starts_with("pyarrow.")).collect()
}

/// By address: what was told, and what is recorded.
fn wrong_sizes(trace: &Path, printed: &str) -> BTreeMap<String, (u64, u64)> {
    let mut events = formats::open(trace).unwrap();
    let heap = replay(&mut *events, &mut (), &mut |_| {}).heap;
    let objects = heap.objects().map(|object| heap.object(object));
    let recorded: HashMap<u64, u64> =
        objects.map(|object| (object.address, object.bytes + object.owned_bytes)).collect();
    let told = printed.lines().filter_map(|line| line.strip_prefix("size ")?.split_once(' '));
    let told: Vec<(&str, &str)> = told.collect();
    assert_eq!(told.len(), 13);
    let pairs = told.into_iter().map(|(address, size)| {
        let recorded = recorded.get(&u64::from_str_radix(address, 16).unwrap()).copied().unwrap_or(0);
        (address.to_string(), (size.parse().unwrap(), recorded))
    });
    pairs.filter(|(_, (told, recorded))| told != recorded).collect()
}
