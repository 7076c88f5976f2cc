//! Holds what differs between the collectors of CPython's versions: one row of data for each.
//!
//! Common to all rows (`Modules/gcmodule.c` up to 3.12, `Python/gc.c` since): an object with a collector's head counts for
//! generation 0 as its block is allocated, and back as it is freed, never below zero; a collection counts for the next
//! older generation; a collection of the oldest waits until the objects that came there since its last one are a quarter
//! of those that this one left. What goes to a free list or comes from one counts in no direction, and a collection of
//! the oldest generation empties them.

/// A collector.
#[derive(Debug, PartialEq, Eq)]
pub struct Rules {
    /// Minor version, and the first micro version of it that is like this.
    pub minor: u32,
    pub since_micro: u32,
    /// What `gc.get_threshold()` says as the program begins.
    pub thresholds: [u64; 3],
    /// A collection begins at the next check of the interpreter's loop (3.12+), not inside the allocation.
    pub waits_for_check: bool,
    pub free_lists: &'static [FreeList],
}

/// Dead objects of exactly this type that are kept to be used again.
#[derive(Debug, PartialEq, Eq)]
pub struct FreeList {
    pub type_name: &'static str,
    /// As many lists, one for each number of items from 1 on; 0 is one list for all.
    pub by_items: u32,
    /// Objects that one list has room for.
    pub room: u16,
}

impl FreeList {
    pub(super) fn n_lists(&self) -> usize {
        self.by_items.max(1) as usize
    }
}

const fn list(type_name: &'static str, room: u16) -> FreeList {
    FreeList { type_name, by_items: 0, room }
}

// Those that the recorder goes around (`recorder/agent/cpython/free_lists.rs`). Objects that rest in other lists are not
// born and do not die in a trace either.

/// `PyTuple_MAXSAVESIZE` is one more than the items of the largest (`Objects/tupleobject.c`, 3.8 to 3.10). A frame that
/// comes back from its list (`Objects/frameobject.c`) is met without a birth, and is born where it is met.
const UP_TO_3_10: &[FreeList] = &[
    list("list", 80),
    list("dict", 80),
    FreeList { type_name: "tuple", by_items: 19, room: 2000 },
    list("frame", 200),
];
/// `Objects/tupleobject.c`, `Objects/listobject.c`, `Objects/dictobject.c`.
const SINCE_3_11: &[FreeList] =
    &[list("list", 80), list("dict", 80), FreeList { type_name: "tuple", by_items: 20, room: 2000 }];
/// `Include/internal/pycore_freelist_state.h`; types without a collector's head are left out.
const SINCE_3_14: &[FreeList] = &[
    list("list", 80),
    list("dict", 80),
    FreeList { type_name: "tuple", by_items: 20, room: 2000 },
    list("list_iterator", 10),
    list("tuple_iterator", 10),
    list("slice", 1),
    list("_contextvars.Context", 255),
    list("async_generator_asend", 80),
    list("_asyncio.FutureIter", 255),
    list("builtin_function_or_method", 16),
    list("method", 20),
];

const fn rules(minor: u32, since_micro: u32, youngest: u64, free_lists: &'static [FreeList]) -> Rules {
    Rules { minor, since_micro, thresholds: [youngest, 10, 10], waits_for_check: minor >= 12, free_lists }
}

/// The newest first.
static ROWS: [Rules; 8] = [
    rules(15, 0, 2000, SINCE_3_14),
    rules(14, 5, 2000, SINCE_3_14),
    rules(13, 0, 2000, SINCE_3_11),
    rules(12, 0, 700, SINCE_3_11),
    rules(11, 0, 700, SINCE_3_11),
    rules(10, 0, 700, UP_TO_3_10),
    rules(9, 0, 700, UP_TO_3_10),
    rules(8, 0, 700, UP_TO_3_10),
];

impl Rules {
    /// The collector of `3.12`, `3.12.1` or `cpython-3.12.1`; without a micro version, that of the last one. `None` where it
    /// is not known: the incremental collector of 3.14.0 to 3.14.4 chooses what it looks at as it goes.
    pub fn of(version: &str) -> Option<&'static Rules> {
        let mut numbers = version.strip_prefix("cpython-").unwrap_or(version).split('.');
        let minor: u32 = (numbers.next()? == "3").then(|| numbers.next()?.parse().ok()).flatten()?;
        let micro: u32 = match numbers.next() {
            Some(micro) => micro.split(|next: char| !next.is_ascii_digit()).next()?.parse().ok()?,
            None => u32::MAX,
        };
        ROWS.iter().find(|row| row.minor == minor && row.since_micro <= micro)
    }
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn a_version_has_its_row_or_none() {
        let found = |version| Rules::of(version).map(|rules| (rules.minor, rules.thresholds[0], rules.waits_for_check));
        assert_eq!(found("cpython-3.8.18"), Some((8, 700, false)));
        assert_eq!(found("3.12"), Some((12, 700, true)));
        assert_eq!(found("3.14"), Some((14, 2000, true)));
        assert_eq!(found("cpython-3.14.10+debian"), Some((14, 2000, true)));
        assert_eq!(["3.14.4", "cpython-3.14.0", "3.7", "3.16", "pypy-3.11", "3", "2.7.18"].map(found), [None; 7]);
    }
}
