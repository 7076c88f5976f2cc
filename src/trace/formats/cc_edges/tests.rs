//! Shows logs as the text form.

use super::super::tests::{converted, plain};

#[test]
fn a_log_becomes_a_walk_of_the_heap_and_its_checkpoint() {
    let log = "\
0x10 [rc=2] nsDocument normal (xhtml) https://shop.example/
> 0x20 mChild
0x20 [gc] JS Object (Function - f)
> 0x10 doc
0x30 [gc.marked] JS Object (Window)
==========
0x10 [known=1]
";
    let text = converted("text", plain(), log.as_bytes()).unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap(), @"
    reftrace 1 runtime=firefox pointer=8 references=checkpoints frees=recorded births=survivors format=cc-edges
    walk full
    type 1 \"nsDocument normal\"
    alloc 10 1 0
    count 10 2
    type 2 \"JS Object\"
    alloc 20 2 0
    ref 20 10 doc
    alloc 30 2 0
    root 30 gc.marked
    ref 10 20 mChild
    count 20 1
    count 30 0
    checkpoint full
    end
    ");
}
