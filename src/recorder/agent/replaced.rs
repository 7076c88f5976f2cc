//! Puts a function of the recorder behind a built-in function of CPython, and takes it out again.
//!
//! The object stays as it is, whatever names the program has for it.

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cpython::{memory, object};
use crate::python::{Functions, Method, Object};
use crate::system;

/// `PyCFunction`: without arguments, with one, or with a tuple of them; and `PyCFunctionWithKeywords`, with a tuple and a dict.
pub(crate) type CFunction = unsafe extern "C" fn(Object, Object) -> Object;
pub(crate) type Keywords = unsafe extern "C" fn(Object, Object, Object) -> Object;

/// One built-in function: its definition, what stood there before, and what stands there.
pub(crate) struct Replaced {
    /// 0 where nothing of ours stands behind it.
    method: AtomicUsize,
    original: AtomicUsize,
    ours: AtomicUsize,
}

impl Replaced {
    pub(crate) const fn none() -> Replaced {
        Replaced { method: AtomicUsize::new(0), original: AtomicUsize::new(0), ours: AtomicUsize::new(0) }
    }

    /// What was there before.
    pub(crate) fn original(&self) -> usize {
        self.original.load(Ordering::Acquire)
    }

    /// Calls what was there before, which is of this kind.
    ///
    /// # Safety
    /// Ours stands there, and this is what CPython calls it with.
    pub(crate) unsafe fn call(&self, module: Object, argument: Object) -> Object {
        // SAFETY: as the caller promises.
        unsafe { std::mem::transmute::<usize, CFunction>(self.original())(module, argument) }
    }

    /// The same of a function with keywords.
    ///
    /// # Safety
    /// As for [`Replaced::call`].
    pub(crate) unsafe fn call_with_keywords(&self, module: Object, arguments: Object, names: Object) -> Object {
        // SAFETY: as the caller promises.
        unsafe { std::mem::transmute::<usize, Keywords>(self.original())(module, arguments, names) }
    }

    /// Puts `function` behind the function of a module; not where that has other flags, and not twice.
    ///
    /// # Safety
    /// Under the interpreter's lock; the function is of the kind that the flags say.
    pub(crate) unsafe fn put(
        &self,
        python: &Functions,
        module: Object,
        name: &CStr,
        flags: c_int,
        function: *const c_void,
    ) {
        if self.method.load(Ordering::Relaxed) != 0 {
            return;
        }
        // SAFETY: a `PyCFunctionObject` has its definition behind the two words of each object.
        unsafe {
            let found = (python.PyObject_GetAttrString)(module, name.as_ptr());
            if found.is_null() {
                return (python.PyErr_Clear)();
            }
            if memory::type_of(found.addr()) == system::symbol(c"PyCFunction_Type") {
                let method = memory::word(found.addr() + object::C_FUNCTION_METHOD) as *mut Method;
                if (*method).flags == flags {
                    self.original.store((*method).function.addr(), Ordering::Release);
                    self.ours.store(function.addr(), Ordering::Relaxed);
                    self.method.store(method.addr(), Ordering::Relaxed);
                    (*method).function = function;
                }
            }
            (python.Py_DecRef)(found);
        }
    }

    /// Puts back what was there. What another has put over ours stays, and ours passes on what that calls.
    ///
    /// # Safety
    /// Under the interpreter's lock.
    pub(crate) unsafe fn take_out(&self) {
        let method = self.method.load(Ordering::Relaxed) as *mut Method;
        // SAFETY: CPython's definitions of built-in functions are there for ever.
        unsafe {
            if !method.is_null() && (*method).function.addr() == self.ours.load(Ordering::Relaxed) {
                (*method).function = self.original() as *const c_void;
                self.method.store(0, Ordering::Relaxed);
            }
        }
    }
}
