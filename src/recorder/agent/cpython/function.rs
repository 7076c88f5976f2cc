//! Reads and changes by what C function CPython calls a function of Python (`PyFunctionObject.vectorcall`).

use super::memory::{signed, ty, type_of, word};
use super::object::WORD;
use crate::system::symbol;

/// 0 where such functions have none.
///
/// # Safety
/// An object of exactly the type `function`, under the interpreter's lock.
pub(crate) unsafe fn called_by(function: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe { place(function).map_or(0, |place| word(place)) }
}

/// Has CPython call the function by this, also where it has learned to run its code without a call. Only 3.11 runs the code of any
/// function that Python calls so: there it is for calls from C alone.
///
/// # Safety
/// As for [`called_by`]; `by` is a C function of that kind.
pub(crate) unsafe fn call_by(function: usize, by: usize) {
    // 3.12 and later.
    let set = symbol(c"PyFunction_SetVectorcall");
    // SAFETY: as the caller promises; CPython declares its own function so.
    unsafe {
        let Some(place) = place(function) else { return };
        if set != 0 {
            return std::mem::transmute::<usize, unsafe extern "C" fn(usize, usize)>(set)(function, by);
        }
        *(place as *mut usize) = by;
        // `func_version` (3.11), which is what code that calls the function was made for.
        let version = place + WORD;
        if version < function + signed(type_of(function) + ty::BASIC_SIZE).max(0).cast_unsigned() {
            *(version as *mut u32) = 0;
        }
    }
}

unsafe fn place(function: usize) -> Option<usize> {
    // SAFETY: as the callers promise.
    let offset = unsafe { signed(type_of(function) + ty::VECTORCALL_OFFSET) };
    (offset > 0).then(|| function + offset.cast_unsigned())
}
