//! Finds classes that waste attribute storage: what the rules `attribute-cliff`, `unshared-keys`, `materialised-dict` and
//! `slots-without-effect` judge.

use super::census::Kind;
use super::class::{Class, Classes};
use super::cpython::{Layout, SharedKeys};
use super::layout::{Build, block};
use super::observed::Observed;
use super::profile::Profile;
use crate::trace::{DictState, TypeFlags, TypeId};

/// Classes whose instances waste memory for another reason than the want of slots. Each list: most bytes first, then by
/// name. All empty where the layout or the states of the dicts are not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayoutFacts {
    /// More attributes than the shared key table takes (29 or 30, from 3.11 on): each instance has a table of its own.
    pub attribute_cliff: Vec<LayoutFact>,
    /// A key table of their own for another reason: another order, a deleted or late attribute.
    pub unshared_keys: Vec<LayoutFact>,
    /// A dict object that exists only because somebody asked for it (3.11+).
    pub materialised_dict: Vec<LayoutFact>,
    /// `__slots__` beside a dict that a base, or `__dict__` among the slots, keeps.
    pub slots_without_effect: Vec<LayoutFact>,
}

/// One class in one of the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutFact {
    pub class: TypeId,
    pub name: String,
    /// File of the module; empty where unknown.
    pub file: String,
    /// Instances concerned, and all, at the checkpoint with the most.
    pub instances: u64,
    pub all_instances: u64,
    /// Most attributes of an instance concerned.
    pub attributes: u64,
    /// Most attributes that share a key table; `None` where the version has no limit.
    pub limit: Option<u64>,
    /// Bytes of blocks that these instances would not need.
    pub wasted_bytes: u64,
    pub cause: Cause,
}

/// Why instances of a class waste memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// They have more attributes than share their names.
    ManyAttributes,
    /// Their names came in another order than those of the first instance, or not all (up to 3.10).
    OtherOrder,
    /// Two names came after the class had settled, or the dict was replaced (3.11 and later).
    LateNames,
    /// Something asked for their dict object.
    DictAsked,
    /// They keep a dict beside their slots: by this base, or, without one, by `__dict__` among the slots.
    DictKept { base: Option<String> },
}

/// Everything about one class that the lists need.
struct Subject<'a> {
    classes: &'a Classes,
    class: &'a Class,
    observed: &'a Observed,
    layout: &'a Layout,
    build: Build,
    /// Most attributes that share a key table.
    limit: Option<u64>,
    /// Bytes and number of the instances that a list concerns, as they are collected.
    instances: u64,
    wasted: u64,
    attributes: u64,
}

impl LayoutFacts {
    pub fn into_lists(self) -> [Vec<LayoutFact>; 4] {
        [self.attribute_cliff, self.unshared_keys, self.materialised_dict, self.slots_without_effect]
    }

    /// From lists in the order of the fields, each put in order.
    pub fn from_lists(mut lists: [Vec<LayoutFact>; 4]) -> LayoutFacts {
        for list in &mut lists {
            list.sort_by(|a, b| b.wasted_bytes.cmp(&a.wasted_bytes).then_with(|| a.name.cmp(&b.name)));
        }
        let [attribute_cliff, unshared_keys, materialised_dict, slots_without_effect] = lists;
        LayoutFacts { attribute_cliff, unshared_keys, materialised_dict, slots_without_effect }
    }
}

impl Profile {
    /// What wastes memory in the classes of the trace.
    pub fn facts(&self) -> LayoutFacts {
        let mut facts = LayoutFacts::default();
        let Ok(layout) = self.layout else {
            return facts;
        };
        for row in &self.types {
            let Some(class) = self.classes.get(row.class).filter(|class| self.has_instance_dict(class)) else {
                continue;
            };
            let Some(observed) = self.observed.get(&class.def.id) else { continue };
            let Some(build) = self.classes.build(class, layout) else { continue };
            let subject = || Subject::new(&self.classes, class, observed, layout, build);
            facts.attribute_cliff.extend(subject().cliff());
            facts.unshared_keys.extend(subject().unshared());
            facts.materialised_dict.extend(subject().materialised());
            facts.slots_without_effect.extend(subject().without_effect());
        }
        LayoutFacts::from_lists(facts.into_lists())
    }
}

impl<'a> Subject<'a> {
    fn new(
        classes: &'a Classes,
        class: &'a Class,
        observed: &'a Observed,
        layout: &'a Layout,
        build: Build,
    ) -> Subject<'a> {
        let seeded = observed.names.iter().all(|(name, _)| class.compiled().any(|other| other == name));
        let limit = layout.shared_limit(seeded);
        Subject { classes, class, observed, layout, build, limit, instances: 0, wasted: 0, attributes: 0 }
    }

    fn cliff(mut self) -> Option<LayoutFact> {
        let limit = self.limit?;
        self.collect(|subject, kind| {
            let over = kind.state == DictState::Combined && u64::from(kind.n_names) > limit;
            (over && subject.shares()).then(|| subject.beyond_values(kind))
        });
        self.fact(Cause::ManyAttributes)
    }

    fn unshared(mut self) -> Option<LayoutFact> {
        let limit = self.limit.unwrap_or(u64::MAX);
        self.collect(|subject, kind| {
            let unshared = kind.state == DictState::Combined && u64::from(kind.n_names) <= limit;
            let shares = matches!(subject.layout.shared_keys, SharedKeys::Ordered) || subject.shares();
            (unshared && shares).then(|| subject.beyond_values(kind))
        });
        let cause = match self.layout.shared_keys {
            SharedKeys::Ordered => Cause::OtherOrder,
            SharedKeys::Fixed { .. } => Cause::LateNames,
        };
        self.fact(cause)
    }

    fn materialised(mut self) -> Option<LayoutFact> {
        if !self.layout.shows_materialised {
            return None;
        }
        self.collect(|subject, kind| (kind.state == DictState::Split && subject.shares()).then(|| block(kind.dict)));
        self.fact(Cause::DictAsked)
    }

    fn without_effect(mut self) -> Option<LayoutFact> {
        if self.class.def.slots.is_none() || self.class.def.flags.has(TypeFlags::EXCEPTION) {
            return None;
        }
        let base = self.classes.unslotted_ancestors(self.class).map(Class::short_name).next().map(str::to_owned);
        if base.is_none() && !self.class.gives_dict() {
            return None;
        }
        let slotted = self.build.slotted(self.build.slots, false);
        let after = block(self.layout.object_bytes(&slotted, 0, 0));
        self.collect(|_, kind| Some(kind.used().saturating_sub(after)));
        self.fact(Cause::DictKept { base })
    }

    /// Whether instances of the class can share a key table and begin with an array of values.
    fn shares(&self) -> bool {
        self.layout.begins_with_values(&self.build)
    }

    /// Bytes that an instance has beyond what it would have with an array of values and shared names.
    fn beyond_values(&self, kind: &Kind) -> u64 {
        let names = u64::from(kind.n_names);
        let parts = self.layout.parts(&self.build).requested();
        let values = self.layout.values.bytes(match self.layout.shared_keys {
            SharedKeys::Ordered => self.layout.shared_capacity(names, false),
            SharedKeys::Fixed { .. } => names + 1,
        });
        let shared = if self.layout.has_inline_values(&self.build) {
            block(parts + values)
        } else if matches!(self.layout.shared_keys, SharedKeys::Ordered) {
            block(kind.object) + block(values) + block(kind.dict)
        } else {
            block(kind.object) + block(values)
        };
        kind.used().saturating_sub(shared)
    }

    fn collect(&mut self, wasted: impl Fn(&Subject, &Kind) -> Option<u64>) {
        let observed = self.observed;
        for (kind, count) in &observed.most.kinds {
            if let Some(each) = wasted(self, kind) {
                self.instances += count;
                self.wasted += each * count;
                self.attributes = self.attributes.max(u64::from(kind.n_names));
            }
        }
    }

    fn fact(self, cause: Cause) -> Option<LayoutFact> {
        (self.instances > 0).then(|| LayoutFact {
            class: self.class.id(),
            name: self.class.def.name.clone(),
            file: self.class.def.file.clone(),
            instances: self.instances,
            all_instances: self.observed.most.instances,
            attributes: self.attributes,
            limit: self.limit,
            wasted_bytes: self.wasted,
            cause,
        })
    }
}
