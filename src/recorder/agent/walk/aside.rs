//! Finds what is unreachable without a mark on any object: memory that a fork shares stays shared.
//!
//! The search is that of `garbage.rs`, with the rest of each count in a table of its own.

use std::ffi::{c_int, c_void};

use super::garbage::traverse;
use crate::address_map::AddressMap;
use crate::cpython::gc_lists::{GcLists, each_object};
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::type_of;
use crate::memory::{Grow, is_refused};

/// What the table has of an object that is alive.
const ALIVE: u32 = u32::MAX;

#[derive(Debug, Default)]
struct Search {
    /// References that are not explained, by object.
    counts: AddressMap<u32>,
    /// Alive, and their references not yet followed.
    alive: Vec<usize>,
}

/// What nothing outside of the collector's lists holds, of all of them.
///
/// # Safety
/// The GIL is held, and no collection is going on.
pub(super) unsafe fn unreachable(interpreter: &Interpreter, lists: GcLists) -> Vec<usize> {
    let mut search = Search::default();
    let mut unreachable = Vec::new();
    let argument = (&raw mut search).cast::<c_void>();
    // SAFETY: as the caller promises; what the lists hold is alive, and the search is reached by this pointer alone.
    unsafe {
        let each = |work: &mut dyn FnMut(&mut Search, usize)| {
            for head in lists.all() {
                each_object(head, |object| work(&mut *argument.cast::<Search>(), object));
            }
        };
        each(&mut |search, object| {
            let (count, immortal) = interpreter.count(object);
            search.counts.insert(object, if immortal { ALIVE - 1 } else { count.min(u64::from(ALIVE) - 1) as u32 });
        });
        each(&mut |search, object| {
            if interpreter.is_suspendable(type_of(object)) {
                interpreter.borrowed(object, |target| search.change(target, 1));
            }
            traverse(object, subtract, argument);
        });
        each(&mut |search, object| {
            if search.counts.value(object) != 0 {
                search.revive(object);
                while let Some(object) = (*argument.cast::<Search>()).alive.pop() {
                    traverse(object, reach, argument);
                }
            }
        });
        each(&mut |search, object| {
            if search.counts.value(object) == 0 {
                unreachable.add(object);
            }
        });
    }
    if is_refused() {
        unreachable.clear();
    }
    unreachable
}

impl Search {
    fn change(&mut self, object: usize, by: i32) {
        if let Some(count) = self.counts.get(object).filter(|&count| count != ALIVE) {
            // A program that lost a reference would go below zero.
            self.counts.insert(object, count.saturating_add_signed(by).min(ALIVE - 1));
        }
    }

    fn revive(&mut self, object: usize) {
        if self.counts.get(object).is_some_and(|count| count != ALIVE) {
            self.counts.insert(object, ALIVE);
            self.alive.add(object);
        }
    }
}

unsafe extern "C" fn subtract(target: usize, search: *mut c_void) -> c_int {
    // SAFETY: the argument of `traverse`.
    unsafe { (*search.cast::<Search>()).change(target, -1) };
    0
}

unsafe extern "C" fn reach(target: usize, search: *mut c_void) -> c_int {
    // SAFETY: the argument of `traverse`.
    unsafe { (*search.cast::<Search>()).revive(target) };
    0
}
