//! Checks the attributes of the instances, and who looks into their dicts.

use super::{Candidate, Objection, after, counted, listed, saves};
use crate::overhead::class::{Class, Definition};
use crate::overhead::plan::{is_identifier, is_reserved};
use crate::trace::DictState;

/// `o.__class__ = Other`: TypeError, the layouts differ (all versions).
pub(super) fn class_assignment<'a>(candidate: &Candidate<'a>) -> Option<Objection> {
    let detached: u64 = states(candidate, |state| state == DictState::Detached);
    let by_method = candidate.class.assigned().any(|name| name == "__class__").then(|| "a method assigns".to_owned());
    let by = listed(candidate.class.words("module_sets_class")).map(|names| names.with("assigns", "assign"));
    let by = by.or(by_method);
    let short = |name: &'a str| name.rsplit('.').next().unwrap_or(name);
    let exchanged = listed(candidate.class.words("exchanged").map(short));
    let sentence = match (exchanged, detached, by) {
        (None, 0, None) => return None,
        (Some(others), ..) => format!(
            "instances changed class between it and {others} (`o.__class__ = …`), which raises TypeError when the slots differ"
        ),
        (None, 0, Some(by)) => {
            format!("{by} `__class__`, which raises TypeError when the slots of the two classes differ")
        }
        (None, n, _) => format!(
            "{} given another class (`o.__class__ = …`), which raises TypeError when the slots differ",
            if n == 1 { "1 instance was".to_owned() } else { format!("{n} instances were") }
        ),
    };
    after(sentence, "give both classes the same slots, or hold the changing part in an attribute")
}

/// `functools.cached_property` without a dict: TypeError (all versions, with `@dataclass(slots=True)` too).
pub(super) fn cached_property(candidate: &Candidate) -> Option<Objection> {
    let cached = |class: &Class| -> Vec<String> { class.words("cached").map(str::to_owned).collect() };
    let names: Vec<String> = candidate.classes.family(candidate.class).flat_map(cached).collect();
    let listed = listed(names.iter().map(String::as_str))?;
    let cached = if listed.many { "`cached_property`s, which need" } else { "a `cached_property`, which needs" };
    let raise = if listed.many { "raise" } else { "raises" };
    let left = names.len() as u64;
    let with_dict = candidate.comparison.cost_with_dict(candidate.plan, left);
    let saved = candidate.savings.now.used - with_dict as f64;
    after(
        format!("{} {cached} a `__dict__` and {raise} TypeError without one", listed.with("is", "are")),
        format!(
            "cache by hand in a slot (`if self._x is None: self._x = …`); `__dict__` among the slots would {} an instance",
            saves(saved)
        ),
    )
}

/// An instance attribute over a method or property: AttributeError, read-only (all versions).
pub(super) fn hidden_method(candidate: &Candidate) -> Option<Objection> {
    let names = listed(candidate.seen_names().filter(|name| hides_method(candidate, name)))?;
    after(
        format!("instances have {names} of their own, which the class defines as a method or property"),
        "store it under another name, and call that",
    )
}

/// `self.__doc__ = …`: ValueError for what the class has too, and with `slots=True` AttributeError (all versions).
pub(super) fn reserved_name(candidate: &Candidate) -> Option<Objection> {
    let family = candidate.classes.family(candidate.class).filter(|class| class.is_python);
    let assigned = family.flat_map(Class::assigned);
    let slots = candidate.classes.slot_names(candidate.class);
    let planned: Vec<&str> = candidate.plan.names().collect();
    // Each of these three has a condition of its own.
    let elsewhere = |name: &str| matches!(name, "__dict__" | "__class__" | "__weakref__");
    let reserved = candidate.seen_names().chain(assigned).filter(|name| {
        is_reserved(name)
            && !elsewhere(name)
            && !slots.contains(name)
            && !planned.contains(name)
            && !hides_method(candidate, name)
    });
    let names = listed(reserved)?;
    after(
        format!(
            "{} on instances, and Python keeps such names for itself: as {} in the way of what the class has, often with ValueError",
            names.with("is set", "are set"),
            if names.many { "slots they stand" } else { "a slot it stands" }
        ),
        format!("store {} under another name", if names.many { "them" } else { "it" }),
    )
}

/// A class attribute of the same name: ValueError, conflicts with class variable (all versions).
pub(super) fn class_default(candidate: &Candidate) -> Option<Objection> {
    let plan = candidate.plan;
    let conflicts = plan.changes().flat_map(|change| {
        // The decorator takes the defaults of fields out of the class.
        let by_hand = change.means == crate::overhead::plan::Means::ByHand;
        let is_default = |name: &&String| change.class.definition(name) == Some(Definition::Data);
        change.names.iter().filter(move |name| by_hand && is_default(name)).map(String::as_str)
    });
    let names = listed(conflicts)?;
    after(
        if names.many {
            format!("{names} are class attributes too, as defaults: `__slots__` with those names raises ValueError")
        } else {
            format!("{names} is a class attribute too, as a default: `__slots__` with that name raises ValueError")
        },
        if names.many {
            "assign the defaults in `__init__` and take them out of the class body"
        } else {
            "assign the default in `__init__` and take it out of the class body"
        },
    )
}

/// A base's class attribute of the same name: instances without their own value raise AttributeError (all versions).
pub(super) fn inherited_default(candidate: &Candidate) -> Option<Objection> {
    let plan = candidate.plan;
    let inherited = plan.changes().flat_map(|change| {
        let ancestors: Vec<&Class> = candidate.classes.ancestors(change.class).collect();
        change.names.iter().map(String::as_str).filter(move |name| {
            ancestors.iter().any(|ancestor| {
                let moved = ancestor.is_dataclass() && ancestor.words("fields").any(|field| field == *name);
                !moved && ancestor.definition(name) == Some(Definition::Data)
            })
        })
    });
    let names = listed(inherited)?;
    after(
        format!(
            "{} a default in a base class, which a slot hides: instances that never set {} raise AttributeError",
            names.with("has", "have"),
            if names.many { "them" } else { "it" }
        ),
        format!("set {} in every instance, in `__init__`", if names.many { "them" } else { "it" }),
    )
}

/// `setattr(o, 'foo-bar', …)`: TypeError, slots must be identifiers (all versions).
pub(super) fn not_an_identifier(candidate: &Candidate) -> Option<Objection> {
    let names = listed(candidate.seen_names().filter(|name| !is_identifier(name)))?;
    after(
        format!(
            "{} and cannot be {}",
            names.with("is no identifier", "are no identifiers"),
            if names.many { "slots" } else { "a slot" }
        ),
        "keep such names in a dict of the instance",
    )
}

/// Attributes that not every instance has: another one may come, and raise AttributeError (all versions).
pub(super) fn unstable(candidate: &Candidate) -> Option<Objection> {
    if !candidate.observed.names_differ {
        return None;
    }
    let class = candidate.class;
    let all = candidate.observed.most.instances;
    let declared = |name: &str| {
        class.words("fields").any(|field| field == name)
            || candidate
                .classes
                .family(class)
                .any(|other| other.assigned().any(|assigned| crate::overhead::plan::mangled(other, assigned) == name))
    };
    let some = candidate.observed.names.iter().filter(|(name, count)| *count < all && !declared(name));
    let names = listed(some.map(|(name, _)| name.as_str()))?;
    after(
        format!(
            "only some instances have {names}: there may be attributes that this run did not show, and each raises AttributeError"
        ),
        "assign every attribute in `__init__`, in one order, with None where there is no value yet",
    )
}

/// `vars(o)`, `o.__dict__`, json's `default=`, and friends (3.11+, where it shows).
pub(super) fn materialised_dict(candidate: &Candidate) -> Option<Objection> {
    let comparison = candidate.comparison;
    if !comparison.recorded.shows_materialised || !comparison.recorded.begins_with_values(&comparison.build) {
        return None;
    }
    // A change of class asks for the dict too.
    if candidate.class.says("exchanged") {
        return None;
    }
    let asked = states(candidate, |state| state == DictState::Split);
    let what = match asked {
        0 => return None,
        n if n == candidate.observed.most.instances => "every instance".to_owned(),
        n => counted(n, "instance"),
    };
    after(
        format!(
            "the program asked for the `__dict__` of {what} (`vars()`, `dir()`, `copy`, `pickle`, `self.__dict__`): with slots there is none, and whoever reads it fails"
        ),
        "look for `__dict__` and `vars(` in the source; `dataclasses.asdict`, `copy` and `pickle` (protocol 2 and later) work with slots",
    )
}

/// A method's code names `__dict__` or `vars` (all versions).
pub(super) fn reads_dict(candidate: &Candidate) -> Option<Objection> {
    let family = || candidate.classes.family(candidate.class).filter(|class| class.is_python && !class.is_typing());
    let methods = listed(family().flat_map(|class| class.words("reads_dict")));
    let assigns = family().any(|class| class.assigned().any(|name| name == "__dict__"));
    // Where the state of a dict shows who was asked, a function that reads some `__dict__` says nothing of this class.
    let shows = candidate.comparison.recorded.shows_materialised
        && candidate.comparison.recorded.begins_with_values(&candidate.comparison.build);
    let neighbours = if shows { None } else { listed(candidate.class.words("module_reads_dict")) };
    let sentence = match (methods, assigns, neighbours) {
        (Some(methods), _, _) => {
            format!("{} the `__dict__` of instances, and with slots there is none", methods.with("reads", "read"))
        }
        (None, true, _) => "a method assigns `self.__dict__`, and with slots there is none".to_owned(),
        (None, false, Some(neighbours)) => {
            format!(
                "{neighbours} in its module {} some object's `__dict__` or {} `vars()`; with slots there is none",
                if neighbours.many { "read" } else { "reads" },
                if neighbours.many { "call" } else { "calls" }
            )
        }
        (None, false, None) => return None,
    };
    after(sentence, "name the attributes there: `{name: getattr(self, name) for name in self.__slots__}`")
}

/// Up to 3.10 nothing in an instance shows whether its `__dict__` was asked for.
pub(super) fn unseen_dict_use(candidate: &Candidate) -> Option<String> {
    let said = reads_dict(candidate).is_some();
    (!candidate.comparison.recorded.shows_materialised && !said).then(|| {
        format!(
            "a recording of CPython {} does not show who reads `__dict__` or calls `vars()`: search the source for both",
            candidate.comparison.recorded.short()
        )
    })
}

/// Slots without `__weakref__` forbid weak references.
pub(super) fn no_weakrefs(candidate: &Candidate) -> Option<String> {
    if !candidate.comparison.build.weakref {
        return None;
    }
    if !candidate.plan.slotted.weakref {
        let text = "no weak reference to an instance was there at a checkpoint; if the program takes any (`weakref.finalize` too), add `__weakref__`";
        return Some(text.to_owned());
    }
    let seen = candidate.observed.weakly_referenced || candidate.class.says("weakly_referenced");
    if seen || !candidate.plan.adds_weakref {
        return None;
    }
    let methods = listed(candidate.classes.family(candidate.class).flat_map(|class| class.words("weakrefs")))?;
    Some(format!(
        "{} to weak references, so there is a place for them; no weak reference to an instance was there at a checkpoint",
        methods.with("refers", "refer")
    ))
}

fn states(candidate: &Candidate, wanted: impl Fn(DictState) -> bool) -> u64 {
    candidate.observed.most.kinds.iter().filter(|(kind, _)| wanted(kind.state)).map(|(_, count)| count).sum()
}

fn hides_method(candidate: &Candidate, name: &str) -> bool {
    defined(candidate, name, |definition| matches!(definition, Definition::Function | Definition::Property))
}

fn defined(candidate: &Candidate, name: &str, wanted: impl Fn(Definition) -> bool) -> bool {
    candidate.classes.family(candidate.class).filter_map(|class| class.definition(name)).any(wanted)
}
