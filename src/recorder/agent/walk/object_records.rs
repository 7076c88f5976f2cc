//! Writes what the trace says of an object besides its references: count, storage of its own, state of its dict, name, code.

use super::classes::{Kind, Place};
use super::describe::{Reach, Walk};
use crate::cpython::memory::{
    GC_HEAD, MANAGED_WEAK_REFERENCES, PREV_FINALIZED, flag, gc_prev, ty, type_flags, type_of, word,
};
use crate::cpython::text;
use crate::cpython::{dict, object, versions};
use crate::descriptions::Digest;
use crate::encode::kind;
use crate::layouts::buffers;
use crate::sink::Sink;

/// What the trace says of an object besides its references.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    count: u64,
    flags: u8,
    /// Bytes of the blocks that it alone owns, if it is of a kind that can own some.
    owned: Option<usize>,
    /// Of an instance: the state of its dict, and how many entries it has room for.
    dict: Option<(u8, u32)>,
    /// A text's number.
    name: Option<u32>,
    /// A site's number.
    code: Option<u32>,
}

impl Facts {
    pub(super) fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        let (state, capacity) = self.dict.unwrap_or((u8::MAX, 0));
        digest.add_word(self.count);
        digest.add_word(u64::from(self.flags) | u64::from(state) << 8 | u64::from(capacity) << 32);

        digest.add_word(self.owned.unwrap_or(0) as u64);
        digest.add_word(u64::from(self.name.unwrap_or(0)) | u64::from(self.code.unwrap_or(0)) << 32);
        digest
    }
}

/// Flags of `count`.
const UNTRACKED: u8 = 1;
const FINALIZED: u8 = 2;
const WEAKLY_REFERENCED: u8 = 4;
const IMMORTAL: u8 = 8;

/// States of `dict`.
const NONE: u8 = 0;
const INLINE: u8 = 1;
const SPLIT: u8 = 2;
const COMBINED: u8 = 3;
const DETACHED: u8 = 4;

impl<S: Sink> Walk<'_, S> {
    /// The count of an object without the references of the recorder's own, and whether it is immortal.
    pub(super) unsafe fn count_of(&self, object: usize) -> (u64, bool) {
        // SAFETY: as the caller promises, the object is alive.
        let (count, immortal) = unsafe { self.context.interpreter.count(object) };
        if immortal || self.scratch.own_references.is_empty() {
            return (count, immortal);
        }
        let own = self.scratch.own_references.get(object).unwrap_or(0);
        (count.saturating_sub(own.into()), immortal)
    }

    /// What there is to say of an object with this count.
    pub(super) unsafe fn facts(
        &mut self,
        object: usize,
        class: usize,
        (count, immortal): (u64, bool),
        gc: bool,
        tracked: bool,
    ) -> Facts {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let mut flags = if immortal { IMMORTAL } else { 0 };
            if self.scratch.classes[class].flags & flag::HAVE_GC != 0 && !tracked {
                flags |= UNTRACKED;
            }
            if gc && gc_prev(object - GC_HEAD) & PREV_FINALIZED != 0 {
                flags |= FINALIZED;
            }
            if self.has_weak_references(object, class) {
                flags |= WEAKLY_REFERENCED;
            }
            let what = self.scratch.classes[class].kind;
            let owned = self.owned(object, class, what);
            let instance = self.scratch.classes[class].is_heap()
                && self.scratch.classes[class].dict != Place::Nowhere
                && !matches!(what, Kind::Type | Kind::Module);
            let dict = instance.then(|| self.dict_state(object, class));
            if matches!(dict, Some((SPLIT | DETACHED, _))) {
                self.remember_keys(object, class);
            }
            if what == Kind::Type {
                self.remember_class_keys(object);
                if self.reach == Reach::Members {
                    // Whose a class is that becomes garbage, its definition tells, which has its file.
                    self.define(object);
                }
            }
            let name = match what {
                Kind::Type => Some(self.class_name(object)),
                Kind::Module => self.module_name(object),
                _ => None,
            };
            let name = name.map(|name| self.sink.text(name.as_bytes()));
            let code = self.code_of(object, what).map(|code| self.code_site(code));
            Facts { count, flags, owned, dict, name, code }
        }
    }

    /// Writes `count`, and then what else there is to say; of an object that is not `new`, also that it owns nothing any more.
    pub(super) fn write_facts(&mut self, number: u64, facts: &Facts, new: bool) {
        let &Facts { count, flags, owned, dict, name, code } = facts;
        self.sink.emit(|encoder| encoder.count(number, count, flags));
        if let Some(owned) = owned.filter(|&owned| owned != 0 || !new) {
            self.sink.emit(|encoder| encoder.fact(kind::OWNS, number, owned as u64));
        }
        if let Some((state, capacity)) = dict {
            self.sink.emit(|encoder| encoder.dict(number, state, capacity));
        }
        if let Some(name) = name {
            self.sink.emit(|encoder| encoder.fact(kind::NAME, number, u64::from(name)));
        }
        if let Some(site) = code {
            self.sink.emit(|encoder| encoder.fact(kind::CODE, number, u64::from(site)));
        }
    }

    pub(super) unsafe fn has_weak_references(&self, object: usize, class: usize) -> bool {
        let list = match self.scratch.classes[class].weak {
            Place::Nowhere => 0,
            // SAFETY: as the caller promises, the object is alive and of this class.
            Place::Managed => unsafe { word(object - MANAGED_WEAK_REFERENCES) },
            // SAFETY: as the caller promises, the object is alive and of this class.
            Place::At(offset) => unsafe { word(object.wrapping_add_signed(offset)) },
        };
        list != 0
    }

    unsafe fn module_name(&self, module: usize) -> Option<String> {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let name = word(module + self.context.interpreter.row.module_name);
            text::is_text(name).then(|| text::text(self.context.interpreter.row, name))
        }
    }

    /// Bytes of the separate blocks that the object alone owns, as they were requested. `None` where it can own none.
    unsafe fn owned(&self, object: usize, class: usize, what: Kind) -> Option<usize> {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let own = match what {
                Kind::List => object::list_storage(object),
                Kind::Dict => dict::storage(self.context.interpreter.row, object),
                Kind::OrderedDict => {
                    dict::storage(self.context.interpreter.row, object) + object::ordered_dict_storage(object)
                }
                Kind::Set => object::set_storage(object),
                Kind::Deque => object::deque_storage(object),
                // The key table that its instances share.
                Kind::Type if type_flags(object) & flag::HEAP_TYPE != 0 => {
                    let keys = word(object + self.context.interpreter.row.type_cached_keys);
                    if keys == 0 { 0 } else { dict::table_bytes(self.context.interpreter.row, keys) }
                }
                // An instance of a subclass of `str` has its text in a block of its own, for good.
                _ if self.scratch.classes[class].flags & flag::UNICODE_SUBCLASS != 0 => {
                    let text = separate_text(object);
                    let values = self.values_storage(object, class);
                    return values.map(|values| text + values).or(Some(text).filter(|&text| text != 0));
                }
                Kind::ByteArray => object::byte_array_storage(self.context.interpreter.row, object),
                Kind::Array => object::array_storage(object),
                Kind::Buffer(layout) => {
                    buffers::storage(&self.context.interpreter, layout, object, self.reach == Reach::All)
                }
                _ => return self.values_storage(object, class),
            };
            Some(own + self.values_storage(object, class).unwrap_or(0))
        }
    }

    /// The values array of an instance, where it is a block of its own. `None` where it is none.
    unsafe fn values_storage(&self, object: usize, class: usize) -> Option<usize> {
        let row = self.context.interpreter.row;
        if !row.values.are_separate() || self.scratch.classes[class].dict != Place::Managed {
            return None;
        }
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let values = self.values(object, class);
            let bytes = |values| dict::separate_bytes(dict::own_capacity(row, values, self.class_keys(class)));
            Some(values.map_or(0, bytes))
        }
    }

    unsafe fn class_keys(&self, class: usize) -> usize {
        let class = &self.scratch.classes[class];
        // SAFETY: as the caller promises, the object is alive and of this class.
        if class.is_heap() { unsafe { word(class.address + self.context.interpreter.row.type_cached_keys) } } else { 0 }
    }

    /// State of the instance's dict, and the entries it has room for.
    unsafe fn dict_state(&self, object: usize, class: usize) -> (u8, u32) {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let row = self.context.interpreter.row;
            let dict = self.dict_of(object, class);
            let entries = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            if dict == 0 || word(type_of(dict) + ty::TRAVERSE) != word(self.context.interpreter.dict + ty::TRAVERSE) {
                return match self.values(object, class) {
                    Some(values) => (INLINE, entries(dict::own_capacity(row, values, self.class_keys(class)))),
                    None => (NONE, 0),
                };
            }
            let (keys, values) = (word(dict + dict::KEYS), word(dict + dict::VALUES));
            if keys == 0 {
                return (NONE, 0);
            }
            if values == 0 {
                return (COMBINED, entries(dict::room(row, keys)));
            }
            let has_inline =
                row.values == versions::Values::Inline && self.scratch.classes[class].flags & flag::INLINE_VALUES != 0;
            let state = if has_inline && dict::is_detached(values) { DETACHED } else { SPLIT };
            (state, entries(dict::values_capacity(row, values, keys)))
        }
    }
}

/// Bytes of a text that does not stand behind the head of its `str`.
unsafe fn separate_text(object: usize) -> usize {
    // SAFETY: as the caller promises, the object is alive and of this class.
    unsafe {
        let form = text::Form::of(object);
        if form.compact { 0 } else { (text::length(object) + 1) * form.width }
    }
}
