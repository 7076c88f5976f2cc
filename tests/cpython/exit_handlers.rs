//! Ends programs that have exit handlers: what these let go was alive, and what only they leave behind is no finding.

use serde_json::Value;

use crate::record::{Place, checked, text};
use crate::support::pythons::Python;

on_each_python! {
    what_a_handler_lets_go_is_seen_alive,
    what_only_a_handler_leaves_behind_is_no_finding,
    handlers_run_as_they_do_alone,
}

/// `weakref.finalize` keeps its callbacks in a registry, which a handler empties.
const FINALIZED: &str = "
import weakref

class Row:
    def __init__(self):
        weakref.finalize(self, self.close)

    def close(self):
        pass

for _ in range(500):
    Row()
";

/// A service that lives as long as the program.
const REGISTERED: &str = "
import atexit

class Service:
    def __init__(self):
        self.callback = self.done

    def done(self):
        pass

REGISTRY = [Service()]
atexit.register(REGISTRY.clear)
";

/// Handlers with arguments, as decorators, taken back, that raise, registered by a thread that outlives the main part.
const ORDER: &str = "
import atexit, os, sys, threading, time

print(atexit._ncallbacks() >= 0)
atexit.register(print, 'with', 'arguments', sep=' ')

@atexit.register
def decorated():
    print('decorated')

def taken_back():
    print('never')

print(atexit.register(taken_back) is taken_back)
atexit.unregister(taken_back)
atexit.register(lambda: 1 // 0)

for wrong in [(), (3,)]:
    try:
        atexit.register(*wrong)
    except TypeError as error:
        print(error)

def later():
    time.sleep(0.05)
    atexit.register(print, 'registered by a thread')
    print('thread')

child = os.fork()
if child == 0:
    sys.exit(3)
print(os.waitpid(child, 0)[1])
threading.Thread(target=later).start()
";

fn recorded(python: &Python, program: &str) -> Value {
    let place = Place::with(program);
    place.recorded(&["-q"], &python.path, &["app.py"]);
    checked(&place.path().join("app.reftrace")).1
}

fn what_a_handler_lets_go_is_seen_alive(python: &Python) {
    let report = recorded(python, FINALIZED);
    let rows = report["types"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["type"] == "__main__.Row").unwrap_or_else(|| panic!("{python}: {rows:#?}"));
    assert_eq!(row["instances"], 500, "{python}: {row:#}");
}

fn what_only_a_handler_leaves_behind_is_no_finding(python: &Python) {
    let report = recorded(python, REGISTERED);
    assert_eq!(report["gate"]["failed"], false, "{python}: {:#}", report["loops"]);
}

fn handlers_run_as_they_do_alone(python: &Python) {
    let place = Place::with(ORDER);
    let alone = place.alone(&python.path, &["app.py"]);
    let recorded = place.recorded(&["-q"], &python.path, &["app.py"]);
    assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python}");
    assert!(text(&alone.stdout).contains("registered by a thread"), "{python}: {}", text(&alone.stdout));
    assert_eq!(recorded.status.code(), alone.status.code(), "{python}");
}
