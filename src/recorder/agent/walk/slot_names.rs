//! Names the references of an object: which place holds what, read from memory in the order of its `tp_traverse`.

use super::classes::{Class, Kind, Place};
use super::describe::Walk;
use super::edges::Edges;
use super::labels::{Form, index_label};
use crate::cpython::dict::{self, Table, Values};
use crate::cpython::frame::{self, Holder};
use crate::cpython::memory::{flag, size_of, tuple_items, type_of, word};
use crate::cpython::object::list_items;
use crate::memory::Grow;
use crate::sink::Sink;

impl<S: Sink> Walk<'_, S> {
    /// Names the references of `object`, whose class is the one numbered `class` in this walk.
    pub(super) unsafe fn name_edges(&mut self, object: usize, class: usize, edges: &mut Edges) {
        if edges.targets.is_empty() {
            return;
        }
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let kind = self.scratch.classes[class].kind;
            for index in 0..self.scratch.classes[class].slots.len() {
                let (offset, label) = self.scratch.classes[class].slots[index];
                edges.name(word(object + offset), label);
            }
            if self.scratch.classes[class].dict != Place::Nowhere {
                self.name_attributes(object, class, edges);
            }
            if self.scratch.classes[class].is_heap() {
                let label = self.fixed(".__class__");
                edges.name(type_of(object), label);
            }
            for index in 0..self.scratch.classes[class].fields.len() {
                let (offset, label) = self.scratch.classes[class].fields[index];
                edges.name(word(object + offset), label);
            }
            match kind {
                Kind::List => name_items(list_items(object), edges),
                Kind::Tuple => self.name_tuple(object, edges),
                Kind::Dict => {
                    // Tables that have other keys than `str` visit them as well, each behind its value.
                    let visits_keys = edges.targets.len() >= 2 * word(object + dict::USED);
                    self.name_dict(object, visits_keys, edges);
                }
                Kind::OrderedDict => self.name_ordered_dict(object, edges),
                Kind::Set | Kind::LruCache => {
                    let label = self.fixed("element");
                    edges.name_rest(|_| label);
                }
                Kind::Deque => edges.name_rest(index_label),
                Kind::Frame => self.name_frame(object, Holder::FrameObject, edges),
                Kind::Generator => self.name_frame(object, Holder::Generator, edges),
                Kind::Future => self.name_future(edges),
                _ => {}
            }
        }
    }

    /// The attributes in the values array, or the dict.
    unsafe fn name_attributes(&mut self, object: usize, class: usize, edges: &mut Edges) {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            if let Some(values) = self.values(object, class) {
                for index in 0..values.count {
                    let value = values.get(index);
                    if value != 0 {
                        let label = self.attribute_label(class, index);
                        edges.name(value, label);
                    }
                }
            }
            let dict = self.dict_of(object, class);
            if dict != 0 {
                self.scratch.namespaces.insert(dict, 1);
                let label = self.fixed(".__dict__");
                edges.name(dict, label);
            }
        }
    }

    unsafe fn attribute_label(&mut self, class: usize, index: usize) -> u32 {
        if let Some(&label) = self.scratch.classes[class].attributes.get(index)
            && label != 0
        {
            return label;
        }
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let keys = word(self.scratch.classes[class].address + self.context.interpreter.row.type_cached_keys);
            let label = if keys == 0 {
                0
            } else {
                let table = self.table(keys, 0);
                if index < table.count {
                    self.label(word(table.entries + index * table.stride + table.key), Form::Attribute)
                } else {
                    0
                }
            };
            let attributes = &mut self.scratch.classes[class].attributes;
            let length = attributes.len().max(index + 1);
            if attributes.ask(length - attributes.len()) {
                attributes.resize(length, 0);
                attributes[index] = label;
            }
            label
        }
    }

    /// The values of an instance (3.11+), while they are in use and no dict has taken them over.
    pub(super) unsafe fn values(&self, object: usize, class: usize) -> Option<Values> {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe { self.values_of(object, &self.scratch.classes[class]) }
    }

    pub(super) unsafe fn values_of(&self, object: usize, class: &Class) -> Option<Values> {
        if class.dict != Place::Managed {
            return None;
        }
        let row = self.context.interpreter.row;
        let inline = (class.flags & flag::INLINE_VALUES != 0).then_some(object + class.basic_size);
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe { dict::own_values(row, object, inline, word(class.address + row.type_cached_keys)) }
    }

    /// The instance's dict object, or 0.
    pub(super) unsafe fn dict_of(&self, object: usize, class: usize) -> usize {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe { self.dict_in(object, &self.scratch.classes[class]) }
    }

    pub(super) unsafe fn dict_in(&self, object: usize, class: &Class) -> usize {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            match class.dict {
                Place::Nowhere => 0,
                Place::Managed => dict::managed_dict(self.context.interpreter.row, object),
                Place::At(offset) if offset > 0 => word(object + offset.unsigned_abs()),
                Place::At(offset) => {
                    let items = size_of(object).unsigned_abs() * class.item_size.unsigned_abs();
                    let end = (class.basic_size + items).next_multiple_of(8);
                    word(object + end - offset.unsigned_abs())
                }
            }
        }
    }

    pub(super) unsafe fn table(&self, keys: usize, values: usize) -> Table {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe { Table::of(self.context.interpreter.row, keys, values) }
    }

    /// It visits all of its keys, and then what a dict visits.
    unsafe fn name_ordered_dict(&mut self, dict: usize, edges: &mut Edges) {
        // SAFETY: as the caller promises, the object is alive and a dict.
        unsafe {
            let (keys, used) = (word(dict + dict::KEYS), word(dict + dict::USED));
            if keys != 0 && used != 0 {
                let table = self.table(keys, word(dict + dict::VALUES));
                let first = (0..table.count).map(|index| table.entry(index)).find(|&(_, value)| value != 0);
                let visits_keys = first.is_some_and(|(key, value)| edges.last_begin_with(2 * used, &[value, key]));
                edges.go_to_last(if visits_keys { 2 * used } else { used });
                self.name_dict(dict, visits_keys, edges);
            }
            let label = self.fixed("key");
            edges.name_rest(|_| label);
        }
    }

    unsafe fn name_dict(&mut self, dict: usize, visits_keys: bool, edges: &mut Edges) {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let keys = word(dict + dict::KEYS);
            if keys == 0 {
                return;
            }
            let table = self.table(keys, word(dict + dict::VALUES));
            let key_name = self.fixed("key");
            let shows_keys = self.context.keys || self.scratch.namespaces.contains(dict);
            for index in 0..table.count {
                let (key, value) = table.entry(index);
                if value == 0 {
                    continue;
                }
                let label = self.key_label(key, shows_keys);
                edges.name(value, label);
                if visits_keys {
                    edges.name_next(key, key_name);
                }
            }
        }
    }

    unsafe fn name_tuple(&mut self, tuple: usize, edges: &mut Edges) {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let items = tuple_items(self.context.interpreter.row, tuple);
            let Some(code) = self.scratch.closures.get(tuple) else {
                return name_items(items, edges);
            };
            let names = frame::free_names(self.context.interpreter.row, code);
            for (index, &item) in items.iter().enumerate().rev() {
                let label = match names.get(index) {
                    Some(&name) => self.label(name, Form::Cell),
                    None => index_label(index),
                };
                edges.name(item, label);
            }
        }
    }

    /// A future's fields are its own; what they hold tells them apart.
    unsafe fn name_future(&mut self, edges: &mut Edges) {
        for index in 0..edges.targets.len() {
            if edges.labels[index] == 0 {
                // SAFETY: as the caller promises, the object is alive and of this class.
                let class = unsafe { self.class_of(edges.targets[index]) };
                let label = match self.scratch.classes[class].kind {
                    Kind::Generator => "._coro",
                    Kind::Exception => "._exception",
                    Kind::List => "._callbacks",
                    _ => continue,
                };
                edges.labels[index] = self.fixed(label);
            }
        }
    }
}

/// Lists and tuples are visited from the last item to the first.
fn name_items(items: &[usize], edges: &mut Edges) {
    for (index, &item) in items.iter().enumerate().rev() {
        edges.name(item, index_label(index));
    }
}
