//! Shows what grows in small scripts.

use super::*;
use crate::heap::testing::play;

/// A module with a dict `CACHE` that gets `per_look` entries before each of `looks` checkpoints, and one that is filled before
/// the first.
fn growth(per_look: u64, looks: u64) -> Growth {
    of_sizes(&(1..=looks).map(|look| look * per_look).collect::<Vec<u64>>())
}

/// `CACHE` has so many entries at each checkpoint.
fn of_sizes(sizes: &[u64]) -> Growth {
    let mut trace = String::from(
        "reftrace 1 runtime=test references=checkpoints births=all\n\
         type 1 module\ntype 2 dict\ntype 3 app.Report\nsite 1 /srv/app.py:12 handle\n\
         alloc 1 1 72\nname 1 svc\nalloc 2 2 200\nalloc 3 2 64\nalloc 4 2 64\n",
    );
    for report in 0..100 {
        trace.push_str(&format!("alloc {:x} 3 48\n", 0x1_0000 + report));
    }
    let mut made = 0;
    for (look, &size) in sizes.iter().enumerate() {
        trace.push_str(&format!("time {}\n", (look + 1) * 1_000_000_000));
        for report in made..size {
            trace.push_str(&format!("alloc {:x} 3 48 @1\n", 0x10_0000 + report));
        }
        made = made.max(size);
        trace.push_str("walk full\ncount 1 1\nroot 1 global:svc\nref 1 2 .__dict__\ncount 2 1\n");
        trace.push_str("ref 2 3 ['CACHE']\nref 2 4 ['TABLE']\ncount 3 1\ncount 4 1\n");
        for report in 0..size {
            trace.push_str(&format!("ref 3 {0:x} [{report}]\ncount {0:x} 1\n", 0x10_0000 + report));
        }
        for report in 0..100 {
            trace.push_str(&format!("ref 4 {0:x} [{report}]\ncount {0:x} 1\n", 0x1_0000 + report));
        }
        trace.push_str("checkpoint full\n");
    }
    trace.push_str("end\n");
    let mut tracker = GrowthTracker::new();
    play(&trace, &mut tracker);
    tracker.finish()
}

#[test]
fn a_cache_without_bounds_is_named_by_its_path_and_what_fills_it_by_its_line() {
    let growth = growth(100, 4);
    let [cache] = growth.containers.as_slice() else { panic!("{growth:#?}") };
    assert_eq!((cache.path.as_str(), cache.type_name.as_str()), ("svc.CACHE", "dict"));
    assert_eq!((cache.from, cache.to, cache.per_second), (100, 400, Some(100.0)));
    assert_eq!((cache.element.as_str(), cache.bytes), ("app.Report", 400 * 48));
    assert_eq!(cache.site.first().map(|frame| (frame.path.as_str(), frame.line)), Some(("/srv/app.py", 12)));
    let types: Vec<(&str, u64, u64)> = growth.types.iter().map(|row| (row.name.as_str(), row.from, row.to)).collect();
    assert_eq!(types, [("app.Report", 200, 500)]);
}

#[test]
fn a_table_that_is_filled_and_then_at_rest_was_not_emptied() {
    assert_eq!(of_sizes(&[0, 100, 200, 300, 300, 300]).containers, []);
    let [cache] = of_sizes(&[0, 100, 200, 300, 20]).containers.try_into().unwrap();
    assert_eq!((cache.emptied, cache.to), (true, 300));
}

#[test]
fn two_looks_are_too_few_and_many_are_thinned_out() {
    assert_eq!(growth(100, 2), Growth { looks: 2, ..Growth::default() });
    let many = growth(3, 200);
    assert_eq!((many.looks, many.containers.len()), (200, 1));
    assert_eq!(many.containers[0].to, 600);
}
