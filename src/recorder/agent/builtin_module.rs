//! Finds a module that is built into CPython, without a trace of it in `sys.modules` where the program has not imported it.

use std::ffi::CStr;
use std::ptr::null_mut;

use crate::cpython::memory::type_of;
use crate::python::{Functions, Object};

/// A new reference to a module; `None` where this Python has it not. No code of the program runs for it, such as an import hook.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn find(python: &Functions, name: &CStr) -> Option<Object> {
    // SAFETY: as the caller promises; the references to `sys.modules` and to what is in it are borrowed.
    unsafe {
        let modules = (python.PyImport_GetModuleDict)();
        let found = (python.PyDict_GetItemString)(modules, name.as_ptr());
        if !found.is_null() {
            (python.Py_IncRef)(found);
            return Some(found);
        }
        let made = make(python, (python.PyDict_GetItemString)(modules, c"_imp".as_ptr()), name);
        (python.PyErr_Clear)();
        // Where a module has one phase only, CPython adds it.
        if !(python.PyDict_GetItemString)(modules, name.as_ptr()).is_null() {
            (python.PyDict_DelItemString)(modules, name.as_ptr());
        }
        made
    }
}

/// Does what `importlib` does for it.
unsafe fn make(python: &Functions, imp: Object, name: &CStr) -> Option<Object> {
    // SAFETY: as for `find`; each new reference is given up.
    unsafe {
        let names = (python.PySys_GetObject)(c"implementation".as_ptr());
        if imp.is_null() || names.is_null() {
            return None;
        }
        let words = (python.PyDict_New)();
        let text = (python.PyUnicode_FromStringAndSize)(name.as_ptr().cast(), name.count_bytes().cast_signed());
        let nothing = (python.PyTuple_New)(0);
        if words.is_null() || text.is_null() || nothing.is_null() {
            return None;
        }
        (python.PyDict_SetItemString)(words, c"name".as_ptr(), text);
        (python.Py_DecRef)(text);
        let spec = (python.PyObject_Call)(type_of(names.addr()) as Object, nothing, words);
        (python.Py_DecRef)(words);
        (python.Py_DecRef)(nothing);
        let module = call(python, imp, c"create_builtin", spec)?;
        let done = call(python, imp, c"exec_builtin", module);
        if let Some(done) = done {
            (python.Py_DecRef)(done);
        }
        (python.Py_DecRef)(spec);
        Some(module)
    }
}

/// Calls a function of a module with one argument, which may be missing; a new reference.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn call(python: &Functions, module: Object, name: &CStr, argument: Object) -> Option<Object> {
    // SAFETY: as the caller promises; the tuple takes a reference.
    unsafe {
        let arguments = (python.PyTuple_New)(1);
        let function = (python.PyObject_GetAttrString)(module, name.as_ptr());
        let mut answer = null_mut();
        if !argument.is_null() && !arguments.is_null() && !function.is_null() {
            (python.Py_IncRef)(argument);
            (python.PyTuple_SetItem)(arguments, 0, argument);
            answer = (python.PyObject_CallObject)(function, arguments);
        }
        for object in [arguments, function] {
            if !object.is_null() {
                (python.Py_DecRef)(object);
            }
        }
        if answer.is_null() {
            (python.PyErr_Clear)();
        }
        (!answer.is_null()).then_some(answer)
    }
}
