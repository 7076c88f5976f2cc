//! Keeps lists, dicts and tuples out of CPython's free lists, so that each has a birth of its own.
//!
//! A free list hands a dead object's memory to the next one without the allocator, which would give it the dead one's
//! stack. CPython puts only instances of exactly `list`, `dict`, `tuple` there. So their `tp_dealloc` is wrapped: while the
//! original runs, the dying object has a copy of the type, is no exact `list` any more, and is really freed.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::abi::{type_field, word};

/// Bytes of a type object that are copied: all of `PyTypeObject` but what 3.8, 3.12 and 3.13 have at its end, which no deallocator reads.
const TYPE_BYTES: usize = 408;

type Dealloc = unsafe extern "C" fn(usize);

macro_rules! wrapper {
    ($name:ident, $type:ident, $shadow:ident, $original:ident) => {
        static $type: AtomicUsize = AtomicUsize::new(0);
        static $shadow: AtomicUsize = AtomicUsize::new(0);
        static $original: AtomicUsize = AtomicUsize::new(0);

        unsafe extern "C" fn $name(object: usize) {
            // SAFETY: CPython deallocates an object; the statics were set before this function was reachable.
            unsafe {
                let class = (object + 8) as *mut usize;
                if *class == $type.load(Ordering::Relaxed) {
                    *class = $shadow.load(Ordering::Relaxed);
                }
                std::mem::transmute::<usize, Dealloc>($original.load(Ordering::Relaxed))(object);
            }
        }
    };
}

wrapper!(list, LIST, LIST_SHADOW, LIST_ORIGINAL);
wrapper!(dict, DICT, DICT_SHADOW, DICT_ORIGINAL);
wrapper!(tuple, TUPLE, TUPLE_SHADOW, TUPLE_ORIGINAL);

/// Wraps the deallocators. Answers the copies, each with its type.
///
/// # Safety
/// The three must be the built-in type objects. Once for a process.
pub unsafe fn install(list_type: usize, dict_type: usize, tuple_type: usize) -> Vec<(usize, usize)> {
    let all: [(usize, Dealloc, [&AtomicUsize; 3]); 3] = [
        (list_type, list, [&LIST, &LIST_SHADOW, &LIST_ORIGINAL]),
        (dict_type, dict, [&DICT, &DICT_SHADOW, &DICT_ORIGINAL]),
        (tuple_type, tuple, [&TUPLE, &TUPLE_SHADOW, &TUPLE_ORIGINAL]),
    ];
    all.map(|(class, wrapper, [class_cell, shadow_cell, original_cell])| {
        // SAFETY: as the caller promises. The copy is never freed.
        unsafe {
            let copy: &'static mut [u64] = Box::leak(vec![0_u64; TYPE_BYTES / 8].into_boxed_slice());
            std::ptr::copy_nonoverlapping(class as *const u8, copy.as_mut_ptr().cast::<u8>(), TYPE_BYTES);
            let shadow = copy.as_ptr().addr();
            class_cell.store(class, Ordering::Relaxed);
            shadow_cell.store(shadow, Ordering::Relaxed);
            original_cell.store(word(class, type_field::DEALLOC), Ordering::Relaxed);
            *((class + type_field::DEALLOC) as *mut usize) = wrapper as usize;
            (shadow, class)
        }
    })
    .to_vec()
}
