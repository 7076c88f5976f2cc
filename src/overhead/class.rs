//! Represents classes as the layout model sees them: their ancestors, their built-in base, how their instances are built,
//! and what their dicts define.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::cpython::Layout;
use super::layout::{Build, OBJECT_BODY};
use super::standard::is_standard_module;
use crate::heap::{IdMap, TypeTable};
use crate::trace::{TypeDef, TypeFlags, TypeId};

/// All the classes of a trace, by number.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    /// In the order of the numbers.
    by_id: IdMap<Class>,
    /// How many there are of each name.
    namesakes: HashMap<String, usize, RandomState>,
}

/// One class or built-in type.
#[derive(Debug, Clone)]
pub struct Class {
    pub def: TypeDef,
    /// Itself and its ancestors, nearest first. Not quite Python's order where classes have several bases.
    pub lineage: Vec<TypeId>,
    /// The classes in whose lineage it is, itself left out, in the order of their numbers.
    descendants: Vec<TypeId>,
    /// Those of its lineage in whose dicts a property is, cached or not.
    with_properties: Vec<TypeId>,
    /// Made by a `class` statement (or `type()`), not by an extension module.
    pub is_python: bool,
}

/// What a name in a class's dict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Definition {
    /// A function, a class or static method, or another descriptor that an instance attribute may hide.
    Function,
    /// A property, or another descriptor that has the last word.
    Property,
    /// `functools.cached_property`.
    Cached,
    /// Anything else: a default value.
    Data,
}

impl Classes {
    /// A base without a definition counts as unknown. Costs a visit to each base of each class in each lineage.
    pub fn new(types: &TypeTable) -> Classes {
        let mut classes = Classes::default();
        for def in types.iter() {
            *classes.namesakes.entry(def.name.clone()).or_default() += 1;
            classes.by_id.entry(def.id, || Class::alone(def.clone()));
        }
        for (def, lineage) in types.lineages() {
            for ancestor in lineage.iter().skip(1) {
                if let Some(ancestor) = classes.by_id.get_mut(ancestor.0) {
                    ancestor.descendants.push(TypeId(def.id));
                }
            }
            let family = lineage.iter().filter_map(|&id| classes.get(id));
            let with_properties = family.filter(|class| class.says("properties") || class.says("cached"));
            let with_properties = with_properties.map(Class::id).collect();
            let is_python = is_python(&classes, def);
            let file = file_of_base(&classes, def, &lineage);
            if let Some(class) = classes.by_id.get_mut(def.id) {
                class.def.file = file.unwrap_or(std::mem::take(&mut class.def.file));
                class.lineage = lineage;
                class.with_properties = with_properties;
                class.is_python = is_python;
            }
        }
        classes
    }

    pub fn get(&self, id: TypeId) -> Option<&Class> {
        self.by_id.get(id.0)
    }

    /// The ancestors of a class, itself left out.
    pub fn ancestors<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = &'a Class> {
        class.lineage.iter().skip(1).filter_map(|&id| self.get(id))
    }

    /// A class and its ancestors.
    pub fn family<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = &'a Class> {
        class.lineage.iter().filter_map(|&id| self.get(id))
    }

    /// All classes below a class.
    pub fn descendants<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = &'a Class> {
        class.descendants.iter().filter_map(|&id| self.get(id))
    }

    /// A class and its ancestors, as far as their dicts have a property, cached or not.
    pub fn with_properties<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = &'a Class> {
        class.with_properties.iter().filter_map(|&id| self.get(id))
    }

    /// How many classes have this name.
    pub fn n_named(&self, name: &str) -> usize {
        self.namesakes.get(name).copied().unwrap_or(0)
    }

    /// The built-in type at the bottom of a class; `None` when it is `object`.
    pub fn built_in_base<'a>(&'a self, class: &'a Class) -> Option<&'a Class> {
        self.family(class)
            .filter(|ancestor| !ancestor.is_python && ancestor.def.name != "object")
            .max_by_key(|ancestor| (ancestor.def.size, ancestor.def.item_size))
    }

    /// How instances are built; `None` when the recorded `tp_basicsize` is not what `layout` makes of the recorded facts.
    pub fn build(&self, class: &Class, layout: &Layout) -> Option<Build> {
        let build = self.build_unchecked(class);
        let parts = layout.parts(&build);
        let in_body = parts.body + parts.dict_field + parts.weakref_field;
        (class.is_python && in_body == class.def.size).then_some(build)
    }

    fn build_unchecked(&self, class: &Class) -> Build {
        let base = self.built_in_base(class);
        let base_has = |flag| base.is_some_and(|base| base.def.flags.has(flag));
        Build {
            body: base.map_or(OBJECT_BODY, |base| base.def.size.max(OBJECT_BODY)),
            item_size: class.def.item_size,
            slots: self.family(class).map(|ancestor| ancestor.own_slots().count() as u64).sum(),
            dict: class.def.flags.has(TypeFlags::DICT) && !base_has(TypeFlags::DICT),
            weakref: class.def.flags.has(TypeFlags::WEAKREF) && !base_has(TypeFlags::WEAKREF),
            own_dict: base_has(TypeFlags::DICT),
        }
    }

    /// The same build on another CPython, and whether that is known and not assumed: of a built-in base from an
    /// extension module the size is taken to be the same.
    pub fn build_elsewhere(&self, class: &Class, build: &Build, recorded: &Layout, target: &Layout) -> (Build, bool) {
        let Some(base) = self.built_in_base(class) else {
            return (*build, true);
        };
        let (known, from, to) = match base.def.name.as_str() {
            _ if base.def.flags.has(TypeFlags::EXCEPTION) => (true, recorded.exception_body, target.exception_body),
            "str" => (true, recorded.str_body, target.str_body),
            "tuple" => (true, recorded.tuple_body, target.tuple_body),
            "list" | "dict" | "set" | "frozenset" | "float" | "complex" | "int" | "bytes" => (true, 0, 0),
            _ => (false, 0, 0),
        };
        let body = (build.body + to).saturating_sub(from).max(OBJECT_BODY);
        (Build { body, ..*build }, known)
    }

    /// Ancestors made by `class` statements without `__slots__`: each of them gives instances a dict.
    pub fn unslotted_ancestors<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = &'a Class> {
        let has_dict = |ancestor: &&Class| ancestor.def.flags.has(TypeFlags::DICT);
        self.ancestors(class).filter(has_dict).filter(|ancestor| ancestor.is_python && ancestor.gives_dict())
    }

    /// Names that are slots of the class or an ancestor.
    pub fn slot_names<'a>(&'a self, class: &'a Class) -> BTreeSet<&'a str> {
        self.family(class).flat_map(Class::own_slots).collect()
    }
}

impl Class {
    /// Nothing is known of its lineage yet.
    fn alone(def: TypeDef) -> Class {
        let (lineage, descendants, with_properties) = (Vec::new(), Vec::new(), Vec::new());
        Class { def, lineage, descendants, with_properties, is_python: false }
    }

    pub fn id(&self) -> TypeId {
        TypeId(self.def.id)
    }

    /// Its own slots, without `__dict__` and `__weakref__`.
    pub fn own_slots(&self) -> impl Iterator<Item = &str> {
        let slots = self.def.slots.as_deref().unwrap_or_default();
        slots.iter().map(String::as_str).filter(|name| !matches!(*name, "__dict__" | "__weakref__"))
    }

    /// Its own statement gives instances a dict.
    pub fn gives_dict(&self) -> bool {
        self.def.slots.as_ref().is_none_or(|slots| slots.iter().any(|name| name == "__dict__"))
    }

    /// The part of its name behind the last dot.
    pub fn short_name(&self) -> &str {
        self.def.name.rsplit('.').next().unwrap_or(&self.def.name)
    }

    /// Words of a list that the recorder wrote beside the definition.
    pub fn words(&self, key: &str) -> impl Iterator<Item = &str> {
        self.def.words(key)
    }

    pub fn has_word(&self, key: &str, word: &str) -> bool {
        self.words(key).any(|other| other == word)
    }

    /// The recorder wrote this key for the class.
    pub fn says(&self, key: &str) -> bool {
        self.def.says(key)
    }

    pub fn is_dataclass(&self) -> bool {
        self.says("dataclass") || self.def.defines.iter().any(|name| name == "__dataclass_params__")
    }

    /// Made by `attr.s` or `attr.define`.
    pub fn is_attrs(&self) -> bool {
        self.def.defines.iter().any(|name| name == "__attrs_attrs__")
    }

    /// Fields of a dataclass whose default is in the class.
    pub fn defaults(&self) -> impl Iterator<Item = &str> {
        let fields = if self.is_dataclass() { Some(self.words("fields")) } else { None };
        fields.into_iter().flatten().filter(|name| self.definition(name) == Some(Definition::Data))
    }

    /// Its `__init__` is the one that `@dataclass` generates; told by recordings that tell `own_init`.
    pub fn has_generated_init(&self) -> bool {
        self.is_dataclass() && !self.has_word("dataclass", "no_init") && !self.has_word("dataclass", "own_init")
    }

    pub fn is_frozen(&self) -> bool {
        self.has_word("dataclass", "frozen")
    }

    /// What its own dict has under a name; `None` where it has nothing. Slots are left out.
    pub fn definition(&self, name: &str) -> Option<Definition> {
        if self.own_slots().any(|slot| slot == name) {
            return None;
        }
        let listed = |key| self.has_word(key, name);
        if listed("cached") {
            Some(Definition::Cached)
        } else if listed("properties") {
            Some(Definition::Property)
        } else if listed("functions") {
            Some(Definition::Function)
        } else {
            self.def.defines.iter().any(|other| other == name).then_some(Definition::Data)
        }
    }

    /// Attributes that its methods assign, where the compiler tells (3.13+).
    pub fn assigned(&self) -> impl Iterator<Item = &str> {
        self.words("static")
    }

    /// Names that the compiler saw assigned, as far as known: `__static_attributes__` (3.13+) has nothing of an `__init__`
    /// that a decorator wrote, so the fields of a dataclass are left out.
    pub fn compiled(&self) -> impl Iterator<Item = &str> {
        let is_generated = self.is_dataclass() || self.is_attrs();
        self.assigned().filter(move |name| !is_generated || !self.words("fields").any(|field| field == *name))
    }

    /// Where to edit: file and line, as far as known.
    pub fn place(&self) -> Option<String> {
        let line = self.words("line").next();
        match (self.def.file.as_str(), line) {
            ("", _) => None,
            (file, None) => Some(file.to_owned()),
            (file, Some(line)) => Some(format!("{file}:{line}")),
        }
    }

    /// `Generic` or `Protocol`, whose hooks look at classes, never at instances, and bear a second call.
    pub fn is_typing(&self) -> bool {
        matches!(self.def.name.as_str(), "typing.Generic" | "typing.Protocol")
    }

    /// Its source is part of the standard library, of an installed package, or of an extension module.
    pub fn is_foreign(&self) -> bool {
        let file = self.def.file.replace('\\', "/");
        let in_library = file.split('/').collect::<Vec<_>>().windows(2).any(|pair| {
            pair[0] == "lib" && pair[1].starts_with("python3")
                || pair[0].eq_ignore_ascii_case("lib") && pair[1] == "asyncio"
        });
        !self.is_python
            || in_library
            || file.contains("/site-packages/")
            || file.contains("/dist-packages/")
            || file.starts_with("<frozen")
            || file == "<built-in>"
            || (file.is_empty() && is_standard_module(&self.def.name))
            || self.def.name.starts_with("_frozen_importlib")
    }
}

/// The file of the nearest base that has one, for a class whose module says nothing (`<unknown>`, as `enum` writes it).
fn file_of_base(classes: &Classes, def: &TypeDef, lineage: &[TypeId]) -> Option<String> {
    if !def.file.is_empty() || !def.name.starts_with('<') {
        return None;
    }
    let files = lineage.iter().filter_map(|&base| classes.get(base)).map(|base| &base.def.file);
    files.into_iter().find(|file| !file.is_empty()).cloned()
}

/// Whether a `class` statement made it. A type of an extension module may be on the heap too, but its size is not that
/// of its largest base plus its slots plus the two fields that a class statement adds.
fn is_python(classes: &Classes, def: &TypeDef) -> bool {
    if !def.flags.has(TypeFlags::HEAP) {
        return false;
    }
    let parents = || def.known_bases().filter_map(|base| classes.get(base)).map(|class| &class.def);
    let inherited = parents().map(|base| base.size).max().unwrap_or(OBJECT_BODY);
    let slots = def.slots.as_deref().unwrap_or_default();
    let slots = slots.iter().filter(|name| !matches!(name.as_str(), "__dict__" | "__weakref__")).count() as u64;
    let grown = def.size.checked_sub(inherited).and_then(|grown| grown.checked_sub(8 * slots));
    let adds = |flag| u64::from(def.flags.has(flag) && !parents().any(|base| base.flags.has(flag)));
    let fields = adds(TypeFlags::DICT) + adds(TypeFlags::WEAKREF);
    grown.is_some_and(|grown| grown.is_multiple_of(8) && grown / 8 <= fields)
}
