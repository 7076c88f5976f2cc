//! Finds the base class that an attribute of an instance comes from: whose code every subclass runs.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::loop_graph::Name;
use crate::heap::TypeTable;
use crate::heap::label::last_part;
use crate::trace::{TypeDef, TypeId};

/// Attributes by name, each with the class that it comes from. A class's own attributes are not in it.
pub(super) type Inherited = HashMap<String, Name, FixedState>;

/// What instances of a class have from its bases. The base nearest to `object` counts, since all between run its code.
///
/// A base of another package does not: the loop is of those who derived from it.
pub(super) fn inherited(types: &TypeTable, class: TypeId) -> Inherited {
    let mut inherited = Inherited::default();
    let Some(own) = types.get(class).and_then(|def| package(&def.name)) else { return inherited };
    for base in types.lineage(class).skip(1).filter(|base| package(&base.name) == Some(own)) {
        for attribute in declared(base) {
            let name = Name { label: last_part(&base.name).to_string(), type_name: base.name.clone() };
            inherited.insert(attribute.to_string(), name);
        }
    }
    inherited
}

/// The attributes that a class gives to its instances: what its methods store on their first parameter, its slots, and
/// the defaults that its statement has.
fn declared(def: &TypeDef) -> impl Iterator<Item = &str> {
    let descriptors: Vec<&str> =
        ["functions", "properties", "cached"].iter().flat_map(|list| def.words(list)).collect();
    let defaults = def.defines.iter().map(String::as_str).filter(move |name| !descriptors.contains(name));
    let slots = def.slots.iter().flatten().map(String::as_str);
    def.words("static").chain(slots).chain(defaults)
}

/// `shop` of `shop.models.Order`; nothing for a built-in type.
fn package(name: &str) -> Option<&str> {
    name.split_once('.').map(|(package, _)| package)
}
