//! Names what the interpreter itself holds: running frames, `sys.modules`, the lists of `os.register_at_fork`.

use std::ffi::CStr;

use super::describe::Walk;
use crate::cpython::memory::{type_of, word};
use crate::cpython::object::{C_FUNCTION_METHOD, list_items};
use crate::encode::kind;
use crate::module;
use crate::python::Method;
use crate::sink::Sink;

/// The recorder's functions in the lists of `os.register_at_fork`, and what the lists are called.
const FORK_HOOKS: [(&CStr, &[u8]); 3] = [
    (c"_before_fork", b"os.register_at_fork(before)"),
    (c"_after_fork", b"os.register_at_fork(after_in_parent)"),
    (c"_forked", b"os.register_at_fork(after_in_child)"),
];

impl<S: Sink> Walk<'_, S> {
    /// Writes what the running frames of all threads hold, and `sys.modules`, as roots; untracked objects that only they hold
    /// are queued.
    pub(super) unsafe fn roots(&mut self) {
        // SAFETY: as the caller promises, the lock is held.
        unsafe {
            let context = self.context;
            context.interpreter.running_frames(|frame, code| self.frame_roots(frame, code));
            let modules = self.context.interpreter.modules();
            if modules != 0 {
                self.root(modules, b"sys.modules");
            }
        }
    }

    /// Writes that a list is one of `os.register_at_fork`, which nothing else tells, if the recorder's function is in it.
    pub(super) unsafe fn fork_hooks(&mut self, list: usize) {
        // What is imported before the recording may have put its own in front.
        const LOOKED_AT: usize = 4;
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            let c_function = self.context.interpreter.c_function;
            let items = list_items(list).iter().take(LOOKED_AT);
            for &function in items.filter(|&&item| item != 0 && type_of(item) == c_function) {
                let method = word(function + C_FUNCTION_METHOD);
                let is_it = |known: &Method| std::ptr::from_ref(known) as usize == method;
                if let Some((_, name)) = FORK_HOOKS.iter().find(|(hook, _)| module::method(hook).is_some_and(is_it)) {
                    self.root(list, name);
                }
            }
        }
    }

    /// Writes that the interpreter holds an object.
    pub(super) unsafe fn root(&mut self, object: usize, name: &[u8]) {
        // SAFETY: as the caller promises, the lock is held and the object alive.
        unsafe {
            if !self.is_told(object) {
                return;
            }
            let number = self.number(object);
            self.queue(object);
            self.scratch.survey.root(number);
            let name = self.sink.text(name);
            self.sink.emit(|encoder| encoder.fact(kind::ROOT, number, u64::from(name)));
        }
    }
}
