//! Holds the numbers that lay out the instances of each CPython: one row of data for each version.
//!
//! To add a version: measure it, add a row to [`ROWS`]. No code asks for a version number; what differs is a field of
//! [`Layout`]. The numbers are those of 64-bit builds with the global lock and pymalloc, measured with `tracemalloc`
//! (`tests/cpython/shapes` measures them again) and read in the headers named at each row.

use std::fmt;

use crate::trace::Header;

/// A version of CPython 3, `3.minor.micro`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub minor: u8,
    pub micro: u8,
}

/// How one range of CPython versions lays out instances, and what it can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub first: Version,
    /// Inclusive.
    pub last: Version,
    /// Bytes of `PyGC_Head`, in front of every instance of a class.
    pub gc_header: u64,
    pub dict_field: DictField,
    pub weakref_field: WeakrefField,
    pub values: ValuesArray,
    pub inline_values: InlineValues,
    pub shared_keys: SharedKeys,
    pub table: KeyTable,
    /// Bytes of a dict object, collector's header included.
    pub dict_object: u64,
    /// `tp_basicsize` of `str`, `BaseException` and `tuple`.
    pub str_body: u64,
    pub exception_body: u64,
    pub tuple_body: u64,
    /// Bytes of a pymalloc pool.
    pub pool: u64,
    pub class_cost: ClassCost,
    pub dataclass: Dataclass,
    /// A class whose instances have variable size may have slots (`tuple`).
    pub tuple_slots: bool,
    /// `copy` and `pickle` look at the slots of subclasses of the built-in containers too.
    pub copies_slots: bool,
    /// The state of an instance dict shows whether a program has asked for it.
    pub shows_materialised: bool,
}

/// Where the pointer to the instance dict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DictField {
    /// 8 bytes of the body.
    Body,
    /// In a pre-header of this many bytes in front of the collector's; in the body (8 bytes) where `var_size_in_body`
    /// and the instances have variable size.
    PreHeader { bytes: u64, var_size_in_body: bool },
}

/// Where the list of weak references is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakrefField {
    /// 8 bytes of the body.
    Body,
    /// In the pre-header, which dict and weak references share.
    PreHeader,
}

/// Bytes of an array of `c` attribute values: `head + 8c`, and `order_head + c` rounded up to 8 for the order in which
/// they were set, where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValuesArray {
    pub head: u64,
    pub order_head: Option<u64>,
}

/// Whose instances have their values array behind their body, in the same block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InlineValues {
    /// Nobody's: it is a block of its own.
    Nobody,
    /// Those without slots and without a built-in base.
    Plain,
    /// All but those of variable size.
    FixedSize,
}

/// The key table that the instances of a class share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedKeys {
    /// Grows like any table while the first instance is the only one. Lost for ever when an instance sets its
    /// attributes in another order.
    Ordered,
    /// Made with the class, never grows. Each of the first instances takes one place away that is not used yet, and
    /// the first does so before it sets anything.
    Fixed {
        places: u32,
        /// The names of `__static_attributes__` are put in before, in the order of their code points, until it is full.
        seeded: bool,
    },
}

/// A key table of `s` places (a power of two): `head + index(s) + entry × ⌊2s/3⌋` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTable {
    pub head: u64,
    /// Bytes of an entry where all keys are `str`.
    pub text_entry: u64,
    pub entry: u64,
    /// gh-133703: the size function rounds exact powers of two up to the next one.
    pub rounds_too_far: bool,
}

/// What a class costs once, in bytes of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassCost {
    pub plain: u64,
    pub slotted: u64,
    /// The member descriptor and its place in the class dict.
    pub each_slot: u64,
}

/// What `dataclasses` can do about slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dataclass {
    pub slots: bool,
    pub weakref_slot: bool,
    /// The class that the decorator replaces is never freed, and declares inherited fields once more.
    pub keeps_original: bool,
    /// `super()` without arguments works in the class that the decorator makes.
    pub zero_argument_super: bool,
    /// `C[int](…)` may make instances of a frozen class with slots; before, it raises TypeError.
    pub frozen_alias: bool,
}

/// Why there is no [`Layout`], as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLayout(pub String);

const ANY: u8 = u8::MAX;

/// Objects 3.8: Include/objimpl.h (`PyGC_Head`, 16), Objects/typeobject.c `type_new` (dict and weakref pointers, 8 each),
/// Objects/dict-common.h (`PyDictKeysObject`, 40; entry 24), Objects/obmalloc.c (pool 4 KiB, arena 256 KiB).
const V3_8: Layout = Layout {
    first: Version { minor: 8, micro: 0 },
    last: Version { minor: 8, micro: ANY },
    gc_header: 16,
    dict_field: DictField::Body,
    weakref_field: WeakrefField::Body,
    values: ValuesArray { head: 0, order_head: None },
    inline_values: InlineValues::Nobody,
    shared_keys: SharedKeys::Ordered,
    table: KeyTable { head: 40, text_entry: 24, entry: 24, rounds_too_far: false },
    dict_object: 64,
    str_body: 80,
    exception_body: 64,
    tuple_body: 24,
    pool: 4 << 10,
    class_cost: ClassCost { plain: 2250, slotted: 1850, each_slot: 140 },
    dataclass: Dataclass {
        slots: false,
        weakref_slot: false,
        keeps_original: false,
        zero_argument_super: false,
        frozen_alias: false,
    },
    tuple_slots: false,
    copies_slots: false,
    shows_materialised: false,
};

/// As 3.8; same headers.
const V3_9: Layout = Layout { first: Version { minor: 9, micro: 0 }, last: Version { minor: 9, micro: ANY }, ..V3_8 };

/// Objects/obmalloc.c: pools of 16 KiB. Objects/dictobject.c `calculate_keysize` (gh-133703). Lib/dataclasses.py: `slots=`.
const V3_10: Layout = Layout {
    first: Version { minor: 10, micro: 0 },
    last: Version { minor: 10, micro: ANY },
    table: KeyTable { rounds_too_far: true, ..V3_8.table },
    pool: 16 << 10,
    dataclass: Dataclass {
        slots: true,
        weakref_slot: false,
        keeps_original: true,
        zero_argument_super: false,
        frozen_alias: false,
    },
    ..V3_8
};

/// Include/internal/pycore_object.h (`_PyObject_ManagedDictPointer`: values at −32, dict at −24), pycore_dict.h
/// (`PyDictKeysObject` 32; `PyDictUnicodeEntry` 16; `SHARED_KEYS_MAX_SIZE` 30; values prefix `c + 2`), cpython/pyerrors.h (notes: 72);
/// Objects/typeobject.c `_PyObject_GetState`.
const V3_11: Layout = Layout {
    first: Version { minor: 11, micro: 0 },
    last: Version { minor: 11, micro: ANY },
    dict_field: DictField::PreHeader { bytes: 16, var_size_in_body: true },
    values: ValuesArray { head: 0, order_head: Some(2) },
    shared_keys: SharedKeys::Fixed { places: 30, seeded: false },
    table: KeyTable { head: 32, text_entry: 16, entry: 24, rounds_too_far: true },
    exception_body: 72,
    class_cost: ClassCost { plain: 2750, slotted: 1850, each_slot: 140 },
    dataclass: Dataclass {
        slots: true,
        weakref_slot: true,
        keeps_original: false,
        zero_argument_super: false,
        frozen_alias: false,
    },
    copies_slots: true,
    shows_materialised: true,
    ..V3_10
};

/// pycore_object.h: one pre-header of two words for dict (−24, tagged) and weak references (−32); unicodeobject.h: `wstr` gone (64).
const V3_12: Layout = Layout {
    first: Version { minor: 12, micro: 0 },
    last: Version { minor: 12, micro: ANY },
    dict_field: DictField::PreHeader { bytes: 16, var_size_in_body: false },
    weakref_field: WeakrefField::PreHeader,
    str_body: 64,
    ..V3_11
};

/// pycore_dict.h: `PyDictValues` has a head of 8 bytes; Objects/typeobject.c `type_new_alloc`: `Py_TPFLAGS_INLINE_VALUES`
/// only where `tp_basicsize` is that of `object`.
const V3_13_0: Layout = Layout {
    first: Version { minor: 13, micro: 0 },
    last: Version { minor: 13, micro: 3 },
    dataclass: Dataclass {
        slots: true,
        weakref_slot: true,
        keeps_original: false,
        zero_argument_super: false,
        frozen_alias: true,
    },
    values: ValuesArray { head: 8, order_head: Some(0) },
    inline_values: InlineValues::Plain,
    ..V3_12
};

/// Objects/dictobject.c: gh-133703 is repaired.
const V3_13_4: Layout = Layout {
    first: Version { minor: 13, micro: 4 },
    last: Version { minor: 13, micro: ANY },
    table: KeyTable { rounds_too_far: false, ..V3_13_0.table },
    ..V3_13_0
};

/// Objects/typeobject.c: inline values for every type of fixed size; `__static_attributes__` in the shared keys;
/// cpython/tupleobject.h: `ob_hash` (32). Lib/dataclasses.py: `super()` repaired.
const V3_14: Layout = Layout {
    first: Version { minor: 14, micro: 0 },
    last: Version { minor: 14, micro: ANY },
    inline_values: InlineValues::FixedSize,
    shared_keys: SharedKeys::Fixed { places: 30, seeded: true },
    tuple_body: 32,
    dataclass: Dataclass {
        slots: true,
        weakref_slot: true,
        keeps_original: false,
        zero_argument_super: true,
        frozen_alias: true,
    },
    ..V3_13_4
};

/// Headers of 3.15 and measurement: as 3.14; Objects/typeobject.c: slots in subclasses of `tuple`.
const V3_15: Layout = Layout {
    first: Version { minor: 15, micro: 0 },
    last: Version { minor: 15, micro: ANY },
    tuple_slots: true,
    ..V3_14
};

/// All the rows, oldest first, without overlap.
pub static ROWS: [Layout; 9] = [V3_8, V3_9, V3_10, V3_11, V3_12, V3_13_0, V3_13_4, V3_14, V3_15];

impl Layout {
    /// The layout of the CPython that wrote a trace.
    pub fn of(header: &Header) -> Result<&'static Layout, UnknownLayout> {
        let runtime = header.runtime.as_str();
        let Some(version) = runtime.strip_prefix("cpython-") else {
            return Err(UnknownLayout(format!(
                "the trace was written by {runtime}, and only CPython's layout is known"
            )));
        };
        if header.pointer != 8 {
            return Err(UnknownLayout(format!(
                "the layout of builds with {}-byte pointers is not known",
                header.pointer
            )));
        }
        let build = |word: &str| {
            header
                .extra
                .iter()
                .any(|(key, value)| key == "build" && value.split([',', ' ', '+']).any(|part| part == word))
        };
        if build("free-threaded") || build("nogil") {
            return Err(UnknownLayout("the layout of free-threaded builds is not known".to_owned()));
        }
        if build("debug") {
            return Err(UnknownLayout("the layout of debug builds is not known".to_owned()));
        }
        Layout::named(version)
    }

    /// The layout of a version such as `3.13` (its newest micro version) or `3.13.0`.
    pub fn named(version: &str) -> Result<&'static Layout, UnknownLayout> {
        if version.ends_with('t') {
            return Err(UnknownLayout(format!("the layout of free-threaded builds ({version}) is not known")));
        }
        let wanted = Version::parse(version)
            .ok_or_else(|| UnknownLayout(format!("{version:?} is not a version of CPython 3, such as 3.13")))?;
        ROWS.iter().find(|row| row.first <= wanted && wanted <= row.last).ok_or_else(|| {
            UnknownLayout(format!(
                "the layout of CPython {version} is not known; known are {} to {}",
                ROWS[0].first.short(),
                ROWS[ROWS.len() - 1].last.short()
            ))
        })
    }

    /// `3.13`.
    pub fn short(&self) -> String {
        self.first.short()
    }
}

impl Version {
    /// Reads `3.13`, `3.13.0`, `3.13.0rc1`; without a micro version the newest is meant.
    pub fn parse(text: &str) -> Option<Version> {
        let mut parts = text.strip_prefix("3.")?.splitn(2, '.');
        let minor = parts.next()?.parse().ok()?;
        let micro = match parts.next() {
            None => ANY,
            Some(micro) => {
                let digits = micro.find(|c: char| !c.is_ascii_digit()).unwrap_or(micro.len());
                micro[..digits].parse().ok()?
            }
        };
        Some(Version { minor, micro })
    }

    /// `3.13`.
    pub fn short(self) -> String {
        format!("3.{}", self.minor)
    }
}

impl fmt::Display for UnknownLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_do_not_overlap() {
        for pair in ROWS.windows(2) {
            assert!(pair[0].last < pair[1].first, "{:?}", pair[1].first);
        }
    }

    #[test]
    fn a_micro_version_chooses_its_row() {
        assert!(Layout::named("3.13.0").unwrap().table.rounds_too_far);
        assert!(!Layout::named("3.13.4").unwrap().table.rounds_too_far);
        assert!(!Layout::named("3.13").unwrap().table.rounds_too_far, "the newest is meant");
        assert_eq!(Layout::named("3.15.0rc1").unwrap().short(), "3.15");
    }

    #[test]
    fn what_is_not_known_is_said() {
        for version in ["3.7", "3.16", "2.7", "three", "3.13.0t"] {
            assert!(Layout::named(version).is_err(), "{version}");
        }
    }
}
