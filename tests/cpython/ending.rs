//! How a program ended stands in its trace, and a program that SIGTERM ends has its last checkpoint.

use std::time::Instant;

use refloop::trace::Ending;
use serde_json::Value;

use crate::record::{Place, checked, read, text};
use crate::support::pythons::Python;
use crate::support::refloop;

on_each_python! {
    the_trace_says_how_the_program_ended_and_the_gate_says_it,
    sigterm_leaves_a_last_checkpoint_and_the_exit_status_that_it_has_alone,
    a_program_sees_of_sigterm_what_it_sees_alone,
    a_worker_that_is_terminated_has_its_last_checkpoint,
    a_program_that_never_comes_to_a_safe_point_dies_all_the_same,
    a_signal_that_nobody_asked_for_does_what_it_does_alone,
    other_interpreters_are_not_called_looked_at,
}

/// What `check` says of the program's trace: its input as JSON, its page, its exit code.
fn check(place: &Place) -> (Value, String, Option<i32>) {
    let trace = place.path().join("app.reftrace");
    let page = refloop().arg("check").arg(&trace).output().unwrap();
    let (_, report) = checked(&trace);
    (report["inputs"][0].clone(), text(&page.stdout), page.status.code())
}

fn the_trace_says_how_the_program_ended_and_the_gate_says_it(python: &Python) {
    for (program, exit, signal, sentence) in [
        ("pass", Some(0), None, None),
        ("import sys; sys.exit(2)", Some(2), None, Some("the program ended with 2 after ")),
        ("import os; os._exit(3)", Some(3), None, Some("the program ended with 3 after ")),
        ("import os; os.kill(os.getpid(), 9)", None, Some(9), Some("the program was killed by signal 9 after ")),
    ] {
        let place = Place::with(program);
        place.recorded(&["-q"], &python.path, &["app.py"]);
        let (input, page, _) = check(&place);
        let end = &input["program"];
        assert_eq!((end["exit"].as_i64(), end["signal"].as_i64()), (exit, signal), "{python} {program}: {input}");
        assert!(end["milliseconds"].as_u64().unwrap() < 600_000, "{python} {program}: {input}");
        let page = page.replace("\n      ", " ");
        match sentence {
            Some(sentence) => assert!(page.contains(sentence), "{python} {program}: {page}"),
            None => assert!(!page.contains("the program"), "{python} {program}: {page}"),
        }
    }
    // A shell ended, and how the Python in it did is not known.
    let place = Place::with("raise SystemExit(2)");
    let command = format!("'{}' app.py; true", python.path.display());
    place.recorded(&["-q"], "sh".as_ref(), &["-c", &command]);
    assert_eq!(check(&place).0["program"], Value::Null, "{python}");
}

const ENDED: &str = "
import os, signal, sys, threading, time

class Node:
    pass

node = Node()
node.me = node
del node

def terminate():
    os.kill(os.getpid(), signal.SIGTERM)

def soon():
    threading.Timer(0.2, terminate).start()

def by_itself():
    terminate()
    time.sleep(30)

def busy():
    soon()
    while True:
        pass

def waiting():
    soon()
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()

def set_back():
    signal.signal(signal.SIGTERM, print)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    by_itself()

def to_another_thread():
    other = threading.Thread(target=time.sleep, args=(60,))
    other.start()
    threading.Timer(0.2, signal.pthread_kill, (other.ident, signal.SIGTERM)).start()
    time.sleep(60)

globals()[sys.argv[1]]()
";

fn sigterm_leaves_a_last_checkpoint_and_the_exit_status_that_it_has_alone(python: &Python) {
    for how in ["by_itself", "busy", "waiting", "set_back", "to_another_thread"] {
        let place = Place::with(ENDED);
        let alone = place.alone(&python.path, &["app.py", how]);
        let recorded = place.recorded(&["-q"], &python.path, &["app.py", how]);
        assert_eq!(alone.status.code(), None, "{python} {how}");
        assert_eq!(recorded.status.code(), Some(143), "{python} {how}");
        assert_eq!((&recorded.stdout, &recorded.stderr), (&alone.stdout, &alone.stderr), "{python} {how}");
        let contents = read(&place.traces()[0]);
        assert_eq!((contents.ending, contents.full_checkpoints), (Some(Ending::Complete), 1), "{python} {how}");
        assert_eq!(contents.live["__main__.Node"], 1, "{python} {how}");
        assert_eq!(check(&place).0["program"]["signal"], 15, "{python} {how}");
    }
}

const SEEN: &str = "
import os, signal, sys

def say():
    handler = signal.getsignal(signal.SIGTERM)
    print(repr(handler) if isinstance(handler, int) else callable(handler))

say()
print(repr(signal.signal(signal.SIGTERM, signal.SIG_IGN)))
say()
os.kill(os.getpid(), signal.SIGTERM)
print(repr(signal.signal(signal.SIGTERM, signal.SIG_DFL)))
say()
print(repr(signal.signal(15, lambda number, frame: sys.exit(number))))
say()
for wrong in [None, 1000]:
    try:
        signal.signal(wrong, signal.SIG_DFL)
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
pid = os.fork()
if pid == 0:
    say()
    print(callable(signal.signal(signal.SIGTERM, signal.SIG_DFL)), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
print(os.waitpid(pid, 0)[1], flush=True)
try:
    import _thread
    _thread.interrupt_main(signal.SIGTERM)
except TypeError as error:
    print(error)
print('no signal came', flush=True)
os.kill(os.getpid(), signal.SIGTERM)
";

fn a_program_sees_of_sigterm_what_it_sees_alone(python: &Python) {
    let place = Place::with(SEEN);
    let alone = place.alone(&python.path, &["app.py"]);
    assert_eq!(alone.status.code(), Some(15), "{python}: {}", text(&alone.stderr));
    for options in [&["-q"][..], &["-q", "--no-children"]] {
        let recorded = place.recorded(options, &python.path, &["app.py"]);
        assert_eq!(recorded.status.code(), Some(15), "{python}: {}", text(&recorded.stderr));
        assert_eq!((text(&recorded.stdout), text(&recorded.stderr)), (text(&alone.stdout), text(&alone.stderr)));
    }
}

fn a_worker_that_is_terminated_has_its_last_checkpoint(python: &Python) {
    let program = "import os, signal, sys, time\nread, write = os.pipe()\npid = os.fork()\n\
        if pid == 0:\n    os.write(write, b'x')\n    time.sleep(60)\n\
        os.read(read, 1)\nos.kill(pid, signal.SIGTERM)\nprint(os.waitpid(pid, 0)[1])\n";
    let place = Place::with(program);
    let recorded = place.recorded(&[], &python.path, &["app.py"]);
    assert_eq!(text(&recorded.stdout), "15\n", "{python}: {}", text(&recorded.stderr));
    assert!(!text(&recorded.stderr).contains("no last checkpoint"), "{python}: {}", text(&recorded.stderr));
    let traces = place.traces();
    assert_eq!(traces.len(), 2, "{python}");
    assert!(traces.iter().all(|trace| read(trace).ending == Some(Ending::Complete)), "{python}");
}

fn a_program_that_never_comes_to_a_safe_point_dies_all_the_same(python: &Python) {
    // The wait is seconds long, so it is not done on each.
    if !["v3_8", "v3_14"].contains(&python.build) {
        return;
    }
    let program = "import os, subprocess, sys\n\
        subprocess.Popen(['sh', '-c', 'sleep 0.5; kill %d' % os.getpid()])\nsum(range(10 ** 13))\n";
    let place = Place::with(program);
    let start = Instant::now();
    let recorded = place.recorded(&[], &python.path, &["app.py"]);
    assert_eq!(recorded.status.code(), Some(143), "{python}: {}", text(&recorded.stderr));
    assert!(text(&recorded.stderr).contains("without its last checkpoint"), "{}", text(&recorded.stderr));
    assert!(start.elapsed().as_secs() >= 5, "{python}: it had no time for its checkpoint");
}

fn a_signal_that_nobody_asked_for_does_what_it_does_alone(python: &Python) {
    let place =
        Place::with("import os, signal\nprint(repr(signal.getsignal(12)), flush=True)\nos.kill(os.getpid(), 12)\n");
    let alone = place.alone(&python.path, &["app.py"]);
    let recorded = place.recorded(&["-q"], &python.path, &["app.py"]);
    assert_eq!((alone.status.code(), recorded.status.code()), (None, Some(128 + 12)), "{python}");
    assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python}");
}

fn other_interpreters_are_not_called_looked_at(python: &Python) {
    let program = "try:\n    import _interpreters as sub\n    other = sub.create(KIND)\n\
        except ImportError:\n    import _xxsubinterpreters as sub\n    other = sub.create()\n\
        sub.run_string(other, 'import json')\nsub.destroy(other)\n";
    for kind in ["'legacy'", "'isolated'"] {
        let place = Place::with(&program.replace("KIND", kind));
        let recorded = place.recorded(&["-q"], &python.path, &["app.py"]);
        assert_eq!(recorded.status.code(), Some(0), "{python}: {}", text(&recorded.stderr));
        let (input, page, code) = check(&place);
        assert_eq!((input["other_interpreters"].as_u64(), code), (Some(1), Some(3)), "{python} {kind}: {input}");
        assert!(page.replace("\n      ", " ").contains("1 more interpreter was not looked at"), "{python}: {page}");
    }
}
