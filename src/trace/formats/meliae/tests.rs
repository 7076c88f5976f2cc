//! Shows dumps as the text form.

use super::super::tests::shown;

#[test]
fn a_dump_becomes_a_walk_without_counts() {
    insta::assert_snapshot!(shown("meliae/shop.json"), @"
    reftrace 1 runtime=cpython pointer=8 references=uncounted frees=recorded births=survivors format=meliae
    walk full
    type 1 module
    alloc 7f544a44c400 1 72
    name 7f544a44c400 shop
    root 7f544a44c400 module:shop
    type 2 dict
    alloc 7f544a44c800 2 360
    type 3 str
    alloc 7f544a44cc00 3 53
    type 4 list
    alloc 7f544a44d000 4 136
    type 5 type
    alloc 7f544a44d400 5 1064
    name 7f544a44d400 Order
    type 6 Order
    alloc 7f544a44d800 6 48
    ref 7f544a44d800 7f544a44d400
    alloc 7f544a44d900 6 48
    ref 7f544a44d900 7f544a44d400
    alloc 7f544a44dc00 2 104
    alloc 7f544a44dd00 2 104
    alloc 7f544a44e000 3 51
    type 7 function
    alloc 7f544a44e400 7 136
    ref 7f544a44e400 7f544a44c800
    alloc 7f544a44e100 0 0
    alloc 7f544a44e500 0 0
    ref 7f544a44c400 7f544a44c800 .__dict__
    ref 7f544a44c800 7f544a44cc00
    ref 7f544a44c800 7f544a44d000
    ref 7f544a44c800 7f544a44d400
    ref 7f544a44d000 7f544a44d900 [1]
    ref 7f544a44d000 7f544a44d800 [0]
    ref 7f544a44d800 7f544a44dc00
    ref 7f544a44d900 7f544a44dd00
    ref 7f544a44dc00 7f544a44e000
    ref 7f544a44dd00 7f544a44e100
    ref 7f544a44e400 7f544a44e500
    checkpoint full
    end
    ");
}
