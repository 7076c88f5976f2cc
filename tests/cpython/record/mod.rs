//! Recorded programs behave as they do alone, and their traces read to the end, on each CPython at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::pythons::{Python, say_once};
use crate::support::refloop;
use refloop::trace::{Ending, Event, Scope, Tag, TypeId, formats};
use serde_json::Value;

on_each_python! {
    a_script_sees_its_arguments_its_name_and_its_modules_as_alone,
    exceptions_and_exit_codes_come_through,
    threads_asyncio_and_a_replaced_stdout_work,
    the_collector_finds_what_it_finds_alone,
    forks_workers_and_subprocesses_write_traces_of_their_own,
    a_child_that_is_killed_is_told_and_what_helps,
    a_new_recording_takes_the_place_of_the_old_one_with_its_children,
    a_signal_that_kills_the_program_leaves_a_trace_to_the_last_record,
    a_signal_that_comes_at_the_end_waits_for_the_last_checkpoint,
    checkpoints_come_on_a_signal_at_marks_and_at_intervals,
    each_object_has_the_stack_that_made_it_whatever_called_last,
    the_full_log_has_each_birth_and_each_death,
    the_garbage_of_each_collection_is_written_as_it_begins,
    the_end_of_a_sub_interpreter_is_not_the_end_of_the_recording,
    a_recording_of_a_sane_program_has_no_anomalies,
    the_recorder_is_not_in_the_trace,
    a_program_that_closes_every_descriptor_keeps_its_own_files_and_its_trace,
    a_full_disk_stops_the_recording_and_not_the_program,
    what_cannot_be_recorded_runs_all_the_same_and_one_sentence_says_why,
    collections_that_were_not_seen_are_counted_and_the_gate_does_not_pass,
    a_trace_that_a_live_process_writes_is_not_replaced,
    children_that_are_not_recorded_have_the_environment_that_they_have_alone,
    children_with_too_few_objects_of_their_own_leave_no_trace,
}

/// A folder with a program in it.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn with(program: &str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        std::fs::write(place.0.path().join("app.py"), program).unwrap();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, mut command: Command) -> Output {
        command.current_dir(self.0.path()).env("PYTHONHASHSEED", "0").env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::null()).output().unwrap()
    }

    pub(crate) fn alone(&self, python: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(python);
        command.args(words);
        self.run(command)
    }

    pub(crate) fn recorded(&self, options: &[&str], python: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
        command.arg("record").args(["-o", "app.reftrace"]).args(options).arg("--").arg(python).args(words);
        self.run(command)
    }

    /// All traces, the program's own first.
    pub(crate) fn traces(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.path()).unwrap().flatten().map(|entry| entry.path());
        let mut traces: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|extension| extension == "reftrace")).collect();
        traces.sort_by_key(|path| (path.file_name().unwrap().len(), path.clone()));
        for path in &traces {
            read(path);
        }
        traces
    }
}

/// What a trace says, as far as these tests ask.
#[derive(Default)]
pub(crate) struct Contents {
    pub ending: Option<Ending>,
    /// Of the whole heap, or of what a forked process has of its own.
    pub full_checkpoints: usize,
    /// Live objects of each type at the end.
    pub live: BTreeMap<String, usize>,
    /// Objects of each type ever.
    pub ever: BTreeMap<String, usize>,
    /// Types of the objects in `checkpoint garbage`.
    pub garbage: BTreeMap<String, usize>,
    addresses: BTreeSet<u64>,
    marks: Vec<String>,
    /// Innermost first: the functions of the stacks of the objects of each type.
    pub stacks: BTreeMap<String, BTreeSet<Vec<String>>>,
    collections: Vec<(u64, u64)>,
}

pub(crate) fn read(path: &Path) -> Contents {
    let mut events = formats::open(path).unwrap();
    let mut contents = Contents::default();
    let mut types = BTreeMap::new();
    let mut objects: BTreeMap<Tag, TypeId> = BTreeMap::new();
    let (mut texts, mut sites) = (BTreeMap::new(), BTreeMap::new());
    let mut garbage = false;
    while let Some(event) = events.next_event().unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        match event {
            Event::Type(class) => drop(types.insert(TypeId(class.id), class.name)),
            Event::Text(text) => drop(texts.insert(text.id, text.text)),
            Event::Site(site) => drop(sites.insert(site.id, site)),
            Event::Alloc { object, address, class, site, .. } => {
                assert!(objects.insert(object, class).is_none(), "{object:?} is born twice");
                contents.addresses.insert(address);
                let name: &String = types.get(&class).expect("a type is defined before its first object");
                *contents.ever.entry(name.clone()).or_default() += 1;
                let mut stack = Vec::new();
                let mut next = (site.0 != 0).then_some(site);
                while let Some(site) = next.and_then(|site| sites.get(&site)) {
                    stack.push(texts[&site.function].clone());
                    next = site.parent;
                }
                contents.stacks.entry(name.clone()).or_default().insert(stack);
            }
            Event::Retype { object, class } => *objects.get_mut(&object).unwrap() = class,
            Event::Free { object } => assert!(objects.remove(&object).is_some(), "{object:?} dies twice"),
            Event::Walk(scope) => garbage = scope == Scope::Garbage,
            Event::Count { object, .. } if garbage => {
                *contents.garbage.entry(types[&objects[&object]].clone()).or_default() += 1;
            }
            Event::Checkpoint(scope) => {
                garbage = false;
                contents.full_checkpoints += usize::from(scope != Scope::Garbage);
            }
            Event::Mark(mark) => contents.marks.push(format!("{} {}", mark.kind, mark.label)),
            Event::GcStop { collected, uncollectable } => contents.collections.push((collected, uncollectable)),
            _ => {}
        }
    }
    for class in objects.values() {
        *contents.live.entry(types[class].clone()).or_default() += 1;
    }
    contents.ending = Some(events.ending());
    contents
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the gate answers, and its report.
pub(crate) fn checked(path: &Path) -> (Option<i32>, Value) {
    let output = refloop().args(["check", "-q", "--format", "json"]).arg(path).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap_or_else(|_| panic!("{}", text(&output.stderr))))
}

/// Runs the program alone and recorded, in each mode, on each interpreter, and compares.
fn behaves_alike(python: &Python, program: &str, words: &[&str]) {
    let place = Place::with(program);
    let alone = place.alone(&python.path, words);
    for options in [&["-q"][..], &["-q", "--events", "none"], &["-q", "--events", "full"]] {
        let recorded = place.recorded(options, &python.path, words);
        let context = format!("{python} {options:?}");
        assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{context}");
        assert_eq!(text(&recorded.stderr), text(&alone.stderr), "{context}");
        assert_eq!(recorded.status.code(), alone.status.code(), "{context}");
        assert!(place.traces()[0].ends_with("app.reftrace"), "{context}");
    }
}

fn a_script_sees_its_arguments_its_name_and_its_modules_as_alone(python: &Python) {
    let program = "import sys, os\nprint(sys.argv, __name__, __file__, sys.path[0] == os.getcwd(), 'sitecustomize' in sys.modules)\n\
                   print([p for p in sys.path if 'refloop' in p], sorted(m for m in dir(__builtins__))[:3])\n";
    behaves_alike(python, program, &["app.py", "-x", "a b"]);
    behaves_alike(python, program, &["-m", "app", "y"]);
    behaves_alike(python, "", &["-c", "import sys; print(sys.argv, __name__)", "z"]);
}

fn exceptions_and_exit_codes_come_through(python: &Python) {
    behaves_alike(python, "def f():\n    return 1 / 0\nf()\n", &["app.py"]);
    behaves_alike(python, "import sys\nsys.exit(7)\n", &["app.py"]);
    behaves_alike(python, "import sys\nsys.exit('said on the way out')\n", &["app.py"]);
    behaves_alike(python, "import os\nprint('now', flush=True)\nos._exit(9)\n", &["app.py"]);
    behaves_alike(
        python,
        "def f(n): return f(n + 1)\ntry:\n    f(0)\nexcept RecursionError as e:\n    print(e)\n",
        &["app.py"],
    );
}

fn threads_asyncio_and_a_replaced_stdout_work(python: &Python) {
    behaves_alike(
        python,
        "import asyncio, io, sys, threading\n\
         def work(n):\n    kept = [dict(a=i) for i in range(n)]\n    done.append(len(kept))\n\
         done = []\n\
         threads = [threading.Thread(target=work, args=(2000,)) for _ in range(4)]\n\
         [t.start() for t in threads]\n[t.join() for t in threads]\nprint(done)\n\
         async def one(i):\n    await asyncio.sleep(0)\n    return i\n\
         async def main():\n    print(await asyncio.gather(*[one(i) for i in range(50)]))\n\
         asyncio.run(main())\n\
         sys.stdout = io.StringIO()\nprint('unseen')\nsys.stdout = None\n",
        &["app.py"],
    );
}

fn the_collector_finds_what_it_finds_alone(python: &Python) {
    behaves_alike(
        python,
        "import gc\n\
         class Node:\n    pass\n\
         def loop(n):\n    for _ in range(n):\n        a, b = Node(), Node()\n        a.other, b.other = b, a\n\
         gc.disable()\nloop(10)\nprint(gc.collect())\nloop(3)\nprint(gc.collect(0))\n\
         gc.set_debug(gc.DEBUG_SAVEALL)\nloop(2)\nprint(gc.collect(), len(gc.garbage))\ngc.garbage.clear()\n",
        &["app.py"],
    );
}

fn forks_workers_and_subprocesses_write_traces_of_their_own(python: &Python) {
    let program = "import multiprocessing, os, subprocess, sys\n\
        class Kept:\n    pass\n\
        def work(n):\n    global kept\n    kept = [Kept() for _ in range(n)]\n\
        if __name__ == '__main__':\n\
        \x20   pid = os.fork()\n\
        \x20   if pid == 0:\n        work(30)\n        os._exit(3)\n\
        \x20   print(os.WEXITSTATUS(os.waitpid(pid, 0)[1]))\n\
        \x20   for way in ['fork', 'spawn']:\n\
        \x20       worker = multiprocessing.get_context(way).Process(target=work, args=(20,))\n\
        \x20       worker.start(); worker.join(); print(worker.exitcode)\n\
        \x20   print(subprocess.check_output([sys.executable, '-c', 'print(1 + 1)']))\n";
    let place = Place::with(program);
    let recorded = place.recorded(&["-q"], &python.path, &["app.py"]);
    assert_eq!(text(&recorded.stdout), "3\n0\n0\nb'2\\n'\n", "{python}: {}", text(&recorded.stderr));
    let traces = place.traces();
    let kept: Vec<usize> = traces
        .iter()
        .map(|path| {
            let live = read(path).live;
            live.iter().filter(|(name, _)| name.ends_with("Kept")).map(|(_, n)| n).sum()
        })
        .collect();
    let count = |wanted| kept.iter().filter(|&&n| n == wanted).count();
    assert_eq!((count(30), count(20)), (1, 2), "{python}: {kept:?}");
    let complete = traces.iter().filter(|path| read(path).ending == Some(Ending::Complete)).count();
    assert!(complete >= 5, "{python}: {complete} of {} traces are complete", traces.len());
}

fn a_child_that_is_killed_is_told_and_what_helps(python: &Python) {
    let kill = "import os\npid = os.fork()\nif not pid: os.kill(os.getpid(), 9)\nos.waitpid(pid, 0)\n";
    let recorded = Place::with(kill).recorded(&[], &python.path, &["app.py"]);
    let said = text(&recorded.stderr);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("refloop: 1 child process has no last checkpoint: "), "{said}");
    // Bytes as every page has them.
    assert!(said.contains(" KB"), "{said}");
}

fn a_new_recording_takes_the_place_of_the_old_one_with_its_children(python: &Python) {
    let place = Place::with("import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n");
    let other = place.0.path().join("app.1.reftrace");
    std::fs::write(&other, "reftrace 1 runtime=mine pointer=8 pid=1\n").unwrap();
    place.recorded(&["-q"], &python.path, &["app.py"]);
    let first = place.traces();
    place.recorded(&["-q"], &python.path, &["app.py"]);
    let second = place.traces();
    assert_eq!((first.len(), second.len()), (3, 3), "{second:?}");
    // The program's own trace, and the one that nobody recorded.
    let kept: Vec<&PathBuf> = first.iter().filter(|path| second.contains(path)).collect();
    assert_eq!(kept, [&place.0.path().join("app.reftrace"), &other]);
}

fn a_signal_that_kills_the_program_leaves_a_trace_to_the_last_record(python: &Python) {
    let program = "import gc, os, signal, sys\nimport _refloop\n\
        class Node:\n    pass\n\
        kept = [Node() for _ in range(500)]\n_refloop.checkpoint()\n\
        which = getattr(signal, sys.argv[1])\n\
        if which != signal.SIGKILL:\n    signal.signal(which, signal.SIG_DFL)  # nohup ignores it\n\
        os.kill(os.getpid(), which)\n";
    for (signal, code) in [("SIGKILL", 137), ("SIGHUP", 129)] {
        let place = Place::with(program);
        let recorded = place.recorded(&[], &python.path, &["app.py", signal]);
        assert_eq!(recorded.status.code(), Some(code));
        assert!(text(&recorded.stderr).contains("without its last checkpoint"), "{}", text(&recorded.stderr));
        let contents = read(&place.traces()[0]);
        assert_eq!((contents.ending, contents.full_checkpoints), (Some(Ending::Open), 1));
        assert_eq!(contents.live["__main__.Node"], 500);
    }
}

fn a_signal_that_comes_at_the_end_waits_for_the_last_checkpoint(python: &Python) {
    // Nobody handles the alarm, and the walk over so many objects takes longer than it.
    let program = "import signal\nkept = [[i] for i in range(300000)]\n\
        signal.setitimer(signal.ITIMER_REAL, 0.02)\n";
    let place = Place::with(program);
    let recorded = place.recorded(&["-q"], &python.path, &["app.py"]);
    let contents = read(&place.traces()[0]);
    assert_eq!((contents.ending, contents.full_checkpoints), (Some(Ending::Complete), 1), "{python}");
    assert!(!recorded.status.success(), "{python}: the alarm was lost");
}

fn checkpoints_come_on_a_signal_at_marks_and_at_intervals(python: &Python) {
    let program = "import os, signal, time\nimport _refloop\n\
        os.kill(os.getpid(), signal.SIGUSR2)\n\
        _refloop.mark('test', 'a label')\n\
        end = time.time() + 1.2\n\
        while time.time() < end:\n    [[] for _ in range(100)]\n";
    let place = Place::with(program);
    let recorded = place.recorded(&["-q", "--every", "0.4", "--signal", "USR2"], &python.path, &["app.py"]);
    assert_eq!(recorded.status.code(), Some(0), "{}", text(&recorded.stderr));
    let contents = read(&place.traces()[0]);
    assert!(contents.full_checkpoints >= 4, "{python}: {} checkpoints", contents.full_checkpoints);
    assert_eq!(contents.marks, ["test a label"]);
}

fn each_object_has_the_stack_that_made_it_whatever_called_last(python: &Python) {
    // The first list rests in a free list, without the bypass, and gives its stack to the next.
    let program = "class Leaf:\n    pass\n\
        def inner():\n    return Leaf()\n\
        def left():\n    return inner()\n\
        def right():\n    return inner()\n\
        def deep(n):\n    return deep(n - 1) if n else Leaf()\n\
        def generate():\n    while True:\n        yield Leaf()\n\
        def first(g):\n    return next(g)\n\
        def second(g):\n    return next(g)\n\
        def main():\n    g = generate()\n    return [left(), right(), left(), deep(100), first(g), second(g), right()]\n\
        kept = main()\n";
    let stack = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let place = Place::with(program);
    place.recorded(&["-q", "--stack-depth", "8"], &python.path, &["app.py"]);
    let contents = read(&place.traces()[0]);
    let expected = BTreeSet::from([
        stack("inner left main <module>"),
        stack("inner right main <module>"),
        stack("deep deep deep deep deep deep deep deep"),
        stack("generate first main <module>"),
        stack("generate second main <module>"),
    ]);
    assert_eq!(contents.stacks["__main__.Leaf"], expected, "{python}");
}

fn the_full_log_has_each_birth_and_each_death(python: &Python) {
    let program = "class Short:\n    pass\n\
        def make():\n    for _ in range(1000):\n        Short()\n\
        make()\nkept = [Short() for _ in range(5)]\n";
    let place = Place::with(program);
    place.recorded(&["-q", "--events", "full"], &python.path, &["app.py"]);
    let contents = read(&place.traces()[0]);
    assert_eq!(contents.ever["__main__.Short"], 1005, "{python}");
    assert_eq!(contents.live["__main__.Short"], 5, "{python}");
}

fn the_garbage_of_each_collection_is_written_as_it_begins(python: &Python) {
    let program = "import gc\ngc.disable()\n\
        class Loop:\n    pass\n\
        for _ in range(7):\n    a = Loop(); a.me = a\n\
        del a\nprint(gc.collect())\n";
    let place = Place::with(program);
    place.recorded(&["-q"], &python.path, &["app.py"]);
    let contents = read(&place.traces()[0]);
    assert_eq!(contents.garbage["__main__.Loop"], 7, "{python}");
    assert_eq!(contents.live.get("__main__.Loop"), None, "{python}");
    assert!(contents.collections.iter().any(|&(collected, _)| collected >= 7), "{:?}", contents.collections);
}

fn the_end_of_a_sub_interpreter_is_not_the_end_of_the_recording(python: &Python) {
    let program = "try:\n    import _interpreters as sub\n    other = sub.create('legacy')\n\
        except ImportError:\n    import _xxsubinterpreters as sub\n    other = sub.create()\n\
        sub.run_string(other, 'import json')\nsub.destroy(other)\n\
        class Late: pass\nfor _ in range(100):\n    late = Late()\n    late.me = late\n";
    let place = Place::with(program);
    let recorded = place.recorded(&[], &python.path, &["app.py"]);
    assert_eq!(recorded.status.code(), Some(0), "{}", text(&recorded.stderr));
    assert!(!text(&recorded.stderr).contains("not recorded"), "{}", text(&recorded.stderr));
    let contents = read(&place.traces()[0]);
    assert_eq!(contents.ever.get("__main__.Late"), Some(&100), "{python}");
}

fn a_recording_of_a_sane_program_has_no_anomalies(python: &Python) {
    // In a virtual environment next to nothing is imported: what the frozen modules of 3.11 hold without a count shows there.
    let place = Place::with("print(1)\n");
    let mut command = Command::new(&python.path);
    command.args(["-m", "venv", "--without-pip", "environment"]);
    if !place.run(command).status.success() {
        return say_once(format!("SKIPPED: {python} has no venv"));
    }
    place.recorded(&["-q"], &place.0.path().join("environment/bin/python"), &["app.py"]);
    let mut events = formats::open(&place.traces()[0]).unwrap();
    let heap = refloop::heap::replay(&mut *events, &mut (), &mut |_| {}).heap;
    assert!(heap.anomalies().is_empty(), "{python}: {:?}", heap.anomalies());
}

fn the_recorder_is_not_in_the_trace(python: &Python) {
    let place = Place::with("import gc\nprint(len(gc.callbacks))\n");
    place.recorded(&["-q", "--events", "full"], &python.path, &["app.py"]);
    let contents = read(&place.traces()[0]);
    let functions: Vec<&Vec<String>> = contents
        .stacks
        .values()
        .flatten()
        .filter(|stack| stack.iter().any(|name| name == "_start" || name == "_main"))
        .collect();
    assert!(functions.is_empty(), "{python}: {functions:?}");
}

fn a_program_that_closes_every_descriptor_keeps_its_own_files_and_its_trace(python: &Python) {
    let program = "import os\nprint(sorted(os.listdir('/proc/self/fd')))\nos.closerange(3, 300)\n\
        mine = open('mine', 'w+')\nmine.write('mine')\nmine.flush()\n\
        kept = [(i, str(i)) for i in range(100000)]\nmine.seek(0)\nprint(mine.read(), len(kept))\n";
    behaves_alike(python, program, &["app.py"]);
}

fn collections_that_were_not_seen_are_counted_and_the_gate_does_not_pass(python: &Python) {
    let program = "import gc\ngc.disable()\nclass Node: pass\n\
        def make():\n    for _ in range(100):\n        node = Node()\n        node.me = node\n\
        seen = gc.collect()\nkept, gc.callbacks[:] = gc.callbacks[:], []\n\
        make()\nprint(gc.collect(), gc.collect(), gc.collect())\n{}\nprint(len(gc.callbacks))\n";
    // The program may put the function back itself, or not.
    for (put_back, left) in [("pass", "0"), ("gc.callbacks[:] = kept", "1")] {
        let place = Place::with(&program.replace("{}", put_back));
        let recorded = place.recorded(&["-q"], &python.path, &["app.py"]);
        let freed = text(&recorded.stdout).split_whitespace().map(str::to_string).collect::<Vec<_>>();
        assert_eq!((freed[1].as_str(), freed[2].as_str(), freed[3].as_str()), ("0", "0", left), "{python}");
        let replayed = refloop::heap::replay(&mut *formats::open(&place.traces()[0]).unwrap(), &mut (), &mut |_| {});
        assert_eq!(replayed.heap.blind_spots().missed_collections, 3, "{python} {put_back}");
        let check = crate::support::refloop()
            .current_dir(place.0.path())
            .args(["check", "-q"])
            .arg(&place.traces()[0])
            .output()
            .unwrap();
        let said = format!("{}{}", text(&check.stdout), text(&check.stderr));
        assert_eq!(check.status.code(), Some(3), "{python}: {said}");
        assert!(said.contains("error: collections were not seen"), "{python}: {said}");
    }
    // Another collection at the end is seen again.
    let seen = format!("{}gc.collect()\n", program.replace("{}", "gc.callbacks[:] = kept"));
    let place = Place::with(&seen);
    place.recorded(&["-q"], &python.path, &["app.py"]);
    let replayed = refloop::heap::replay(&mut *formats::open(&place.traces()[0]).unwrap(), &mut (), &mut |_| {});
    assert_eq!(replayed.heap.blind_spots().missed_collections, 3, "{python}");
}

fn a_trace_that_a_live_process_writes_is_not_replaced(python: &Python) {
    let place = Place::with("import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n");
    let trace = place.0.path().join("same.reftrace");
    let start = || {
        let mut command = crate::support::refloop();
        command
            .current_dir(place.0.path())
            .args(["record", "-o"])
            .arg(&trace)
            .arg("--")
            .arg(&python.path)
            .arg("app.py");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut first = start();
    let mut line = String::new();
    BufReader::new(first.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "{python}");
    // The end of its input lets the program go on.
    let second = start().wait_with_output().unwrap();
    assert_eq!((second.status.code(), text(&second.stdout).as_str()), (Some(0), "ready\n"), "{python}");
    let said = text(&second.stderr);
    assert!(said.contains("is writing it, so it is not replaced"), "{python}: {said}");
    let first = first.wait_with_output().unwrap();
    assert!(text(&first.stderr).contains("1 checkpoint"), "{python}: {}", text(&first.stderr));
    assert_eq!(
        refloop::trace::open(&trace)
            .and_then(|mut events| {
                while events.next_event()?.is_some() {}
                Ok(events.ending())
            })
            .unwrap(),
        refloop::trace::Ending::Complete,
        "{python}"
    );
}

fn children_that_are_not_recorded_have_the_environment_that_they_have_alone(python: &Python) {
    let program = "import os, subprocess, sys\n\
        child = 'import os; print(sorted(k for k in os.environ if k[:6] == \"REFLOO\"), os.environ.get(\"PYTHONPATH\"))'\n\
        sys.stdout.write(subprocess.run([sys.executable, '-c', child], stdout=subprocess.PIPE).stdout.decode())\n\
        if os.fork() == 0:\n    kept = [[] for _ in range(1000)]\n    os._exit(0)\n\
        os.wait()\n";
    let place = Place::with(program);
    for path in [None, Some("/somewhere:/else")] {
        let set = |command: &mut Command| match path {
            Some(path) => drop(command.env("PYTHONPATH", path)),
            None => drop(command.env_remove("PYTHONPATH")),
        };
        let mut alone = Command::new(&python.path);
        set(alone.arg("app.py"));
        let alone = place.run(alone);
        let mut recorded = crate::support::refloop();
        recorded.args(["record", "-q", "--no-children", "-o", "only.reftrace", "--"]).arg(&python.path).arg("app.py");
        set(&mut recorded);
        let recorded = recorded.current_dir(place.0.path()).output().unwrap();
        assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python}: {}", text(&recorded.stderr));
        assert_eq!(place.traces().len(), 1, "{python}: {:?}", place.traces());
    }
}

fn children_with_too_few_objects_of_their_own_leave_no_trace(python: &Python) {
    let program = "import os\n\
        for made in [0, 10, 5000]:\n    if os.fork() == 0:\n        kept = [[] for _ in range(made)]\n        os._exit(made % 7)\n\
        \x20   print(os.wait()[1] >> 8)\n";
    let place = Place::with(program);
    let alone = place.alone(&python.path, &["app.py"]);
    let recorded = place.recorded(&["--children-from", "1000"], &python.path, &["app.py"]);
    let said = text(&recorded.stderr);
    assert_eq!(text(&recorded.stdout), text(&alone.stdout), "{python}: {said}");
    assert!(said.contains("2 child processes with fewer objects of their own left no trace"), "{python}: {said}");
    let traces = place.traces();
    assert_eq!(traces.len(), 2, "{python}: {traces:?}");
    assert!(read(&traces[1]).live["list"] >= 5000, "{python}");
}

fn a_full_disk_stops_the_recording_and_not_the_program(python: &Python) {
    // A limit on the size of files is the full disk of the poor.
    let program = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n\
        kept = [(i, str(i)) for i in range(200000)]\nprint(len(kept))\n";
    let place = Place::with(program);
    let recorded = place.recorded(&["--events", "full"], &python.path, &["app.py"]);
    assert_eq!(text(&recorded.stdout), "200000\n");
    assert_eq!(recorded.status.code(), Some(0));
    let said = text(&recorded.stderr);
    assert!(said.contains("recording stopped, the program goes on"), "{python}: {said}");
    place.traces();
}

fn what_cannot_be_recorded_runs_all_the_same_and_one_sentence_says_why(python: &Python) {
    let place = Place::with("import sys\nprint('ran')\nsys.exit(4)\n");
    for (options, words, reason) in [
        (
            &["-o", "/dev/null/app.reftrace"][..],
            &["app.py"][..],
            "is recorded: /dev/null/app.reftrace: not a directory",
        ),
        (&["-o", "/dev/zero"], &["app.py"], "is recorded: /dev/zero: not a regular file"),
        (&[], &["-I", "app.py"], "was recorded: Python was started with -I, which keeps it from loading the recorder"),
        (&[], &["-S", "app.py"], "was recorded: Python was started with -S, which keeps it from loading the recorder"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
        command.arg("record").args(options).arg("--").arg(&python.path).args(words);
        let recorded = place.run(command);
        assert_eq!(text(&recorded.stdout), "ran\n");
        assert_eq!(text(&recorded.stderr), format!("refloop: nothing {reason}\n"));
        assert_eq!(recorded.status.code(), Some(4));
    }
    // What must be recorded ends otherwise.
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.args(["record", "--require", "-o", "app.reftrace", "--"]).arg(&python.path).args(["-S", "app.py"]);
    let recorded = place.run(command);
    assert_eq!((text(&recorded.stdout).as_str(), recorded.status.code()), ("ran\n", Some(3)));
    let said = text(&recorded.stderr);
    assert!(said.ends_with("error: nothing was recorded, and the program ended with 4\n"), "{said}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.args(["record", "--require", "-q", "-o", "app.reftrace", "--"]).arg(&python.path).arg("app.py");
    let recorded = place.run(command);
    assert_eq!((text(&recorded.stderr).as_str(), recorded.status.code()), ("", Some(4)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.args(["record", "-o", "app.py", "--"]).arg(&python.path).arg("app.py");
    let recorded = place.run(command);
    let reason = "app.py: is there already and no trace, so it is not replaced";
    assert!(text(&recorded.stderr).contains(reason), "{}", text(&recorded.stderr));
    assert_eq!((text(&recorded.stdout).as_str(), recorded.status.code()), ("ran\n", Some(4)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.args(["record", "--", "no-such-python", "app.py"]);
    let recorded = place.run(command);
    assert_eq!(text(&recorded.stderr), "error: no-such-python: no such file or directory\n");
    assert_eq!(recorded.status.code(), Some(3));
}
