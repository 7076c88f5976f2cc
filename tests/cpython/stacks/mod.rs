//! The recorded stack of each object is the one that the program itself saw through `sys._getframe` when it made the
//! object, function by function and line by line, on every CPython at hand: `tests/cpython/stacks/maze.py` calls and returns at
//! random, mostly without an allocation in between.

use std::collections::HashMap;

use crate::each::record;
use crate::support::pythons::Python;
use crate::support::root;
use refloop::trace::{Event, formats};

on_each_python! {
    every_recorded_stack_is_what_the_program_saw,
}

fn every_recorded_stack_is_what_the_program_saw(python: &Python) {
    for (events, depth, seed) in [("full", "12", "1"), ("survivors", "32", "2")] {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("maze.reftrace");
        let options = ["--events", events, "--stack-depth", depth];
        let output =
            record(&python.path, &options, &trace, &root().join("tests/cpython/stacks/maze.py"), &[depth, seed]);
        let recorded = stacks_by_address(&trace);
        let seen = String::from_utf8(output.stdout).unwrap();
        let mut wrong = Vec::new();
        for line in seen.lines() {
            let (address, stack) = line.split_once(' ').unwrap();
            let address = u64::from_str_radix(address, 16).unwrap();
            let found = recorded.get(&address).map_or("", String::as_str);
            if found != stack {
                wrong.push(format!("seen:     {stack}\nrecorded: {found}"));
            }
        }
        let objects = seen.lines().count();
        assert!(objects > 5000, "only {objects} objects");
        assert!(
            wrong.is_empty(),
            "{python}, {events}: {} of {objects}\n{}",
            wrong.len(),
            wrong[..wrong.len().min(3)].join("\n")
        );
    }
}

/// Of the last object at each address, the stack as `function:line function:line`, innermost first.
fn stacks_by_address(trace: &std::path::Path) -> HashMap<u64, String> {
    let mut events = formats::open(trace).unwrap();
    let (mut texts, mut sites, mut stacks) = (HashMap::new(), HashMap::new(), HashMap::new());
    while let Some(event) = events.next_event().unwrap() {
        match event {
            Event::Text(text) => drop(texts.insert(text.id, text.text)),
            Event::Site(site) => {
                let mut stack = format!("{}:{}", texts[&site.function], site.line);
                if let Some(outer) = site.parent.and_then(|parent| sites.get(&parent)) {
                    stack = format!("{stack} {outer}");
                }
                sites.insert(site.id, stack);
            }
            Event::Alloc { address, site, .. } => drop(stacks.insert(address, site)),
            _ => {}
        }
    }
    stacks.into_iter().map(|(address, site)| (address, sites.get(&site).cloned().unwrap_or_default())).collect()
}
