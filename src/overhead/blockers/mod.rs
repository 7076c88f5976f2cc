//! Finds what stands in the way of giving a class slots.
//!
//! A condition is one function and one line in [`CONDITIONS`]. Each was verified on every CPython it speaks of; the
//! numbers in the comments are the versions in which the outcome was seen.

mod attributes;
mod dataclasses;
mod inheritance;
mod payoff;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::class::{Class, Classes};
use super::observed::Observed;
use super::plan::{Means, Plan};
use super::savings::{Comparison, Savings};

/// Something that stands in the way of slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Name of the condition, with hyphens.
    pub name: &'static str,
    pub effect: Effect,
    /// What is the case, and what it would lead to: one sentence, without a final dot.
    pub sentence: String,
    /// What to do instead or before, without a final dot.
    pub instead: String,
}

/// What a blocker does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Slots are possible after what it says was done, or checked.
    After,
    /// Slots are not advised.
    Never,
}

/// All that the conditions look at.
pub struct Candidate<'a> {
    pub classes: &'a Classes,
    pub all: &'a BTreeMap<u32, Box<Observed>>,
    pub class: &'a Class,
    pub observed: &'a Observed,
    pub comparison: &'a Comparison<'a>,
    pub plan: &'a Plan<'a>,
    pub savings: &'a Savings,
    /// Most instances at any time.
    pub peak: u64,
}

/// One condition under which slots break a program, or do not pay.
pub struct Condition {
    pub name: &'static str,
    check: fn(&Candidate) -> Option<Objection>,
}

/// What a condition has to say.
struct Objection {
    effect: Effect,
    sentence: String,
    instead: String,
}

/// Every condition, in the order in which they are told.
pub const CONDITIONS: &[Condition] = &[
    Condition { name: "metaclass", check: inheritance::metaclass },
    Condition { name: "foreign-class", check: inheritance::foreign_class },
    Condition { name: "variable-size-base", check: inheritance::variable_size_base },
    Condition { name: "unslotted-base", check: inheritance::unslotted_base },
    Condition { name: "unslotted-subclass", check: inheritance::unslotted_subclass },
    Condition { name: "layout-conflict", check: inheritance::layout_conflict },
    Condition { name: "copy-drops-slots", check: inheritance::copy_drops_slots },
    Condition { name: "class-assignment", check: attributes::class_assignment },
    Condition { name: "cached-property", check: attributes::cached_property },
    Condition { name: "hidden-method", check: attributes::hidden_method },
    Condition { name: "reserved-name", check: attributes::reserved_name },
    Condition { name: "class-default", check: attributes::class_default },
    Condition { name: "inherited-default", check: attributes::inherited_default },
    Condition { name: "not-an-identifier", check: attributes::not_an_identifier },
    Condition { name: "unstable-attributes", check: attributes::unstable },
    Condition { name: "materialised-dict", check: attributes::materialised_dict },
    Condition { name: "reads-dict", check: attributes::reads_dict },
    Condition { name: "undeclared-field", check: dataclasses::undeclared_field },
    Condition { name: "unset-default", check: dataclasses::unset_default },
    Condition { name: "second-class", check: dataclasses::second_class },
    Condition { name: "class-cell", check: dataclasses::class_cell },
    Condition { name: "weakref-slot", check: dataclasses::weakref_slot },
    Condition { name: "frozen-by-hand", check: dataclasses::frozen_by_hand },
    Condition { name: "frozen-alias", check: dataclasses::frozen_alias },
    Condition { name: "frozen-subclass", check: dataclasses::frozen_subclass },
    Condition { name: "old-pickles", check: dataclasses::old_pickles },
    Condition { name: "few-instances", check: payoff::few_instances },
    Condition { name: "no-gain", check: payoff::no_gain },
    Condition { name: "class-cost", check: payoff::class_cost },
];

/// What stands in the way, in the order of [`CONDITIONS`].
pub fn of(candidate: &Candidate) -> Vec<Blocker> {
    let said = |condition: &Condition| {
        let Objection { effect, sentence, instead } = (condition.check)(candidate)?;
        Some(Blocker { name: condition.name, effect, sentence, instead })
    };
    CONDITIONS.iter().filter_map(said).collect()
}

/// What is no obstacle but should be known.
pub fn notes(candidate: &Candidate) -> Vec<String> {
    [
        payoff::bloated_table,
        payoff::never_set,
        dataclasses::default_on_the_class,
        dataclasses::written_default,
        inheritance::exception,
        attributes::unseen_dict_use,
        attributes::no_weakrefs,
    ]
    .iter()
    .filter_map(|note| note(candidate))
    .collect()
}

impl Candidate<'_> {
    fn name(&self) -> &str {
        self.class.short_name()
    }

    /// `@dataclass` makes the slots.
    fn by_dataclass(&self) -> bool {
        self.plan.own.means == Means::Dataclass
    }

    /// A decorator makes the slots, for the fields, in a second class.
    fn by_decorator(&self) -> bool {
        self.plan.own.means != Means::ByHand
    }

    /// Fields whose defaults `@dataclass(slots=True)` would take out of this class, or of a base that changes too.
    fn moved_defaults(&self) -> impl Iterator<Item = &str> {
        let changes = self.plan.changes().filter(|change| change.means == Means::Dataclass);
        changes.flat_map(|change| change.class.defaults())
    }

    /// Names that would become slots of this class itself.
    fn own_names(&self) -> impl Iterator<Item = &str> {
        self.plan.own.names.iter().map(String::as_str)
    }

    /// Names kept in the dict or the values of some instance.
    fn seen_names(&self) -> impl Iterator<Item = &str> {
        self.observed.names.iter().map(|(name, _)| name.as_str())
    }
}

fn after(sentence: impl Into<String>, instead: impl Into<String>) -> Option<Objection> {
    Some(Objection { effect: Effect::After, sentence: sentence.into(), instead: instead.into() })
}

fn never(sentence: impl Into<String>, instead: impl Into<String>) -> Option<Objection> {
    Some(Objection { effect: Effect::Never, sentence: sentence.into(), instead: instead.into() })
}

/// Names in backquotes, and how many they are. ``‘x’, ‘y’ and 3 more``
struct Names {
    text: String,
    many: bool,
}

impl Names {
    /// The names and the verb: the first form of it for one name.
    fn with(&self, one: &str, many: &str) -> String {
        format!("{} {}", self.text, if self.many { many } else { one })
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Nothing for no names.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> Option<Names> {
    const SHOWN: usize = 4;
    let mut seen = BTreeSet::new();
    let names: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let text = match names.len() {
        0 => return None,
        n if n > SHOWN => format!("{} and {} more", shown.join(", "), n - SHOWN),
        _ => shown.join(", "),
    };
    Some(Names { text, many: names.len() > 1 })
}

/// `1 instance`, `2 instances`.
pub(super) fn counted(n: u64, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{ending}")
}

/// `save 1 byte`, `cost 2 bytes`.
fn saves(bytes: f64) -> String {
    let verb = if bytes >= 0.0 { "save" } else { "cost" };
    format!("{verb} {}", counted(bytes.abs().round() as u64, "byte"))
}
