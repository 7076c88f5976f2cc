//! What the walk knows of the CPython that it runs in: the addresses of its types, and the row of offsets of its version.

use std::ffi::{CStr, c_void};

use super::classes::Kind;
use super::layout::{LAYOUTS, Layout};
use super::memory::{half, ty, type_of, word};

/// Addresses of CPython's own types and of the functions that the walk calls; none of them runs Python code.
#[derive(Debug)]
pub struct Abi {
    pub layout: &'static Layout,
    pub type_type: usize,
    pub list: usize,
    pub tuple: usize,
    pub dict: usize,
    pub set: usize,
    pub function: usize,
    pub method: usize,
    pub c_function: usize,
    pub cell: usize,
    pub module: usize,
    pub frame: usize,
    pub generator: usize,
    pub coroutine: usize,
    pub async_generator: usize,
    pub code: usize,
    pub ordered_dict: usize,
    pub weak_reference: usize,
    pub byte_array: usize,
    pub property: usize,
    pub class_method: usize,
    pub static_method: usize,
    pub long: usize,
    pub boolean: usize,
    pub none: usize,
    /// The interpreter, or (3.8) the runtime: where the collector's state is.
    pub collector_owner: usize,
    interpreter: usize,
    first_thread: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    next_thread: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    /// Where the interpreter keeps `sys.modules`, if it was found.
    modules: Option<usize>,
}

fn symbol(name: &CStr) -> Option<usize> {
    let address = crate::system::symbol(name);
    (address != 0).then_some(address)
}

impl Abi {
    /// What is known of this interpreter, CPython 3.`minor`; `None` when that is none of 3.8 to 3.13, or something is missing.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn resolve(minor: u8) -> Option<Abi> {
        let layout = LAYOUTS.iter().find(|layout| layout.minor == minor)?;
        let interpreter_name = if layout.minor == 8 { c"_PyInterpreterState_Get" } else { c"PyInterpreterState_Get" };
        // SAFETY: the types of these functions are CPython's, since 3.8.
        unsafe {
            let interpreter: unsafe extern "C" fn() -> *mut c_void = std::mem::transmute(symbol(interpreter_name)?);
            let interpreter = interpreter() as usize;
            Some(Abi {
                layout,
                type_type: symbol(c"PyType_Type")?,
                list: symbol(c"PyList_Type")?,
                tuple: symbol(c"PyTuple_Type")?,
                dict: symbol(c"PyDict_Type")?,
                set: symbol(c"PySet_Type")?,
                function: symbol(c"PyFunction_Type")?,
                method: symbol(c"PyMethod_Type")?,
                c_function: symbol(c"PyCFunction_Type")?,
                cell: symbol(c"PyCell_Type")?,
                module: symbol(c"PyModule_Type")?,
                frame: symbol(c"PyFrame_Type")?,
                generator: symbol(c"PyGen_Type")?,
                coroutine: symbol(c"PyCoro_Type")?,
                async_generator: symbol(c"PyAsyncGen_Type")?,
                code: symbol(c"PyCode_Type")?,
                ordered_dict: symbol(c"PyODict_Type")?,
                weak_reference: symbol(c"_PyWeakref_RefType")?,
                property: symbol(c"PyProperty_Type")?,
                class_method: symbol(c"PyClassMethod_Type")?,
                static_method: symbol(c"PyStaticMethod_Type")?,
                byte_array: symbol(c"PyByteArray_Type")?,
                long: symbol(c"PyLong_Type")?,
                boolean: symbol(c"PyBool_Type")?,
                none: symbol(c"_Py_NoneStruct")?,
                collector_owner: if layout.minor == 8 { symbol(c"_PyRuntime")? } else { interpreter },
                interpreter,
                first_thread: std::mem::transmute::<usize, unsafe extern "C" fn(*mut c_void) -> *mut c_void>(symbol(
                    c"PyInterpreterState_ThreadHead",
                )?),
                next_thread: std::mem::transmute::<usize, unsafe extern "C" fn(*mut c_void) -> *mut c_void>(symbol(
                    c"PyThreadState_Next",
                )?),
                modules: find_modules(interpreter),
            })
        }
    }

    /// The thread states of the interpreter.
    pub unsafe fn threads(&self) -> Vec<usize> {
        let mut threads = Vec::new();
        unsafe {
            let mut thread = (self.first_thread)(self.interpreter as *mut c_void);
            while !thread.is_null() {
                threads.push(thread as usize);
                thread = (self.next_thread)(thread);
            }
        }
        threads
    }

    /// `sys.modules`, or 0. `PyImport_GetModuleDict` would abort while the interpreter ends.
    pub unsafe fn modules(&self) -> usize {
        self.modules.map_or(0, |place| unsafe { word(place) })
    }

    pub unsafe fn is_code(&self, object: usize) -> bool {
        object != 0 && object.is_multiple_of(8) && unsafe { type_of(object) } == self.code
    }

    /// The frame that a frame object or generator stands for: where its fields and locals are, and its code.
    pub unsafe fn frame_of(&self, object: usize, what: Kind) -> Option<(usize, usize)> {
        let layout = self.layout;
        unsafe {
            let frame = match (layout.minor >= 11, what) {
                (false, Kind::Frame) => object,
                (false, _) => return None, // the frame is an object of its own
                (true, Kind::Frame) => word(object + layout.object_frame),
                (true, _) => object + layout.generator_frame,
            };
            if frame == 0 {
                return None;
            }
            let code = word(frame + layout.frame_code);
            self.is_code(code).then_some((frame, code))
        }
    }

    /// Local variables and places of the stack that a generator or frame object has room for (3.11+).
    pub unsafe fn frame_slots(&self, object: usize, what: Kind) -> usize {
        let slots = |code: usize| {
            // `co_stacksize` and `co_nlocalsplus` stand on both sides of `co_firstlineno`.
            let line = code + self.layout.code_first_line;
            unsafe { half(line - 4).max(0).cast_unsigned() + half(line + 4).max(0).cast_unsigned() }
        };
        unsafe { self.frame_of(object, what).map_or(0, |(_, code)| slots(code) as usize) }
    }

    /// References to `object`, and whether it is immortal (3.12+) or as good as that (deep-frozen, 3.11), so that the
    /// number says nothing.
    pub unsafe fn count(&self, object: usize) -> (u64, bool) {
        unsafe {
            if self.layout.minor >= 12 {
                let low = half(object);
                (u64::from(low.cast_unsigned()), low < 0)
            } else {
                let count = word(object) as u64;
                (count, self.layout.minor == 11 && count > DEEP_FROZEN / 2)
            }
        }
    }

    /// Is it one of the objects of frozen modules that 3.11 has in its executable? What they hold they hold without a
    /// count.
    pub unsafe fn is_deep_frozen(&self, object: usize) -> bool {
        self.layout.minor == 11 && unsafe { self.count(object) }.1
    }

    /// Does the collector know the object (`PyObject_IS_GC`)? Then a head stands in front of it.
    pub unsafe fn is_gc(&self, object: usize, class: usize, class_flags: usize) -> bool {
        unsafe {
            if class_flags & super::memory::flag::HAVE_GC == 0 {
                return false;
            }
            let asks = word(class + ty::IS_GC);
            if asks == 0 {
                return true;
            }
            let asks: unsafe extern "C" fn(usize) -> std::ffi::c_int = std::mem::transmute(asks);
            asks(object) != 0
        }
    }
}

/// `_PyObject_IMMORTAL_REFCNT` of 3.11, which deep-frozen objects begin with.
const DEEP_FROZEN: u64 = 999_999_999;
/// How far into the interpreter `sys.modules` is looked for, bytes.
const SEARCHED: usize = 16 << 10;

unsafe fn find_modules(interpreter: usize) -> Option<usize> {
    unsafe {
        let get: unsafe extern "C" fn() -> *mut c_void = std::mem::transmute(symbol(c"PyImport_GetModuleDict")?);
        let modules = get() as usize;
        (interpreter..interpreter + SEARCHED).step_by(8).find(|&place| word(place) == modules)
    }
}
