//! Looks up the functions and objects of CPython that the agent uses, in the running process and by name: all of them are
//! public, and in every version from 3.8 on.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use crate::memory::GrowText;
use crate::system::symbol;

/// A `PyObject*`.
pub(crate) type Object = *mut c_void;

/// `PyMemAllocatorEx`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allocator {
    pub context: *mut c_void,
    pub malloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
    pub calloc: unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
    pub realloc: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void,
    pub free: unsafe extern "C" fn(*mut c_void, *mut c_void),
}

/// `PYMEM_DOMAIN_OBJ`.
pub(crate) const OBJECT_DOMAIN: c_int = 2;

/// `PyMethodDef`.
#[repr(C)]
pub(crate) struct Method {
    pub name: *const c_char,
    pub function: *const c_void,
    pub flags: c_int,
    pub doc: *const c_char,
}

pub(crate) const POSITIONAL: c_int = 1;
pub(crate) const KEYWORDS: c_int = 3;
pub(crate) const NO_ARGUMENTS: c_int = 4;
pub(crate) const ONE_ARGUMENT: c_int = 8;
pub(crate) const FAST: c_int = 0x80;
pub(crate) const FAST_KEYWORDS: c_int = 0x82;

/// `PyModuleDef`.
#[repr(C)]
pub(crate) struct ModuleDef {
    pub count: isize,
    pub class: *mut c_void,
    pub base: [usize; 3],
    pub name: *const c_char,
    pub doc: *const c_char,
    pub size: isize,
    pub methods: *const Method,
    /// What CPython calls to make the module, instead of the function that gave this.
    pub slots: *const c_void,
    pub rest: [usize; 3],
}

/// A table that CPython reads.
pub(crate) struct Shared<T>(pub T);

// SAFETY: CPython reads it, and writes what may be written of it, under its lock.
unsafe impl<T> Sync for Shared<T> {}

/// What a module is made by.
pub(crate) type Definition = Shared<UnsafeCell<ModuleDef>>;

impl ModuleDef {
    /// That of a module without a state of its own.
    pub(crate) const fn new(
        name: &'static CStr,
        doc: *const c_char,
        methods: *const Method,
        slots: *const c_void,
    ) -> Definition {
        Shared(UnsafeCell::new(ModuleDef {
            count: 1,
            class: std::ptr::null_mut(),
            base: [0; 3],
            name: name.as_ptr(),
            doc,
            size: 0,
            methods,
            slots,
            rest: [0; 3],
        }))
    }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions, by their names.
        #[allow(non_snake_case)]
        #[derive(Clone, Copy)]
        pub(crate) struct Functions {
            $($(#[$doc])* pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            /// Finds them all, once, or says which is missing.
            pub(crate) fn find() -> Result<Functions, &'static str> {
                static FOUND: OnceLock<Result<Functions, &'static str>> = OnceLock::new();
                *FOUND.get_or_init(Functions::look_up)
            }

            fn look_up() -> Result<Functions, &'static str> {
                Ok(Functions {
                    $($name: {
                        let address = symbol(concat_name!($name));
                        if address == 0 {
                            return Err(stringify!($name));
                        }
                        // SAFETY: CPython declares the function so in all the versions we know.
                        unsafe {
                            std::mem::transmute::<usize, unsafe extern "C" fn($($argument),*) $(-> $result)?>(address)
                        }
                    },)*
                })
            }
        }
    };
}

macro_rules! concat_name {
    ($name:ident) => {
        match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
            Ok(name) => name,
            Err(_) => return Err(stringify!($name)),
        }
    };
}

functions! {
    PyMem_GetAllocator(c_int, *mut Allocator);
    PyMem_SetAllocator(c_int, *const Allocator);
    PyCode_Addr2Line(usize, c_int) -> c_int;
    PyInterpreterState_Main() -> usize;
    PyInterpreterState_Head() -> usize;
    PyInterpreterState_Next(usize) -> usize;
    PyGILState_Ensure() -> c_int;
    PyGILState_Release(c_int);
    PyEval_SaveThread() -> usize;
    PyEval_RestoreThread(usize);
    Py_IsInitialized() -> c_int;
    Py_GetVersion() -> *const c_char;
    PySys_GetObject(*const c_char) -> Object;
    PyModuleDef_Init(*mut ModuleDef) -> Object;
    Py_AddPendingCall(extern "C" fn(*mut c_void) -> c_int, *mut c_void) -> c_int;
    PyModule_Create2(*mut ModuleDef, c_int) -> Object;
    PyImport_ImportModule(*const c_char) -> Object;
    PyImport_GetModuleDict() -> Object;
    PyCFunction_NewEx(*const Method, Object, Object) -> Object;
    PyObject_GetAttrString(Object, *const c_char) -> Object;
    PyList_Size(Object) -> isize;
    PyList_GetItem(Object, isize) -> Object;
    PyList_Insert(Object, isize, Object) -> c_int;
    PyList_SetSlice(Object, isize, isize, Object) -> c_int;
    PyTuple_New(isize) -> Object;
    PyTuple_SetItem(Object, isize, Object) -> c_int;
    PyTuple_GetItem(Object, isize) -> Object;
    PyObject_CallObject(Object, Object) -> Object;
    PyObject_Call(Object, Object, Object) -> Object;
    PyObject_IsTrue(Object) -> c_int;
    PyObject_Malloc(usize) -> *mut c_void;
    PyObject_Free(*mut c_void);
    PyDict_New() -> Object;
    PyDict_GetItemString(Object, *const c_char) -> Object;
    PyDict_SetItemString(Object, *const c_char, Object) -> c_int;
    PyDict_DelItemString(Object, *const c_char) -> c_int;
    PyLong_AsLong(Object) -> i64;
    PyLong_FromLong(i64) -> Object;
    PyBool_FromLong(i64) -> Object;
    PyUnicode_AsUTF8AndSize(Object, *mut isize) -> *const u8;
    PyUnicode_FromStringAndSize(*const u8, isize) -> Object;
    PyErr_Clear();
    PyErr_SetString(Object, *const c_char);
    PyObject_GC_UnTrack(Object);
    PyObject_GC_Track(Object);
    PyModule_GetDict(Object) -> Object;
    Py_IncRef(Object);
    Py_DecRef(Object);
}

/// `PyThreadState* (void)`: the thread state that runs, null if none.
pub(crate) type CurrentThread = unsafe extern "C" fn() -> usize;

/// The function that gives the thread state, which has had two names.
pub(crate) fn current_thread() -> Result<CurrentThread, &'static str> {
    let names = [c"_PyThreadState_UncheckedGet", c"PyThreadState_GetUnchecked"];
    match names.map(symbol).into_iter().find(|&address| address != 0) {
        // SAFETY: both are declared so.
        Some(address) => Ok(unsafe { std::mem::transmute::<usize, CurrentThread>(address) }),
        None => Err("PyThreadState_GetUnchecked"),
    }
}

/// An object or a type that CPython exports.
pub(crate) fn exported(name: &CStr) -> Result<usize, &'static str> {
    match symbol(name) {
        0 => Err("a built-in type"),
        address => Ok(address),
    }
}

/// A new reference to `None`.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn none(python: &Functions) -> Object {
    static NONE: OnceLock<usize> = OnceLock::new();
    let none = *NONE.get_or_init(|| symbol(c"_Py_NoneStruct")) as Object;
    // SAFETY: `None` is an object.
    unsafe {
        (python.Py_IncRef)(none);
    }
    none
}

/// The text of a `str` object; empty for anything else.
///
/// # Safety
/// `object` must be an object, and the interpreter's lock held.
pub(crate) unsafe fn text(python: &Functions, object: Object) -> String {
    let mut length = 0;
    // SAFETY: as the caller promises; the text lives as long as the object.
    unsafe {
        let bytes = (python.PyUnicode_AsUTF8AndSize)(object, &raw mut length);
        if bytes.is_null() {
            (python.PyErr_Clear)();
            return String::new();
        }
        let mut text = String::new();
        text.add_text(str::from_utf8(std::slice::from_raw_parts(bytes, length.cast_unsigned())).unwrap_or_default());
        text
    }
}
