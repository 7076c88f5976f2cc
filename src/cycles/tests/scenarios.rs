//! Shows what is found in small traces, in one line for each group.

use std::fmt::Write;

use insta::assert_snapshot;

use super::{check, play, tell};
use crate::cycles::{CyclicGarbage, Lingered, MemoryPoint, merge};

const LEFT_AND_RIGHT: &str = "
    type 1 Left flags=gc
    type 2 Right flags=gc
    site 1 app.py:10 main
    site 2 app.py:20 make parent=1
    site 3 app.py:30 other parent=1
    alloc 10 1 48 @2
    alloc 20 2 56
    ref 10 20 .right
    ref 20 10 .left
";

fn after_left_and_right(more: &str) -> CyclicGarbage {
    play(&format!("{LEFT_AND_RIGHT}{more}"))
}

#[test]
fn two_objects_that_hold_each_other() {
    assert_snapshot!(check(LEFT_AND_RIGHT), @"1 loop, 104 bytes: Left.right → Right.left → Left");
}

#[test]
fn a_root_keeps_a_cycle_from_being_garbage() {
    assert_snapshot!(tell(&after_left_and_right("root 10 global:app.left")), @"nothing");
    assert_snapshot!(tell(&after_left_and_right("incref 20")), @"nothing");
    assert_snapshot!(tell(&after_left_and_right("root 10 global:app.left\ngc start 2\ngc stop 0 0\nunroot 10 global:app.left")), @"1 loop, 104 bytes: Left.right → Right.left → Left");
}

#[test]
fn an_object_that_is_held_counts_with_the_loop() {
    let found = after_left_and_right("type 3 bytes\nalloc 30 3 1000\nalloc 31 3 10\nref 10 30 .data\nref 30 31");
    assert_snapshot!(tell(&found), @"1 loop, 104 bytes: Left.right → Right.left → Left, holding 2 objects, 1010 bytes");
    assert_eq!((found.objects, found.gc_objects, found.bytes), (4, 2, 1114));
    assert_eq!(found.groups[0].held_types["bytes"], 2);
}

#[test]
fn a_loop_is_counted_once_in_however_many_snapshots() {
    let found = after_left_and_right("gc start 0\ngc stop 0 0\ngc start 1\ngc stop 0 0\ngc start 2\nmark test a");
    assert_snapshot!(tell(&found), @"1 loop, 104 bytes: Left.right → Right.left → Left");
    assert_eq!((found.groups[0].first_seen.event, found.groups[0].last_seen.event), (16, 21));
    assert_eq!(found.groups[0].marks.len(), 0);
}

#[test]
fn what_the_collector_freed_is_told_and_how_long_it_lay_there() {
    let again = "time 1000\ngc start 2\ntime 1500\nfree 10\nfree 20\ngc stop 2 0\ntime 2000\n";
    let found = after_left_and_right(again);
    assert_snapshot!(tell(&found), @"1 loop, 104 bytes: Left.right → Right.left → Left, 1 collected");
    let lingered = |at_least: u128, at_most: u128| Some(Lingered { at_least: at_least * 104, at_most: at_most * 104 });
    // Orphaned at some moment before the second time, and freed at some moment after it.
    assert_eq!((found.collected_objects, found.groups[0].lingered), (2, lingered(0, 2000)));
    let kept = after_left_and_right("time 1000\ngc start 2\ngc stop 0 0\ntime 1700");
    assert_eq!((kept.collected_objects, kept.groups[0].lingered), (0, lingered(0, 1700)));
}

#[test]
fn a_loop_at_an_address_that_was_used_before_is_another_loop() {
    let found = after_left_and_right(
        "gc start 2
        free 10
        free 20
        gc stop 2 0
        mark test second
        alloc 20 1 48 @3
        alloc 10 2 56
        ref 20 10 .right
        ref 10 20 .left
        gc start 2",
    );
    assert_snapshot!(tell(&found), @"2 loops, 208 bytes: Left.right → Right.left → Left, 1 collected");
    let group = &found.groups[0];
    let site: Vec<String> = group.site.iter().map(|frame| format!("{}:{}", frame.path, frame.line)).collect();
    assert_eq!((site, group.other_sites), (vec!["app.py:20".to_string(), "app.py:10".to_string()], 1));
    assert_eq!(group.marks.get("test second"), Some(&1));
}

#[test]
fn a_loop_was_orphaned_by_the_last_reference_that_went_away() {
    let found =
        after_left_and_right("incref 10\nroot 20 local:make.right\ndecref 10\nunroot 20 local:make.right\ngc start 2");
    let (from, to) = found.groups[0].orphaned.unwrap();
    assert_eq!((from, to.event), (to, 20));
    // A list that led to the loop was released last.
    let later = after_left_and_right("type 3 list\nalloc 30 3 56\nref 30 30 [0]\nref 30 10 [1]\nincref 30\ndecref 30");
    assert_eq!(later.groups.iter().map(|group| group.orphaned.unwrap().0.event).collect::<Vec<_>>(), [21, 21]);
}

#[test]
fn checkpoints_know_an_interval_and_the_garbage_of_a_collection() {
    let found = play(
        "reftrace 1 runtime=cpython-3.13.0 references=checkpoints
        type 1 Node flags=gc
        type 2 str
        alloc 10 1 48
        alloc 20 1 48
        alloc 30 2 60
        walk full
        count 10 2
        ref 10 20 .next
        count 20 1
        ref 20 10 .prev
        count 30 3
        ref 20 30 .name
        checkpoint full
        alloc 40 1 48
        walk garbage
        count 10 1
        ref 10 20 .next
        count 20 1
        ref 20 10 .prev
        checkpoint garbage
        gc start 0
        free 20
        free 10
        gc stop 2 0
        walk garbage
        count 40 1
        ref 40 40 .me
        checkpoint garbage
        gc start 1
        free 40
        gc stop 1 0
        end",
    );
    assert_snapshot!(tell(&found), @r"
    1 loop, 96 bytes: Node.next → Node.prev → Node, 1 collected
    1 loop, 48 bytes: Node.me → Node, 1 collected
    ");
    let moments = found.groups.iter().map(|group| group.orphaned.map(|(from, to)| (from.event, to.event)));
    assert_eq!(moments.collect::<Vec<_>>(), [Some((16, 23)), Some((17, 32))]);
}

#[test]
fn a_loop_was_orphaned_after_the_birth_of_what_leads_to_it() {
    let orphaned = |references: &str| {
        let found = play(&format!(
            "reftrace 1 runtime=test references=checkpoints
            type 1 Node flags=gc
            type 2 list flags=gc
            alloc 10 1 48
            time 3000
            alloc 20 2 56
            time 9000
            walk garbage
            {references}
            checkpoint garbage
            end"
        ));
        let group = found.groups.iter().find(|group| group.bytes == 48).unwrap();
        group.orphaned.unwrap().0.event
    };
    // Whoever made the list could reach the loop then, or later, when the list came to refer to it.
    assert_eq!(orphaned("count 10 2\nref 10 10 .me\ncount 20 1\nref 20 20 [0]\nref 20 10 [1]"), 5);
    // What the loop refers to may have been put there by somebody who had only that.
    assert_eq!(orphaned("count 10 1\nref 10 10 .me\nref 10 20 .list\ncount 20 2\nref 20 20 [0]"), 3);
}

#[test]
fn a_forgotten_reference_is_lost_at_the_end_with_what_it_holds() {
    let script = "
        type 1 Order
        type 2 Line
        alloc 10 1 48
        alloc 20 2 56
        ref 10 20 .line
        incref 10
        incref 10
        decref 10
    ";
    assert_snapshot!(check(script), @r"
    lost: Line, 1 objects, 56 bytes
    lost: Order, 1 objects, 48 bytes
    ");
    assert_snapshot!(check(&format!("{script}root 10 global:app.order")), @"nothing");
    assert_snapshot!(check("type 1 Order\nalloc 10 1 48"), @"nothing");
}

/// `Order.items → [Line]`, `Line.order → Order`, as CPython 3.8 has it and as 3.13 has it.
fn orders(old: bool, n: usize) -> String {
    let mut script = "
        type 1 app.Order flags=gc,heap,dict file=/srv/app.py
        type 2 app.Line flags=gc,heap,dict file=/srv/app.py
        type 3 list flags=gc
        type 4 dict flags=gc
    "
    .to_string();
    for i in 0..n {
        let [order, line, list, first, second] = [1, 2, 3, 4, 5].map(|k| format!("{:x}", i * 16 + k));
        writeln!(script, "alloc {order} 1 48\nalloc {line} 2 48\nalloc {list} 3 64").unwrap();
        if old {
            writeln!(script, "alloc {first} 4 104\nalloc {second} 4 104").unwrap();
            writeln!(script, "ref {order} {first} .__dict__\nref {first} {list} ['items']").unwrap();
            writeln!(script, "ref {line} {second} .__dict__\nref {second} {order} ['order']").unwrap();
        } else {
            writeln!(script, "ref {order} {list} .items\nref {line} {order} .order").unwrap();
        }
        writeln!(script, "ref {list} {line} [0]").unwrap();
    }
    script
}

#[test]
fn the_same_bug_has_the_same_name_on_every_cpython() {
    let (old, new) = (play(&orders(true, 3)), play(&orders(false, 2)));
    assert_snapshot!(tell(&old), @"3 loops, 1104 bytes: Order.items[*] → Line.order → Order");
    assert_snapshot!(tell(&new), @"2 loops, 320 bytes: Order.items[*] → Line.order → Order");
    assert_eq!(old.groups[0].fingerprint, new.groups[0].fingerprint);
    assert_eq!((old.groups[0].gc_objects, new.groups[0].gc_objects), (15, 6));
    assert_eq!(new.groups[0].member_files, ["/srv/app.py"]);
    let both = merge(vec![old, new]);
    assert_snapshot!(tell(&both), @"5 loops, 1424 bytes: Order.items[*] → Line.order → Order");
}

#[test]
fn functions_frames_and_classes_are_called_by_name() {
    let script = "
        type 1 app.Handler flags=gc,heap,dict
        type 2 function flags=gc
        type 3 tuple flags=gc
        type 4 cell flags=gc
        type 5 type flags=gc,heap,class
        site 1 /srv/app.py:10 make.<locals>.cb
        alloc 1 1 48
        alloc 2 2 160
        code 2 @1
        alloc 3 3 56
        alloc 4 4 40
        ref 1 2 .callback
        ref 2 3 .__closure__
        ref 3 4 [0]
        ref 4 1 cell self
        alloc 5 5 1064
        name 5 app.make.<locals>.Made
        alloc 6 3 64
        ref 5 6 .__mro__
        ref 6 5 [0]
    ";
    assert_snapshot!(check(script), @r"
    1 loop, 1128 bytes: class Made.__mro__[*] → class Made
    1 loop, 304 bytes: function cb → cell self → Handler.callback → function cb
    ");
    assert_eq!(play(script).groups[1].member_files, ["/srv/app.py"]);
}

#[test]
fn loops_that_lead_to_each_other_are_loops_of_their_own() {
    let found = after_left_and_right(
        "type 3 Inner\ntype 4 Leaf\nalloc 30 3 40\nalloc 40 4 30\nref 30 30 .me\nref 10 30 .inner\nref 30 40 .leaf",
    );
    assert_snapshot!(tell(&found), @r"
    1 loop, 104 bytes: Left.right → Right.left → Left
    1 loop, 40 bytes: Inner.me → Inner, holding 1 objects, 30 bytes
    ");
}

/// `event occasion(generation): live, garbage` of each moment.
fn moments(found: &CyclicGarbage) -> Vec<String> {
    let told = |point: &MemoryPoint| {
        let generation = point.generation.map(|of| format!("({of})")).unwrap_or_default();
        let live = point.live.map_or_else(|| "not known".to_string(), |(_, bytes)| bytes.to_string());
        format!("{} {:?}{generation}: {live}, {}", point.event, point.occasion, point.garbage_bytes)
    };
    found.memory.points.iter().map(told).collect()
}

#[test]
fn memory_over_time_of_an_exact_log() {
    let found = after_left_and_right("gc start 2\nfree 10\nfree 20\ngc stop 2 0\nalloc 40 1 8\n");
    assert_eq!(moments(&found), ["16 Collection(2): 104, 104", "19 Collected: 0, 0", "20 End: 8, 0"]);
}

#[test]
fn memory_over_time_of_a_recording_of_survivors() {
    let walk = |scope: &str| {
        format!("walk {scope}\ncount 10 1\nref 10 20 .right\ncount 20 1\nref 20 10 .left\ncheckpoint {scope}\n")
    };
    let found = play(&format!(
        "reftrace 1 runtime=test references=checkpoints births=survivors\ntype 1 Left flags=gc\n\
         gc start 0\ngc stop 0 0\nalloc 10 1 48\nalloc 20 1 56\n{}gc start 1\nfree 10\nfree 20\ngc stop 2 0\n\
         alloc 10 1 48\nalloc 20 1 56\n{}{}end\n",
        walk("garbage"),
        walk("garbage"),
        walk("full"),
    ));
    assert_eq!(
        moments(&found),
        [
            "2 Collection(0): not known, 0",
            "3 Collected: not known, 0",
            "13 Collection(1): not known, 104",
            "17 Collected: not known, 0",
            "25 Sweep: not known, 104",
            "31 Checkpoint: 104, 104",
        ]
    );
}

/// Two subclasses of one base, in each other: the base's code sets both references.
fn in_each_other(base: &str, more: &str) -> String {
    check(&format!(
        "
        type 1 {base} flags=gc,heap,dict,weakref static=kids,parent
        type 2 shop.Add flags=gc,heap,dict,weakref bases=1 static={more}
        type 3 shop.Mul flags=gc,heap,dict,weakref bases=1 static=
        type 4 list flags=gc
        alloc 10 2 48
        alloc 11 4 56
        alloc 20 3 48
        ref 10 11 .kids
        ref 11 20 [0]
        ref 20 10 .parent
        alloc 30 3 48
        alloc 31 4 56
        alloc 40 2 48
        ref 30 31 .kids
        ref 31 40 [0]
        ref 40 30 .parent
        "
    ))
}

#[test]
fn one_line_of_a_base_class_is_one_group_for_all_subclasses() {
    assert_snapshot!(in_each_other("shop.Node", ""), @"2 loops, 304 bytes: Node.kids[*] → Node.parent → Node");
    assert_snapshot!(in_each_other("shop.Node", "parent,left"), @"2 loops, 304 bytes: Node.kids[*] → Node.parent → Node");
    assert_snapshot!(in_each_other("lib.Node", ""), @r"
    1 loop, 152 bytes: Add.kids[*] → Mul.parent → Add
    1 loop, 152 bytes: Mul.kids[*] → Add.parent → Mul
    ");
}

#[test]
fn what_a_collection_of_the_young_finds_was_made_since_the_last_one() {
    let found = |generation: u8| {
        let found = play(&format!(
            "reftrace 1 runtime=test references=checkpoints births=survivors\ntype 1 A flags=gc\ntime 1000\ngc start 1\n\
             gc stop 0 0\ntime 5000\nalloc 10 1 100\nwalk garbage\ncount 10 1\nref 10 10 .me\ncheckpoint garbage\n\
             time 5500\ngc start {generation}\nfree 10\ngc stop 1 0\ntime 6000\nend\n"
        ));
        let orphaned = found.groups[0].orphaned.map(|(after, by)| (after.ns, by.ns));
        (orphaned, found.groups[0].lingered)
    };
    let lingered = |at_least: u128, at_most: u128| Some(Lingered { at_least: at_least * 100, at_most: at_most * 100 });
    assert_eq!(found(0), (Some((Some(1000), Some(5000))), lingered(0, 5000)));
    assert_eq!(found(1), (Some((Some(1000), Some(5000))), lingered(0, 5000)));
    assert_eq!(
        found(2),
        (Some((Some(0), Some(5000))), lingered(0, 6000)),
        "what is old may have lain there all the time"
    );
}

#[test]
fn a_namespace_is_at_home_with_its_functions_whoever_made_it() {
    let lacks_maker = |slot: &str| {
        let found = play(&format!(
            "reftrace 1 runtime=test references=checkpoints births=garbage\ntype 1 function flags=gc\ntype 2 dict flags=gc\n\
             site 1 /x/site-packages/lib.py:3 run\nalloc 10 1 100\nname 10 run\ncode 10 @1\nalloc 20 2 100\nwalk garbage\n\
             count 10 1\nref 10 20 {slot}\ncount 20 1\nref 20 10 ['run']\ncheckpoint garbage\nend\n"
        ));
        (found.groups[0].member_files.clone(), found.groups[0].lacks_maker)
    };
    let files = || vec!["/x/site-packages/lib.py".to_string()];
    assert_eq!(lacks_maker(".__globals__"), (files(), false));
    assert_eq!(lacks_maker(".kept"), (files(), true));
}

#[test]
fn what_a_variable_held_at_the_last_look_may_be_garbage_at_the_next_collection() {
    let walk = |scope: &str, root: &str| format!("walk {scope}\n{root}count 10 1\nref 10 10 .me\ncheckpoint {scope}\n");
    let found = play(&format!(
        "reftrace 1 runtime=test references=checkpoints births=survivors\ntype 1 A flags=gc\nalloc 10 1 48\n{}{}\
         gc start 0\nfree 10\ngc stop 1 0\nend\n",
        walk("full", "root 10 local:main.a\n"),
        walk("garbage", ""),
    ));
    assert_eq!((found.groups.len(), found.collected_objects), (1, 1));
}

#[test]
fn what_was_alive_as_the_program_began_to_end_is_told_from_what_was_made_later() {
    let walk = |scope: &str, roots: &str| {
        format!("walk {scope}\n{roots}count 10 1\nref 10 10 .me\ncount 20 1\nref 20 20 .me\ncheckpoint {scope}\n")
    };
    let alive_at_exit = |exit: &str, births: &str| {
        let found = play(&format!(
            "reftrace 1 runtime=test references=checkpoints births={births}\ntype 1 A flags=gc\nalloc 10 1 48\n{exit}\
             alloc 20 1 48\n{}end\n",
            walk("full", "")
        ));
        (found.groups[0].count, found.groups[0].alive_at_exit)
    };
    assert_eq!(alive_at_exit("mark exit main\n", "survivors"), (2, 1));
    assert_eq!(alive_at_exit("mark exit main\nmark exit main\n", "all"), (2, 1));
    assert_eq!(alive_at_exit("mark test main\n", "all"), (2, 0));
    // What was garbage by then, or at a look before the last, was that of the program's work.
    let alive_at_exit = |more: &str| {
        let found = play(&format!(
            "reftrace 1 runtime=test references=checkpoints births=survivors\ntype 1 A flags=gc\nalloc 10 1 48\nalloc 20 1 48\n\
             {}mark exit main\n{}{more}end\n",
            walk("full", "root 10 here\n"),
            walk("full", ""),
        ));
        (found.groups[0].count, found.groups[0].alive_at_exit)
    };
    assert_eq!(alive_at_exit(""), (2, 1));
    assert_eq!(alive_at_exit(&walk("full", "")), (2, 0));
    // A loop that what the end made came to belong to, as the exception that cancels a task.
    let found = play(
        "reftrace 1 runtime=test references=checkpoints births=survivors\ntype 1 A flags=gc\ntype 2 list flags=gc\n\
         alloc 10 1 48\nmark exit event loop\nalloc 11 2 48\nalloc 12 2 48\nwalk full\ncount 10 2\nref 10 10 .me\n\
         ref 10 11 .errors\ncount 11 1\nref 11 12 [0]\ncount 12 1\nref 12 10 [0]\ncheckpoint full\nend\n",
    );
    assert_eq!((found.groups[0].count, found.groups[0].alive_at_exit), (1, 1));
}

#[test]
fn what_a_finalizer_makes_reachable_again_is_garbage_no_more() {
    let found = after_left_and_right(
        "time 100\ngc start 2\nincref 10\ngc stop 0 0\ntime 200\ngc start 2\ngc stop 0 0\ntime 300",
    );
    assert_eq!((found.peak.objects, found.end.objects, found.collected_objects), (2, 0, 0));
    assert_eq!(found.lingered.map(|of| (of.at_least, of.at_most)), Some((0, 300 * 104)));
    assert_eq!(found.groups[0].count, 1);
}

/// Two loops that no collector frees, each through a holder that shows nothing: `more` follows the objects.
fn with_a_holder(more: &str) -> CyclicGarbage {
    play(&format!(
        "reftrace 1 runtime=x references=checkpoints
        type 1 Node flags=gc
        type 2 lib.Holder
        type 3 module
        alloc 10 1 48
        alloc 20 2 32
        walk full
        count 10 1
        ref 10 20 .holder
        count 20 1
        {more}
        checkpoint full"
    ))
}

/// What is suspected, in the same lines.
fn suspected(found: CyclicGarbage) -> String {
    tell(&CyclicGarbage { groups: found.suspected, ..CyclicGarbage::default() })
}

#[test]
fn a_hidden_reference_closes_a_loop_and_is_named() {
    assert_snapshot!(tell(&with_a_holder("")), @"nothing");
    let found = with_a_holder("hidden 20 10 layout .node");
    assert_snapshot!(tell(&found), @"1 loop, 80 bytes: Holder.node → Node.holder → Holder");
    let link = found.groups[0].hidden.first().unwrap();
    assert_eq!((link.holder.as_str(), link.referent.as_str(), link.place.as_str()), ("lib.Holder", "Node", ".node"));
    assert!(!link.shows_others && found.suspected.is_empty());
}

#[test]
fn an_address_is_a_suspicion_apart() {
    let found = with_a_holder("hidden 20 10 address (+24 +8)");
    assert_snapshot!(tell(&found), @"nothing");
    assert_eq!((found.objects, found.end.loops), (0, 0));
    assert_snapshot!(suspected(found), @"1 loop, 80 bytes: Holder (hidden) → Node.holder → Holder");
}

#[test]
fn an_address_counts_only_where_the_object_reaches_the_holder_and_its_count_has_room() {
    // Another holder, which the node does not lead to.
    let stranger = "alloc 30 2 32\ncount 30 2\nhidden 30 10 address (+16)";
    assert_snapshot!(suspected(with_a_holder(stranger)), @"nothing");
    // By way of a module everything leads to everything.
    let module = "alloc 30 2 32\nalloc 40 3 50\nref 10 40 .module\ncount 40 1\nref 40 30\ncount 30 1\nhidden 30 10 address (+16)";
    assert_snapshot!(suspected(with_a_holder(module)), @"nothing");
    // The nearest of two places explains the count, and no more than one is taken.
    let twice = "hidden 20 10 address (+24 +8)\nhidden 20 10 address (+16)";
    assert_eq!(with_a_holder(twice).suspected[0].hidden.first().unwrap().place, "(+16)");
    // A variable holds it as well.
    assert_snapshot!(suspected(with_a_holder("root 10 local:main.node\nhidden 20 10 address (+16)")), @"nothing");
}
