//! Checks dataclasses, and objects that come back from a pickle.

use super::{Candidate, Objection, after, listed};
use crate::overhead::class::Class;
use crate::overhead::plan::can_be_slot;

/// An attribute that is no field: AttributeError with `slots=True` (3.10+).
pub(super) fn undeclared_field(candidate: &Candidate) -> Option<Objection> {
    if !candidate.by_decorator() {
        return None;
    }
    let slots = candidate.classes.slot_names(candidate.class);
    let planned: Vec<&str> = candidate.plan.names().collect();
    let is_undeclared = |name: &&str| !planned.contains(name) && !slots.contains(name) && can_be_slot(name);
    let undeclared = || candidate.seen_names().filter(is_undeclared);
    let first = undeclared().next()?;
    let names = listed(undeclared())?;
    if candidate.seen_names().any(|name| name == "__orig_class__") {
        return after(
            format!(
                "{} and would be lost or raise AttributeError; `C[int](…)` sets `__orig_class__`, which slots drop silently",
                names.with("is no field", "are no fields")
            ),
            "leave the brackets away where instances are made, or make sure that nobody reads `__orig_class__`",
        );
    }
    after(
        format!(
            "{} on instances but {}: with `slots=True` that raises AttributeError",
            names.with("is set", "are set"),
            if names.many { "are no fields" } else { "is no field" }
        ),
        format!(
            "declare {}: `{first}{}(init=False, default=None)`",
            if names.many { "each" } else { "it" },
            if candidate.by_dataclass() { ": object = field" } else { " = attr.ib" }
        ),
    )
}

/// An instance that reads a field's default from the class: AttributeError with `slots=True` (3.10+). A generated
/// `__init__` sets every field then.
pub(super) fn unset_default(candidate: &Candidate) -> Option<Objection> {
    let most = candidate.observed.most.instances;
    let mut family = candidate.classes.family(candidate.class);
    let maker = family.find(|class| class.def.defines.iter().any(|name| name == "__init__"));
    let generated = maker.filter(|class| class.has_generated_init());
    let is_unset = |name: &&str| {
        let count = candidate.observed.names.iter().find(|(other, _)| other == name).map_or(0, |(_, count)| *count);
        // `__init__` may be at work on one instance.
        let at_work = u64::from(candidate.class.assigned().any(|assigned| assigned == *name));
        count + at_work < most && !generated.is_some_and(|class| class.words("fields").any(|field| field == *name))
    };
    let names = listed(candidate.moved_defaults().filter(is_unset))?;
    let (them, they) = if names.many { ("them", "they are") } else { ("it", "it is") };
    after(
        format!(
            "instances without their own {names} read the default from the class: with `slots=True` {they} not there, and reading {them} raises AttributeError"
        ),
        format!("set {them} in every instance, in `__init__`"),
    )
}

/// A default that is read on the class: with `slots=True` a member descriptor (3.10+).
pub(super) fn default_on_the_class(candidate: &Candidate) -> Option<String> {
    let first = candidate.moved_defaults().next()?;
    let names = listed(candidate.moved_defaults())?;
    Some(format!(
        "with `slots=True` the {} of {names} {} no longer on the class: `{}.{first}` gives a descriptor then",
        if names.many { "defaults" } else { "default" },
        if names.many { "are" } else { "is" },
        candidate.name()
    ))
}

/// `x: int = field(…)` beside `__slots__`: ValueError. The decorator takes it out of the class, so nothing shows it (3.8 and
/// 3.9, where the decorator makes no slots).
pub(super) fn written_default(candidate: &Candidate) -> Option<String> {
    let target = candidate.comparison.target;
    let by_hand = |class: &Class| class.is_dataclass() && !target.dataclass.slots;
    let classes = candidate.plan.changes().filter(|change| by_hand(change.class));
    let names = listed(classes.map(|change| change.class.short_name()))?;
    Some(format!(
        "a field in the body of {names} that is written `= field(…)`, or with a default, raises ValueError beside `__slots__` in CPython {}: write it without, and an `__init__` that sets it",
        target.short()
    ))
}

/// `slots=True` makes a second class: what runs once per class runs twice (3.10+).
pub(super) fn second_class(candidate: &Candidate) -> Option<Objection> {
    if !candidate.by_decorator() {
        return None;
    }
    let defines = |class: &Class| class.def.defines.iter().any(|name| name == "__init_subclass__");
    let hook = |class: &&Class| class.is_python && !class.is_typing() && defines(class);
    if let Some(base) = candidate.classes.ancestors(candidate.class).find(hook) {
        return after(
            format!(
                "{} defines `__init_subclass__`, which runs a second time, without the arguments of the class, because `slots=True` makes the class anew",
                base.short_name()
            ),
            "make `__init_subclass__` bear a second call, or write `__slots__` by hand in a class without defaults",
        );
    }
    let twins = candidate.classes.n_named(&candidate.class.def.name);
    if twins > 1 {
        return after(
            format!(
                "there are {twins} classes of this name: something holds on to each class that the decorator replaces or a function makes"
            ),
            "define the class once, at the top of its module",
        );
    }
    None
}

/// `super()` without arguments in the class that `slots=True` makes: TypeError (3.10 to early 3.13).
pub(super) fn class_cell(candidate: &Candidate) -> Option<Objection> {
    if !candidate.by_dataclass() || candidate.comparison.target.dataclass.zero_argument_super {
        return None;
    }
    let methods = listed(candidate.class.words("class_cell"))?;
    after(
        format!(
            "{} `super()` or `__class__`, which still means the class that `slots=True` replaces: TypeError",
            methods.with("uses", "use")
        ),
        format!("write `super({}, self)`, or use CPython 3.14", candidate.name()),
    )
}

/// Weak references need `weakref_slot=True` (3.11+).
pub(super) fn weakref_slot(candidate: &Candidate) -> Option<Objection> {
    let layout = candidate.comparison.target;
    if !candidate.by_dataclass() || !candidate.plan.adds_weakref || layout.dataclass.weakref_slot {
        return None;
    }
    after(
        format!(
            "weak references to instances are taken, and `@dataclass` of CPython {} has no `weakref_slot`",
            layout.short()
        ),
        "inherit from a class with `__slots__ = (\"__weakref__\",)`",
    )
}

/// Slots by hand on a frozen dataclass: FrozenInstanceError on copy and unpickle (all versions).
pub(super) fn frozen_by_hand(candidate: &Candidate) -> Option<Objection> {
    if candidate.by_decorator() || !candidate.class.is_frozen() {
        return None;
    }
    after(
        "a frozen dataclass with `__slots__` by hand cannot be copied or unpickled: FrozenInstanceError",
        "add `__getstate__` and `__setstate__` that use `object.__setattr__`, or `@dataclass(slots=True)` on CPython 3.10 and later",
    )
}

/// `C[int](…)` of a frozen generic dataclass with slots: TypeError (3.10 to 3.12). Without slots the error of setting
/// `__orig_class__` is swallowed, so no instance shows that it was made so.
pub(super) fn frozen_alias(candidate: &Candidate) -> Option<Objection> {
    let target = candidate.comparison.target;
    let is_generic = candidate.classes.ancestors(candidate.class).any(|base| base.def.name == "typing.Generic");
    if !candidate.by_dataclass() || !candidate.class.is_frozen() || !is_generic || target.dataclass.frozen_alias {
        return None;
    }
    after(
        format!(
            "it is generic and frozen: with `slots=True`, `C[int](…)` raises TypeError on CPython {}",
            target.short()
        ),
        "make instances without the brackets, `C(…)`",
    )
}

/// A subclass with a dict of a frozen slots dataclass: pickling drops the extra attributes silently (3.10+).
pub(super) fn frozen_subclass(candidate: &Candidate) -> Option<Objection> {
    if !candidate.by_decorator() || !candidate.class.is_frozen() {
        return None;
    }
    let extra = |class: &&Class| {
        let seen = candidate.all.get(&class.def.id);
        class.gives_dict()
            && seen
                .is_some_and(|seen| seen.names.iter().any(|(name, _)| !candidate.plan.names().any(|slot| slot == name)))
    };
    let names = listed(candidate.classes.descendants(candidate.class).filter(extra).map(Class::short_name))?;
    after(
        format!(
            "{} attributes to this frozen dataclass: pickling would drop them without a word",
            names.with("adds", "add")
        ),
        format!("make {names} {} with slots too", if names.many { "frozen dataclasses" } else { "a frozen dataclass" }),
    )
}

/// Stored pickles of the old class: AttributeError; for a frozen dataclass silently wrong values (3.10+).
pub(super) fn old_pickles(candidate: &Candidate) -> Option<Objection> {
    if !candidate.observed.unpickled {
        return None;
    }
    let outcome = if candidate.by_decorator() && candidate.class.is_frozen() {
        "would load into the new class with wrong values, without an error"
    } else {
        "would not load into the new class"
    };
    after(
        format!("instances came out of a pickle: pickles stored before the change {outcome}"),
        "throw stored pickles away with the change, or read both forms in `__setstate__`",
    )
}
