//! Plays small traces beside collectors, and compares what those would have done.

use std::fmt::Write;

use super::{Collections, Moment, Outcome, Recorded, Setting, obstacle, replay};
use crate::heap::testing::events;
use crate::trace::Header;

const HEAD: &str = "reftrace 1 runtime=cpython-3.11.7\ntype 1 app.Node size=32 flags=gc,heap\ntype 2 int size=28\n\
                    type 3 list size=40 flags=gc\n";

/// What each setting would have done.
fn outcomes(script: &str, settings: &[&str]) -> Vec<Outcome> {
    let settings = settings.iter().map(|text| Setting::parse(text).unwrap());
    let modelled = replay(&mut *events(script), settings, &mut |_| {});
    assert!(modelled.error.is_none(), "{:?}", modelled.error);
    modelled.outcomes
}

fn runs(script: &str, setting: &str) -> [u64; 3] {
    outcomes(script, &[setting])[0].collections.runs
}

/// `alloc`s of so many objects of a type.
fn births(from: u64, n: u64, class: u32) -> String {
    (from..from + n).fold(String::new(), |mut text, tag| {
        let _ = writeln!(text, "alloc {tag:x} {class} 64\nincref {tag:x}");
        text
    })
}

fn deaths(from: u64, n: u64) -> String {
    (from..from + n).fold(String::new(), |mut text, tag| {
        let _ = writeln!(text, "decref {tag:x}\nfree {tag:x}");
        text
    })
}

/// Loops of two objects, each dropped at once.
fn loops(n: u64) -> String {
    (0..n).map(|number| 0x1000 + 2 * number).fold(String::new(), |mut text, tag| {
        let (a, b) = (tag, tag + 1);
        let _ =
            writeln!(text, "alloc {a:x} 1 64\nincref {a:x}\nalloc {b:x} 1 64\nref {a:x} {b:x} .b\nref {b:x} {a:x} .a");
        let _ = writeln!(text, "decref {a:x}");
        text
    })
}

#[test]
fn pauses_are_those_of_as_many_objects_in_the_same_generation_or_in_all() {
    let recorded = |looked, pause_ns| Recorded { runs: [1; 3], looked, pause_ns, explicit: None };
    let wanted = Collections { looked: [100, 10, 1_000], ..Collections::default() };
    let known = recorded([Some(1_000), Some(0), Some(500)], [Some(5_000), Some(0), Some(1_000)]);
    // 5 ns and 2 ns an object; the middle generation, which looked at none, as all: 6,000 ns for 1,500 objects.
    assert_eq!(known.pauses_of(&wanted), Some(500 + 40 + 2_000));
    assert_eq!(recorded([Some(7), None, Some(0)], [None, Some(9), Some(0)]).pauses_of(&wanted), None);
    let absurd = recorded([Some(1), None, None], [Some(u64::MAX), None, None]);
    assert_eq!(absurd.pauses_of(&wanted), Some(u64::MAX));
}

#[test]
fn a_collection_begins_as_the_count_exceeds_the_threshold() {
    let script = format!("{HEAD}{}", births(1, 33, 1));
    assert_eq!(runs(&script, "10"), [3, 0, 0]);
    assert_eq!(runs(&script, "33"), [0, 0, 0]);
    assert_eq!(runs(&script, "10,1,10"), [2, 1, 0]);
    assert_eq!(runs(&script, "0"), [0, 0, 0]);
    assert_eq!(runs(&script, "off"), [0, 0, 0]);
    assert_eq!(runs(&format!("{HEAD}{}", births(1, 33, 2)), "10"), [0, 0, 0], "without a collector's head");
}

#[test]
fn a_death_counts_back_and_never_below_zero() {
    let churn = |n: u64| (0..n).map(|_| births(1, 1, 1) + &deaths(1, 1)).collect::<String>();
    assert_eq!(runs(&format!("{HEAD}{}", churn(50)), "10"), [0, 0, 0]);
    let script = format!("{HEAD}{}{}{}", births(1, 22, 1), deaths(1, 20), births(1, 11, 1));
    assert_eq!(runs(&script, "10"), [3, 0, 0], "the count was 0, and 20 deaths are forgotten");
}

#[test]
fn what_rests_in_a_free_list_counts_in_no_direction() {
    // 80 lists rest, and are used again; the other 20 count.
    let script = format!("{HEAD}{}{}{}", births(1, 100, 3), deaths(1, 100), births(1, 100, 3));
    assert_eq!(runs(&script, "99"), [1, 0, 0]);
    assert_eq!(outcomes(&script, &["100"])[0].collections.runs, [0, 0, 0]);
    assert_eq!(runs(&script, "19"), [5 + 1, 0, 0], "100, then none of the first 80, then 20");
}

#[test]
fn the_oldest_generation_waits_for_a_quarter() {
    // An older collection brings 4 objects: after the seventh they are a quarter of 100, then of the 30 and 40 that it left.
    let script = format!("{HEAD}gc state on 700 10 10 0 0 0 0 100\n{}", births(1, 60, 1));
    assert_eq!(runs(&script, "1,0,0"), [14, 13, 3]);
    let script = format!("{HEAD}gc state on 700 10 10 0 0 0 0 0\n{}", births(1, 12, 1));
    assert_eq!(runs(&script, "1,0,0"), [2, 2, 2]);
}

#[test]
fn what_the_program_asks_for_stays() {
    let asked = "gc state on 700 10 10 3 0 0 0 0\ngc start 2\ngc stop 0 0\n";
    let by_itself = "gc state on 700 10 10 701 0 0 0 0\ngc start 0\ngc stop 0 0\n";
    let script = format!("{HEAD}gc state on 700 10 10 0 0 0 0 0\n{}{asked}{by_itself}", births(1, 3, 1));
    let outcome = &outcomes(&script, &["off"])[0];
    assert_eq!((outcome.collections.runs, outcome.collections.explicit), ([0, 0, 1], 1));
    assert_eq!(outcome.collections.looked, [0, 0, 3]);
}

#[test]
fn garbage_lies_until_its_generation_is_collected() {
    let script = format!("{HEAD}{}gc state on 700 10 10 701 0 0 0 0\ngc start 0\ngc stop 0 0\n", loops(20));
    let [off, ten] = &outcomes(&script, &["off", "10"])[..] else { panic!() };
    let amount = |amount: super::Amount| (amount.objects, amount.bytes);
    assert_eq!(amount(off.peak.likely), (40, 40 * 64));
    assert_eq!(off.peak.least, off.peak.most, "each reference is in the log");
    assert_eq!(amount(off.left.likely), (40, 40 * 64));
    // The births 11, 22 and 33 begin a collection, and the loop that each is in lives on in generation 1.
    assert_eq!((ten.collections.runs, ten.left.likely.objects), ([3, 0, 0], 12));
    assert_eq!(ten.peak.likely.objects, 14);
}

#[test]
fn garbage_over_time_rises_between_collections_and_falls_with_them() {
    let script = format!("{HEAD}{}gc state on 700 10 10 701 0 0 0 0\ngc start 0\ngc stop 0 0\n", loops(200));
    let [off, hundred] = &outcomes(&script, &["off", "100"])[..] else { panic!() };
    for outcome in [off, hundred] {
        let moments = &outcome.over_time;
        assert!(moments.is_sorted_by_key(|moment| moment.event), "{moments:?}");
        assert_eq!((moments[0].event, moments[0].bytes, outcome.moments), (0, [0; 3], moments.len()));
        let highest = moments.iter().map(|moment| moment.bytes[1]).max();
        assert_eq!(highest, Some(outcome.peak.likely.bytes));
        assert_eq!(moments.last().map(|last| last.bytes[1]), Some(outcome.left.likely.bytes));
    }
    assert!(off.over_time.is_sorted_by_key(|moment| moment.bytes[1]), "{:?}", off.over_time);
    assert!(off.over_time.len() > 10);
    let falls = hundred.over_time.windows(2).filter(|pair| pair[1].bytes[1] < pair[0].bytes[1]);
    assert_eq!(falls.count() as u64, hundred.collections.runs[0]);
}

#[test]
fn of_many_moments_the_highest_and_the_lowest_of_each_stretch_of_time_are_told() {
    // A sawtooth: from 0 to 9 and back, once in ten events.
    let all: Vec<Moment> = (0..1_000).map(|event| Moment { event, ns: None, bytes: [event % 10; 3] }).collect();
    let few = Moment::thinned(&all, 20);
    assert_eq!(few.len(), 40);
    for pair in few.chunks(2) {
        let amounts = [pair[0].bytes[1], pair[1].bytes[1]];
        assert!(pair[0].event < pair[1].event && amounts.contains(&0) && amounts.contains(&9), "{pair:?}");
    }
    assert_eq!(Moment::thinned(&all, 1_000), all);
    assert_eq!(Moment::thinned(&[], 10), []);
    // All at one moment, and as far apart as can be.
    let same = |ns| Moment { event: ns, ns: Some(ns), bytes: [ns; 3] };
    assert_eq!(Moment::thinned(&[same(7); 9], 2).len(), 1);
    assert_eq!(Moment::thinned(&[same(0), same(1), same(u64::MAX - 1)], 1).len(), 2);
}

#[test]
fn what_is_frozen_is_not_looked_at() {
    let script = format!("{HEAD}{}mark user loaded\n{}", births(1, 9, 1), births(0x100, 11, 1));
    let [plain, frozen, never] = &outcomes(&script, &["10", "10 freeze-at loaded", "10 freeze-at x"])[..] else {
        panic!()
    };
    assert_eq!((plain.collections.runs[0], plain.collections.looked[0]), (1, 11));
    assert_eq!((frozen.collections.runs[0], frozen.collections.looked[0], frozen.frozen), (1, 11, Some(true)));
    assert_eq!(never.frozen, Some(false));
}

#[test]
fn of_the_recorded_collector_is_told_what_the_log_says() {
    let recorded = |script: &str| replay(&mut *events(script), [Setting::default()], &mut |_| {}).recorded;
    let asked = "gc state on 700 10 10 3 0 0 0 0\ngc start 2\ngc looked 5000\ngc stop 0 0\n";
    let young = "gc start 0\ngc looked 700\ngc stop 0 0\ngc start 0\ngc stop 0 0\n";
    let found = recorded(&format!("{HEAD}{young}"));
    assert_eq!((found.runs, found.looked, found.explicit), ([2, 0, 0], [None, Some(0), Some(0)], None));
    let found = recorded(&format!("{HEAD}gc start 1\ngc looked 9\n"));
    assert_eq!((found.runs, found.looked), ([0, 1, 0], [Some(0), None, Some(0)]), "it did not end");
    let found = recorded(&format!("{HEAD}{asked}"));
    assert_eq!((found.runs, found.looked, found.explicit), ([0, 0, 1], [Some(0), Some(0), Some(5000)], Some(1)));
}

#[test]
fn what_is_frozen_comes_to_no_free_list() {
    // A loop of a list is garbage as it is frozen: the collection after it frees nothing, and no list is made of it.
    let garbage = "alloc 1000 3 56\nincref 1000\nref 1000 1000 [0]\ndecref 1000\n";
    let script =
        format!("{HEAD}{garbage}gc start 0\ngc stop 0 0\nmark user loaded\n{}{}", births(1, 3, 1), births(0x100, 3, 3));
    assert_eq!(runs(&script, "2"), [2, 0, 0], "the third object and the third list");
    assert_eq!(runs(&script, "2 freeze-at loaded"), [2, 0, 0]);
}

#[test]
fn numbers_beyond_all_reason_are_no_panic() {
    let (most, short) = (u64::MAX, u32::MAX);
    let script = format!(
        "{HEAD}type 3 list size={most} flags=gc\ngc state on 1 1 1 {short} {short} {short} {most} {most}\n\
         gc lists {most} {most} {most} {most}\n{}gc state on 1 1 1 {short} {short} {short} {most} {most}\n\
         gc start 2\ngc stop 0 0\n{}",
        births(1, 9, 3),
        births(0x100, 30, 1)
    );
    for runtime in ["cpython-3.11.7", "cpython-3.14.10"] {
        let outcomes = outcomes(&script.replace("cpython-3.11.7", runtime), &["1,0,0", "off"]);
        assert_eq!(outcomes[0].collections.looked_at(), u64::MAX);
    }
}

#[test]
fn a_trace_that_cannot_be_replayed_says_why() {
    let mut header = Header::new("cpython-3.12.1");
    assert_eq!(obstacle(&header), None);
    header.births = crate::trace::Births::Survivors;
    assert!(obstacle(&header).unwrap().contains("--events full"));
    assert!(obstacle(&Header::new("cpython-3.14.2")).unwrap().contains("incremental"));
    assert!(obstacle(&Header::new("ruby-3.3")).is_some());
}
