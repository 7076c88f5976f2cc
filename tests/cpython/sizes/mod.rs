//! Compares the bytes that a recording gives an object, its block and the separate blocks that it alone owns, with
//! `sys.getsizeof` in the recorded program, to which the inline values that it leaves out are added.
//!
//! `containers.py` makes objects of the built-in classes and of the standard library's, of many lengths.

use std::collections::{BTreeMap, HashMap};

use crate::each::record;
use crate::support::pythons::Python;
use crate::support::root;
use refloop::heap::replay;
use refloop::trace::formats;

on_each_python! {
    recorded_bytes_are_what_the_program_was_told,
}

fn recorded_bytes_are_what_the_program_was_told(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("containers.reftrace");
    let output = record(&python.path, &[], &trace, &root().join("tests/cpython/sizes/containers.py"), &[]);
    let mut events = formats::open(&trace).unwrap();
    let heap = replay(&mut *events, &mut (), &mut |_| {}).heap;
    let recorded: HashMap<u64, u64> = heap
        .objects()
        .map(|object| heap.object(object))
        .map(|object| (object.address, object.bytes + object.owned_bytes))
        .collect();
    let told = String::from_utf8(output.stdout).unwrap();
    let mut wrong = BTreeMap::<&str, Vec<(u64, u64)>>::new();
    for line in told.lines() {
        let mut words = line.splitn(4, ' ');
        let address = u64::from_str_radix(words.next().unwrap(), 16).unwrap();
        let [fewest, most] = [0; 2].map(|_| words.next().unwrap().parse::<u64>().unwrap());
        let class = words.next().unwrap();
        let recorded = recorded.get(&address).copied().unwrap_or(0);
        if !is_true(class, fewest, recorded) && !is_true(class, most, recorded) {
            wrong.entry(class).or_default().push((fewest, recorded));
        }
    }
    let n_objects = told.lines().count();
    assert!(n_objects > 1000, "only {n_objects} objects");
    let mut problems = String::new();
    for (class, sizes) in wrong {
        let first = &sizes[..sizes.len().min(6)];
        problems += &format!("{python} {class}: {} differ, as {first:?}\n", sizes.len());
    }
    assert!(problems.is_empty(), "(told, recorded)\n{problems}");
}

/// The recorded bytes are those that were asked of the allocator; `sys.getsizeof` is a little beside them where said here.
fn is_true(class: &str, told: u64, recorded: u64) -> bool {
    match class {
        // Made with a digit more than it turns out to need.
        "int" => (told..=told + 4).contains(&recorded),
        // Not rounded up to words.
        "Pattern" => recorded == told.next_multiple_of(8),
        // Without a time zone it has no field for one.
        "datetime" => recorded == told - 8,
        _ => recorded == told,
    }
}
