//! Keeps objects out of CPython's free lists, so that each has a birth of its own.
//!
//! From 3.14 on the lists are switched off, as CPython itself does at its end. Before that, and where they are not as
//! expected, they are bypassed: a free list hands a dead object's memory to the next one without the allocator, which would give it the dead one's
//! stack. CPython puts only instances of exactly `list`, `dict`, `tuple` there. So their `tp_dealloc` is wrapped: while the
//! original runs, the dying object has a copy of the type, is no exact `list` any more, and is really freed.
//!
//! Either is undone by [`give_back`], and what the lists held is in them again.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::debug_offsets::Published;
use super::memory::{set_word, signed, ty, word};
use super::versions::{CPython, FreeLists};
use crate::python::Shared;

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

/// A list that is switched off.
const OFF: [usize; 2] = [0, usize::MAX];

/// What was done, so that it can be undone.
enum Undo {
    /// What stood at which address in lists that were switched off.
    Lists(Vec<(usize, [usize; 2])>),
    /// The deallocators are wrapped. The copies of the types are there for ever, as a dying instance may have one.
    Types,
}

static UNDO: Shared<UnsafeCell<Option<Undo>>> = Shared(UnsafeCell::new(None));
/// The copies, each with its type.
static SHADOWS: Shared<UnsafeCell<Vec<(usize, usize)>>> = Shared(UnsafeCell::new(Vec::new()));

/// Keeps objects out of the lists, if they are not kept out yet. Answers the copies of types that dying objects may have, each
/// with its type.
///
/// # Safety
/// Under the interpreter's lock; the three are `list`, `dict` and `tuple`.
pub(crate) unsafe fn go_around(
    row: &CPython,
    published: Option<Published>,
    interpreter: usize,
    types: [usize; 3],
) -> Vec<(usize, usize)> {
    // SAFETY: as the caller promises, nobody else has the statics; the lists of a version with such a row are in the interpreter.
    unsafe {
        let undo = &mut *UNDO.0.get();
        if undo.is_none() {
            let end = published.and_then(|published| published.end_of_collector(interpreter));
            let lists = row.free_lists.zip(end);
            let saved = lists.and_then(|(lists, end)| switch_off(lists, end + lists.behind_collector));
            *undo = Some(match saved {
                Some(saved) => Undo::Lists(saved),
                None => {
                    wrap(types);
                    Undo::Types
                }
            });
        }
        (*SHADOWS.0.get()).clone()
    }
}

/// Undoes [`go_around`]. A deallocator that another has wrapped since stays as it is.
///
/// # Safety
/// Under the interpreter's lock.
pub(crate) unsafe fn give_back() {
    // SAFETY: as the caller promises, nobody else has the static; the addresses are those of before.
    unsafe {
        match (*UNDO.0.get()).take() {
            Some(Undo::Lists(saved)) => {
                for (place, [object, size]) in saved {
                    if [word(place), word(place + 8)] == OFF {
                        set_word(place, object);
                        set_word(place + 8, size);
                    }
                }
            }
            Some(Undo::Types) => unwrap(),
            None => {}
        }
    }
}

/// Switches the free lists off that begin at `first`, but for those of numbers. Answers what they were; `None` where they are
/// not as expected, and nothing is changed then.
///
/// # Safety
/// Under the interpreter's lock; `first` is readable for all pairs.
unsafe fn switch_off(lists: FreeLists, first: usize) -> Option<Vec<(usize, [usize; 2])>> {
    let places = || (first..first + PAIR * lists.pairs).step_by(PAIR);
    // SAFETY: as the caller promises.
    unsafe {
        let fits = places().all(|place| {
            let (object, size) = (word(place), signed(place + 8));
            size == -1 && object == 0
                || (0..=LARGEST).contains(&size) && (object == 0) == (size == 0) && object.is_multiple_of(8)
        });
        if !fits {
            return None;
        }
        let mut saved = Vec::new();
        for place in places().skip(lists.of_numbers) {
            saved.push((place, [word(place), word(place + 8)]));
            set_word(place, OFF[0]);
            set_word(place + 8, OFF[1]);
        }
        Some(saved)
    }
}

/// The type, its copy, its deallocator, and the wrapper of that.
type Wrapped = ([&'static AtomicUsize; 3], Dealloc);

const WRAPPED: [Wrapped; 3] = [
    ([&LIST, &LIST_SHADOW, &LIST_ORIGINAL], list),
    ([&DICT, &DICT_SHADOW, &DICT_ORIGINAL], dict),
    ([&TUPLE, &TUPLE_SHADOW, &TUPLE_ORIGINAL], tuple),
];

/// Wraps the deallocators of `list`, `dict` and `tuple`.
unsafe fn wrap(types: [usize; 3]) {
    for (([class_cell, shadow_cell, original_cell], wrapper), class) in WRAPPED.into_iter().zip(types) {
        // SAFETY: as for `go_around`. The copy is made once and never freed.
        unsafe {
            if shadow_cell.load(Ordering::Relaxed) == 0 {
                let copy: &'static mut [u64] = Box::leak(vec![0_u64; TYPE_BYTES / 8].into_boxed_slice());
                std::ptr::copy_nonoverlapping(class as *const u8, copy.as_mut_ptr().cast::<u8>(), TYPE_BYTES);
                let shadow = copy.as_ptr().addr();
                class_cell.store(class, Ordering::Relaxed);
                shadow_cell.store(shadow, Ordering::Relaxed);
                original_cell.store(word(class + ty::DEALLOC), Ordering::Relaxed);
                (*SHADOWS.0.get()).push((shadow, class));
            }
            if word(class + ty::DEALLOC) == original_cell.load(Ordering::Relaxed) {
                set_word(class + ty::DEALLOC, wrapper as usize);
            }
        }
    }
}

/// Puts the deallocators back.
unsafe fn unwrap() {
    for ([class_cell, _, original_cell], wrapper) in WRAPPED {
        let class = class_cell.load(Ordering::Relaxed);
        // SAFETY: as for `give_back`; a type that was wrapped is there for ever.
        unsafe {
            if word(class + ty::DEALLOC) == wrapper as usize {
                set_word(class + ty::DEALLOC, original_cell.load(Ordering::Relaxed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: FreeLists = FreeLists { behind_collector: 0, pairs: 4, of_numbers: 1 };

    #[test]
    fn lists_are_switched_off_but_for_those_of_numbers() {
        let mut words = [0x1000, 3, 0x2000, 7, 0, 0, 0x3000, 1];
        // SAFETY: the words are those of the test.
        let saved = unsafe { switch_off(LISTS, words.as_mut_ptr().addr()) }.unwrap();
        assert_eq!(words, [0x1000, 3, 0, usize::MAX, 0, usize::MAX, 0, usize::MAX]);
        assert_eq!(saved.iter().map(|&(_, was)| was).collect::<Vec<_>>(), [[0x2000, 7], [0, 0], [0x3000, 1]]);
        // SAFETY: the words are those of the test.
        assert!(unsafe { switch_off(LISTS, words.as_mut_ptr().addr()) }.is_some(), "a second time too");
    }

    #[test]
    fn what_is_no_free_list_is_left_as_it_is() {
        for (place, word) in [(3, 2001), (2, 0), (2, 0x2001), (5, 4)] {
            let mut words = [0x1000, 3, 0x2000, 7, 0, 0, 0x3000, 1];
            words[place] = word;
            let before = words;
            // SAFETY: the words are those of the test.
            assert!(unsafe { switch_off(LISTS, words.as_mut_ptr().addr()) }.is_none(), "{place}");
            assert_eq!(words, before);
        }
    }
}
