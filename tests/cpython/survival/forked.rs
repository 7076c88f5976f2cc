//! A process that is forked while its parent's collector is at work has a trace that is true: its lists are not in order until the
//! collection ends, which it never does where another thread collected.

use crate::record::{Place, text};
use crate::support::pythons::Python;
use serde_json::Value;

on_each_python! {
    a_fork_in_a_finalizer_leaves_true_traces,
    a_fork_while_another_thread_collects_is_not_called_looked_at,
}

const PROGRAM: &str = "
import gc, os, sys, threading
gc.disable()

class Loop:
    def __init__(self): self.me = self

def loops(n):
    for _ in range(n): Loop()

def fork():
    global is_child
    child = os.fork()
    is_child = child == 0
    if child:
        print('child', os.waitpid(child, 0)[1] >> 8, flush=True)
    else:
        loops(50)

class Forks(Loop):
    def __del__(self):
        fork()
        if is_child and sys.argv[1] == 'exits': os._exit(4)
        if is_child and sys.argv[1] == 'asks': os.kill(os.getpid(), 12)

class Waits(Loop):
    def __del__(self):
        began.set()
        forked.wait(60)

is_child = False
gc.collect()
loops(100)
if sys.argv[1] == 'beside':
    began, forked = threading.Event(), threading.Event()
    Waits()
    thread = threading.Thread(target=gc.collect)
    thread.start()
    began.wait(60)
    fork()
    if is_child: os._exit(5)
    forked.set()
    thread.join()
else:
    Forks()
    loops(100)
    collected = gc.collect()
    if is_child:
        loops(30)
        print(collected, gc.collect(), flush=True)
        os._exit(6)
";

/// How often there was garbage of the program's own, and the input, of the trace of the program and of its child.
fn recorded(python: &Python, mode: &str, how: &str) -> [(u64, Value); 2] {
    let place = Place::with(PROGRAM);
    let recorded = place.recorded(&["--events", mode, "--signal", "usr2"], &python.path, &["app.py", how]);
    // Alone the signal would end it.
    let alone = place.alone(&python.path, &["app.py", if how == "asks" { "ends" } else { how }]);
    let said = text(&recorded.stderr);
    assert_eq!(recorded.status.code(), Some(0), "{python} {mode} {how}: {said}");
    if how != "asks" {
        assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python} {mode} {how}: {said}");
    }
    let traces = place.traces();
    assert_eq!(traces.len(), 2, "{python} {mode} {how}: {traces:?}");
    [&traces[0], &traces[1]].map(|trace| {
        let output = crate::support::refloop().args(["analyze", "-q", "--format", "json"]).arg(trace).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["anomalies"], Value::Array(Vec::new()), "{python} {mode} {how}");
        let loops = report["loops"].as_array().unwrap().iter();
        let own = loops
            .filter(|found| found["text"].as_array().is_some_and(|text| text[1].as_str().unwrap().contains("me →")));
        (own.map(|found| found["count"].as_u64().unwrap()).sum(), report["inputs"][0].clone())
    })
}

fn a_fork_in_a_finalizer_leaves_true_traces(python: &Python) {
    for mode in ["none", "survivors", "full"] {
        for how in ["ends", "asks"] {
            let [(loops, _), (own, input)] = recorded(python, mode, how);
            assert_eq!((loops, own), (201, 80), "{python} {mode} {how}: {input}");
            assert_eq!(input["stopped"], Value::Null, "{python} {mode} {how}");
        }
        let [(loops, _), (own, input)] = recorded(python, mode, "exits");
        assert_eq!((loops, own), (201, 0), "{python} {mode}: {input}");
        assert_eq!(
            (&input["stopped"], &input["known"]),
            (&"the process ended in a finalizer".into(), &"nothing".into())
        );
    }
}

fn a_fork_while_another_thread_collects_is_not_called_looked_at(python: &Python) {
    for mode in ["none", "survivors", "full"] {
        let [(loops, _), (own, input)] = recorded(python, mode, "beside");
        assert_eq!((loops, own), (101, 0), "{python} {mode}: {input}");
        let reason = "the process was forked while another thread collected, so its collector never looks again";
        assert_eq!((&input["stopped"], &input["known"]), (&reason.into(), &"nothing".into()), "{python} {mode}");
    }
}
