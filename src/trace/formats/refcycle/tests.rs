//! Shows graphs as the text form.

use super::super::tests::shown;

#[test]
fn a_graph_of_garbage_becomes_a_walk_of_it() {
    insta::assert_snapshot!(shown("refcycle/order.json"), @"
    reftrace 1 runtime=cpython pointer=8 references=checkpoints frees=recorded births=survivors format=refcycle
    walk garbage
    type 1 __main__.Order
    alloc 7f544a44c400 1 0
    type 2 dict
    alloc 7f544a44c800 2 0
    type 3 list
    alloc 7f544a44cc00 3 0
    type 4 __main__.Line
    alloc 7f544a44d000 4 0
    type 5 function
    alloc 7f544a44d400 5 0
    name 7f544a44d400 refresh
    type 6 tuple
    alloc 7f544a44d800 6 0
    type 7 cell
    alloc 7f544a44dc00 7 0
    alloc 7f544a44e000 3 0
    ref 7f544a44c400 7f544a44c800 .__dict__
    ref 7f544a44c800 7f544a44cc00 ['items']
    ref 7f544a44c800 7f544a44d400 ['refresh']
    ref 7f544a44cc00 7f544a44d000 [0]
    ref 7f544a44d000 7f544a44c400
    ref 7f544a44d400 7f544a44d800 .__closure__
    ref 7f544a44d800 7f544a44dc00 [0]
    ref 7f544a44dc00 7f544a44d400 .cell_contents
    count 7f544a44c400 1
    count 7f544a44c800 1
    count 7f544a44cc00 1
    count 7f544a44d000 1
    count 7f544a44d400 2
    count 7f544a44d800 1
    count 7f544a44dc00 1
    count 7f544a44e000 0
    checkpoint garbage
    unreachable 7f544a44c400
    unreachable 7f544a44c800
    unreachable 7f544a44cc00
    unreachable 7f544a44d000
    unreachable 7f544a44d400
    unreachable 7f544a44d800
    unreachable 7f544a44dc00
    unreachable 7f544a44e000
    end
    ");
}

#[test]
fn a_graph_with_a_module_is_one_of_live_objects() {
    insta::assert_snapshot!(shown("refcycle/alive.json"), @"
    reftrace 1 runtime=cpython pointer=8 references=uncounted frees=recorded births=survivors format=refcycle
    walk full
    type 1 module
    alloc 7f544a44c400 1 0
    name 7f544a44c400 shop
    root 7f544a44c400 module:shop
    type 2 dict
    alloc 7f544a44c800 2 0
    type 3 shop.Order
    alloc 7f544a44cc00 3 0
    ref 7f544a44c400 7f544a44c800 .__dict__
    ref 7f544a44c800 7f544a44cc00 ['last']
    checkpoint full
    end
    ");
}
