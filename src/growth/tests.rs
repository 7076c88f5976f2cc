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
fn a_cache_that_is_cleared_now_and_then_does_not_grow() {
    assert_eq!(of_sizes(&[300, 600, 5, 300, 600, 900]).containers, []);
}

#[test]
fn two_looks_are_too_few_and_many_are_thinned_out() {
    assert_eq!(growth(100, 2), Growth { looks: 2, ..Growth::default() });
    let many = growth(3, 200);
    assert_eq!((many.looks, many.containers.len()), (200, 1));
    assert_eq!(many.containers[0].to, 600);
}

/// At each of five looks twelve more reports by each of ten users: `entry` has the references to one, with its number for `{n}` and
/// the one before for `{before}`.
fn of_users(entry: &str) -> Growth {
    let mut trace = String::from(
        "reftrace 1 runtime=test references=checkpoints births=all\n\
         type 1 module\ntype 2 dict\ntype 3 app.Report\ntype 4 list\nsite 1 /srv/app.py:12 handle\n\
         alloc 1 1 72\nname 1 svc\nalloc 2 2 200\nalloc 3 2 64\n",
    );
    (0..10).for_each(|user| trace.push_str(&format!("alloc {:x} 4 64\n", 0x100 + user)));
    for look in 0..5u64 {
        let size = 120 * (look + 1);
        trace.push_str(&format!("time {}\n", (look + 1) * 1_000_000_000));
        (size - 120..size).for_each(|report| trace.push_str(&format!("alloc {:x} 3 48 @1\n", 0x10_0000 + report)));
        trace.push_str("walk full\ncount 1 1\nroot 1 global:svc\nref 1 2 .__dict__\ncount 2 1\n");
        trace.push_str("ref 2 3 ['USERS']\ncount 3 1\n");
        for user in 0..10 {
            trace.push_str(&format!("ref 3 {0:x} [{user}]\ncount {0:x} 1\n", 0x100 + user));
        }
        for report in 0..size {
            let (n, before) = (format!("{:x}", 0x10_0000 + report), format!("{:x}", 0x10_0000 + report.max(1) - 1));
            let entry = entry.replace("{user}", &format!("{:x}", 0x100 + report % 10));
            let entry = match report {
                0 => entry.replace("{before}", "3").replace(".next", "['head']"),
                _ => entry.replace("{before}", &before),
            };
            let entry = entry.replace("{n}", &n);
            trace.push_str(&format!("ref {entry}\ncount {n} 1\n"));
        }
        trace.push_str("checkpoint full\n");
    }
    trace.push_str("end\n");
    let mut tracker = GrowthTracker::new();
    play(&trace, &mut tracker);
    tracker.finish()
}

#[test]
fn many_lists_that_grow_together_are_one_row() {
    let growth = of_users("{user} {n} [0]");
    let [users] = growth.containers.as_slice() else { panic!("{growth:#?}") };
    assert_eq!((users.path.as_str(), users.type_name.as_str(), users.containers), ("svc.USERS[*]", "list", 10));
    assert_eq!((users.from, users.to, users.from_is_exact), (120, 600, false));
    assert_eq!((users.per_second, users.element.as_str(), users.bytes), (Some(120.0), "app.Report", 600 * 48));
    assert_eq!(users.site.first().map(|frame| frame.line), Some(12));
}

#[test]
fn a_chain_that_grows_is_told_by_the_reference_that_is_followed_again_and_again() {
    let growth = of_users("{before} {n} .next");
    let [chain] = growth.containers.as_slice() else { panic!("{growth:#?}") };
    assert_eq!((chain.path.as_str(), chain.to), ("svc.USERS[*].next…", 599));
    assert_eq!((chain.type_name.as_str(), chain.containers), ("app.Report", 599));
}

#[test]
fn what_is_in_a_container_that_grows_has_no_row_of_its_own() {
    let growth = of_users("3 {n} [0]");
    let [all] = growth.containers.as_slice() else { panic!("{growth:#?}") };
    assert_eq!((all.path.as_str(), all.containers, all.from, all.to), ("svc.USERS", 1, 130, 610));
}

#[test]
fn a_dict_has_as_many_entries_as_values_and_what_was_small_at_first_was_at_most_so_large() {
    let keyed = of_users("{user} {n} key\nref {user} {n} [0]");
    assert_eq!(keyed.containers.len(), 1, "{keyed:#?}");
    let [cache] = of_sizes(&[10, 100, 200, 300]).containers.try_into().unwrap();
    assert_eq!((cache.from, cache.from_is_exact, cache.to), (15, false, 300));
}
