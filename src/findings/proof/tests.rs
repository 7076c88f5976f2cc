//! Shows what is offered for the loops of small programs once a replay has tried it.

use std::fmt::Write;
use std::path::Path;

use insta::assert_snapshot;

use super::*;
use crate::findings::{self, Advice};
use crate::heap::testing::events;
use crate::run::{Options, replay};
use crate::whatif::{self, Early};

/// What is said of each loop of a script after one replay, and one more for the cuts.
fn offered(script: &str) -> String {
    let ownership = Ownership::default();
    let trace = replay(Path::new("app.reftrace"), &mut *events(script), &Options::default(), &mut |_| {});
    let run = Run::merge([trace]);
    let mut findings = findings::find(&run, &ownership);
    let trials = Trials::of(&run, &findings, |place| findings[place].rule == cyclic_garbage::RULE.name);
    let played = whatif::replay(&mut *events(script), trials.sets(), &mut |_| {});
    trials.conclude(played.outcomes, &mut findings, &ownership);
    let said: Vec<String> = findings.into_iter().filter_map(|finding| finding.advice).map(told).collect();
    said.join("\n")
}

fn told(advice: Advice) -> String {
    let mut text = advice.sentence;
    for cut in advice.cut.iter().chain(&advice.or) {
        let _ = write!(text, "\ncut {}: {}", cut.reference, cut.replacement);
    }
    if let Some(evidence) = advice.evidence {
        let _ = write!(text, "\nbecause {evidence}");
    }
    for Early { type_name, reference, event } in advice.refuted {
        let _ = write!(text, "\nnot {reference}: {type_name} dies early at event {event}");
    }
    if let Some(replay) = advice.replay {
        let _ = write!(text, "\n{:?}: {} of {}", replay.verdict(), replay.freed_loops, replay.loops);
    }
    text
}

const TYPES: &str = "
    type 1 app.Order flags=gc,heap,dict,weakref
    type 2 app.Line flags=gc,heap,dict,weakref
    type 3 list flags=gc
";

/// An order and its lines, each with a variable of its own; and what becomes of them.
fn order(then: &str) -> String {
    format!(
        "{TYPES}
        alloc 10 1 48
        incref 10
        alloc 11 3 56
        ref 10 11 .items
        alloc 12 2 64
        incref 12
        ref 11 12 [0]
        ref 12 10 .order
        {then}"
    )
}

#[test]
fn what_dies_at_once_and_never_early_is_verified() {
    assert_snapshot!(offered(&order("decref 12\ndecref 10")), @r#"
    the reference back owns nothing: make it weak
    cut Line.order: weakref.ref(order)
    because Line is one of Order.items
    Verified: 1 of 1
    "#);
}

#[test]
fn a_cut_by_which_something_dies_early_is_not_offered() {
    // The line is used when the order is held by it alone.
    assert_snapshot!(offered(&order("decref 10\ndecref 12")), @r#"
    none of the references can be weak: set one to None when the work is done, as in close()
    not Line.order: app.Order dies early at event 14
    "#);
}

/// Two objects of which nothing tells who owns whom.
fn peers(then: &str) -> String {
    format!(
        "{TYPES}
        alloc 10 1 48
        incref 10
        alloc 12 2 64
        incref 12
        ref 10 12 .line
        ref 12 10 .order
        {then}"
    )
}

#[test]
fn where_one_direction_is_refuted_the_other_is_the_answer() {
    assert_snapshot!(offered(&peers("decref 12\ndecref 10")), @r#"
    the reference back owns nothing: make it weak
    cut Line.order: weakref.ref(order)
    because a replay shows that Order.line is needed
    not Order.line: app.Line dies early at event 12
    Verified: 1 of 1
    "#);
    assert_snapshot!(offered(&peers("decref 10\ndecref 12")), @r#"
    the reference back owns nothing: make it weak
    cut Order.line: weakref.ref(line)
    because a replay shows that Line.order is needed
    not Line.order: app.Order dies early at event 12
    Verified: 1 of 1
    "#);
}

#[test]
fn where_both_directions_are_refuted_none_is_offered() {
    let second = peers("decref 10\ndecref 12").replace("10", "20").replace("12", "22");
    let second = second.strip_prefix(TYPES).unwrap_or(&second);
    assert_snapshot!(offered(&format!("{}{second}", peers("decref 12\ndecref 10"))), @r#"
    none of the references can be weak: set one to None when the work is done, as in close()
    not Line.order: app.Order dies early at event 20
    not Order.line: app.Line dies early at event 12
    "#);
}

/// The same with references at checkpoints only: garbage at the last, alive with these counts at the one before.
fn recorded(counts: [u32; 2]) -> String {
    let [order, line] = counts;
    let walk = |order: u32, line: u32| {
        format!("walk full\ncount 10 {order}\nref 10 12 .line\ncount 12 {line}\nref 12 10 .order\ncheckpoint full\n")
    };
    format!(
        "reftrace 1 runtime=test references=checkpoints\n{TYPES}\nalloc 10 1 48\nalloc 12 2 64\n{}{}",
        walk(order, line),
        walk(1, 1)
    )
}

#[test]
fn a_recording_refutes_and_never_verifies() {
    assert_snapshot!(offered(&recorded([2, 1])), @r#"
    the reference back owns nothing: make it weak
    cut Line.order: weakref.ref(order)
    because a replay shows that Order.line is needed
    not Order.line: app.Line dies early at event 13
    NotRefuted: 1 of 1
    "#);
    assert_snapshot!(offered(&recorded([2, 2])), @r#"
    which of them lives on without the other? make the reference to that one weak: the trace does not tell
    cut Line.order: weakref.ref(order)
    cut Order.line: weakref.ref(line)
    NotRefuted: 1 of 1
    "#);
    assert_snapshot!(offered(&recorded([1, 1])), @r#"
    which of them lives on without the other? make the reference to that one weak: the trace does not tell
    cut Line.order: weakref.ref(order)
    cut Order.line: weakref.ref(line)
    NothingLiving: 1 of 1
    "#);
}

/// An order with its lines in a list, alive or not at the first of two checkpoints.
fn kept(count: u32) -> String {
    let walk = |order: u32| {
        format!(
            "walk full\ncount 10 {order}\nref 10 11 .items\ncount 11 1\nref 11 12 [0]\ncount 12 1\nref 12 10 .order\ncheckpoint full\n"
        )
    };
    let header = "reftrace 1 runtime=test references=checkpoints\n";
    format!("{header}{TYPES}\nalloc 10 1 48\nalloc 11 3 56\nalloc 12 2 64\n{}{}", walk(count), walk(1))
}

#[test]
fn evidence_has_no_exception_where_the_living_were_seen() {
    assert_snapshot!(offered(&kept(2)), @r#"
    the reference back owns nothing: make it weak
    cut Line.order: weakref.ref(order)
    because Line is one of Order.items
    NotRefuted: 1 of 1
    "#);
    assert_snapshot!(offered(&kept(1)), @r#"
    the reference back owns nothing: make it weak
    cut Line.order: weakref.ref(order)
    because Line is one of Order.items; wrong where Line is used without Order
    NothingLiving: 1 of 1
    "#);
}

#[test]
fn what_only_a_running_function_keeps_is_no_evidence() {
    let is_sure = |script: &str| {
        let told = offered(script);
        assert!(told.contains("NotRefuted: 1 of 1") || told.contains("NothingLiving: 1 of 1"), "{told}");
        !told.contains("wrong where")
    };
    let by = |root: &str| kept(2).replacen("count 11", &format!("root 10 {root}\ncount 11"), 1);
    assert!(is_sure(&by("sys.modules")));
    // While it is made, or in a function that may give one of its lines away.
    assert!(!is_sure(&by("local:Order.__init__.self")));
    // The same where the line is in a module.
    let both = by("local:Order.__init__.self").replacen("count 12 1", "root 12 sys.modules\ncount 12 2", 1);
    assert!(!is_sure(&both));
    // Alive again, in `gc.garbage`.
    let again = kept(1).lines().skip_while(|line| !line.starts_with("walk")).take(7).collect::<Vec<_>>().join("\n");
    assert!(!is_sure(&format!("{}{}\n", kept(1), again.replace("count 10 1", "count 10 2"))));
}
