//! Finds the addresses of CPython's types and functions in this process, beside the row of its version.

use std::ffi::{CStr, c_void};

use super::memory::{GC_HEAD, flag, half, ty, type_of, word};
use super::versions::{CPython, Count};
use crate::memory::Grow;

/// Addresses of CPython's own types and of the functions that the walk calls; none of them runs Python code.
#[derive(Debug)]
pub(crate) struct Interpreter {
    pub row: &'static CPython,
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
    /// The `tp_traverse` of these three.
    suspendable: [usize; 3],
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

impl Interpreter {
    /// The interpreter that runs, of the version of `row`; `None` when something is missing.
    ///
    /// # Safety
    /// The GIL is held.
    pub(crate) unsafe fn resolve(row: &'static CPython) -> Option<Interpreter> {
        let get_interpreter = symbol(c"PyInterpreterState_Get").or_else(|| symbol(c"_PyInterpreterState_Get"))?;
        // SAFETY: the types of these functions are CPython's, since 3.8.
        unsafe {
            let interpreter: unsafe extern "C" fn() -> *mut c_void = std::mem::transmute(get_interpreter);
            let interpreter = interpreter() as usize;
            let [generator, coroutine, async_generator] =
                [symbol(c"PyGen_Type")?, symbol(c"PyCoro_Type")?, symbol(c"PyAsyncGen_Type")?];
            Some(Interpreter {
                row,
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
                generator,
                coroutine,
                async_generator,
                suspendable: [generator, coroutine, async_generator].map(|class| word(class + ty::TRAVERSE)),
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
                collector_owner: if row.collector_in_runtime { symbol(c"_PyRuntime")? } else { interpreter },
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
    pub(crate) unsafe fn threads(&self) -> Vec<usize> {
        let mut threads = Vec::new();
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        unsafe {
            let mut thread = (self.first_thread)(self.interpreter as *mut c_void);
            while !thread.is_null() {
                threads.add(thread as usize);
                thread = (self.next_thread)(thread);
            }
        }
        threads
    }

    /// The state of the interpreter.
    pub(crate) fn state(&self) -> usize {
        self.interpreter
    }

    /// `sys.modules`, or 0. `PyImport_GetModuleDict` would abort while the interpreter ends.
    pub(crate) unsafe fn modules(&self) -> usize {
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        self.modules.map_or(0, |place| unsafe { word(place) })
    }

    pub(crate) unsafe fn is_code(&self, object: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        object != 0 && object.is_multiple_of(8) && unsafe { type_of(object) } == self.code
    }

    /// Are the instances of a class generators, coroutines or async generators?
    pub(crate) unsafe fn is_suspendable(&self, class: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        let traverse = unsafe { word(class + ty::TRAVERSE) };
        self.suspendable.contains(&traverse)
    }

    /// References to `object`, and whether it is immortal (3.12+) or as good as that (deep-frozen, 3.11), so that the
    /// number says nothing.
    pub(crate) unsafe fn count(&self, object: usize) -> (u64, bool) {
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        unsafe {
            match self.row.count {
                Count::Word => (word(object) as u64, false),
                Count::WordWithDeepFrozen => {
                    let count = word(object) as u64;
                    (count, count > DEEP_FROZEN / 2)
                }
                Count::Half | Count::HalfWithFlags => {
                    let low = half(object);
                    (u64::from(low.cast_unsigned()), low < 0)
                }
            }
        }
    }

    /// Whether a block that held an object holds one no more. What has died has no count, or a link of a free list in its
    /// place (`_PyFreeList_Push`, 3.14); and the collector has it in no list.
    pub(crate) unsafe fn is_dead(&self, object: usize, gc: bool) -> bool {
        // SAFETY: as the caller promises, the block is there, and the lock is held.
        unsafe {
            if gc && word(object - GC_HEAD) != 0 {
                return false;
            }
            let count = word(object) & self.row.count.bits();
            count == 0 || count > u32::MAX as usize
        }
    }

    /// Is it one of the objects of frozen modules that 3.11 has in its executable? What they hold they hold without a
    /// count.
    pub(crate) unsafe fn is_deep_frozen(&self, object: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        self.row.count == Count::WordWithDeepFrozen && unsafe { self.count(object) }.1
    }

    /// Does the collector know the object (`PyObject_IS_GC`)? Then a head stands in front of it.
    pub(crate) unsafe fn is_gc(&self, object: usize, class: usize, class_flags: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held and the objects are alive.
        unsafe {
            if class_flags & flag::HAVE_GC == 0 {
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
    // SAFETY: as the caller promises, the lock is held and the objects are alive.
    unsafe {
        let get: unsafe extern "C" fn() -> *mut c_void = std::mem::transmute(symbol(c"PyImport_GetModuleDict")?);
        let modules = get() as usize;
        (interpreter..interpreter + SEARCHED).step_by(8).find(|&place| word(place) == modules)
    }
}

#[cfg(test)]
impl Interpreter {
    /// An interpreter in made memory: it has one thread, types of code and of generators, and a place for the collector's state.
    pub(crate) fn made(
        row: &'static CPython,
        thread: usize,
        code: usize,
        generator: usize,
        collector: usize,
    ) -> Interpreter {
        unsafe extern "C" fn only_thread(interpreter: *mut c_void) -> *mut c_void {
            interpreter
        }
        unsafe extern "C" fn no_more(_: *mut c_void) -> *mut c_void {
            std::ptr::null_mut()
        }
        Interpreter {
            row,
            type_type: 0,
            list: 0,
            tuple: 0,
            dict: 0,
            set: 0,
            function: 0,
            method: 0,
            c_function: 0,
            cell: 0,
            module: 0,
            frame: 0,
            generator,
            coroutine: 0,
            async_generator: 0,
            suspendable: [0; 3],
            code,
            ordered_dict: 0,
            weak_reference: 0,
            byte_array: 0,
            property: 0,
            class_method: 0,
            static_method: 0,
            long: 0,
            boolean: 0,
            none: 0,
            collector_owner: collector,
            interpreter: thread,
            first_thread: only_thread,
            next_thread: no_more,
            modules: None,
        }
    }
}
