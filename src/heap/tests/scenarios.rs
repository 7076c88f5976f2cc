//! Shows what the heap does with small logs.

use insta::assert_snapshot;

use super::{play, tell};
use crate::heap::*;
use crate::trace::SiteId;

#[test]
fn an_object_lives_until_its_tally_returns_to_zero() {
    let script = "
        type 1 Order flags=gc
        alloc 10 1 48
        alloc 20 1 56
        incref 10
        ref 10 20 .line
        checkpoint full
        decref 10
    ";
    assert_snapshot!(tell("frees=implied", script), @r"
    FullCheckpoint:
      10 Order count 1 tracked .line→20
      20 Order count 1 tracked
    freed: 10 Order
    freed: 20 Order
    End:
    0 live, 0 bytes
    ");
}

#[test]
fn what_a_dead_object_held_dies_with_it_however_long_the_chain() {
    let mut script = String::from("type 1 Node\nalloc 1 1 16\nincref 1\n");
    for number in 1..50_000 {
        script.push_str(&format!("alloc {:x} 1 16\nref {number:x} {:x} .next\n", number + 1, number + 1));
    }
    script.push_str("decref 1\n");
    let replayed = play("frees=implied", &script, &mut ());
    assert_eq!((replayed.heap.n_live(), replayed.heap.peak().0), (0, 50_000));
    assert!(replayed.heap.anomalies().is_empty());
}

#[test]
fn two_objects_that_hold_each_other_outlive_their_last_variable() {
    let script = "
        type 1 Left
        type 2 Right flags=gc
        alloc 10 1 48
        alloc 20 2 56
        root 10 local:main.left
        ref 10 20 .right
        ref 20 10 .left
        gc start 2
        gc stop 0 0
        unroot 10 local:main.left
    ";
    assert_snapshot!(tell("", script), @r"
    CollectionStart:
      10 Left count 2 pinned [local:main.left] .right→20
      20 Right count 1 tracked .left→10
    End:
      10 Left count 1 .right→20
      20 Right count 1 tracked .left→10
    2 live, 104 bytes
    ");
}

#[test]
fn a_free_confirms_what_the_tally_said_in_any_order() {
    let objects = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        alloc c 1 16
        incref a
        ref a b .b
        ref b c .c
        decref a
    ";
    for frees in ["free a\nfree b\nfree c", "free c\nfree b\nfree a", "unref a b .b\nfree c\nfree b\nfree a"] {
        let replayed = play("", &format!("{objects}\n{frees}"), &mut ());
        assert_eq!(replayed.heap.n_live(), 0, "{frees}");
        assert!(replayed.heap.anomalies().is_empty(), "{frees}: {:?}", replayed.heap.anomalies());
    }
}

#[test]
fn a_death_without_its_free_is_an_anomaly() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        incref a
        ref a b .b
        decref a
        free b
    ";
    assert_snapshot!(tell("", script), @r"
    End:
    0 live, 0 bytes
    anomaly: 1 × missing-free (event 8 a A)
    ");
}

#[test]
fn a_finalizer_may_bring_an_object_back_with_all_that_it_held() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        alloc c 1 16
        incref a
        ref a b .b
        ref b c .c
        decref a
        gc start 0
        gc stop 0 0
        incref a
    ";
    assert_snapshot!(tell("", script), @r"
    CollectionStart:
    End:
      a A count 1 .b→b
      b A count 1 .c→c
      c A count 1
    3 live, 48 bytes
    ");
}

#[test]
fn who_comes_back_does_not_hold_the_successor_of_what_it_held() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        ref a b .b
        alloc a 1 17
        ref b a .a
        alloc a 1 18
        unref b a .a
        incref b
    ";
    assert_snapshot!(tell("", script), @r"
    End:
      a A count 0 pinned
      b A count 1
    2 live, 34 bytes
    anomaly: 1 × alloc-on-live (event 6 a A)
    anomaly: 1 × missing-free (event 9 a A)
    anomaly: 1 × missing-reference (event 10 b A)
    ");
}

#[test]
fn memory_stays_in_proportion_to_the_live_heap_when_a_log_never_frees_or_frees_too_early() {
    const OBJECTS: u64 = 300_000;
    let mut script = String::from("type 1 A\nalloc 1 1 16\nincref 1\n");
    (2..OBJECTS).for_each(|tag| script.push_str(&format!("alloc {tag:x} 1 16\nincref {tag:x}\ndecref {tag:x}\n")));
    let never = play("", &script, &mut ()).heap;
    assert_eq!((never.n_live(), never.anomalies().count(AnomalyKind::MissingFree)), (1, OBJECTS - 2));
    assert!(never.objects.len() < OBJECTS as usize / 2, "{}", never.objects.len());

    script = String::from("type 1 A\nalloc 1 1 16\nincref 1\n");
    (2..OBJECTS).for_each(|tag| script.push_str(&format!("alloc {tag:x} 1 16\nref 1 {tag:x} .x\nfree {tag:x}\n")));
    let early = play("", &script, &mut ()).heap;
    assert_eq!((early.n_live(), early.anomalies().count(AnomalyKind::FreeWhileCounted)), (1, OBJECTS - 2));
    assert!(early.objects.len() < OBJECTS as usize / 2, "{}", early.objects.len());
}

#[test]
fn the_collector_frees_what_still_has_references() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        ref a b .b
        ref b a .a
        gc start 2
        free a
        alloc c 1 16
        free b
        gc stop 2 0
        alloc d 1 16
    ";
    assert_snapshot!(tell("", script), @r"
    CollectionStart:
      a A count 1 .b→b
      b A count 1 .a→a
    freed: a A by the collector
    freed: b A by the collector
    End:
      d A count 0 pinned
      c A count 0 pinned
    2 live, 32 bytes
    ");
}

#[test]
fn births_and_releases_have_the_number_of_their_event() {
    let script = "
        type 1 A
        alloc 1 1 16
        incref 1
        alloc 2 1 16
        ref 1 2
        ref 1 2
        unref 1 2
        incref 1
        decref 1
        alloc 3 1 16
        ref 1 3
        ref 3 2
        unref 1 3
        free 3
    ";
    for options in ["", "numbers=dense", "frees=implied"] {
        let heap = play(options, script, &mut ()).heap;
        let events: Vec<_> = heap.objects().map(|object| (heap.id(object).0, heap.last_release(object))).collect();
        // Where frees are implied the third object has dropped what it held as it died.
        let dropped = if options == "frees=implied" { 13 } else { 14 };
        assert_eq!(events, [(2, Some(9)), (4, Some(dropped))], "{options}");
    }
}

#[test]
fn a_dense_number_comes_back_while_references_to_its_last_object_are_left() {
    let script = "
        type 1 A
        alloc 1 1 16
        alloc 2 1 17
        ref 1 2 .b
        ref 2 1 .a
        gc start 2
        free 1
        alloc 1 1 18
        incref 1
        free 2
        gc stop 2 0
        alloc 2 1 19
        alloc 3 1 20
        alloc 5 1 21
        ref 1 3 .x
        free 2
        decref 2
    ";
    assert_snapshot!(tell("numbers=dense", script), @r"
    CollectionStart:
      1 A count 1 .b→2
      2 A count 1 .a→1
    freed: 1 A by the collector
    freed: 2 A by the collector
    End:
      3 A count 1
      1 A count 1 .x→3
    2 live, 38 bytes
    anomaly: 1 × use-after-free (event 20 2 (unknown))
    anomaly: 1 × number-out-of-order (event 16 5 (unknown))
    ");
}

#[test]
fn a_free_of_a_counted_object_is_an_anomaly_and_its_place_is_not_mistaken_for_another_object() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        incref a
        ref a b .b
        free b
        alloc c 1 16
        checkpoint full
        decref a
        free a
        alloc d 1 16
    ";
    assert_snapshot!(tell("", script), @r"
    FullCheckpoint:
      a A count 1
      c A count 0 pinned
    freed: a A
    End:
      d A count 0 pinned
      c A count 0 pinned
    2 live, 32 bytes
    anomaly: 1 × free-while-counted (event 7 b A)
    ");
}

#[test]
fn a_log_that_contradicts_itself_is_counted_and_survived() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        alloc a 1 32
        incref b
        decref b
        free b
        ref a b .x
        ref a c .x
        incref a
        unref a a .x
        unroot a global:x
        decref a
        decref a
        count a 7
        alloc d 99 16 @5
        alloc e 1 9000000000000
        type 1 B
        gc stop 0 0
        time 10
        time 9
    ";
    assert_snapshot!(tell("", script), @r"
    End:
      d (unknown) count 0 pinned
      e B count 0 pinned
    2 live, 1099511627792 bytes
    anomaly: 1 × unknown-object (event 10 c (unknown))
    anomaly: 1 × use-after-free (event 9 b (unknown))
    anomaly: 1 × alloc-on-live (event 4 a B)
    anomaly: 1 × missing-free (event 23 a B)
    anomaly: 1 × missing-reference (event 12 a B)
    anomaly: 1 × missing-root (event 14 a B)
    anomaly: 1 × below-zero (event 16 a B)
    anomaly: 1 × count-mismatch (event 17 a B)
    anomaly: 1 × unknown-type (event 18)
    anomaly: 1 × unknown-site (event 18)
    anomaly: 1 × redefined (event 20)
    anomaly: 1 × unpaired-collection (event 21)
    anomaly: 1 × time-went-back (event 23)
    anomaly: 1 × absurd-size (event 19)
    ");
}

#[test]
fn an_unnamed_unref_takes_a_reference_of_any_slot_but_a_named_one_only_its_own() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        incref a
        ref a b .x
        ref a b .y
        ref a b [3]
        unref a b .z
        unref a b
        unref a b .x
    ";
    assert_snapshot!(tell("", script), @r"
    End:
      a A count 1 .y→b
      b A count 1
    2 live, 32 bytes
    anomaly: 1 × missing-reference (event 11 a A)
    ");
}

#[test]
fn a_full_walk_is_the_heap_of_its_checkpoint() {
    let script = "
        type 1 A flags=gc
        type 2 B flags=gc
        alloc a 1 16
        alloc b 2 16
        alloc c 2 16
        alloc d 2 16
        walk full
        count a 1
        ref a b .x
        ref a b .y
        count b 3 untracked
        ref b a [0]
        root c local:main.c
        count c 1
        checkpoint full
        free a
        walk full
        count b 1 immortal
        count c 0
        checkpoint full
    ";
    assert_snapshot!(tell("references=checkpoints", script), @r"
    FullCheckpoint:
      a A count 1 tracked .x→b .y→b
      b B count 3 [0]→a
      c B count 1 pinned tracked [local:main.c]
      d B count 0 pinned tracked
    freed: a A
    FullCheckpoint:
      b B count 1 pinned tracked
      c B count 0 tracked
      d B count 0 pinned tracked
    3 live, 48 bytes
    ");
}

#[test]
fn the_garbage_of_a_collection_is_a_graph_of_its_own() {
    let script = "
        type 1 A flags=gc
        alloc a 1 16
        alloc b 1 16
        alloc c 1 16
        walk garbage
        count c 1
        ref c b .b
        ref c a .a
        count b 1
        ref b c .c
        checkpoint garbage
        gc start 2
        free b
        free c
        gc stop 2 0
    ";
    assert_snapshot!(tell("references=checkpoints", script), @r"
    Garbage:
      c A count 1 tracked .b→b
      b A count 1 tracked .c→c
    freed: b A by the collector
    freed: c A by the collector
    1 live, 16 bytes
    ");
}

#[test]
fn references_outside_a_walk_and_walks_without_end_count_for_nothing() {
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        ref a b .x
        incref a
        checkpoint full
        walk full
        count a 1
        ref a b .x
        walk full
        count a 2
        ref a b .y
        count a 2
        ref a b .y
        free b
        checkpoint full
        walk full
        count a 1
    ";
    assert_snapshot!(tell("references=checkpoints", script), @r"
    FullCheckpoint:
      a A count 2
    1 live, 16 bytes
    anomaly: 2 × outside-walk (event 5 a A, event 6 a A)
    anomaly: 1 × described-twice (event 15 a A)
    anomaly: 1 × died-in-walk (event 17 b A)
    anomaly: 1 × unfinished-walk (event 11)
    anomaly: 1 × checkpoint-without-walk (event 7)
    ");
}

#[test]
fn the_items_of_a_long_list_come_and_go_in_time_and_without_a_trace() {
    // Quadratic work would take minutes.
    const ITEMS: u32 = 50_000;
    let mut script = String::from("type 1 list\ntype 2 str\nalloc 1 1 56\nalloc 2 2 40\nincref 1\nincref 2\n");
    (0..ITEMS).for_each(|item| script.push_str(&format!("ref 1 2 [{item}]\n")));
    (0..ITEMS).for_each(|item| script.push_str(&format!("unref 1 2 [{item}]\n")));
    (0..ITEMS).for_each(|item| script.push_str(&format!("ref 1 2 [{item}]\n")));
    (0..ITEMS).for_each(|_| script.push_str("unref 1 2\n"));
    let heap = play("", &script, &mut ()).heap;
    let lists: Vec<u64> = heap.objects().map(|index| heap.object(index).count).collect();
    assert_eq!(lists, [1, 1]);
    assert!(heap.anomalies().is_empty());
}

#[test]
fn sizes_counts_names_and_stacks_are_what_the_log_said() {
    let script = "
        type 1 app.Order size=48
        type 2 function
        site 1 app.py:80 main
        site 2 app.py:42 make_order parent=1
        alloc a 1 48 @2
        alloc b 2 160
        owns a 100
        resize a 64
        dict a inline 6
        name b make_order
        code b @2
        retype b 1
        mark test tests/test_cart.py::test_login
        time 1200345
    ";
    let heap = play("", script, &mut ()).heap;
    let (a, b) = (heap.find(0xa).unwrap(), heap.find(0xb).unwrap());
    let order = heap.object(a);
    assert_eq!((order.bytes, order.owned_bytes, order.dict_capacity), (64, 100, 6));
    assert_eq!((heap.name(b), heap.code(b), heap.name(a)), (Some("make_order"), Some(SiteId(2)), None));
    assert_eq!(heap.sites().stack(order.site), [SiteId(2), SiteId(1)]);
    let class = heap.types().counts(order.class);
    assert_eq!(class, TypeCounts { live: 2, peak: 2, ever: 2, live_bytes: 324, peak_bytes: 324 });
    assert_eq!(heap.live_bytes(), 324);
    assert_eq!(heap.now(), Now { event: heap.now().event, ns: Some(1200345) });
    assert_eq!(heap.mark().unwrap().label, "tests/test_cart.py::test_login");
}

#[test]
fn the_last_release_is_the_event_that_left_the_object_to_its_loop() {
    let script = "type 1 A\nalloc a 1 16\nincref a\nincref a\ndecref a\ndecref a\n";
    for (lines, release) in [(4, None), (5, Some(5))] {
        let script: String = script.lines().take(lines).map(|line| format!("{line}\n")).collect();
        let heap = play("", &script, &mut ()).heap;
        let found = heap.find(0xa).and_then(|a| heap.last_release(a));
        assert_eq!(found, release, "{lines}");
    }
}

#[test]
fn a_collection_of_a_large_heap_has_a_snapshot_of_what_it_found_if_it_changes_anything() {
    struct Snapshots(Vec<(SnapshotKind, Now, u64)>);
    impl Observer for Snapshots {
        fn on_snapshot(&mut self, heap: &mut Heap, _: &HeapGraph, kind: SnapshotKind) {
            self.0.push((kind, heap.now(), heap.n_live()));
        }
    }
    let n_objects = 2000;
    let births: String = (1..=n_objects).map(|tag| format!("alloc {tag:x} 1 16\nincref {tag:x}\n")).collect();
    let idle = "gc start 0\ngc stop 0 0\n";
    let found = "gc start 1\ntime 7\nfree 1\nfree 2\ngc stop 2 0\n";
    let script = format!("type 1 A\n{births}time 5\n{idle}{idle}{found}{idle}");
    let mut snapshots = Snapshots(Vec::new());
    let heap = play("", &script, &mut snapshots).heap;
    assert_eq!((heap.collections().runs, heap.anomalies().total()), (4, 0));
    let began = 1 + 2 * n_objects + 1;
    let expected = [
        // So many events have passed that a look at the heap is worth it.
        (SnapshotKind::CollectionStart, Now { event: began + 1, ns: Some(5) }, n_objects),
        (SnapshotKind::CollectionStart, Now { event: began + 5, ns: Some(5) }, n_objects),
        (SnapshotKind::End, Now { event: began + 11, ns: Some(7) }, n_objects - 2),
    ];
    assert_eq!(snapshots.0, expected);
}

#[test]
fn what_is_looked_at_at_full_checkpoints_grows_with_the_log_and_not_with_heap_times_checkpoints() {
    struct Looks(u64);
    impl Observer for Looks {
        fn on_snapshot(&mut self, _: &mut Heap, graph: &HeapGraph, _: SnapshotKind) {
            self.0 += graph.n_nodes() as u64;
        }
    }
    for n in [2000, 4000, 8000] {
        let births: String = (1..=n).map(|tag| format!("alloc {tag:x} 1 16\nincref {tag:x}\n")).collect();
        let changes = "ref 1 2 .x\ncheckpoint full\nunref 1 2 .x\ncheckpoint full\n".repeat(n);
        let mut looks = Looks(0);
        let events = play("", &format!("type 1 A\n{births}{changes}"), &mut looks).events;
        assert!((events / 2..=2 * events).contains(&looks.0), "{} objects in {events} events", looks.0);
    }
}

#[test]
fn petgraph_finds_the_components_of_a_frozen_heap() {
    struct Components(Vec<Vec<u32>>);
    impl Observer for Components {
        fn on_snapshot(&mut self, _: &mut Heap, graph: &HeapGraph, _: SnapshotKind) {
            let components = petgraph::algo::tarjan_scc(graph);
            let sorted = components.into_iter().map(|component| {
                let mut nodes: Vec<u32> = component.into_iter().map(|node| node.0).collect();
                nodes.sort_unstable();
                nodes
            });
            self.0 = sorted.collect();
            let distances = petgraph::algo::dijkstra(graph, Node(0), None, |_| 1);
            assert_eq!(distances.get(&Node(2)), Some(&2));
            assert_eq!(petgraph::visit::Dfs::new(graph, Node(0)).iter(graph).count(), 4);
        }
    }
    use petgraph::visit::Walker;
    let script = "
        type 1 A
        alloc a 1 16
        alloc b 1 16
        alloc c 1 16
        alloc d 1 16
        ref a b .x
        ref b c .x
        ref c a .x
        ref c d .x
    ";
    let mut components = Components(Vec::new());
    play("", script, &mut components);
    assert_eq!(components.0, [vec![3], vec![0, 1, 2]]);
}
