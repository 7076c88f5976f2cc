//! Sees that the cyclic collector goes on telling the recorder of its collections.
//!
//! A program, or a test of one, may clear `gc.callbacks`. Then the recorder puts its function back, and how many
//! collections ran meanwhile is known from what `gc.get_stats()` counts.

use std::ffi::CStr;

use crate::builtin_module;
use crate::python::{Functions, Object};
use crate::thread;

/// The collection that goes on, from the collector's start to its stop: as long the lists are not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    None,
    /// It began in this process, on this thread.
    Seen(usize),
    /// It began before the fork that made this process, and goes on here.
    Inherited,
    /// It began before that fork on another thread, which is not here: it never ends.
    Abandoned,
}

impl Collection {
    /// One that begins on this thread.
    pub(crate) fn here() -> Collection {
        Collection::Seen(thread::own())
    }

    /// Whether one goes on.
    pub(crate) fn goes_on(self) -> bool {
        self != Collection::None
    }

    /// What the child of a fork has of it, as that goes on on the thread that forked.
    pub(crate) fn in_a_child(self) -> Collection {
        match self {
            Collection::Seen(thread) if thread != thread::own() => Collection::Abandoned,
            Collection::Seen(_) => Collection::Inherited,
            other => other,
        }
    }
}

/// The module `gc`, and what the recorder has in it. The objects are held as long as it stands.
pub(crate) struct Collector {
    python: Functions,
    gc: Object,
    /// `gc.callbacks`, as the interpreter has it, whatever the module's attribute is later.
    callbacks: Object,
    /// The function of the recorder that is in it.
    callback: Object,
    /// Collections before the recording began.
    before: u64,
    /// Collections that were seen, or written as missed.
    accounted: u64,
}

impl Collector {
    /// Puts `callback` in front of `gc.callbacks`. `None` where this Python has no such module.
    ///
    /// # Safety
    /// Under the interpreter's lock; `callback` is alive.
    pub(crate) unsafe fn watch(python: Functions, callback: Object) -> Option<Collector> {
        // SAFETY: as the caller promises.
        unsafe {
            let gc = builtin_module::find(&python, c"gc")?;
            let callbacks = attribute(&python, gc, c"callbacks")?;
            (python.Py_IncRef)(callback);
            let mut collector = Collector { python, gc, callbacks, callback, before: 0, accounted: 0 };
            collector.begin();
            Some(collector)
        }
    }

    /// A recording begins: what ran before it is not missed.
    ///
    /// # Safety
    /// Under the interpreter's lock.
    pub(crate) unsafe fn begin(&mut self) {
        // SAFETY: as the caller promises.
        unsafe {
            self.before = self.collections().unwrap_or(0);
            self.accounted = 0;
            if !self.is_in_place() {
                self.put_back();
            }
        }
    }

    /// How often the collector had run before the recording began.
    pub(crate) fn runs_before(&self) -> u64 {
        self.before
    }

    /// A collection was seen.
    pub(crate) fn seen(&mut self) {
        self.accounted += 1;
    }

    /// Puts the function back, if it is gone, and says how many collections were not seen since the last time.
    ///
    /// # Safety
    /// Under the interpreter's lock, outside collections.
    pub(crate) unsafe fn check(&mut self) -> u64 {
        // SAFETY: as the caller promises.
        unsafe {
            if !self.is_in_place() {
                self.put_back();
            }
            let Some(now) = self.collections() else { return 0 };
            let missed = now.saturating_sub(self.before + self.accounted);
            self.accounted += missed;
            missed
        }
    }

    /// Whether the recorder's function is the only one in `gc.callbacks`: then no Python code runs between its call and the
    /// collection.
    ///
    /// # Safety
    /// Under the interpreter's lock.
    pub(crate) unsafe fn is_alone(&self) -> bool {
        // SAFETY: a list, under the interpreter's lock.
        unsafe { (self.python.PyList_Size)(self.callbacks) == 1 && self.is_in_place() }
    }

    unsafe fn is_in_place(&self) -> bool {
        // SAFETY: as the caller promises.
        unsafe { self.place().is_some() }
    }

    /// Where the function is in `gc.callbacks`.
    unsafe fn place(&self) -> Option<isize> {
        // SAFETY: a list, under the interpreter's lock.
        unsafe {
            let n = (self.python.PyList_Size)(self.callbacks);
            (0..n).find(|&place| (self.python.PyList_GetItem)(self.callbacks, place) == self.callback)
        }
    }

    /// Takes the function out, and gives up what is held.
    ///
    /// # Safety
    /// Under the interpreter's lock, outside collections.
    pub(crate) unsafe fn leave(self) {
        // SAFETY: as the caller promises; references of our own.
        unsafe {
            while let Some(place) = self.place() {
                if (self.python.PyList_SetSlice)(self.callbacks, place, place + 1, std::ptr::null_mut()) != 0 {
                    (self.python.PyErr_Clear)();
                    break;
                }
            }
            for object in [self.callback, self.callbacks, self.gc] {
                self.give_up(object);
            }
        }
    }

    /// Works while the program's collector is off.
    ///
    /// # Safety
    /// Under the interpreter's lock.
    unsafe fn without_collections<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        // SAFETY: as the caller promises.
        unsafe {
            let enabled = self.call(c"isenabled")?;
            let is_enabled = (self.python.PyObject_IsTrue)(enabled) == 1;
            self.give_up(enabled);
            if is_enabled {
                self.give_up(self.call(c"disable")?);
            }
            let result = work();
            if is_enabled {
                self.give_up(self.call(c"enable")?);
            }
            Some(result)
        }
    }

    unsafe fn put_back(&self) {
        // SAFETY: a list and a function, under the interpreter's lock.
        unsafe {
            if (self.python.PyList_Insert)(self.callbacks, 0, self.callback) != 0 {
                (self.python.PyErr_Clear)();
            }
        }
    }

    /// How often the collector ran, by its own count. It does not run while it is asked.
    unsafe fn collections(&self) -> Option<u64> {
        // SAFETY: under the interpreter's lock.
        unsafe {
            let stats = self.without_collections(|| self.call(c"get_stats"))??;
            let generations = 0..(self.python.PyList_Size)(stats).max(0);
            let runs = generations.map(|place| {
                let generation = (self.python.PyList_GetItem)(stats, place);
                let runs = (self.python.PyDict_GetItemString)(generation, c"collections".as_ptr());
                if runs.is_null() { 0 } else { (self.python.PyLong_AsLong)(runs).max(0).cast_unsigned() }
            });
            let sum = runs.sum();
            self.give_up(stats);
            Some(sum)
        }
    }

    /// Calls a function of `gc` without arguments; a new reference.
    unsafe fn call(&self, name: &CStr) -> Option<Object> {
        // SAFETY: under the interpreter's lock.
        unsafe {
            let function = attribute(&self.python, self.gc, name)?;
            let answer = (self.python.PyObject_CallObject)(function, std::ptr::null_mut());
            (self.python.Py_DecRef)(function);
            if answer.is_null() {
                (self.python.PyErr_Clear)();
                return None;
            }
            Some(answer)
        }
    }

    unsafe fn give_up(&self, object: Object) {
        // SAFETY: a reference of our own.
        unsafe { (self.python.Py_DecRef)(object) }
    }
}

/// A new reference to an attribute.
unsafe fn attribute(python: &Functions, object: Object, name: &CStr) -> Option<Object> {
    // SAFETY: under the interpreter's lock, with a live object.
    unsafe {
        let value = (python.PyObject_GetAttrString)(object, name.as_ptr());
        if value.is_null() {
            (python.PyErr_Clear)();
            return None;
        }
        Some(value)
    }
}
