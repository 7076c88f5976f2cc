//! Shows what changes would do to small programs.

use insta::assert_snapshot;

use super::{play, tell};
use crate::whatif::{Proof, Verdict};

const TYPES: &str = "reftrace 1 runtime=test references=checkpoints
    type 1 app.Order flags=gc,heap,dict,weakref
    type 2 app.Line flags=gc,heap,dict,weakref
    type 3 list flags=gc
    type 4 dict flags=gc
    type 5 method flags=gc,weakref
    type 6 function flags=gc,weakref
    type 7 tuple flags=gc
    type 8 cell flags=gc
    type 9 frame flags=gc
    type 10 ValueError flags=gc,exception
    site 1 app.py:3 handle
    time 1000
";

/// An order and its line with these counts, at a checkpoint of the whole heap.
fn order(counts: [u32; 3]) -> String {
    let [order, list, line] = counts;
    format!(
        "{TYPES}
        alloc 10 1 48
        alloc 11 3 56
        alloc 12 2 64
        walk full
        count 10 {order}
        ref 10 11 .items
        count 11 {list}
        ref 11 12 [0]
        count 12 {line}
        ref 12 10 .order
        checkpoint full
        time 3000"
    )
}

#[test]
fn a_loop_that_is_garbage_dies_by_the_count() {
    let garbage = order([1, 1, 1]);
    assert_snapshot!(tell(&garbage, "Line.order"), @"NothingLiving: 1 of 1 loops die, 3 objects, 168 bytes, 336000 byte·ns sooner; 0 living at 0 of 1 snapshots");
    assert_snapshot!(tell(&garbage, "app.Order.items[*]"), @"NothingLiving: 1 of 1 loops die, 3 objects, 168 bytes, 336000 byte·ns sooner; 0 living at 0 of 1 snapshots");
}

#[test]
fn of_several_references_each_has_to_be_seen_alive() {
    let alive = order([2, 1, 1]);
    let again = "walk full\ncount 10 1\nref 10 11 .items\ncount 11 1\nref 11 12 [0]\ncount 12 1\nref 12 10 .order\ncheckpoint full";
    let seen = format!("{alive}\n{again}");
    assert_snapshot!(tell(&seen, "Line.order"), @"NotRefuted: 1 of 1 loops die, 3 objects, 168 bytes; 1 living at 1 of 2 snapshots");
    let both = &play(&seen, &["Line.order, Order.parent"]).outcomes[0];
    assert_eq!((both.verdict(), both.living), (Verdict::NothingLiving, 1));
    assert_eq!(both.unseen.iter().collect::<Vec<_>>(), ["Order.parent"]);
}

#[test]
fn what_only_the_reference_holds_dies_early() {
    assert_snapshot!(tell(&order([2, 1, 1]), "Line.order"), @"NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 1 living at 1 of 1 snapshots");
    assert_snapshot!(tell(&order([2, 1, 1]), "Order.items[*]"), @r#"
    DiesEarly: 0 of 0 loops die, 0 objects, 0 bytes; 1 living at 1 of 1 snapshots
    early: app.Line of Order.items[*] at event 27
    early in all: 1
    "#);
    assert_snapshot!(tell(&order([1, 1, 2]), "Line.order"), @r#"
    DiesEarly: 0 of 0 loops die, 0 objects, 0 bytes; 1 living at 1 of 1 snapshots
    early: app.Order of Line.order at event 27
    early in all: 2
    "#);
}

#[test]
fn a_loop_that_has_another_way_around_stays() {
    let script = order([1, 1, 2]).replace("count 11", "ref 10 12 .last\ncount 11");
    assert_snapshot!(tell(&script, "Order.items[*]"), @"NotEnough: 0 of 1 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots");
    assert_snapshot!(tell(&script, "Order.items[*], Order.last"), @"NothingLiving: 1 of 1 loops die, 3 objects, 168 bytes, 336000 byte·ns sooner; 0 living at 0 of 1 snapshots");
}

#[test]
fn each_loop_counts_once_in_however_many_snapshots() {
    let walk = &order([1, 1, 1])[TYPES.len()..].replace("alloc", "# alloc").replace("time 3000", "");
    let again = format!("{}{walk}\ntime 4000\nfree 10\nfree 11\nfree 12", order([1, 1, 1]));
    assert_snapshot!(tell(&again, "Line.order"), @"NothingLiving: 1 of 1 loops die, 3 objects, 168 bytes, 504000 byte·ns sooner; 0 living at 0 of 2 snapshots");
}

#[test]
fn an_attribute_in_the_dict_of_an_instance_is_the_same() {
    let script = order([1, 1, 1])
        .replace("walk full", "alloc 13 4 64\nwalk full")
        .replace("ref 12 10 .order", "ref 12 13 .__dict__\ncount 13 1\nref 13 10 ['order']");
    assert_snapshot!(tell(&script, "Line.order"), @"NothingLiving: 1 of 1 loops die, 4 objects, 232 bytes, 464000 byte·ns sooner; 0 living at 0 of 1 snapshots");
}

#[test]
fn a_subclass_has_what_its_base_has_and_a_base_not_what_its_subclass_has() {
    let script = order([1, 1, 1]).replace("type 2 app.Line flags", "type 20 app.Base\ntype 2 app.Line bases=20 flags");
    assert_snapshot!(tell(&script, "Base.order"), @"NothingLiving: 1 of 1 loops die, 3 objects, 168 bytes, 336000 byte·ns sooner; 0 living at 0 of 1 snapshots");
    let script = order([1, 1, 1]).replace("type 3", "type 20 app.Special bases=2\ntype 3");
    assert_snapshot!(tell(&script, "Special.order"), @r#"
    NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots
    Special.order: NoHolder { holder: "Special", near: ["app.Special"] }
    "#);
}

#[test]
fn values_that_cannot_be_weakly_referenced_stay_strong() {
    assert_snapshot!(tell(&order([1, 1, 1]), "Order.items"), @r#"
    NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots
    Order.items: Strong(["list"])
    "#);
}

#[test]
fn a_bound_method_may_die_and_what_it_is_bound_to_may_not() {
    let script = |count: u32| {
        format!(
            "{TYPES}
            alloc 10 1 48
            alloc 11 5 48
            walk full
            count 10 {count}
            ref 10 11 .callback
            count 11 1
            ref 11 10 .__self__
            checkpoint full"
        )
    };
    assert_snapshot!(tell(&script(1), "Order.callback"), @"NothingLiving: 1 of 1 loops die, 2 objects, 96 bytes; 0 living at 0 of 1 snapshots");
    assert_snapshot!(tell(&script(2), "Order.callback"), @"NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 1 living at 1 of 1 snapshots");
    assert_snapshot!(tell(&script(2), "method.__self__"), @"NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 1 living at 1 of 1 snapshots");
}

#[test]
fn the_variable_of_a_closure_is_that_of_one_function_or_of_all() {
    let script = format!(
        "{TYPES}
        alloc 10 1 48
        alloc 11 6 100
        alloc 12 7 40
        alloc 13 8 40
        walk full
        count 10 1
        ref 10 11 .callback
        count 11 1
        code 11 @1
        ref 11 12 .__closure__
        count 12 1
        ref 12 13 cell self
        count 13 1
        ref 13 10 .cell_contents
        checkpoint full"
    );
    assert_snapshot!(tell(&script, "closure variable self"), @"NothingLiving: 1 of 1 loops die, 4 objects, 228 bytes; 0 living at 0 of 1 snapshots");
    assert_snapshot!(tell(&script, "closure variable self of handle"), @"NothingLiving: 1 of 1 loops die, 4 objects, 228 bytes; 0 living at 0 of 1 snapshots");
    assert_snapshot!(tell(&script, "closure variable self of handel"), @r#"
    NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots
    closure variable self of handel: NoHolder { holder: "handel", near: ["handle"] }
    "#);
    assert_snapshot!(tell(&script, "closure variable sefl of handle"), @r#"
    NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots
    closure variable sefl of handle: NoReference { holder: "handle", near: [] }
    "#);
}

#[test]
fn a_variable_is_deleted_when_its_frame_runs_no_more() {
    let script = |frame: u32, error: u32| {
        format!(
            "{TYPES}
            alloc 10 10 48
            alloc 11 9 400
            walk full
            count 10 {error}
            ref 10 11 .tb_frame
            count 11 {frame}
            code 11 @1
            ref 11 10 local e
            checkpoint full"
        )
    };
    assert_snapshot!(tell(&script(1, 1), "local e of handle"), @"NothingLiving: 1 of 1 loops die, 2 objects, 448 bytes; 0 living at 0 of 1 snapshots");
    // The exception is caught elsewhere and lives on.
    assert_snapshot!(tell(&script(1, 2), "local e of handle"), @"NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 1 living at 1 of 1 snapshots");
    // The frame runs: it has its variable.
    assert_snapshot!(tell(&script(2, 1), "local e of handle"), @"NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots");
}

#[test]
fn a_name_that_is_none_or_several_is_a_doubt() {
    assert_snapshot!(tell(&order([1, 1, 1]), "Lnie.order"), @r#"
    NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots
    Lnie.order: NoHolder { holder: "Lnie", near: ["app.Line"] }
    "#);
    assert_snapshot!(tell(&order([1, 1, 1]), "Line.ordr"), @r#"
    NoLoop: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 1 snapshots
    Line.ordr: NoReference { holder: "Line", near: ["Line.order"] }
    "#);
    let script = order([1, 1, 1]).replace("walk full", "type 30 db.Line\nalloc 14 30 48\nwalk full\ncount 14 2");
    assert_snapshot!(tell(&script, "Line.order"), @r#"
    NothingLiving: 1 of 1 loops die, 3 objects, 168 bytes, 336000 byte·ns sooner; 0 living at 0 of 1 snapshots
    Line.order: Ambiguous(["app.Line", "db.Line"])
    "#);
}

#[test]
fn sets_of_changes_are_tried_side_by_side() {
    let outcomes = play(&order([2, 1, 1]), &["Order.items[*]", "Line.order"]).outcomes;
    assert_eq!(outcomes.iter().map(|outcome| outcome.early_objects).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn nothing_is_known_where_the_log_has_no_references() {
    let script = "reftrace 1 runtime=test references=none\ntype 1 app.Line\nalloc 10 1 48\ngc start 2\nunreachable 10\ngc stop 1 0";
    assert_snapshot!(tell(script, "Line.order"), @"NotKnown: 0 of 0 loops die, 0 objects, 0 bytes; 0 living at 0 of 0 snapshots");
}

#[test]
fn in_a_log_with_every_reference_an_early_death_is_seen_between_snapshots() {
    let script = "type 1 app.Client flags=gc,heap,weakref
        type 2 app.Api flags=gc,heap,weakref
        alloc 10 1 48
        incref 10
        alloc 20 2 48
        incref 20
        ref 10 20 .api
        ref 20 10 .client
        decref 20
        decref 10";
    let outcomes = play(script, &["Client.api", "Api.client"]).outcomes;
    let verdicts: Vec<(Verdict, Proof, u64)> =
        outcomes.iter().map(|outcome| (outcome.verdict(), outcome.proof, outcome.freed_loops)).collect();
    let (early, verified) = ((Verdict::DiesEarly, Proof::Replay, 1), (Verdict::Verified, Proof::Replay, 1));
    assert_eq!(verdicts, [early, verified]);
    assert_eq!((outcomes[0].early[0].type_name.as_str(), outcomes[0].early[0].event), ("app.Api", 11));
}
