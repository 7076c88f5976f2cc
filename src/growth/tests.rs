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
        for report in size..made {
            trace.push_str(&format!("free {:x}\n", 0x10_0000 + report));
        }
        made = size;
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
    assert_eq!((cache.element.as_str(), cache.bytes), ("app.Report", 64 + 400 * 48));
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

/// At each look these events happen, and the module `svc` has these references.
fn of_looks(looks: &[(&str, &str)]) -> Growth {
    let mut trace = String::from(
        "reftrace 1 runtime=test references=checkpoints births=all\n\
         type 1 module\ntype 2 dict\ntype 3 bytes\ntype 4 bytearray\nsite 1 /srv/app.py:12 handle\n\
         alloc 1 1 72\nname 1 svc\nalloc 2 2 200\n",
    );
    for (look, (events, references)) in looks.iter().enumerate() {
        trace.push_str(&format!("time {}\n{events}\n", (look + 1) * 1_000_000_000));
        trace.push_str("walk full\ncount 1 1\nroot 1 global:svc\nref 1 2 .__dict__\ncount 2 1\n");
        trace.push_str(&format!("{references}\ncheckpoint full\n"));
    }
    trace.push_str("end\n");
    let mut tracker = GrowthTracker::new();
    play(&trace, &mut tracker);
    tracker.finish()
}

/// A buffer of so many bytes at each look.
fn of_a_buffer(sizes: &[u64]) -> Growth {
    let events = sizes.iter().enumerate().map(|(look, size)| match look {
        0 => format!("alloc a 4 56 @1\nowns a {size}"),
        _ => format!("owns a {size}"),
    });
    let events: Vec<String> = events.collect();
    of_looks(&events.iter().map(|event| (event.as_str(), "ref 2 a ['BUFFER']\ncount a 1")).collect::<Vec<_>>())
}

/// The paths of what grew with the unit, the number of objects, and from where to where.
fn rows(growth: &Growth) -> Vec<(&str, Unit, u64, u64, u64)> {
    growth.containers.iter().map(|of| (of.path.as_str(), of.unit, of.containers, of.from, of.to)).collect()
}

#[test]
fn a_buffer_that_grows_in_place_is_told_by_its_bytes_and_one_that_rests_or_is_emptied_is_not() {
    let growth = of_a_buffer(&[2_000_000, 4_000_000, 6_000_000, 8_000_000]);
    assert_eq!(rows(&growth), [("svc.BUFFER", Unit::Bytes, 1, 2_000_056, 8_000_056)]);
    let [buffer] = growth.containers.as_slice() else { panic!("{growth:#?}") };
    assert_eq!((buffer.type_name.as_str(), buffer.element.as_str()), ("bytearray", "bytearray"));
    assert_eq!((buffer.per_second, buffer.from_is_exact), (Some(2_000_000.0), true));
    assert_eq!(buffer.site.first().map(|frame| frame.line), Some(12));
    assert_eq!(rows(&of_a_buffer(&[2_000_000, 8_000_000, 8_000_000, 8_000_000])), []);
    assert_eq!(rows(&of_a_buffer(&[2_000_000, 4_000_000, 100, 4_000_000, 6_000_000, 8_000_000])), []);
    assert_eq!(rows(&of_a_buffer(&[100_000, 200_000, 300_000, 400_000])), [], "less than a megabyte");
    let emptied = of_a_buffer(&[2_000_000, 4_000_000, 6_000_000, 8_000_000, 100]);
    assert_eq!(emptied.containers.iter().map(|of| (of.emptied, of.to)).collect::<Vec<_>>(), [(true, 8_000_056)]);
}

#[test]
fn a_text_that_is_replaced_by_a_longer_one_grows_and_many_buffers_together_do() {
    let replaced = |look: u64| format!("alloc {:x} 3 {} @1", 0x10 + look, (look + 1) * 2_000_000);
    let now = |look: u64| format!("ref 2 {0:x} ['TEXT']\ncount {0:x} 1", 0x10 + look);
    let looks: Vec<(String, String)> = (0..4)
        .map(|look| match look {
            0 => (replaced(0), now(0)),
            _ => (format!("free {:x}\n{}", 0x10 + look - 1, replaced(look)), now(look)),
        })
        .collect();
    let looks: Vec<(&str, &str)> = looks.iter().map(|(events, now)| (events.as_str(), now.as_str())).collect();
    assert_eq!(rows(&of_looks(&looks)), [("svc.TEXT", Unit::Bytes, 1, 2_000_000, 8_000_000)]);

    // Of each less than is followed by itself.
    let parts = |look: u64| {
        let owns = (0..40).map(|part| match look {
            0 => format!("alloc {0:x} 4 0\nowns {0:x} 10000\n", 0x20 + part),
            _ => format!("owns {:x} {}\n", 0x20 + part, 10_000 * (look + 1)),
        });
        owns.collect::<String>() + if look == 0 { "alloc 3 2 64" } else { "" }
    };
    let all: String = (0..40).map(|part| format!("ref 3 {0:x} [{part}]\ncount {0:x} 1\n", 0x20 + part)).collect();
    let all = format!("ref 2 3 ['PARTS']\ncount 3 1\n{all}");
    let looks: Vec<String> = (0..5).map(parts).collect();
    let looks: Vec<(&str, &str)> = looks.iter().map(|events| (events.as_str(), all.as_str())).collect();
    assert_eq!(rows(&of_looks(&looks)), [("svc.PARTS[*]", Unit::Bytes, 40, 400_000, 2_000_000)]);
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
    assert_eq!(
        (users.per_second, users.element.as_str(), users.bytes),
        (Some(120.0), "app.Report", 10 * 64 + 600 * 48)
    );
    assert_eq!(users.site.first().map(|frame| frame.line), Some(12));
}

#[test]
fn what_nothing_recorded_holds_is_told_itself_and_not_what_it_holds() {
    // Each handle, which C code has, holds a number of its own.
    let looks: Vec<(String, String)> = (1..=5u64)
        .map(|look| {
            let (handles, number) = (|n: u64| 0x1000 + n, |n: u64| 0x2000 + n);
            let births = (20 * look - 20..20 * look)
                .map(|n| format!("alloc {:x} 5 48\nalloc {:x} 6 28\n", handles(n), number(n)));
            let held = (0..20 * look)
                .map(|n| format!("count {0:x} 1\nref {0:x} {1:x} .i\ncount {1:x} 1\n", handles(n), number(n)));
            (births.collect(), held.collect())
        })
        .collect();
    let first = format!("type 5 app.Handle\ntype 6 int\n{}", looks[0].0);
    let looks: Vec<(&str, &str)> = looks
        .iter()
        .enumerate()
        .map(|(look, (births, held))| (if look == 0 { first.as_str() } else { births.as_str() }, held.as_str()))
        .collect();
    assert_eq!(rows(&of_looks(&looks)), [("Handle", Unit::Bytes, 100, 20 * 48, 100 * 48)]);
}

#[test]
fn a_chain_that_grows_is_told_by_the_reference_that_is_followed_again_and_again() {
    let growth = of_users("{before} {n} .next");
    let [chain] = growth.containers.as_slice() else { panic!("{growth:#?}") };
    assert_eq!((chain.path.as_str(), chain.to), ("svc.USERS[*].next…", 599));
    assert_eq!((chain.type_name.as_str(), chain.containers), ("app.Report", 599));
}

#[test]
fn a_list_that_is_linked_both_ways_is_one_row() {
    // The newest is the tail: from there one comes to the second half first.
    let mut trace = String::new();
    let looks: Vec<(String, String)> = (1..=5u64)
        .map(|look| {
            let births = (100 * look - 100..100 * look).map(|node| format!("alloc {:x} 5 48\n", 0x1000 + node));
            let last = 100 * look - 1;
            let links = (0..=last).map(|node| {
                let (at, next, before) = (0x1000 + node, 0x1001 + node, 0xfff + node);
                let next = if node < last { format!("ref {at:x} {next:x} .next\n") } else { String::new() };
                let before = if node > 0 { format!("ref {at:x} {before:x} .before\n") } else { String::new() };
                format!("{next}{before}count {at:x} 2\n")
            });
            let ends = format!("ref 2 1000 ['HEAD']\nref 2 {:x} ['TAIL']\n", 0x1000 + last);
            (births.collect(), ends + &links.collect::<String>())
        })
        .collect();
    trace.push_str("type 5 app.Node\n");
    trace.push_str(&looks[0].0);
    let looks: Vec<(&str, &str)> = looks
        .iter()
        .enumerate()
        .map(|(look, (births, links))| (if look == 0 { trace.as_str() } else { births }, links.as_str()))
        .collect();
    let growth = of_looks(&looks);
    assert_eq!(rows(&growth), [("svc.HEAD.next…", Unit::References, 498, 100, 498)]);
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

#[test]
fn what_gets_values_that_were_there_has_the_line_that_made_it() {
    let of_references = |new: &str| {
        let mut script = String::from(
            "reftrace 1 runtime=test references=checkpoints births=all\n\
             type 1 module\ntype 2 dict\ntype 3 app.Value\ntype 4 int\nsite 1 /srv/app.py:3 <module>\nsite 2 /srv/svc.py:6 start\n\
             site 3 /srv/svc.py:9 add\nalloc 1 1 72\nname 1 svc\nalloc 2 2 200\nalloc 3 2 64 @2\nalloc 4 3 4800 @1\n",
        );
        for look in 1..=4u64 {
            script.push_str(&new.replace("NUMBER", &format!("{look}0")));
            script
                .push_str("walk full\ncount 1 1\nroot 1 global:svc\nref 1 2 .__dict__\ncount 2 1\nref 2 3 ['SEEN']\n");
            script.push_str(&format!("count 3 1\ncount 4 {}\n", look * 100));
            (0..look * 100).for_each(|entry| script.push_str(&format!("ref 3 4 ['key {entry}']\n")));
            if !new.is_empty() {
                (1..=look).for_each(|key| script.push_str(&format!("ref 3 {key}0 key\ncount {key}0 1\n")));
            }
            script.push_str("checkpoint full\n");
        }
        let mut tracker = GrowthTracker::new();
        play(&(script + "end\n"), &mut tracker);
        let [row] = <[GrowingContainer; 1]>::try_from(tracker.finish().containers).unwrap();
        (row.path, row.element, row.site.first().map(|frame| frame.line), row.site_of_container)
    };
    let [path, element] = ["svc.SEEN", "app.Value"].map(str::to_string);
    // The values are those that line 3 made once; keys that are no texts are recorded.
    assert_eq!(of_references(""), (path.clone(), element.clone(), Some(6), true));
    assert_eq!(of_references("alloc NUMBER 4 28 @3\n"), (path, element, Some(9), false));
}
