//! Shows lists as the text form.

use super::super::tests::shown;

#[test]
fn the_two_lists_become_two_looks() {
    insta::assert_snapshot!(shown("dumprefs/stderr.log"), @"
    reftrace 1 runtime=cpython pointer=8 references=none frees=recorded births=survivors format=dumprefs
    mark user before the interpreter is taken apart
    alloc 7f0000001000 0 0
    count 7f0000001000 3
    alloc 7f0000001040 0 0
    count 7f0000001040 1
    alloc 7f0000001080 0 0
    count 7f0000001080 4294967295 immortal
    alloc 7f00000010c0 0 0
    count 7f00000010c0 2
    walk full
    checkpoint full
    mark user after the interpreter was taken apart
    type 1 shop.Order
    retype 7f0000001000 1
    count 7f0000001000 1
    type 2 tuple
    retype 7f0000001080 2
    count 7f0000001080 4294967295 immortal
    type 3 dict
    alloc 7f0000001100 3 0
    count 7f0000001100 1
    free 7f0000001040
    free 7f00000010c0
    walk full
    checkpoint full
    end
    ");
}
