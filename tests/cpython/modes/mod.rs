//! The modes of `record --events`: what a recording without births leaves out, and that it finds the same loops, unseen.

mod bytes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::bytes::bytes_are_the_same_in_each_mode_or_at_least_so_many;
use crate::each::{record, report};
use crate::support::pythons::Python;
use crate::support::{refloop, root};

on_each_python! {
    what_a_program_sees_of_a_collection_is_what_it_sees_alone,
    each_mode_finds_the_same_loops_and_says_the_same_of_them,
    what_comes_back_from_the_dead_is_one_loop,
    garbage_that_nobody_collects_is_found_at_marks_and_at_the_end,
    a_sub_interpreter_and_a_fork_are_recorded_without_births,
    tracemalloc_may_take_the_hook_away,
    what_is_not_recorded_is_not_known_on_any_page,
    a_look_behind_a_list_finds_what_was_made_after_it,
    a_gate_is_not_green_where_nothing_tells_whose_a_loop_is,
    what_leaks_again_has_the_stack_of_its_birth,
    what_named_code_makes_has_the_stack_of_its_birth,
    no_object_has_the_stack_of_another,
    bytes_are_the_same_in_each_mode_or_at_least_so_many,
}

/// Records a program text, and gives what it printed with the report of its trace.
fn recorded(python: &Python, folder: &Path, mode: &str, program: &str) -> (String, Value) {
    std::fs::write(folder.join("app.py"), program).unwrap();
    let trace = folder.join("app.reftrace");
    let output = record(&python.path, &["--events", mode], &trace, &folder.join("app.py"), &[]);
    (String::from_utf8(output.stdout).unwrap(), report("analyze", &trace))
}

fn loops(report: &Value) -> BTreeMap<&str, &Value> {
    let rows = report["loops"].as_array().unwrap().iter();
    rows.map(|row| (row["path"].as_str().unwrap(), row)).collect()
}

fn what_a_program_sees_of_a_collection_is_what_it_sees_alone(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let program = root().join("tests/cpython/modes/unseen.py");
    let alone = std::process::Command::new(&python.path).arg(&program).output().unwrap();
    for mode in ["none", "leaks"] {
        let watched = record(&python.path, &["--events", mode], &folder.path().join("app.reftrace"), &program, &[]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&watched.stdout), text(&alone.stdout), "{python} {mode}");
        assert_eq!(text(&watched.stderr), text(&alone.stderr), "{python} {mode}");
    }
}

/// What is the same whatever was recorded of births: of the reference to cut, where no stack tells more, too.
const SAME: [&str; 7] = ["fingerprint", "path", "steps", "count", "objects", "gc_objects", "collected"];

fn each_mode_finds_the_same_loops_and_says_the_same_of_them(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let program = std::fs::read_to_string(root().join("fixtures/programs/loops.py")).unwrap();
    // Once for a collection of all, once for one of the youngest, once for the end. The others, which come when they like,
    // find what a loop holds in different loops.
    let program = format!(
        "import gc\ngc.disable()\n{program}\nfor _ in range(20):\n    main()\ngc.collect()\nmain()\ngc.collect(0)\nmain()\n"
    );
    let (_, survivors) = recorded(python, folder.path(), "survivors", &program);
    let known = loops(&survivors);
    assert!(known.len() >= 16, "{python}: {:?}", known.keys());
    for mode in ["none", "leaks", "full"] {
        let (_, other) = recorded(python, folder.path(), mode, &program);
        let found = loops(&other);
        assert!(known.keys().eq(found.keys()), "{python} {mode}: {:?}, {:?}", known.keys(), found.keys());
        for (path, row) in &known {
            for key in SAME {
                assert_eq!(row[key], found[path][key], "{python} {mode}: {key} of {path}");
            }
            // Whose objects without a file of their own are, stacks alone tell.
            let is_unknown = mode != "full" && found[path]["owner"] == "not known" && row["owner"] == "application";
            assert!(row["owner"] == found[path]["owner"] || is_unknown, "{python} {mode}: {}", found[path]);
            assert_eq!(row["types"]["members"], found[path]["types"]["members"], "{python} {mode}: members of {path}");
            assert_eq!(row["cut"]["reference"], found[path]["cut"]["reference"], "{python} {mode}: {path}");
        }
        // A block may be bigger than what stands in it. What several loops hold is counted with one of them.
        for key in ["objects", "bytes"] {
            let of = |report: &Value| report["summary"]["cyclic_garbage"][key].as_f64().unwrap();
            let (known, found) = (of(&survivors), of(&other));
            assert!((known - found).abs() <= known / 50.0, "{python} {mode}: {key}: {known}, {found}");
        }
        assert_eq!(other["anomalies"], survivors["anomalies"], "{python} {mode}");
        assert_eq!(
            other["inputs"][0]["other_interpreters"], survivors["inputs"][0]["other_interpreters"],
            "{python} {mode}"
        );
    }
}

fn what_comes_back_from_the_dead_is_one_loop(python: &Python) {
    let program = "import gc\ngc.disable()\n\
        class Back:\n    def __init__(self): self.me = self\n    def __del__(self): kept.append(self)\n\
        kept = []\nfor _ in range(5): Back()\ngc.collect()\nprint(len(kept))\n\
        kept[2].me = None\nkept.clear()\nprint(gc.collect())\n";
    let folder = tempfile::tempdir().unwrap();
    for mode in ["survivors", "none", "leaks"] {
        let (printed, report) = recorded(python, folder.path(), mode, program);
        assert!(printed.starts_with("5\n"), "{python}: {printed}");
        let row = loops(&report)["Back.me → Back"].clone();
        assert_eq!((&row["count"], &row["collected"]), (&5.into(), &4.into()), "{python} {mode}");
        assert_eq!(report["anomalies"], Value::Array(Vec::new()), "{python} {mode}");
    }
}

fn garbage_that_nobody_collects_is_found_at_marks_and_at_the_end(python: &Python) {
    let program = "import _refloop, gc\ngc.disable()\nclass Node: pass\n\
        def make(n):\n    for _ in range(n):\n        node = Node()\n        node.me = node\n\
        make(3)\n_refloop.mark('iteration', 'second')\nprint(_refloop.sweep())\nmake(4)\n\
        frozen = Node()\nfrozen.me = frozen\ngc.freeze()\ndel frozen\n";
    let folder = tempfile::tempdir().unwrap();
    for mode in ["survivors", "none", "leaks"] {
        let (_, report) = recorded(python, folder.path(), mode, program);
        let row = loops(&report)["Node.me → Node"].clone();
        assert_eq!(row["count"], 8, "{python} {mode}");
        assert_eq!(row["marks"], serde_json::json!({"iteration second": 5}), "{python} {mode}");
    }
    // A program that leaks nothing is checked to its end, and one that is killed is not.
    let (_, report) = recorded(python, folder.path(), "none", "import gc\ngc.disable()\n");
    assert_eq!((&report["inputs"][0]["known"], &report["loops"][0]), (&"end".into(), &Value::Null), "{python}");
    std::fs::write(folder.path().join("app.py"), "import os\nos.kill(os.getpid(), 9)\n").unwrap();
    let trace = folder.path().join("app.reftrace");
    let mut command = refloop();
    command.args(["record", "-q", "--events", "none", "-o"]).arg(&trace).arg("--").arg(&python.path);
    assert_eq!(command.arg(folder.path().join("app.py")).output().unwrap().status.code(), Some(137), "{python}");
    assert_eq!(refloop().arg("check").arg(&trace).output().unwrap().status.code(), Some(3), "{python}");
}

fn a_sub_interpreter_and_a_fork_are_recorded_without_births(python: &Python) {
    let program = "import gc, os, sys\n\
        class Node: pass\n\
        def make(n):\n    for _ in range(n):\n        node = Node()\n        node.me = node\n\
        make(5)\n\
        try:\n    import _interpreters as sub\n    other = sub.create('legacy')\n\
        except ImportError:\n    import _xxsubinterpreters as sub\n    other = sub.create()\n\
        sub.run_string(other, 'import gc\\nx = []\\nx.append(x)\\ndel x\\ngc.collect()')\nsub.destroy(other)\n\
        gc.collect()\nmake(2)\n\
        child = os.fork()\nmake(3)\n\
        if child: os.waitpid(child, 0)\nelse: gc.collect()\n";
    for mode in ["none", "leaks"] {
        let folder = tempfile::tempdir().unwrap();
        let (_, report) = recorded(python, folder.path(), mode, program);
        assert_eq!(loops(&report)["Node.me → Node"]["count"], 10, "{python} {mode}");
        let traces = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_trace = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "reftrace");
        let child = { traces }.filter(is_trace).find(|path| !path.ends_with("app.reftrace")).unwrap();
        let child = self::report("analyze", &child);
        assert_eq!(loops(&child)["Node.me → Node"]["count"], 5, "{python} {mode}");
        assert_eq!(child["anomalies"], Value::Array(Vec::new()), "{python} {mode}");
    }
}

fn tracemalloc_may_take_the_hook_away(python: &Python) {
    let program = "import gc, tracemalloc\ngc.disable()\n\
        class Back:\n    def __init__(self): self.me = self\n    def __del__(self): kept.append(self)\n\
        kept = []\ntracemalloc.start()\nBack()\ngc.collect()\ntracemalloc.stop()\n\
        gc.collect()\ntracemalloc.start()\nBack()\ngc.collect()\nkept.clear()\ngc.collect()\ntracemalloc.stop()\n\
        print(len(kept))\n";
    let folder = tempfile::tempdir().unwrap();
    for mode in ["none", "leaks"] {
        let (printed, report) = recorded(python, folder.path(), mode, program);
        assert_eq!(printed, "0\n", "{python} {mode}");
        assert!(report["loops"][0]["count"].as_u64().unwrap() >= 2, "{python} {mode}: {}", report["loops"]);
        assert_eq!(report["inputs"][0]["known"], "end", "{python} {mode}");
    }
}

fn what_is_not_recorded_is_not_known_on_any_page(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let program = "class Node: pass\nkept = [Node() for _ in range(1000)]\nnode = Node()\nnode.me = node\ndel node\n";
    let (_, report) = recorded(python, folder.path(), "none", program);
    let summary = &report["summary"];
    for unknown in ["live_objects", "live_bytes", "live_types", "lost_objects", "lost_bytes"] {
        assert_eq!(summary[unknown], Value::Null, "{python}: {unknown}");
    }
    assert_eq!((&report["inputs"][0]["births"], &report["growth"]["known"]), (&"garbage".into(), &false.into()));
    let row = loops(&report)["Node.me → Node"].clone();
    assert_eq!((&row["site"], &row["orphaned"]), (&Value::Array(Vec::new()), &Value::Null), "{python}");
    let trace = folder.path().join("app.reftrace");
    let page = |command: &str| {
        let page = String::from_utf8(refloop().arg(command).arg(&trace).output().unwrap().stdout).unwrap();
        page.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let analysis = page("analyze");
    assert!(
        analysis.contains("only garbage is in the trace, and its bytes are at least what is told"),
        "{python}: {analysis}"
    );
    assert!(analysis.contains("defined at") && analysis.contains("class Node seen"), "{python}: {analysis}");
    assert!(analysis.contains("record --events survivors"), "{python}: {analysis}");
    assert!(page("check").contains(" class Node "), "{python}");
}

fn a_look_behind_a_list_finds_what_was_made_after_it(python: &Python) {
    // Also where a collection of the youngest generation has moved the list on. After any other, and after `gc.freeze`, the two
    // younger generations are looked at.
    let program = "import _refloop, gc\ngc.collect()\ngc.disable()\nclass Node: pass\n\
        def make(n):\n    for _ in range(n):\n        node = Node()\n        node.me = node\n\
        make(3)\nanchor = []\nmake(2)\nsince = _refloop.sweep_since(anchor)\n\
        print(since > 0, since * 5 == _refloop.sweep() * 2)\n\
        kept = []\ndef keep(n):\n    for _ in range(n):\n        node = Node()\n        node.me = node\n        kept.append(node)\n\
        keep(3)\nanchor = []\nkeep(2)\ngc.collect(0)\nkept.clear()\nprint(_refloop.sweep_since(anchor) == since)\n\
        gc.collect()\nmake(4)\nprint(_refloop.sweep_since(anchor) == since * 2)\n\
        gc.freeze()\nmake(2)\nprint(_refloop.sweep_since(anchor) == since)\n\
        for wrong in (7, (), None):\n    try: _refloop.sweep_since(wrong)\n    except TypeError as error: print(error)\n\
        anchor = []\nprint(_refloop.sweep_since(anchor))\n";
    let folder = tempfile::tempdir().unwrap();
    for mode in ["survivors", "leaks", "none"] {
        let (printed, report) = recorded(python, folder.path(), mode, program);
        let refused = "sweep_since takes a list\n".repeat(3);
        assert_eq!(printed, format!("True True\nTrue\nTrue\nTrue\n{refused}0\n"), "{python} {mode}");
        assert_eq!(loops(&report)["Node.me → Node"]["count"], 16, "{python} {mode}");
    }
}

/// The functions of a loop's stack, innermost first.
fn functions(row: &Value) -> Vec<&str> {
    row["site"].as_array().unwrap().iter().map(|frame| frame["function"].as_str().unwrap()).collect()
}

fn what_leaks_again_has_the_stack_of_its_birth(python: &Python) {
    let program = "import gc\ngc.disable()\n\
        class Node:\n    def __init__(self): self.me = self\n\
        class Once:\n    def __init__(self): self.me = self\n\
        def make():\n    Node()\n\
        def again():\n    make()\n\
        def closure():\n    def inner(): return inner\n\
        make()\nclosure()\nOnce()\ngc.collect()\n\
        again()\nclosure()\ngc.collect()\n";
    let folder = tempfile::tempdir().unwrap();
    let (_, report) = recorded(python, folder.path(), "leaks", program);
    let found = loops(&report);
    assert_eq!(functions(found["Node.me → Node"]), ["make", "again", "<module>"], "{python}");
    let inner = found["function inner → cell inner → function inner"];
    assert_eq!(functions(inner), ["closure", "<module>"], "{python}");
    assert_eq!((&inner["count"], &found["Node.me → Node"]["count"]), (&2.into(), &2.into()), "{python}");
    // What leaked once has none, and the page says where it stands, and what finds it.
    assert!(functions(found["Once.me → Once"]).is_empty(), "{python}");
    assert_eq!(found["Once.me → Once"]["definitions"][0]["function"], "class Once", "{python}");
    let checked = refloop().arg("check").arg(folder.path().join("app.reftrace")).output().unwrap();
    assert_eq!(checked.status.code(), Some(1), "{python}");
    let page = String::from_utf8(checked.stdout).unwrap();
    let words: Vec<&str> = page.split_whitespace().collect();
    assert!(words.join(" ").contains("refloop record --events survivors -- … finds it"), "{python}: {page}");
    assert!(page.contains(" class Once\n"), "{python}: {page}");
    let (_, report) = recorded(python, folder.path(), "survivors", program);
    assert_eq!(functions(loops(&report)["Once.me → Once"]), ["<module>"], "{python}");
}

fn what_named_code_makes_has_the_stack_of_its_birth(python: &Python) {
    let program = "import gc\ngc.disable()\n\
        class Node:\n    def __init__(self): self.me = self\n\
        class Other:\n    def __init__(self): self.me = self\n\
        class Fresh:\n    def __init__(self): self.me = self\n\
        def make():\n    Node()\n    kept = []\n    kept.append(kept)\n\
        def others():\n    Other()\n    space = {}\n    exec('def make():\\n    Fresh()', {'Fresh': Fresh}, space)\n    space['make']()\n\
        make()\nothers()\ngc.collect()\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.py"), program).unwrap();
    let trace = folder.path().join("app.reftrace");
    record(&python.path, &["--sites", "app.make"], &trace, &folder.path().join("app.py"), &[]);
    let report = report("analyze", &trace);
    let found = loops(&report);
    assert_eq!(functions(found["Node.me → Node"]), ["make", "<module>"], "{python}");
    // What other code makes, code that is only called as it is, and what a free list may keep has none.
    assert!(found.len() >= 4, "{python}: {found:?}");
    for (path, row) in found.iter().filter(|(path, _)| **path != "Node.me → Node") {
        assert!(functions(row).is_empty(), "{python}: {path} {}", row["site"]);
    }
    let refused = refloop().args(["record", "--sites", "app.*", "--events", "full", "--", "true"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{python}");
}

fn no_object_has_the_stack_of_another(python: &Python) {
    // Dicts, tuples and slotted objects of the sizes that `Node` has: some come from a free list, in the memory of another.
    // Once it has ceased, `Node` and the functions that made it are forgotten, and others are in their memory.
    let program = "import gc\ngc.disable()\n\
        class Node:\n    __slots__ = 'me', 'a', 'b', 'c'\n    def __init__(self): self.me = self\n\
        def leak(n):\n    for _ in range(n): Node()\n\
        def others():\n    for size in range(12):\n        kept = [{1: 2} for _ in range(90)] + [tuple([i] * size) for i in range(90)]\n\
        def loops():\n    for size in range(8):\n        a = {}\n        a['me'] = (a,) * size or a\n        b = []\n        b.append(b)\n\
        def made(n):\n    space = {}\n    exec('def f_%d():\\n' % n + '    pass\\n' * n + '    Node()', {'Node': Node}, space)\n    space['f_%d' % n]()\n\
        for n in range(40):\n    leak(20)\n    others()\n    loops()\n    made(n)\n    gc.collect()\n\
        for n in range(8):\n    loops()\n    gc.collect()\n\
        for n in range(100, 140):\n    others()\n    made(n)\n    made(n)\n    gc.collect()\n";
    let folder = tempfile::tempdir().unwrap();
    let (_, report) = recorded(python, folder.path(), "leaks", program);
    let found = loops(&report);
    assert_eq!(found["Node.me → Node"]["count"], 40 * 21 + 80, "{python}");
    // One where `leak` makes it, and one for each call of `made` but those in whose collection it leaks first or again.
    assert_eq!(found["Node.me → Node"]["other_sites"], 39 + 2 * 39, "{python}: {}", found["Node.me → Node"]);
    for (path, row) in &found {
        assert!(path.contains("Node") || functions(row).is_empty(), "{python}: {path} {}", row["site"]);
    }
}

fn a_gate_is_not_green_where_nothing_tells_whose_a_loop_is(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("app.py");
    let check = |mode: &str, text: &str| {
        let trace = folder.path().join(format!("{mode}.reftrace"));
        std::fs::write(&program, text).unwrap();
        record(&python.path, &["--events", mode], &trace, &program, &[]);
        let output = refloop().arg("check").arg(trace).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let of_the_librarys_class =
        "from types import SimpleNamespace\nspace = SimpleNamespace()\nspace.me = space\ndel space\n";
    let of_its_own_classes = "import enum, gc, ssl\ngc.collect()\n";
    for mode in ["none", "leaks", "survivors", "full"] {
        let (code, page) = check(mode, of_the_librarys_class);
        assert_eq!(code, Some(1), "{python} {mode}: {page}");
        let is_unknown = matches!(mode, "none" | "leaks");
        assert_eq!(page.contains("owner not known: no stack"), is_unknown, "{python} {mode}: {page}");
        assert_eq!(page.contains("survivors -- …"), is_unknown, "{python} {mode}: {page}");
        let (code, page) = check(mode, of_its_own_classes);
        assert_eq!(code, Some(0), "{python} {mode}: {page}");
    }
}
