//! Checks bases, subclasses and metaclasses.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::{Candidate, Objection, after, listed, never, saves};
use crate::overhead::class::Class;
use crate::trace::{TypeFlags, TypeId, TypeRef};

/// Enum members keep a dict; other metaclasses look at the class dict, or make the class twice (all versions).
pub(super) fn metaclass(candidate: &Candidate) -> Option<Objection> {
    let name = foreign_metaclass(candidate)?;
    if matches!(name, "EnumMeta" | "EnumType") {
        return never("the members of an Enum keep their dict", "leave it as it is: an Enum has few members");
    }
    never(
        format!("its metaclass `{name}` may depend on the class dict or on being called once"),
        "ask the library of the metaclass: some have an option for slots",
    )
}

fn foreign_metaclass<'a>(candidate: &Candidate<'a>) -> Option<&'a str> {
    candidate.classes.family(candidate.class).find_map(|class| {
        let name = class.def.metaclass.as_deref()?;
        let short = name.rsplit('.').next().unwrap_or(name);
        (!matches!(short, "type" | "ABCMeta" | "_ProtocolMeta")).then_some(short)
    })
}

/// To hold an object instead of being one: no advice where a metaclass makes the class what it is.
fn instead_of_inheriting(candidate: &Candidate, advice: String) -> String {
    if foreign_metaclass(candidate).is_some() { "leave it as it is".to_owned() } else { advice }
}

/// The class is somebody else's source.
pub(super) fn foreign_class(candidate: &Candidate) -> Option<Objection> {
    candidate.class.is_foreign().then_some(())?;
    never(
        format!("its source is not this program's ({})", candidate.class.def.file),
        "tell the library, or make fewer of them",
    )
}

/// Non-empty slots in a subclass of `int`, `bytes`, `tuple` (to 3.14): TypeError.
pub(super) fn variable_size_base(candidate: &Candidate) -> Option<Objection> {
    let names = candidate.plan.names().next()?;
    let base = candidate.classes.built_in_base(candidate.class)?;
    let allowed = base.def.name == "tuple" && candidate.comparison.target.tuple_slots;
    if candidate.class.def.item_size == 0 || allowed {
        return None;
    }
    never(
        format!(
            "instances have attributes such as `{names}`, and a subclass of `{}` cannot have slots with names",
            base.def.name
        ),
        instead_of_inheriting(
            candidate,
            format!(
                "hold {} `{}` in an attribute of a slotted class, or drop the attributes and write `__slots__ = ()`",
                if base.def.name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" },
                base.def.name
            ),
        ),
    )
}

/// A base without slots keeps the dict alive: little saved, or less than nothing (all versions).
pub(super) fn unslotted_base(candidate: &Candidate) -> Option<Objection> {
    let bases: Vec<&Class> = candidate.classes.unslotted_ancestors(candidate.class).collect();
    let names = with_dict(bases.iter().copied())?;
    let assigned = if candidate.class.says("static") { candidate.class.assigned().count() as u64 } else { 0 };
    let alone = candidate.comparison.cost_alone(candidate.plan, assigned);
    let saved = candidate.savings.now.used - alone as f64;
    let sentence = format!(
        "it inherits from {names}, so the dict would stay: alone the change would {} an instance",
        saves(saved)
    );
    if let Some(foreign) = bases.iter().find(|base| base.is_foreign()) {
        return never(
            format!("{sentence}, and {} is not this program's", foreign.short_name()),
            instead_of_inheriting(
                candidate,
                format!(
                    "hold an object of type {} in an attribute instead of inheriting from it",
                    foreign.short_name()
                ),
            ),
        );
    }
    let names = listed(bases.iter().map(|base| base.short_name()))?;
    let assigns = if names.many { "they assign themselves" } else { "it assigns itself" };
    after(sentence, format!("give {names} slots in the same change, with the names that {assigns}"))
}

/// ``‘Left’ without ‘__slots__’ and ‘Right’ with ‘__dict__’ among its ‘__slots__’``, in backquotes.
fn with_dict<'a>(classes: impl Iterator<Item = &'a Class> + Clone) -> Option<String> {
    let of =
        |slots: bool| listed(classes.clone().filter(|class| class.def.slots.is_some() == slots).map(Class::short_name));
    let without = of(false).map(|names| format!("{names} without `__slots__`"));
    let with = of(true)
        .map(|names| format!("{names} with `__dict__` among {} `__slots__`", if names.many { "their" } else { "its" }));
    match (without, with) {
        (Some(without), Some(with)) => Some(format!("{without} and {with}")),
        (without, with) => without.or(with),
    }
}

/// A subclass without slots keeps its dict, and what it sets itself moves into a bigger one (3.13: +344 bytes).
pub(super) fn unslotted_subclass(candidate: &Candidate) -> Option<Objection> {
    let dicts = candidate.classes.descendants(candidate.class).filter(|class| class.gives_dict() && class.is_python);
    let seen = dicts.filter(|class| candidate.all.get(&class.def.id).is_some_and(|seen| seen.most.instances > 0));
    let names = listed(seen.map(Class::short_name))?;
    after(
        format!(
            "{} from it without `__slots__`: those instances would have the slots and a dict",
            names.with("inherits", "inherit")
        ),
        format!("give {names} slots in the same change"),
    )
}

/// Two bases with slots, or with slots and a built-in base: TypeError, instance lay-out conflict (all versions).
pub(super) fn layout_conflict(candidate: &Candidate) -> Option<Objection> {
    if let Some(finding) = conflict_of_bases(candidate) {
        return Some(finding);
    }
    candidate.own_names().next()?;
    let below = || candidate.classes.descendants(candidate.class);
    // Whoever inherits from it, or from whom it inherits.
    let related: HashSet<TypeId, RandomState> =
        below().map(Class::id).chain(candidate.class.lineage.iter().copied()).collect();
    for class in below() {
        for base in &class.def.bases {
            let TypeRef::Id(id) = base else { continue };
            let Some(base) = candidate.classes.get(*id).filter(|base| !related.contains(&base.id())) else {
                continue;
            };
            if let Some(built_in) = layout_of(candidate, base) {
                return never(
                    format!(
                        "{} inherits from it and from {}, which has the layout of `{built_in}`: a class beside that cannot have slots with names",
                        class.short_name(),
                        base.short_name()
                    ),
                    format!(
                        "leave it as it is, or let {} hold a {} in an attribute",
                        class.short_name(),
                        base.short_name()
                    ),
                );
            }
            if has_slots(candidate, base) {
                return never(
                    format!(
                        "{} inherits from it and from {}, which has slots with names: only one of its bases can",
                        class.short_name(),
                        base.short_name()
                    ),
                    format!("leave it as it is, or let {} hold one of the two in an attribute", class.short_name()),
                );
            }
            if has_body(candidate, base) {
                return after(
                    format!(
                        "{} inherits from it and from {}: only one of its bases can have slots with names",
                        class.short_name(),
                        base.short_name()
                    ),
                    format!(
                        "give slots to one of the two and leave the other as it is, or let {} hold it in an attribute",
                        class.short_name()
                    ),
                );
            }
        }
    }
    None
}

/// Its own bases would have slots with names, more than one of them.
fn conflict_of_bases(candidate: &Candidate) -> Option<Objection> {
    let bases = candidate.class.def.bases.iter().filter_map(|base| match base {
        TypeRef::Id(id) => candidate.classes.get(*id),
        TypeRef::Name(_) => None,
    });
    let bodies: Vec<&Class> = bases.filter(|base| has_body(candidate, base)).collect();
    let [first, .., last] = bodies.as_slice() else { return None };
    if first.lineage.contains(&last.id()) || last.lineage.contains(&first.id()) {
        return None;
    }
    never(
        format!(
            "it inherits from {} and from {}, and only one of them can have slots with names",
            first.short_name(),
            last.short_name()
        ),
        instead_of_inheriting(
            candidate,
            format!("hold an object of type {} in an attribute instead of inheriting from it", last.short_name()),
        ),
    )
}

/// Whether it has slots with names already, or a built-in base, or would be told to have slots.
fn has_body(candidate: &Candidate, class: &Class) -> bool {
    let has_names = candidate.all.get(&class.def.id).is_some_and(|seen| !seen.names.is_empty());
    has_slots(candidate, class) || layout_of(candidate, class).is_some() || (class.gives_dict() && has_names)
}

fn has_slots(candidate: &Candidate, class: &Class) -> bool {
    candidate.classes.family(class).any(|ancestor| ancestor.own_slots().next().is_some())
}

/// The built-in base whose fields, or items, its instances have: `dict`, `int`, `BaseException`.
fn layout_of<'a>(candidate: &Candidate<'a>, class: &'a Class) -> Option<&'a str> {
    let base = candidate.classes.built_in_base(class)?;
    (base.def.size > 16 || base.def.item_size > 0).then_some(base.def.name.as_str())
}

/// A base whose `__reduce__` gives away the dict and no slots: a copy lacks them, AttributeError (exceptions, `array` and
/// `partial` on all versions, the containers to 3.10).
pub(super) fn copy_drops_slots(candidate: &Candidate) -> Option<Objection> {
    candidate.plan.names().next()?;
    let containers = !candidate.comparison.target.copies_slots;
    let drops = |class: &&Class| match class.def.name.as_str() {
        "BaseException" | "array.array" | "functools.partial" => true,
        "set" | "frozenset" | "bytearray" | "collections.OrderedDict" | "collections.deque" | "datetime.tzinfo" => {
            containers
        }
        _ => false,
    };
    let base = candidate.classes.ancestors(candidate.class).filter(|base| !base.is_python).find(drops)?;
    after(
        format!(
            "`copy` and `pickle` ask `{}.__reduce__`, which gives the `__dict__` and no slots: a copy would lack these attributes",
            base.short_name()
        ),
        "write a `__reduce__` that gives them too, or make sure that nobody copies or pickles instances",
    )
}

/// Exceptions have a field for a dict whatever slots say; only the dict itself is saved.
pub(super) fn exception(candidate: &Candidate) -> Option<String> {
    candidate.class.def.flags.has(TypeFlags::EXCEPTION).then(|| {
        "an exception keeps the field for its dict: attributes that are no slots can still be set, and cost a dict"
            .to_owned()
    })
}
