//! Reads classes: what they derive from, who made them, and the tables in which they declare the fields of their instances.

use super::interpreter::Interpreter;
use super::memory::{c_string, flag, half, ty, type_flags, word};
use super::text;
use crate::memory::Grow;

/// `PyMemberDef`: name, type, offset. `PyGetSetDef` begins with the name too, and is as long.
const NAME: usize = 0;
const TYPE: usize = 8;
const OFFSET: usize = 16;
const DECLARATION: usize = 40;
/// `T_OBJECT`, `T_OBJECT_EX`.
const OBJECTS: [i32; 2] = [6, 16];

/// `ht_name` stands so many bytes before `ht_qualname` in a `PyHeapTypeObject`.
const NAME_BEFORE_QUALNAME: usize = 16;

/// `class`, its `tp_base`, and so on.
///
/// # Safety
/// A class that is ready, under the GIL.
pub(crate) unsafe fn chain(class: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(class), |&class| {
        // SAFETY: as the caller promises, and a base is a class as well.
        let base = unsafe { word(class + ty::BASE) };
        (base != 0).then_some(base)
    })
}

/// Was the class made by a class statement (or `type()`), not by C code? Then its `tp_name` is the text of its name object.
///
/// # Safety
/// As for [`chain`].
pub(crate) unsafe fn made_in_python(interpreter: &Interpreter, class: usize) -> bool {
    // SAFETY: as the caller promises; a heap type has the field.
    unsafe {
        if type_flags(class) & flag::HEAP_TYPE == 0 {
            return false;
        }
        let name = word(class + interpreter.row.type_qualname - NAME_BEFORE_QUALNAME);
        name != 0 && word(class + ty::NAME) == text::utf8(interpreter.row, name)
    }
}

/// `tp_members` of a class that hold an object: offset and name.
///
/// # Safety
/// As for [`chain`].
pub(crate) unsafe fn object_members<'a>(class: usize) -> Vec<(usize, &'a [u8])> {
    let mut found = Vec::new();
    // SAFETY: as the caller promises; a declaration without a name ends the table.
    unsafe {
        let mut member = word(class + ty::MEMBERS);
        while member != 0 && word(member + NAME) != 0 {
            if OBJECTS.contains(&half(member + TYPE)) {
                found.add((word(member + OFFSET), c_string(word(member + NAME))));
            }
            member += DECLARATION;
        }
    }
    found
}

/// Attributes that a class of C declares: `tp_members` and `tp_getset`.
///
/// # Safety
/// As for [`chain`].
pub(crate) unsafe fn declared_names<'a>(class: usize) -> impl Iterator<Item = &'a [u8]> {
    [ty::MEMBERS, ty::GETSET].into_iter().flat_map(move |table| {
        // SAFETY: as the caller promises.
        let mut next = unsafe { word(class + table) };
        std::iter::from_fn(move || {
            // SAFETY: as the caller promises; a declaration without a name ends the table.
            let name = if next == 0 { 0 } else { unsafe { word(next + NAME) } };
            next += DECLARATION;
            // SAFETY: a name is a C string.
            (name != 0).then(|| unsafe { c_string(name) })
        })
    })
}
