//! Keeps objects out of CPython's free lists, so that each has a birth of its own.
//!
//! From 3.14 on the lists are switched off, as CPython itself does at its end. Before that, and where they are not as
//! expected, they are bypassed: a free list hands a dead object's memory to the next one without the allocator, which would give it the dead one's
//! stack. CPython puts only instances of exactly `list`, `dict`, `tuple` there. So their `tp_dealloc` is wrapped: while the
//! original runs, the dying object has a copy of the type, is no exact `list` any more, and is really freed.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::memory::{set_word, signed, ty, word};
use super::versions::FreeLists;

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

/// Bytes of a free list: the pointer to its first object, and its size.
const PAIR: usize = 16;
/// No list of CPython holds more.
const LARGEST: isize = 2000;

/// Switches the free lists off that begin at `first`, but for those of numbers. What they hold now is lost, once. Says
/// whether they were as expected; if not, nothing is changed.
///
/// # Safety
/// Under the interpreter's lock; `first` is readable for all pairs.
pub(crate) unsafe fn switch_off(lists: FreeLists, first: usize) -> bool {
    let places = || (first..first + PAIR * lists.pairs).step_by(PAIR);
    // SAFETY: as the caller promises.
    unsafe {
        let fits = places().all(|place| {
            let (object, size) = (word(place), signed(place + 8));
            size == -1 && object == 0
                || (0..=LARGEST).contains(&size) && (object == 0) == (size == 0) && object.is_multiple_of(8)
        });
        if fits {
            for place in places().skip(lists.of_numbers) {
                set_word(place, 0);
                set_word(place + 8, usize::MAX);
            }
        }
        fits
    }
}

/// Wraps the deallocators. Answers the copies, each with its type.
///
/// # Safety
/// The three must be the built-in type objects. Once for a process.
pub(crate) unsafe fn bypass(list_type: usize, dict_type: usize, tuple_type: usize) -> Vec<(usize, usize)> {
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
            original_cell.store(word(class + ty::DEALLOC), Ordering::Relaxed);
            *((class + ty::DEALLOC) as *mut usize) = wrapper as usize;
            (shadow, class)
        }
    })
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: FreeLists = FreeLists { behind_collector: 0, pairs: 4, of_numbers: 1 };

    #[test]
    fn lists_are_switched_off_but_for_those_of_numbers() {
        let mut words = [0x1000, 3, 0x2000, 7, 0, 0, 0x3000, 1];
        // SAFETY: the words are those of the test.
        assert!(unsafe { switch_off(LISTS, words.as_mut_ptr().addr()) });
        assert_eq!(words, [0x1000, 3, 0, usize::MAX, 0, usize::MAX, 0, usize::MAX]);
        // SAFETY: the words are those of the test.
        assert!(unsafe { switch_off(LISTS, words.as_mut_ptr().addr()) }, "a second time too");
    }

    #[test]
    fn what_is_no_free_list_is_left_as_it_is() {
        for (place, word) in [(3, 2001), (2, 0), (2, 0x2001), (5, 4)] {
            let mut words = [0x1000, 3, 0x2000, 7, 0, 0, 0x3000, 1];
            words[place] = word;
            let before = words;
            // SAFETY: the words are those of the test.
            assert!(!unsafe { switch_off(LISTS, words.as_mut_ptr().addr()) }, "{place}");
            assert_eq!(words, before);
        }
    }
}
