//! Records a loop of every shape that has a name, and near misses of it: which shape each is said to have.

use serde_json::Value;

use crate::each::{record, report};
use crate::support::pythons::Python;
use crate::support::root;

on_each_python! { each_shape_is_told_by_its_name }

/// A function of the program, the shape, and the reference to cut. Where nothing tells which reference that is, the first.
const SHAPES: &[(&str, &str, &str)] = &[
    ("child_and_parent", "child points back to its parent", "Tree.parent"),
    ("linked_list", "doubly linked list", "Link.prev"),
    ("two_classes_with_next_and_prev", "child points back to its parent", "Right.prev"),
    ("exception_in_its_frame", "exception, traceback and frame", "frame exception_in_its_frame: local kept"),
    ("exception_that_was_never_raised", "child points back to its parent", "Failure.owner"),
    ("method_on_self", "bound method stored on its own object", "Button.on_click"),
    ("own_methods_in_a_dict", "bound method stored on its own object", "Dispatcher.handlers[*]"),
    ("observers", "bound method kept by another object", "Subject.observers[*]"),
    ("function_of_itself", "function that its own closure refers to", "closure variable fact"),
    ("closure_over_self", "closure over the object that holds it", "closure variable self"),
    ("lambda_over_self", "lambda that captures the object that holds it", "closure variable self"),
    ("cache_of_self", "lru_cache on a method", ""),
    ("cached_property", "cached property that refers back", "Cursor.parser"),
    ("cached_property_of_a_class_that_comes_first", "cached property that refers back", "Viewer.book"),
    ("generator_in_its_own_frame", "generator or coroutine held by its own frame", ""),
    ("generator_on_self", "generator or coroutine held by its own frame", "Job.steps"),
    ("future_and_its_exception", "future keeps the exception that keeps it", "frame wait: local future"),
    ("class_at_run_time", "class made at run time", ""),
    ("iterator_on_its_owner", "iterator kept by what it walks over", "Rows.iterator"),
    ("iterator_of_the_interpreter", "iterator kept by what it walks over", "Names.iterator"),
    ("view_that_is_a_widget", "objects that refer to each other", "View.window"),
    ("handler_of_a_logger", "handler of a logger that refers back to who has the logger", "ServiceHandler.service"),
    ("mock_of_a_method", "mock and what it was given", ""),
    ("mock", "mock and what it was given", ""),
    ("partial_on_self", "partial that was given the object that holds it", "partial.func"),
    ("peers", "objects that refer to each other", "Driver.engine"),
];

/// How often the first of the functions is called; each of the others once more than the one before.
const TIMES: usize = 40;

fn each_shape_is_told_by_its_name(python: &Python) {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("shapes.reftrace");
    let numbered = || SHAPES.iter().zip(TIMES..);
    let calls: Vec<String> = numbered().map(|((function, ..), times)| format!("{function}={times}")).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    record(&python.path, &[], &trace, &root().join("tests/cpython/patterns/shapes.py"), &calls);
    let json = report("loops", &trace);
    let rows = json["loops"].as_array().expect("a list");
    for ((function, shape, cut), times) in numbered() {
        let found: Vec<&Value> = rows.iter().filter(|row| row["count"] == times).collect();
        assert!(!found.is_empty(), "{python} {function}: no loop {times} times");
        for row in found {
            assert_eq!(row["pattern"], *shape, "{python} {function}: {row:#}");
            assert_eq!(row["cut"]["reference"].as_str().unwrap_or_default(), *cut, "{python} {function}: {row:#}");
        }
    }
}
