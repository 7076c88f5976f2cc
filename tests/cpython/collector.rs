//! Compares what is said of the program's collector with what the program sees of it.

use refloop::run::{Options, open};

use crate::record::{Place, text};
use crate::support::pythons::Python;

on_each_python! { what_a_collection_looked_at_freed_and_took_is_told }

fn what_a_collection_looked_at_freed_and_took_is_told(python: &Python) {
    let program = "import gc, time\ngc.disable()\nbegan = time.perf_counter_ns()\ngc.collect()\nclass Loop:\n    pass\n\
                   for _ in range(5000):\n    loop = Loop()\n    loop.itself = loop\n\
                   del loop\nn = len(gc.get_objects())\nfreed = gc.collect()\n\
                   print(n, freed, time.perf_counter_ns() - began)\n";
    for events in ["full", "survivors", "none"] {
        let place = Place::with(program);
        let recorded = place.recorded(&["-q", "--events", events], &python.path, &["app.py"]);
        let printed: Vec<u64> = text(&recorded.stdout).split_whitespace().map(|word| word.parse().unwrap()).collect();
        let (tracked, freed, elapsed) = (printed[0], printed[1], printed[2]);
        let run = open(&place.traces()[0], &Options::default()).unwrap();
        let old = run.collections[&2];
        assert!(old.runs >= 2 && old.freed >= freed && freed >= 5000, "{python} {events}: {old:?}");
        let pauses = old.pauses.unwrap_or_else(|| panic!("{python} {events}: {old:?}"));
        assert!(0 < pauses.longest && pauses.sum <= elapsed, "{python} {events}: {old:?}, {elapsed} ns");
        // The first one looked at less; without births, a CPython that does not count itself does not tell.
        match old.looked {
            Some(looked) => assert!((tracked..2 * tracked).contains(&looked), "{python} {events}: {looked}, {tracked}"),
            None => assert!(events == "none" && python.minor < 15, "{python} {events}"),
        }
    }
}
