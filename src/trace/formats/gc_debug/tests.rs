//! Shows logs as the text form.

use super::super::tests::{converted, plain};

fn text(log: &str) -> String {
    String::from_utf8(converted("text", plain(), log.as_bytes()).unwrap()).unwrap()
}

#[test]
fn a_collection_becomes_its_objects() {
    insta::assert_snapshot!(text("\
gc: collecting generation 2...
gc: objects in each generation: 19 0 5065
gc: collectable <Order 0x7f10>
an unrelated line
gc: uncollectable <Line 0x7f20>
gc: done, 2 unreachable, 1 uncollectable, 0.0004s elapsed
"), @"
    reftrace 1 runtime=cpython pointer=8 references=none frees=recorded births=survivors format=gc-debug
    type 1 Order
    type 2 Line
    gc start 2
    gc looked 5084
    alloc 7f10 1 0
    unreachable 7f10
    alloc 7f20 2 0
    unreachable 7f20
    free 7f10
    gc stop 1 1
    ");
}

#[test]
fn what_the_ending_interpreter_takes_apart_is_not_the_programs_garbage() {
    insta::assert_snapshot!(text("\
gc: collecting generation 2...
gc: objects in each generation: 278 0 9001
gc: collectable <dict 0x7f10>
gc: collectable <module 0x7f20>
gc: done, 2 unreachable, 0 uncollectable, 0.0s elapsed
gc: collecting generation 2...
gc: objects in each generation: 0 0 9001
gc: collectable <function 0x7f10>
gc: done, 1 unreachable, 0 uncollectable, 0.0s elapsed
gc: collecting generation 0...
gc: objects in each generation: 700 0 9001
gc: collectable <Order 0x7f10>
gc: done, 1 unreachable, 0 uncollectable, 0.0s elapsed
"), @"
    reftrace 1 runtime=cpython pointer=8 references=none frees=recorded births=survivors format=gc-debug
    type 1 dict
    type 2 module
    mark user the interpreter ends
    gc start 2
    gc looked 9279
    gc stop 0 0
    type 3 function
    gc start 2
    gc looked 9001
    gc stop 0 0
    type 4 Order
    gc start 0
    gc looked 700
    alloc 7f10 4 0
    unreachable 7f10
    free 7f10
    gc stop 1 0
    ");
}

#[test]
fn without_statistics_objects_count_up_to_the_first_module() {
    insta::assert_snapshot!(text("\
gc: collectable <Order 0x7f10>
gc: collectable <module 0x7f20>
gc: collectable <dict 0x7f30>
"), @"
    reftrace 1 runtime=cpython pointer=8 references=none frees=recorded births=survivors format=gc-debug
    type 1 Order
    type 2 module
    gc start 0
    alloc 7f10 1 0
    unreachable 7f10
    free 7f10
    gc stop 1 0
    type 3 dict
    mark user the interpreter ends
    gc start 0
    gc stop 0 0
    ");
}
