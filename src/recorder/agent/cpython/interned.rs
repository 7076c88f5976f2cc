//! Finds the interpreter's dict of interned strings, which the collector tracks from 3.14 on.
//!
//! Its references to mortal strings have no count (since 3.12), so a walk that counts them would find strings with fewer
//! counts than references. It has no fixed place; its shape is unmistakable: over a thousand strings, each its own value.

use super::dict::{KEYS, Table, USED, VALUES};
use super::gc_lists::{GcLists, each_object};
use super::interpreter::Interpreter;
use super::memory::{type_of, word};
use super::text::is_interned;

/// It has 3,476 entries as 3.14.10 starts, and 3,676 as 3.15.2 does.
const FEWEST: usize = 1000;

/// The dict; `None` where no dict is of that shape, and where dicts are not tracked from their birth on.
///
/// Costs one look at each tracked object.
pub(crate) unsafe fn find(interpreter: &Interpreter, lists: GcLists) -> Option<usize> {
    if !interpreter.row.tracks_all_dicts {
        return None;
    }
    let mut found = None;
    for head in lists.all() {
        // SAFETY: as the caller promises, no collection is going on; what the lists hold is alive.
        unsafe {
            each_object(head, |object| {
                if found.is_none() && type_of(object) == interpreter.dict && is_of_interned(interpreter, object) {
                    found = Some(object);
                }
            });
        }
    }
    found
}

unsafe fn is_of_interned(interpreter: &Interpreter, dict: usize) -> bool {
    // SAFETY: as the caller promises, no collection is going on; what the lists hold is alive.
    unsafe {
        if word(dict + USED) < FEWEST || word(dict + VALUES) != 0 {
            return false;
        }
        let table = Table::of(interpreter.row, word(dict + KEYS), 0);
        (0..table.count)
            .map(|index| table.entry(index))
            .all(|(key, value)| value == 0 || key == value && is_interned(key))
    }
}
