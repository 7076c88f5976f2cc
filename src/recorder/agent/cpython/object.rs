//! Names the fields of CPython's own objects that are in the same place in 3.8 to 3.15, and reads containers by them.

use super::memory::{half, signed, size_of, word};
use super::versions::CPython;

/// Bytes of a pointer.
pub(crate) const WORD: usize = 8;

/// `PyMethodObject.im_func`, `classmethod` and `staticmethod`'s callable, `PyModuleObject.md_dict`, `PyWeakReference.wr_object`,
/// and its `wr_callback`.
pub(crate) const METHOD_FUNCTION: usize = 16;
pub(crate) const WRAPPED_CALLABLE: usize = 16;
pub(crate) const MODULE_DICT: usize = 16;
pub(crate) const REFERENT: usize = 16;
pub(crate) const CALLBACK: usize = 24;

/// `PyCFunctionObject`: `m_ml`, and `m_self`.
pub(crate) const C_FUNCTION_METHOD: usize = 16;
pub(crate) const C_FUNCTION_SELF: usize = 24;

/// `propertyobject`: deleter, setter, getter.
pub(crate) const PROPERTY_FUNCTIONS: [usize; 3] = [32, 24, 16];

/// Fields that are no `tp_members`, in the order in which `tp_traverse` visits them.
pub(crate) const CELL: &[(u16, &str)] = &[(16, ".cell_contents")];
pub(crate) const C_FUNCTION: &[(u16, &str)] = &[(24, ".__self__"), (32, ".__module__")];
pub(crate) const WEAK_REFERENCE: &[(u16, &str)] = &[(24, ".__callback__")];
pub(crate) const TYPE: &[(u16, &str)] =
    &[(264, ".__dict__"), (344, ".__mro__"), (336, ".__bases__"), (256, ".__base__")];

/// `PyListObject`: the items, and how many there is room for.
pub(crate) const LIST_ITEMS: usize = 24;
const LIST_ALLOCATED: usize = 32;

/// `PySetObject`: used and dummy entries, mask, table, and the small table inside the object.
const SET_USED: usize = 24;
const SET_MASK: usize = 32;
const SET_TABLE: usize = 40;
const SET_SMALL_TABLE: usize = 64;
const SET_ENTRY: usize = 16;

/// `PyODictObject`: the fast nodes, behind the dict that it is.
const ORDERED_NODES_SIZE: usize = 72;
/// A node of its list: key, hash, next, previous.
const ORDERED_NODE: usize = 32;

/// `dequeobject`: the left block, and the index of the first item in it. Entries of a block, and its bytes.
const DEQUE_LEFT_BLOCK: usize = 24;
const DEQUE_LEFT_INDEX: usize = 40;
const DEQUE_BLOCK: (usize, usize) = (64, 66 * WORD);

/// `PyByteArrayObject.ob_alloc`.
const BYTE_ARRAY_ALLOCATED: usize = 24;

/// `arrayobject`: items that there is room for, and the description of one; `arraydescr.itemsize`.
const ARRAY_ALLOCATED: usize = 32;
const ARRAY_DESCRIPTION: usize = 40;
const DESCRIPTION_ITEM_SIZE: usize = 4;

/// Items of a list, which must not change meanwhile.
///
/// # Safety
/// A live `list`, under the GIL.
pub(crate) unsafe fn list_items<'a>(list: usize) -> &'a [usize] {
    // SAFETY: as the caller promises.
    unsafe {
        let items = word(list + LIST_ITEMS);
        if items == 0 {
            return &[];
        }
        std::slice::from_raw_parts(items as *const usize, size_of(list).max(0).cast_unsigned())
    }
}

/// Entries of a set, used ones and those that once were.
///
/// # Safety
/// A live `set` or `frozenset`, under the GIL.
pub(crate) unsafe fn set_entries(set: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe { word(set + SET_USED) }
}

/// The room for items that a list has behind them: from where to where. What was taken out of the list may still stand there.
///
/// # Safety
/// A live `list`, under the GIL.
pub(crate) unsafe fn list_room(list: usize) -> (usize, usize) {
    // SAFETY: as the caller promises.
    unsafe {
        let items = word(list + LIST_ITEMS);
        (items + size_of_val(list_items(list)), items + list_storage(list))
    }
}

/// Bytes of the array of items of a list.
///
/// # Safety
/// A live `list`, under the GIL.
pub(crate) unsafe fn list_storage(list: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe {
        match word(list + LIST_ITEMS) {
            0 => 0,
            _ => WORD * signed(list + LIST_ALLOCATED).max(0).cast_unsigned(),
        }
    }
}

/// Bytes of the table of a set that has outgrown the one inside it.
///
/// # Safety
/// A live `set` or `frozenset`, under the GIL.
pub(crate) unsafe fn set_storage(set: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe {
        if word(set + SET_TABLE) == set + SET_SMALL_TABLE {
            return 0;
        }
        SET_ENTRY * (word(set + SET_MASK) + 1)
    }
}

/// Bytes of what an `OrderedDict` has besides its dict: the fast nodes, and a node of the list for each entry.
///
/// # Safety
/// A live `OrderedDict`, under the GIL.
pub(crate) unsafe fn ordered_dict_storage(dict: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe { WORD * word(dict + ORDERED_NODES_SIZE) + ORDERED_NODE * word(dict + super::dict::USED) }
}

/// Bytes of the blocks of a deque.
///
/// # Safety
/// A live `collections.deque`, under the GIL.
pub(crate) unsafe fn deque_storage(deque: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe {
        if word(deque + DEQUE_LEFT_BLOCK) == 0 {
            return 0;
        }
        let (entries, bytes) = DEQUE_BLOCK;
        let used = word(deque + DEQUE_LEFT_INDEX) + size_of(deque).max(0).cast_unsigned();
        used.div_ceil(entries).max(1) * bytes
    }
}

/// Bytes of the text of a `bytearray`.
///
/// # Safety
/// A live `bytearray`, under the GIL.
pub(crate) unsafe fn byte_array_storage(row: &CPython, array: usize) -> usize {
    // SAFETY: as the caller promises.
    match unsafe { signed(array + BYTE_ARRAY_ALLOCATED) } {
        ..=0 => 0,
        allocated => row.byte_array_head + allocated.cast_unsigned(),
    }
}

/// Bytes of the items of an `array.array`.
///
/// # Safety
/// A live `array.array`, under the GIL.
pub(crate) unsafe fn array_storage(array: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe {
        let (allocated, description) = (signed(array + ARRAY_ALLOCATED), word(array + ARRAY_DESCRIPTION));
        let item = half(description + DESCRIPTION_ITEM_SIZE).max(0).cast_unsigned() as usize;
        allocated.max(0).cast_unsigned() * item
    }
}
