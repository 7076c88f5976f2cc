//! Records programs that grow from a root, and programs that only warm up.

use crate::each::record;
use crate::support::pythons::Python;
use crate::support::{refloop, root};

on_each_python! { what_grows_is_named_by_container_and_line_and_what_warms_up_is_not }

/// Each program, with the path of its container, and where it matters how far it grew, and the function that fills it.
const PROGRAMS: [(&str, &str, &str); 26] = [
    ("module_cache", "__main__.CACHE", "module_cache"),
    ("singleton_list", "__main__.SERVICE.events", "singleton_list"),
    ("class_attribute", "__main__.Service.handlers", "class_attribute"),
    ("method_cache", "__main__.Service.report", "report"),
    ("logging_handlers", "__main__.LOG.handlers", "logging_handlers"),
    ("background_tasks", "__main__.TASKS", "background_tasks"),
    ("a_queue", "__main__.QUEUE.queue", "a_queue"),
    ("by_thread", "__main__.BY_THREAD[", "by_thread"),
    ("finalizers", "weakref.finalize._registry", "finalizers"),
    ("interned_keys", "__main__.NAMES", ""),
    ("text_keys", "__main__.SEEN.names", "__init__"),
    ("thread_local", "__main__.CONTEXT", "thread_local"),
    ("fork_hooks", "os.register_at_fork(before)", "fork_hooks"),
    ("users", "__main__.USERS[*]", "users"),
    ("linked_list", "__main__.Chain.head.following…", "linked_list"),
    ("replaced_tuple", "__main__.ITEMS", "replaced_tuple"),
    ("linked_both_ways", "__main__.Both.head.following… at most 100 → 598 references", "linked_both_ways"),
    ("ordered_dict", "__main__.ORDERED 100 → 600 references", "ordered_dict"),
    ("written", "__main__.WRITTEN", "written"),
    ("written_text", "__main__.TEXT", ""),
    ("a_buffer", "__main__.BUFFER", "<module>"),
    ("an_array", "__main__.SAMPLES", "<module>"),
    ("a_text", "__main__.Log.text", "a_text"),
    ("small_buffers", "__main__.Log.parts[*]", ""),
    ("the_same_object", "__main__.SAME", ""),
    ("a_deque", "__main__.RECENT", ""),
];

/// Programs whose memory does not grow, though something in it does for a while.
const BOUNDED: [&str; 3] = ["cleared_cache", "replaced_list", "truncated_buffer"];

fn analysis(python: &Python, name: &str, mode: &str) -> String {
    let place = tempfile::tempdir().expect("a directory");
    let trace = place.path().join("growth.reftrace");
    record(
        &python.path,
        &["--signal", "usr2"],
        &trace,
        &root().join("tests/cpython/growth/programs.py"),
        &[name, mode],
    );
    let page = refloop().args(["analyze", "-q"]).arg(&trace).output().expect("refloop runs");
    String::from_utf8(page.stdout).expect("text")
}

/// The lines of the chapter on growth.
fn chapter(page: &str) -> Vec<&str> {
    page.lines().skip_while(|line| !line.starts_with("GROWTH")).take_while(|line| !line.is_empty()).collect()
}

fn what_grows_is_named_by_container_and_line_and_what_warms_up_is_not(python: &Python) {
    for (name, path, function) in PROGRAMS {
        let page = analysis(python, name, "grow");
        let chapter = chapter(&page).join("\n");
        let first_lines: String = page.lines().take(10).collect();
        assert!(first_lines.contains(path), "{python} {name}: {path} is not in the first lines of:\n{page}");
        assert!(first_lines.contains(function), "{python} {name}: {function} is not in the first lines of:\n{page}");
        let path = path.split(' ').find(|word| word.contains('.')).unwrap_or(path);
        assert!(chapter.contains(path), "{python} {name}: {path} is not in:\n{page}");
        assert!(chapter.contains(function), "{python} {name}: {function} is not in:\n{page}");
        assert!(chapter.lines().count() <= 10, "{python} {name}: {chapter}");
        assert_nothing_grows(python, name, "warm");
    }
    BOUNDED.iter().for_each(|name| assert_nothing_grows(python, name, "grow"));
}

fn assert_nothing_grows(python: &Python, name: &str, mode: &str) {
    let page = analysis(python, name, mode);
    assert!(page.contains("no container kept growing from look to look at the heap"), "{python} {name}:\n{page}");
}
