//! Reads dicts: their tables of keys, their arrays of values, and the values that an instance has without a dict.

use super::memory::{byte, word};
use super::text::{push_text, text_is};
use super::versions::{CPython, KeyTable, Values as Form};

/// `PyDictObject`: number of entries, key table, values; the same in all versions.
pub(crate) const USED: usize = 16;
pub(crate) const KEYS: usize = 32;
pub(crate) const VALUES: usize = 40;
/// In front of an instance of a managed class: the dict, and (3.11) the values.
const MANAGED_DICT: usize = 24;
const MANAGED_VALUES: usize = 32;
/// `PyDictValues` of 3.13 and later: head of four bytes (capacity, size, embedded, valid) and padding, then the values.
const INLINE_HEAD: usize = 8;
const EMBEDDED: usize = 2;
const VALID: usize = 3;

/// An instance's own values: where they begin, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values {
    pub first: usize,
    pub count: usize,
}

impl Values {
    /// The value in this place; 0 if there is none.
    pub(crate) unsafe fn get(self, index: usize) -> usize {
        // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
        unsafe { word(self.first + 8 * index) }
    }
}

/// A dict's table: where its entries are, and what they look like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub entries: usize,
    pub count: usize,
    /// Bytes of an entry, and the offsets of key and value in it.
    pub stride: usize,
    pub key: usize,
    pub value: usize,
    /// Not the entries have the values, but this array.
    pub values: usize,
}

impl Table {
    /// The table of a dict whose keys and values are at these addresses.
    pub(crate) unsafe fn of(row: &CPython, keys: usize, values: usize) -> Table {
        // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
        unsafe {
            match row.key_table {
                KeyTable::Sized => {
                    let size = word(keys + 8);
                    let entries = keys + 40 + index_width(size) * size;
                    Table { entries, count: word(keys + 32), stride: 24, key: 8, value: 16, values }
                }
                KeyTable::Logarithmic => {
                    let entries = keys + 32 + (1 << byte(keys + 9));
                    let values = if values != 0 && row.values == Form::Inline { values + INLINE_HEAD } else { values };
                    let (stride, key) = if has_any_keys(keys) { (24, 8) } else { (16, 0) };
                    Table { entries, count: word(keys + 24), stride, key, value: key + 8, values }
                }
            }
        }
    }

    /// The key and the value of an entry; a value of 0 where the entry is free.
    pub(crate) unsafe fn entry(&self, index: usize) -> (usize, usize) {
        let entry = self.entries + index * self.stride;
        let value = if self.values == 0 { entry + self.value } else { self.values + 8 * index };
        // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
        unsafe { (word(entry + self.key), word(value)) }
    }
}

/// The keys and values of a dict; none where it is 0 or has no table.
pub(crate) unsafe fn entries(row: &CPython, dict: usize) -> impl Iterator<Item = (usize, usize)> {
    // SAFETY: as the caller promises, the dict is alive or 0, and its table is.
    let table = unsafe {
        (dict != 0 && word(dict + KEYS) != 0).then(|| Table::of(row, word(dict + KEYS), word(dict + VALUES)))
    };
    // SAFETY: as above.
    let of_table = |table: Table| (0..table.count).map(move |index| unsafe { table.entry(index) });
    table.into_iter().flat_map(of_table).filter(|&(_, value)| value != 0)
}

/// What a dict has under a name, or 0: its table is read, no key is compared by Python.
pub(crate) unsafe fn find(row: &CPython, dict: usize, name: &[u8]) -> usize {
    // SAFETY: as the caller promises, the dict is alive or 0, and its keys are.
    let is_it = |key: usize| unsafe {
        if name.is_ascii() {
            return text_is(row, key, name);
        }
        let mut text = Vec::new();
        push_text(row, key, name.len() + 1, &mut text);
        text == name
    };
    // SAFETY: as the caller promises.
    unsafe { entries(row, dict) }.find(|&(key, _)| is_it(key)).map_or(0, |(_, value)| value)
}

/// Entries that a key table has room for, used ones included.
pub(crate) unsafe fn room(row: &CPython, keys: usize) -> usize {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe {
        match row.key_table {
            KeyTable::Sized => word(keys + 24) + word(keys + 32),
            KeyTable::Logarithmic => word(keys + 16) + word(keys + 24),
        }
    }
}

/// Bytes of a key table; 0 for the empty one that all dicts share.
pub(crate) unsafe fn table_bytes(row: &CPython, keys: usize) -> usize {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe {
        match row.key_table {
            KeyTable::Sized => match word(keys + 8) {
                0 | 1 => 0,
                size => 40 + index_width(size) * size + 24 * usable(size),
            },
            KeyTable::Logarithmic => match byte(keys + 8) {
                0 => 0,
                log_size => {
                    let entry = if has_any_keys(keys) { 24 } else { 16 };
                    32 + (1 << byte(keys + 9)) + entry * usable(1 << log_size)
                }
            },
        }
    }
}

/// Bytes of the blocks that a dict has for its own: its array of values if it has one, else its table.
pub(crate) unsafe fn storage(row: &CPython, dict: usize) -> usize {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe {
        let (keys, values) = (word(dict + KEYS), word(dict + VALUES));
        match (keys, values, row.values) {
            (0, ..) => 0,
            (_, 0, _) => table_bytes(row, keys),
            (.., Form::None) => 8 * usable(word(keys + 8)),
            (.., Form::Separate | Form::Tagged) => separate_bytes(separate_capacity(row, values, keys)),
            (.., Form::Inline) if byte(values + EMBEDDED) != 0 => 0, // inside an instance
            (.., Form::Inline) => inline_bytes(usize::from(byte(values))),
        }
    }
}

/// Entries that the array of values of a dict has room for.
pub(crate) unsafe fn values_capacity(row: &CPython, values: usize, keys: usize) -> usize {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe {
        match row.values {
            Form::None => room(row, keys),
            Form::Separate | Form::Tagged => separate_capacity(row, values, keys),
            Form::Inline => usize::from(byte(values)),
        }
    }
}

/// Entries that the own values of an instance have room for.
pub(crate) unsafe fn own_capacity(row: &CPython, values: Values, class_keys: usize) -> usize {
    match row.values {
        Form::Inline => values.count,
        // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
        _ => unsafe { separate_capacity(row, values.first, class_keys) },
    }
}

/// The values that an instance of a managed class has without a dict. `inline`: behind this address, if its class has
/// them; `class_keys`: the table that its class shares.
pub(crate) unsafe fn own_values(
    row: &CPython,
    object: usize,
    inline: Option<usize>,
    class_keys: usize,
) -> Option<Values> {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe {
        let first = match row.values {
            Form::None => 0,
            Form::Separate => word(object - MANAGED_VALUES),
            Form::Tagged => match word(object - MANAGED_DICT) {
                tagged if tagged & 1 != 0 => tagged.wrapping_add(1),
                _ => 0,
            },
            Form::Inline => {
                let values = inline.filter(|&values| byte(values + VALID) != 0)?;
                return Some(Values { first: values + INLINE_HEAD, count: usize::from(byte(values)) });
            }
        };
        (first != 0 && class_keys != 0).then(|| Values { first, count: word(class_keys + 24) })
    }
}

/// Bytes of the values behind an instance whose class has them there; `keys`: the table that the class shares.
///
/// `_PyInlineValuesSize` asks for as many as the table has room for, and `_PyObject_InitInlineValues`, a moment later, takes
/// one off that room while there is more than one to spare, and writes down the rest (`Objects/dictobject.c`, 3.13 to 3.15).
/// So each room was left by one instance, which has a value more than it says, and only the last one was found by others.
/// Which of those with the last room left it, nothing tells: it counts as the others do, with 8 or 16 bytes too few.
pub(crate) unsafe fn inline_values_bytes(row: &CPython, values: usize, keys: usize) -> usize {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe {
        let written = usize::from(byte(values));
        let shrank = keys != 0 && (to_spare(keys) > 1 || written > room(row, keys));
        inline_bytes(written + usize::from(shrank))
    }
}

/// Bytes of the values of the class's next instances, fewest and most: with each birth the room shrinks, until one entry is
/// to spare.
pub(crate) unsafe fn inline_values_to_come(row: &CPython, keys: usize, births: usize) -> (usize, usize) {
    if keys == 0 {
        return (0, 0);
    }
    // SAFETY: as the caller promises, the table is alive.
    let (room, to_spare) = unsafe { (room(row, keys), to_spare(keys)) };
    let shrinks_by = (births - 1).min(to_spare.saturating_sub(1)).min(room);
    (inline_bytes(room - shrinks_by), inline_bytes(room))
}

/// Entries that may still be added to a table (3.11 and later).
unsafe fn to_spare(keys: usize) -> usize {
    // SAFETY: as the caller promises, the table is alive.
    unsafe { word(keys + 16) }
}

/// The dict of an instance of a managed class, or 0.
pub(crate) unsafe fn managed_dict(row: &CPython, object: usize) -> usize {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    let dict = unsafe { word(object - MANAGED_DICT) };
    if row.values == Form::Tagged && dict & 1 != 0 { 0 } else { dict }
}

/// Are the values of a dict outside of the instance that they belong to, though its class has them inside?
pub(crate) unsafe fn is_detached(values: usize) -> bool {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe { byte(values + EMBEDDED) == 0 }
}

/// Entries of a separate values array (3.11, 3.12). It does not say itself: as many as the class's table had room for
/// when it was made. The byte in front of it, `r8(capacity + 2)`, bounds it.
unsafe fn separate_capacity(row: &CPython, values: usize, keys: usize) -> usize {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe {
        let prefix = usize::from(byte(values - 1)).max(8);
        let now = if keys == 0 { 0 } else { room(row, keys) };
        now.clamp(prefix.saturating_sub(9), prefix - 2)
    }
}

/// Bytes of a separate values array.
pub(crate) fn separate_bytes(capacity: usize) -> usize {
    8 * capacity + (capacity + 2).next_multiple_of(8)
}

/// Bytes of a values array of 3.13 and later: its head, the values, and the order in which they were set.
fn inline_bytes(capacity: usize) -> usize {
    INLINE_HEAD + 8 * capacity + capacity.next_multiple_of(8)
}

/// Bytes of an index of a table with this many places.
fn index_width(size: usize) -> usize {
    match size {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// `DICT_KEYS_GENERAL`: there are other keys than `str`.
unsafe fn has_any_keys(keys: usize) -> bool {
    // SAFETY: as the caller promises, the dict, its table or its instance is alive; the row says where the parts are.
    unsafe { byte(keys + 10) == 0 }
}

/// `USABLE_FRACTION`: entries of a table with this many places.
fn usable(size: usize) -> usize {
    2 * size / 3
}
