//! What happens to a recording from outside, and what a program does to it, neither kills the program nor makes the trace lie.

mod forked;
mod random;
mod unseen;

use std::fs::OpenOptions;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use crate::record::{Place, checked, text};
use crate::support::pythons::{Python, say_once};
use refloop::trace::Ending;

on_each_python! {
    a_trace_that_is_made_shorter_ends_the_recording_and_not_the_program,
    a_trace_that_loses_its_name_is_not_said_to_be_written,
    a_trace_that_was_moved_says_why_it_ends,
    a_program_that_gives_up_its_rights_goes_on_and_its_trace_says_what_happened,
    a_program_that_survives_a_memory_error_survives_it_recorded,
    what_a_finalizer_asks_for_waits_until_the_collection_ends,
}

/// Runs a program that waits in the middle for a line, and does something to its trace meanwhile.
fn meddled(python: &Python, program: &str, meddle: impl Fn(&PathBuf)) -> (Place, Output) {
    use std::io::{BufRead, BufReader};
    let place = Place::with(program);
    let trace = place.path().join("app.reftrace");
    let mut command = crate::support::refloop();
    command.current_dir(place.path()).args(["record", "-o", "app.reftrace", "--events", "full", "--"]);
    command.arg(&python.path).arg("app.py");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "{python}");
    meddle(&trace);
    // The end of its input lets the program go on.
    let output = child.wait_with_output().unwrap();
    (place, output)
}

const PROGRAM: &str = "import sys\nclass Kept: pass\nkept = [Kept() for _ in range(20000)]\nprint('ready', flush=True)\n\
    sys.stdin.readline()\nkept += [Kept() for _ in range(50000)]\nprint(len(kept))\nsys.exit(5)\n";

fn a_trace_that_is_made_shorter_ends_the_recording_and_not_the_program(python: &Python) {
    for length in [0, 100, 70_000] {
        let (place, output) = meddled(python, PROGRAM, |trace| {
            OpenOptions::new().write(true).open(trace).unwrap().set_len(length).unwrap();
        });
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(5), "70000\n"), "{python} {length}");
        let said = text(&output.stderr);
        assert!(said.contains("another program made the trace shorter: recording stopped"), "{python}: {said}");
        if length == 70_000 {
            let contents = crate::record::read(&place.path().join("app.reftrace"));
            assert!(matches!(contents.ending, Some(Ending::Cut(_) | Ending::Open)), "{python} {:?}", contents.ending);
        }
    }
}

fn a_trace_that_loses_its_name_is_not_said_to_be_written(python: &Python) {
    let (_, taken) = meddled(python, PROGRAM, |trace| std::fs::remove_file(trace).unwrap());
    assert_eq!((taken.status.code(), text(&taken.stdout).as_str()), (Some(5), "70000\n"), "{python}");
    let said = text(&taken.stderr);
    assert!(said.contains("app.reftrace: is not there any more: it was taken away"), "{python}: {said}");
    assert!(!said.contains("checkpoint"), "{python}: {said}");
    // Another file, with a program that writes nothing more, and with one that does.
    for rest in ["", "kept = [[] for _ in range(50000)]\n"] {
        let program = format!("import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n{rest}");
        let (_, replaced) = meddled(python, &program, |trace| {
            std::fs::rename(trace, trace.with_file_name("moved.reftrace")).unwrap();
            std::fs::write(trace, "reftrace 1 runtime=another pointer=8\n").unwrap();
        });
        assert_eq!(replaced.status.code(), Some(0), "{python}");
        let said = text(&replaced.stderr);
        assert!(said.contains("app.reftrace: is not what was recorded: another file has"), "{python}: {said}");
        assert!(!said.contains(" objects"), "{python}: {said}");
    }
}

fn a_trace_that_was_moved_says_why_it_ends(python: &Python) {
    for (replaced, reason) in [(false, "no such file or directory"), (true, "the trace was replaced by another file")] {
        let (place, output) = meddled(python, PROGRAM, |trace| {
            std::fs::rename(trace, trace.with_file_name("moved.reftrace")).unwrap();
            if replaced {
                std::fs::write(trace, "reftrace 1 runtime=another pointer=8\n").unwrap();
            }
        });
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(5), "70000\n"), "{python}");
        let (_, report) = checked(&place.path().join("moved.reftrace"));
        assert_eq!(report["inputs"][0]["stopped"], reason, "{python}");
    }
}

fn a_program_that_gives_up_its_rights_goes_on_and_its_trace_says_what_happened(python: &Python) {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return say_once("SKIPPED: only root has rights to give up".into());
    }
    let program = |act: &str| {
        format!(
            "import gc, os, sys, time\ngc.disable()\nclass Loop:\n    def __init__(self): self.me = self\n\
             for _ in range(300): Loop()\ngc.collect()\nkept = [Loop() for _ in range(20000)]\ntime.sleep(0.1)\ngc.collect()\n{act}\n\
             kept += [Loop() for _ in range(50000)]\nprint(len(kept), flush=True)\nos._exit(5) if len(sys.argv) > 1 else sys.exit(5)\n"
        )
    };
    for (act, reason) in [
        ("os.setgroups([]); os.setgid(65534); os.setuid(65534)", "permission denied"),
        ("os.makedirs('empty', exist_ok=True); os.chroot('empty'); os.chdir('/')", "no such file or directory"),
    ] {
        // As the interpreter ends it imports nothing more, which it could not.
        for (mode, words) in [("full", &["app.py"][..]), ("survivors", &["app.py"]), ("full", &["app.py", "at once"])] {
            let place = Place::with(&program(act));
            let alone = place.alone(&python.path, words);
            let recorded = place.recorded(&["--events", mode], &python.path, words);
            let _ = std::fs::remove_dir(place.path().join("empty"));
            let said = text(&recorded.stderr);
            assert_eq!((text(&alone.stdout).as_str(), alone.status.code()), ("70000\n", Some(5)), "{python} {act}");
            assert_eq!(
                (text(&recorded.stdout).as_str(), recorded.status.code()),
                ("70000\n", Some(5)),
                "{python}: {said}"
            );
            assert!(said.contains(&format!("{reason}: recording stopped, the program goes on")), "{python}: {said}");
            assert!(said.contains("app.reftrace: holds what was recorded until then"), "{python}: {said}");
            let (code, report) = checked(&place.path().join("app.reftrace"));
            let input = &report["inputs"][0];
            assert_eq!((code, &input["stopped"]), (Some(1), &reason.into()), "{python} {act}: {report}");
            assert_eq!(input["program"]["exit"], 5, "{python} {act}: the launcher has its room");
            assert_eq!(report["loops"][0]["count"], 300, "{python} {act}");
        }
    }
}

fn a_program_that_survives_a_memory_error_survives_it_recorded(python: &Python) {
    // Large blocks first, until the recorder has to give its own memory back, and then a table that outgrows the rest.
    let program = "import gc, resource, sys\nresource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) << 20,) * 2)\n\
        class Loop: pass\nfor _ in range(1000):\n    loop = Loop()\n    loop.me = loop\n\
        gc.collect()\ndef fill(make):\n    kept = []\n    try:\n        while True: kept.append(make())\n\
        \x20   except MemoryError: pass\n    return len(kept) > 0\n\
        print(fill(lambda: b'x' * (8 << 20)), fill(lambda: b'x' * 100000), fill(lambda: 'x' * 3000))\n\
        sys.exit(7)\n";
    for (limit, mode) in [("120", "survivors"), ("200", "full")] {
        let place = Place::with(program);
        let alone = place.alone(&python.path, &["app.py", limit]);
        if alone.status.code() != Some(7) {
            // This CPython does not survive it itself.
            continue;
        }
        let recorded = place.recorded(&["--events", mode], &python.path, &["app.py", limit]);
        let said = text(&recorded.stderr);
        assert_eq!(
            (recorded.status.code(), text(&recorded.stdout)),
            (alone.status.code(), text(&alone.stdout)),
            "{python}: {said}"
        );
        assert!(said.contains("out of memory: recording stopped, the program goes on"), "{python}: {said}");
        // What was recorded until then is there.
        let contents = crate::record::read(&place.path().join("app.reftrace"));
        assert_eq!(contents.ending, Some(Ending::Open), "{python}");
        let (_, report) = checked(&place.path().join("app.reftrace"));
        assert_eq!(report["inputs"][0]["stopped"], "out of memory", "{python} {limit}");
        assert!(contents.garbage.get("__main__.Loop").is_some_and(|&loops| loops <= 1000), "{python} {limit}");
    }
}

fn what_a_finalizer_asks_for_waits_until_the_collection_ends(python: &Python) {
    let program = |asked: &str| {
        format!(
            "import gc, os, signal, sys\ngc.disable()\nclass Loop:\n    def __init__(self): self.me = self\n\
             \x20   def __del__(self): {asked}\nfor _ in range(3): Loop()\ngc.collect()\nprint('done')\n"
        )
    };
    // A checkpoint, of which there is one then, and one at the end.
    let place = Place::with(&program("os.kill(os.getpid(), signal.SIGUSR2)"));
    let recorded = place.recorded(&["--signal", "usr2"], &python.path, &["app.py"]);
    assert_eq!(text(&recorded.stdout), "done\n", "{python}: {}", text(&recorded.stderr));
    let contents = crate::record::read(&place.path().join("app.reftrace"));
    assert_eq!((contents.full_checkpoints, contents.garbage["__main__.Loop"]), (2, 3), "{python}");
    // The end: what was garbage then is not known.
    let place = Place::with(&program("os._exit(4)"));
    let recorded = place.recorded(&[], &python.path, &["app.py"]);
    assert_eq!(recorded.status.code(), Some(4), "{python}: {}", text(&recorded.stderr));
    let (_, report) = checked(&place.path().join("app.reftrace"));
    assert_eq!(report["inputs"][0]["stopped"], "the process ended in a finalizer", "{python}");
    assert_eq!(
        (&report["inputs"][0]["known"], &report["loops"][0]["count"]),
        (&"collections".into(), &3.into()),
        "{python}"
    );
}
