//! Ends programs that have exit handlers, threads and event loops: what these let go was alive, and what only they leave behind is
//! no finding.

use serde_json::Value;

use crate::record::{Place, checked, text};
use crate::support::pythons::Python;

on_each_python! {
    what_a_handler_lets_go_is_seen_alive,
    what_only_a_handler_leaves_behind_is_no_finding,
    what_ends_with_its_thread_is_no_finding,
    what_a_thread_made_later_is_one,
    what_ends_with_the_event_loop_is_no_finding,
    what_the_program_still_drops_is_one,
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

/// Services of threads that end because the program does, one of them through an exit handler of `threading` (3.9 and later); and
/// a class of loops.
const THREADS: &str = "
import concurrent.futures, threading

LOCAL = threading.local()

class Service:
    def __init__(self):
        self.callback = self.done

    def done(self):
        return 1

def begin():
    LOCAL.service = Service()

pool = concurrent.futures.ThreadPoolExecutor(2, initializer=begin)
print(sum(pool.map(lambda _: LOCAL.service.callback(), range(10))))

def wait(ready):
    service = Service()
    ready.set()
    threading.main_thread().join()
    after()
    del service

def after():
    pass

def run():
    ready = threading.Event()
    threading.Thread(target=wait, args=(ready,)).start()
    ready.wait()

run()
";

/// Workers that nobody ends: the event loop has them, and cancels them as it ends.
const EVENT_LOOP: &str = "
import asyncio

class Worker:
    def __init__(self):
        self.callback = self.once

    async def once(self):
        await asyncio.sleep(0.001)

    async def run(self):
        while True:
            await self.callback()

async def main():
    for _ in range(3):
        asyncio.ensure_future(Worker().run())
    await asyncio.sleep(0.02)

asyncio.run(main())
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

/// The loops of a class, and whether they fail.
fn loops_of<'a>(report: &'a Value, class: &str) -> Vec<&'a Value> {
    let rows = report["loops"].as_array().expect("a list");
    rows.iter().filter(|row| row["path"].as_str().is_some_and(|path| path.starts_with(class))).collect()
}

fn what_ends_with_its_thread_is_no_finding(python: &Python) {
    let report = recorded(python, THREADS);
    assert_eq!(report["gate"]["failed"], false, "{python}: {:#}", report["loops"]);
    let [services] = loops_of(&report, "Service")[..] else { panic!("{python}: {:#}", report["loops"]) };
    assert_eq!(services["standing"]["name"], "at-exit", "{python}: {services:#}");
    assert_eq!(services["alive_at_exit"], services["count"], "{python}: {services:#}");
}

fn what_a_thread_made_later_is_one(python: &Python) {
    let later = THREADS.replace("def after():\n    pass", "def after():\n    for _ in range(5):\n        Service()");
    let report = recorded(python, &later);
    assert_eq!(report["gate"]["failed"], true, "{python}: {:#}", report["loops"]);
    let [services] = loops_of(&report, "Service")[..] else { panic!("{python}: {:#}", report["loops"]) };
    let [all, alive] = ["count", "alive_at_exit"].map(|key| services[key].as_u64().expect("a number"));
    assert_eq!(all, alive + 5, "{python}: {services:#}");
}

/// Dropped after the first event loop has ended, after the program has waited for its threads, and by a thread that works on.
const STILL_AT_WORK: [&str; 3] = [
    "asyncio.run(asyncio.sleep(0))\ndrop()\n",
    "wait = threading.Event()\nthreading.Thread(target=wait.wait, daemon=True).start()\nthreading._shutdown()\ndrop()\nwait.set()\n",
    "threading.Thread(target=drop).start()\n",
];

fn what_the_program_still_drops_is_one(python: &Python) {
    for work in STILL_AT_WORK {
        let program = format!(
            "import asyncio, gc, threading, time\nclass Node:\n    def __init__(self):\n        self.me = self\n\
             ALL = [Node() for _ in range(50)]\n\
             def drop():\n    time.sleep(0.1)\n    ALL.clear()\n    gc.collect()\n{work}"
        );
        let report = recorded(python, &program);
        let [nodes] = loops_of(&report, "Node")[..] else { panic!("{python} {work}: {:#}", report["loops"]) };
        assert_eq!((&nodes["count"], &nodes["standing"]["name"]), (&50.into(), &"fails".into()), "{python} {work}");
    }
}

fn what_ends_with_the_event_loop_is_no_finding(python: &Python) {
    let report = recorded(python, EVENT_LOOP);
    let [workers] = loops_of(&report, "Worker")[..] else { panic!("{python}: {:#}", report["loops"]) };
    // 3.11 calls functions of Python without asking what they are to be called by.
    let standing = if python.minor == 11 { "fails" } else { "at-exit" };
    assert_eq!(
        (&workers["standing"]["name"], &workers["count"]),
        (&standing.into(), &3.into()),
        "{python}: {workers:#}"
    );
    assert_eq!(report["gate"]["failed"], standing == "fails", "{python}: {:#}", report["loops"]);
}

fn handlers_run_as_they_do_alone(python: &Python) {
    let place = Place::with(ORDER);
    let alone = place.alone(&python.path, &["app.py"]);
    let recorded = place.recorded(&["-q"], &python.path, &["app.py"]);
    assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python}");
    assert!(text(&alone.stdout).contains("registered by a thread"), "{python}: {}", text(&alone.stdout));
    assert_eq!(recorded.status.code(), alone.status.code(), "{python}");
}
