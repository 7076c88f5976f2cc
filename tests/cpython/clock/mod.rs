//! Checks that `record --every` looks at a clock of its own, and that the program does not see its thread.

use crate::record::{Place, read, text};
use crate::support::pythons::Python;

on_each_python! {
    a_program_that_waits_is_walked_at_intervals,
    a_program_that_forks_has_no_thread_but_its_own,
    a_program_sees_neither_a_thread_nor_a_file_of_the_clock,
    a_program_that_ends_while_a_checkpoint_is_due_ends_as_alone,
}

fn a_program_that_waits_is_walked_at_intervals(python: &Python) {
    let place = Place::with("import time\ntime.sleep(2)\n");
    let recorded = place.recorded(&["-q", "--every", "0.2"], &python.path, &["app.py"]);
    assert_eq!((recorded.status.code(), text(&recorded.stderr).as_str()), (Some(0), ""), "{python}");
    // Ten, on an idle machine, and the one at the end.
    let checkpoints = read(&place.traces()[0]).full_checkpoints;
    assert!(checkpoints >= 4, "{python}: {checkpoints} checkpoints");
}

/// From 3.12 on a fork of a process with two threads warns.
fn a_program_that_forks_has_no_thread_but_its_own(python: &Python) {
    let program = "import os, time, warnings\nwarnings.simplefilter('error')\n\
        for _ in range(8):\n    time.sleep(0.02)\n    child = os.fork()\n    if not child:\n\
        \x20       time.sleep(0.4)\n        os._exit(0)\n    os.waitpid(child, 0)\n\
        time.sleep(0.4)\nprint('done')\n";
    let place = Place::with(program);
    let recorded = place.recorded(&["-q", "--every", "0.01"], &python.path, &["app.py"]);
    assert_eq!((text(&recorded.stdout).as_str(), text(&recorded.stderr).as_str()), ("done\n", ""), "{python}");
    let traces = place.traces();
    assert_eq!(traces.len(), 9, "{python}");
    for trace in &traces {
        assert!(read(trace).full_checkpoints >= 2, "{python}: {}", trace.display());
    }
}

fn a_program_sees_neither_a_thread_nor_a_file_of_the_clock(python: &Python) {
    let program = "import _thread, os, signal, sys, threading, time\n\
        files = len(os.listdir('/proc/self/fd'))\n\
        for _ in range(20):\n    time.sleep(0.01)\n\
        \x20   assert threading.enumerate() == [threading.main_thread()] and _thread._count() == 0\n\
        \x20   assert list(sys._current_frames()) == [_thread.get_ident()]\n\
        \x20   assert len(os.listdir('/proc/self/fd')) == files\n\
        signal.signal(signal.SIGALRM, lambda *_: sys.exit(threading.current_thread() is not threading.main_thread()))\n\
        signal.setitimer(signal.ITIMER_REAL, 0.05)\ntime.sleep(10)\n";
    let place = Place::with(program);
    let recorded = place.recorded(&["-q", "--every", "0.005"], &python.path, &["app.py"]);
    assert_eq!((recorded.status.code(), text(&recorded.stderr).as_str()), (Some(0), ""), "{python}");
}

fn a_program_that_ends_while_a_checkpoint_is_due_ends_as_alone(python: &Python) {
    let ends = [
        "pass",
        "sys.exit(3)",
        "os._exit(4)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "raise ValueError('unhandled')",
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "threading.Thread(target=int, args=('x',)).start()",
        "atexit.register(time.sleep, 0.02)",
        // The clock is not told of the end then.
        "atexit._clear()",
    ];
    for end in ends {
        let program = format!(
            "import atexit, os, signal, sys, threading, time\n\
             sys.excepthook = lambda kind, *_: print('hook', kind)\n\
             if hasattr(threading, 'excepthook'):\n    threading.excepthook = lambda told: print('thread', told.exc_type)\n\
             time.sleep(0.01)\nkept = [[] for _ in range(20000)]\n{end}\n"
        );
        let place = Place::with(&program);
        let alone = place.alone(&python.path, &["app.py"]);
        let recorded = place.recorded(&["-q", "--every", "0.004"], &python.path, &["app.py"]);
        assert_eq!(text(&recorded.stderr), text(&alone.stderr), "{python}: {end}");
        assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python}: {end}");
        assert_eq!(recorded.status.code(), alone.status.code().or(Some(143)), "{python}: {end}");
    }
}
