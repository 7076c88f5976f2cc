//! Plans the change that would give a class slots: which names are declared where, and by what means.

use std::collections::BTreeSet;

use super::class::{Class, Classes, Definition};
use super::cpython::Layout;
use super::layout::Build;
use super::observed::Observed;
use crate::trace::TypeFlags;

/// How slots would be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// `@dataclass(slots=True)`.
    Dataclass,
    /// `@attr.s(slots=True)`.
    Attrs,
    /// `__slots__ = (…)` in the class body.
    ByHand,
}

/// What would be written into one class.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    pub class: &'a Class,
    pub means: Means,
    /// Names as CPython stores them, in the order of first assignment; by a decorator its fields.
    pub names: Vec<String>,
    /// Slots that are in no ancestor, or repeated by this version of `dataclasses`.
    pub n_slots: u64,
}

/// The whole change: the ancestors that must change first, from the root on, then the class itself.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub bases: Vec<Change<'a>>,
    pub own: Change<'a>,
    /// A place for weak references must be declared.
    pub adds_weakref: bool,
    /// How instances are built after it.
    pub slotted: Build,
}

impl<'a> Plan<'a> {
    /// `observed_of` gives what was seen of another class's instances. `layout` is that of the CPython that is to run it.
    pub fn of(
        classes: &'a Classes,
        class: &'a Class,
        build: &Build,
        layout: &Layout,
        observed: &Observed,
        observed_of: &dyn Fn(&Class) -> Option<&'a Observed>,
    ) -> Plan<'a> {
        let mut declared: BTreeSet<String> = classes.slot_names(class).into_iter().map(str::to_owned).collect();
        let mut bases = Vec::new();
        for base in classes.unslotted_ancestors(class).collect::<Vec<_>>().into_iter().rev() {
            let seen = observed_of(base).map(|seen| seen.names.as_slice()).unwrap_or_default();
            bases.push(change(classes, base, layout, seen, &mut declared));
        }
        let own = change(classes, class, layout, &observed.names, &mut declared);
        let mut slots = build.slots + own.n_slots + bases.iter().map(|base| base.n_slots).sum::<u64>();
        if own.means == Means::ByHand && class.def.slots.is_some() {
            // The names it has are counted already and declared again.
            slots -= class.own_slots().count() as u64;
        }
        let base_has = classes.built_in_base(class).is_some_and(|base| base.def.flags.has(TypeFlags::WEAKREF));
        let has_place =
            classes.family(class).any(|ancestor| ancestor.def.slots.iter().flatten().any(|name| name == "__weakref__"));
        // Who takes weak references for a moment, or until the program ends, leaves no trace of them at a checkpoint.
        let takes = classes.family(class).any(|other| other.is_python && other.words("weakrefs").next().is_some());
        let wanted = observed.weakly_referenced || class.says("weakly_referenced") || takes;
        // `attrs` makes the place by itself.
        let by_attrs = own.means == Means::Attrs;
        let adds_weakref = wanted && !base_has && !has_place && !by_attrs;
        let weakref = !base_has && (has_place || wanted || by_attrs);
        Plan { bases, own, adds_weakref, slotted: build.slotted(slots, weakref) }
    }

    /// Names that become slots, those of the ancestors first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.changes().flat_map(|change| change.names.iter().map(String::as_str))
    }

    pub fn changes(&self) -> impl Iterator<Item = &Change<'a>> {
        self.bases.iter().chain([&self.own])
    }
}

fn change<'a>(
    classes: &'a Classes,
    class: &'a Class,
    layout: &Layout,
    seen: &[(String, u64)],
    declared: &mut BTreeSet<String>,
) -> Change<'a> {
    // Slots by hand beside `slots=True` raise TypeError.
    let free = class.def.slots.is_none() || class.has_word("dataclass", "slots");
    let means = if class.is_attrs() {
        Means::Attrs
    } else if class.is_dataclass() && layout.dataclass.slots && free {
        Means::Dataclass
    } else {
        Means::ByHand
    };
    if means != Means::ByHand {
        // A producer that does not tell the fields: those are taken that were seen.
        let names: Vec<String> = if class.says("dataclass") || class.says("fields") {
            class.words("fields").map(str::to_owned).collect()
        } else {
            seen.iter().map(|(name, _)| name.clone()).collect()
        };
        let new = names.iter().filter(|name| !declared.contains(*name)).count();
        let repeats = means == Means::Dataclass && layout.dataclass.keeps_original;
        let n_slots = if repeats { names.len() } else { new } as u64;
        let names = names.into_iter().filter(|name| declared.insert(name.clone())).collect();
        return Change { class, means, names, n_slots };
    }
    let fields = class.words("fields").map(str::to_owned);
    let assigned = class.assigned().map(|name| mangled(class, name)).filter(|name| {
        !classes.with_properties(class).any(|other| other.definition(name) == Some(Definition::Property))
    });
    let own: Vec<String> = class.own_slots().map(str::to_owned).collect();
    let seen = seen.iter().map(|(name, _)| name.clone());
    // What a `cached_property` keeps is kept by hand then, under a name that the class does not have.
    let is_cached = |name: &String| classes.with_properties(class).any(|other| other.has_word("cached", name));
    let kept = |name: String| if is_cached(&name) { format!("_{name}") } else { name };
    let new = fields.chain(seen).chain(assigned).map(kept).filter(|name| can_be_slot(name));
    let new: Vec<String> = new.filter(|name| declared.insert(name.clone())).collect();
    let names: Vec<String> = own.into_iter().chain(new).collect();
    let n_slots = names.len() as u64;
    Change { class, means, names, n_slots }
}

/// A name that `__slots__` may have for an attribute of instances.
pub fn can_be_slot(name: &str) -> bool {
    is_identifier(name) && !is_reserved(name)
}

/// Whether CPython takes the name for a slot: letters, digits and underscores, no digit first. Of the digits only those
/// that are sure: `²` is none.
pub fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphabetic() || c.is_ascii_digit())
}

/// A name that Python keeps for itself, such as `__doc__`. As a slot it raises ValueError (`__module__`, `__doc__` beside a
/// docstring), or hides what the class has. `__orig_class__` is meant for instances.
pub fn is_reserved(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__") && name != "__orig_class__"
}

/// `_Order__total` for `__total` in the body of `Order`.
pub fn mangled(class: &Class, name: &str) -> String {
    let stem = class.short_name().trim_start_matches('_');
    if name.starts_with("__") && !name.ends_with("__") && !stem.is_empty() {
        format!("_{stem}{name}")
    } else {
        name.to_owned()
    }
}

/// The name as it is written in the body of the class: `__total` for `_Order__total`.
pub fn unmangled<'n>(class: &Class, name: &'n str) -> &'n str {
    let stem = class.short_name().trim_start_matches('_');
    let private = name.strip_prefix('_').and_then(|rest| rest.strip_prefix(stem)).unwrap_or_default();
    let is_private = !stem.is_empty() && private.starts_with("__") && !private.ends_with("__");
    if is_private { private } else { name }
}
