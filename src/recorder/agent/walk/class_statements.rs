//! Reads what a class statement says, for the advice on `__slots__`: its slots, what its dict defines and of which sort,
//! whether it is a dataclass, where it stands.
//!
//! Everything is read from dicts and fields in memory; no descriptor is asked.

use super::classes::Kind;
use super::describe::Walk;
use super::types::Definition;
use crate::cpython::bytecode::stores;
use crate::cpython::class::{chain, made_in_python, object_members};
use crate::cpython::frame::free_names;
use crate::cpython::memory::{c_string, flag, tuple_items, ty, type_flags, type_of, word};
use crate::cpython::object::{MODULE_DICT, PROPERTY_FUNCTIONS, WRAPPED_CALLABLE, list_items};
use crate::cpython::text::{is_text, push_text, text, text_is};
use crate::cpython::{dict, integer};
use crate::memory::{Gather, Grow};
use crate::sink::Sink;

/// What every class has in its dict.
const EVERYWHERE: [&str; 8] = [
    "__module__",
    "__qualname__",
    "__doc__",
    "__dict__",
    "__weakref__",
    "__slots__",
    "__firstlineno__",
    "__static_attributes__",
];

/// Parameters of `@dataclass` that are told.
const DATACLASS: [&str; 6] = ["frozen", "order", "unsafe_hash", "kw_only", "slots", "weakref_slot"];

/// Parameters of `@dataclass` that are true where nothing is said, and the word for each that is not. Before 3.12 the class
/// does not tell `match_args`.
const DATACLASS_DEFAULTS: [(&str, &str); 4] =
    [("init", "no_init"), ("repr", "no_repr"), ("eq", "no_eq"), ("match_args", "no_match_args")];

/// Names in code that takes weak references.
const WEAK: [&[u8]; 6] =
    [b"weakref", b"_weakref", b"WeakMethod", b"WeakSet", b"WeakKeyDictionary", b"WeakValueDictionary"];

/// Names that may mean something else: what the module has under them is looked at.
const PERHAPS_WEAK: [&[u8]; 3] = [b"ref", b"proxy", b"finalize"];

/// Functions whose first parameter is no instance, also without a decorator.
const NO_METHODS: [&str; 3] = ["__new__", "__init_subclass__", "__class_getitem__"];

/// Names by sort, each a list of the definition.
#[derive(Debug, Default)]
struct Sorts {
    functions: Vec<String>,
    properties: Vec<String>,
    cached: Vec<String>,
    class_cell: Vec<String>,
    reads_dict: Vec<String>,
    weakrefs: Vec<String>,
    /// Attributes that the methods store on their first parameter.
    assigned: Vec<String>,
}

/// Cython makes a class for each function whose variables others use: an object of it is what a cell is to Python. The module that
/// has the function, by the full name of such a class: `shop.core` of `shop.core.__pyx_scope_struct__make`.
pub(super) fn module_of_closure(class: &[u8]) -> Option<&[u8]> {
    let dot = class.iter().rposition(|&byte| byte == b'.')?;
    class[dot + 1..].starts_with(b"__pyx_scope_struct").then_some(&class[..dot])
}

impl<S: Sink> Walk<'_, S> {
    pub(super) unsafe fn statement_facts(&mut self, class: usize, out: &mut Definition) {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let row = self.context.interpreter.row;
            let slots = self.own_slots(class);
            if let Some(slots) = &slots {
                out.list("slots", slots.iter().map(String::as_str));
            }
            let keys = word(class + row.type_cached_keys);
            if keys != 0 {
                out.number("keys", dict::room(row, keys));
            }
            let slots = slots.unwrap_or_default();
            let entries: Vec<(String, usize)> = self
                .dict_entries(word(class + ty::DICT))
                .into_iter()
                .map(|(key, value)| (text(row, key), value))
                .filter(|(name, _)| !name.is_empty() && !EVERYWHERE.contains(&name.as_str()) && !slots.contains(name))
                .gather();
            if !entries.is_empty() {
                out.list("defines", entries.iter().map(|(name, _)| name.as_str()));
            }
            let module = self.module_of(class);
            let file = self.class_file(class);
            if !file.is_empty() {
                out.value("file", &file);
            }
            self.dataclass_facts(class, out);
            self.attrs_facts(class, out);
            let mut sorts = Sorts::default();
            for (name, value) in entries {
                self.sort_entry(name, value, &mut sorts);
            }
            out.names("functions", &sorts.functions);
            out.names("properties", &sorts.properties);
            out.names("cached", &sorts.cached);
            out.names("class_cell", &sorts.class_cell);
            out.names("reads_dict", &sorts.reads_dict);
            out.names("weakrefs", &sorts.weakrefs);
            out.names("exchanged", &self.exchanged(class));
            if self.scratch.candidates.referred.contains(class) {
                out.value("weakly_referenced", "seen");
            }
            if let Some((name, module)) = module {
                self.module_facts(&name, module, out);
            }
            let told = self.own_entry(class, b"__static_attributes__");
            if told != 0 && type_of(told) == self.context.interpreter.tuple {
                sorts
                    .assigned
                    .add_each(tuple_items(self.context.interpreter.row, told).iter().map(|&name| text(row, name)));
            }
            sorts.assigned.retain(|name| !name.contains(','));
            sorts.assigned.sort();
            sorts.assigned.dedup();
            out.list("static", sorts.assigned.iter().map(String::as_str));
            let line = self.own_entry(class, b"__firstlineno__");
            if line != 0
                && type_of(line) == self.context.interpreter.long
                && let Some(line) = integer::small(self.context.interpreter.row, line)
            {
                out.number("line", line);
            }
        }
    }

    /// The class's own `__slots__`, mangled.
    unsafe fn own_slots(&self, class: usize) -> Option<Vec<String>> {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let slots = self.own_entry(class, b"__slots__");
            if slots == 0 {
                return None;
            }
            let kind = type_of(slots);
            let names: Vec<usize> = if is_text(slots) {
                [slots].into()
            } else if kind == interpreter.tuple {
                tuple_items(self.context.interpreter.row, slots).iter().copied().gather()
            } else if kind == interpreter.list {
                list_items(slots).iter().copied().gather()
            } else if kind == interpreter.dict {
                self.dict_entries(slots).into_iter().map(|(key, _)| key).gather()
            } else {
                let name = |(_, name): (usize, &[u8])| String::from_utf8_lossy(name).into_owned();
                return Some(object_members(class).into_iter().map(name).gather());
            };
            let class_name = String::from_utf8_lossy(c_string(word(class + ty::NAME))).into_owned();
            Some(names.into_iter().map(|name| mangled(&class_name, text(interpreter.row, name))).gather())
        }
    }

    /// The file of the module that defines the class, or nothing.
    pub(super) unsafe fn class_file(&self, class: usize) -> String {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe { self.module_of(class).map(|(_, module)| self.module_file(module)).unwrap_or_default() }
    }

    /// `__file__` of a module by its dict, `<built-in>` or `<frozen>`, or nothing. That of a script is taken away when the
    /// script ends, before the interpreter does; its loader keeps the path.
    unsafe fn module_file(&self, module: usize) -> String {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let row = self.context.interpreter.row;
            let file = self.dict_entry(module, b"__file__");
            if file != 0 {
                return text(row, file);
            }
            let loader = self.dict_entry(module, b"__loader__");
            let path = if loader == 0 { 0 } else { self.attribute(loader, b"path") };
            if path != 0 {
                return text(row, path);
            }
            let spec = self.dict_entry(module, b"__spec__");
            let origin = if spec == 0 { 0 } else { self.attribute(spec, b"origin") };
            match text(row, origin).as_str() {
                origin @ ("built-in" | "frozen") => format!("<{origin}>"),
                _ => String::new(),
            }
        }
    }

    /// Name and dict of the module that defines the class.
    unsafe fn module_of(&self, class: usize) -> Option<(Vec<u8>, usize)> {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let row = self.context.interpreter.row;
            let mut name = Vec::new();
            match module_of_closure(c_string(word(class + ty::NAME))) {
                Some(module) => name.add_each(module.iter().copied()),
                None => {
                    push_text(row, self.own_entry(class, b"__module__"), 1000, &mut name);
                }
            }
            let module = self.dict_entry(self.context.interpreter.modules(), &name);
            if module == 0 || self.context.kinds.of(&self.context.interpreter, type_of(module)) != Kind::Module {
                return None;
            }
            let dict = word(module + MODULE_DICT);
            (dict != 0).then_some((name, dict))
        }
    }

    /// The functions at the top of the module that look into dicts, or change classes.
    unsafe fn module_facts(&self, module: &[u8], dict: usize, out: &mut Definition) {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let row = interpreter.row;
            let (mut reads, mut sets) = (Vec::new(), Vec::new());
            for (_, function) in self.dict_entries(dict) {
                if type_of(function) != interpreter.function
                    || !text_is(row, word(function + row.function_module), module)
                {
                    continue;
                }
                let code = word(function + row.function_code);
                if !interpreter.is_code(code) {
                    continue;
                }
                let names = self.code_names(code);
                let name = || text(row, word(function + row.function_name));
                if names.iter().any(|&name| text_is(row, name, b"__dict__") || text_is(row, name, b"vars")) {
                    reads.add(name());
                }
                let class = names.iter().position(|&name| text_is(row, name, b"__class__"));
                if class.is_some() && stores(row, code).iter().any(|store| Some(store.name) == class) {
                    sets.add(name());
                }
            }
            out.names("module_reads_dict", &reads);
            out.names("module_sets_class", &sets);
        }
    }

    /// `co_names`
    unsafe fn code_names<'c>(&self, code: usize) -> &'c [usize] {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let names = word(code + self.context.interpreter.row.code_names);
            if names != 0 && type_of(names) == self.context.interpreter.tuple {
                tuple_items(self.context.interpreter.row, names)
            } else {
                &[]
            }
        }
    }

    unsafe fn dataclass_facts(&self, class: usize, out: &mut Definition) {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let parameters = self.own_entry(class, b"__dataclass_params__");
            if parameters == 0 {
                return;
            }
            let is = |name: &str, wanted: usize| {
                let value = self.attribute(parameters, name.as_bytes());
                value != 0
                    && type_of(value) == interpreter.boolean
                    && integer::small(interpreter.row, value) == Some(wanted)
            };
            let set = DATACLASS.into_iter().filter(|name| is(name, 1));
            let unset = DATACLASS_DEFAULTS.into_iter().filter(|(name, _)| is(name, 0)).map(|(_, word)| word);
            let own = self.has_own_init(class).then_some("own_init");
            let words: Vec<&str> = set.chain(unset).chain(own).gather();
            out.list("dataclass", if words.is_empty() { ["plain"].into() } else { words });
            let fields = self.own_entry(class, b"__dataclass_fields__");
            if fields == 0 || type_of(fields) != interpreter.dict {
                return;
            }
            // Class variables and `InitVar`s are in the dict as well.
            let is_field = |field: usize| {
                let sort = self.attribute(field, b"_field_type");
                sort != 0 && text(interpreter.row, self.attribute(sort, b"name")) == "_FIELD"
            };
            let fields = self.dict_entries(fields).into_iter().filter(|&(_, field)| is_field(field));
            let names: Vec<String> = fields.map(|(name, _)| text(interpreter.row, name)).gather();
            out.names("fields", &names);
        }
    }

    /// Its `__init__` was written and not generated: `dataclasses` compiles a text without a file.
    unsafe fn has_own_init(&self, class: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let init = self.own_entry(class, b"__init__");
            if init == 0 || type_of(init) != interpreter.function {
                return false;
            }
            let code = word(init + interpreter.row.function_code);
            interpreter.is_code(code) && !text_is(interpreter.row, word(code + interpreter.row.code_path), b"<string>")
        }
    }

    /// The fields of a class that `attrs` made.
    unsafe fn attrs_facts(&self, class: usize, out: &mut Definition) {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let fields = self.own_entry(class, b"__attrs_attrs__");
            if fields == 0 || !chain(type_of(fields)).any(|base| base == interpreter.tuple) {
                return;
            }
            let names =
                tuple_items(self.context.interpreter.row, fields).iter().map(|&field| self.attribute(field, b"name"));
            let names: Vec<String> = names.filter(|&name| name != 0).map(|name| text(interpreter.row, name)).gather();
            out.names("fields", &names);
        }
    }

    unsafe fn sort_entry(&self, name: String, value: usize, sorts: &mut Sorts) {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let class = type_of(value);
            let class_name = c_string(word(class + ty::NAME));
            if class_name.rsplit(|&byte| byte == b'.').next() == Some(b"cached_property") {
                sorts.cached.add(name.clone());
            } else if word(class + ty::DESCR_SET) != 0 {
                sorts.properties.add(name.clone());
            } else if word(class + ty::DESCR_GET) != 0 {
                sorts.functions.add(name.clone());
            }
            let row = self.context.interpreter.row;
            let (mut class_cell, mut reads_dict, mut weakrefs) = (false, false, false);
            let interpreter = &self.context.interpreter;
            let is_method = class != interpreter.class_method
                && class != interpreter.static_method
                && !NO_METHODS.contains(&name.as_str());
            for function in self.functions_behind(value) {
                let code = word(function + row.function_code);
                class_cell |= free_names(row, code).iter().any(|&name| text_is(row, name, b"__class__"));
                let names = self.code_names(code);
                reads_dict |= names.iter().any(|&name| text_is(row, name, b"__dict__") || text_is(row, name, b"vars"));
                weakrefs |= names.iter().any(|&name| self.is_weak(function, name));
                // From 3.13 on the compiler tells too, but of a parameter that is called `self` alone.
                if is_method {
                    let assigned = stores(row, code).into_iter().filter(|store| store.on_first);
                    sorts.assigned.add_each(assigned.filter_map(|store| Some(text(row, *names.get(store.name)?))));
                }
            }
            if class_cell {
                sorts.class_cell.add(name.clone());
            }
            if reads_dict {
                sorts.reads_dict.add(name.clone());
            }
            if weakrefs {
                sorts.weakrefs.add(name);
            }
        }
    }

    /// Does the name stand for a part of `weakref` in the function?
    unsafe fn is_weak(&self, function: usize, name: usize) -> bool {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let is = |known: &&[u8]| text_is(interpreter.row, name, known);
            if WEAK.iter().any(is) {
                return true;
            }
            let Some(known) = PERHAPS_WEAK.into_iter().find(is) else {
                return false;
            };
            let value = self.dict_entry(self.globals_of(function), known);
            value != 0
                && (value == interpreter.weak_reference
                    || type_of(value) == interpreter.c_function
                    || type_of(value) == interpreter.type_type && self.class_name(value) == "weakref.finalize")
        }
    }

    /// The function, or those that a method, property or the like wraps.
    unsafe fn functions_behind(&self, value: usize) -> Vec<usize> {
        /// Wrapper in wrapper in wrapper.
        const DEEPEST: usize = 8;
        let mut found = Vec::new();
        let mut open: Vec<(usize, usize)> = [(value, 0)].into();
        while let Some((value, depth)) = open.pop() {
            if value == 0 || depth > DEEPEST {
                continue;
            }
            // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
            unsafe {
                let interpreter = &self.context.interpreter;
                let class = type_of(value);
                if class == interpreter.function {
                    found.add_each(interpreter.is_code(word(value + interpreter.row.function_code)).then_some(value));
                } else if class == interpreter.class_method || class == interpreter.static_method {
                    open.add((word(value + WRAPPED_CALLABLE), depth + 1));
                } else if class == interpreter.property {
                    open.add_each(PROPERTY_FUNCTIONS.map(|offset| (word(value + offset), depth + 1)));
                } else {
                    open.add((self.attribute(value, b"func"), depth + 1));
                }
            }
        }
        found
    }

    /// An attribute of an instance of a Python class: a slot, or in its values or dict; 0 if there is none.
    unsafe fn attribute(&self, object: usize, name: &[u8]) -> usize {
        // SAFETY: as the caller promises, the lock is held; the class is ready, and what its dict holds is alive.
        unsafe {
            let interpreter = &self.context.interpreter;
            let class = type_of(object);
            for base in chain(class).take_while(|&base| made_in_python(interpreter, base)) {
                if let Some((offset, _)) = object_members(base).into_iter().find(|(_, member)| *member == name) {
                    return word(object + offset);
                }
            }
            if type_flags(class) & flag::HEAP_TYPE == 0 || !made_in_python(interpreter, class) {
                return 0;
            }
            let known = self.plain_class(class);
            if let Some(values) = self.values_of(object, &known) {
                let keys = word(class + interpreter.row.type_cached_keys);
                let table = self.table(keys, 0);
                for index in 0..values.count.min(table.count) {
                    let (key, _) = table.entry(index);
                    if text(interpreter.row, key).as_bytes() == name {
                        return values.get(index);
                    }
                }
            }
            let dict = self.dict_in(object, &known);
            if dict != 0 && type_of(dict) == interpreter.dict { self.dict_entry(dict, name) } else { 0 }
        }
    }
}

/// `_Py_Mangle`: private names carry the name of their class.
fn mangled(class: &str, name: String) -> String {
    let class = class.trim_start_matches('_');
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') || class.is_empty() {
        return name;
    }
    format!("_{class}{name}")
}
