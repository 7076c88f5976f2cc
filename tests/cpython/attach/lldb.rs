//! Attaches with lldb, where gdb is not to be used: what gdb brings, it brings too.

use super::{LOOPS, Running, has_debugger};
use crate::record::text;
use crate::support::pythons::Python;

on_each_python! { a_program_is_walked, a_copy_is_walked, a_recording_is_begun_and_ended }

const LLDB: [&str; 2] = ["--debugger", "lldb"];

/// In a thread that waits, the main thread or another; and in a main thread that works, when it comes to a safe point.
fn a_program_is_walked(python: &Python) {
    if !has_debugger("lldb") {
        return;
    }
    for name in ["accept", "threads", "loop", "released"] {
        let running = Running::begin(python, name);
        let attached = running.attach("app.reftrace", &LLDB);
        let said = text(&attached.stderr);
        assert!(attached.status.success(), "{python}: {name}: {said}");
        assert!(python.minor >= 14 || said.contains("lldb worked on it"), "{python}: {name}: {said}");
        assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}: {name}");
        running.end(python);
    }
}

/// The copy is made when lldb has let go: what it had at that moment, it would leave stopped.
fn a_copy_is_walked(python: &Python) {
    if !has_debugger("lldb") {
        return;
    }
    let running = Running::begin(python, "sleep");
    for _ in 0..4 {
        let attached = running.attach("app.reftrace", &[LLDB[0], LLDB[1], "--fork"]);
        assert!(attached.status.success(), "{python}: {}", text(&attached.stderr));
        assert_eq!(running.loops("app.reftrace"), LOOPS as u64, "{python}");
    }
    running.end(python);
}

fn a_recording_is_begun_and_ended(python: &Python) {
    if !has_debugger("lldb") {
        return;
    }
    let running = Running::begin(python, "births");
    let attach = ["-q", "--for", "300ms", "-o", "app.reftrace", LLDB[0], LLDB[1]];
    let attached = running.command("attach", &attach).output().unwrap();
    assert!(attached.status.success(), "{python}: {}", text(&attached.stderr));
    running.answer(python);
}
