//! Advises on `__slots__`: what each class would save, whether to do it, and what to paste.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::blockers::{self, Blocker, Candidate, Effect};
use super::class::Class;
use super::cpython::{Layout, UnknownLayout};
use super::plan::Plan;
use super::profile::{Profile, TypeProfile};
use super::savings::{Comparison, Cost, Savings};
use super::suggestion;
use crate::trace::TypeId;

/// Classes of the standard library and of packages are listed if they save at least this, bytes at the peak: nobody changes
/// them for less.
const LIBRARY_SAVING: i64 = 1_000_000;

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotsOptions {
    /// Another CPython than the recorded one: `3.13`.
    pub python: Option<String>,
    /// Classes that save less than this, now and at the peak, are counted and not listed.
    pub min_saving: u64,
}

/// The answer.
#[derive(Debug, Clone, Default)]
pub struct Advice {
    /// Most saved at the peak first, then by name.
    pub slots: Vec<SlotsAdvice>,
    /// The CPython that it holds for: `3.13`. Empty where no answer is possible.
    pub python: String,
    /// The answer holds for another CPython than the recorded one: what is assumed for that, as a sentence.
    pub estimate: Option<String>,
    /// The saving that was asked for.
    pub min_saving: u64,
    /// Classes below it.
    pub hidden: Unlisted,
    /// Classes that are not this program's and save too little to write to their authors.
    pub library: Unlisted,
    /// Classes with instance dicts whose recorded sizes the model does not explain: nothing is said of them.
    pub not_understood: Vec<String>,
    /// Why there is no advice at all, as a sentence.
    pub impossible: Option<String>,
}

/// Classes that are counted and not listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unlisted {
    pub classes: BTreeSet<String>,
    /// What they would save together at the peak.
    pub bytes: u64,
}

/// What slots would do for one class.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotsAdvice {
    pub class: TypeId,
    pub name: String,
    /// At the last checkpoint.
    pub instances: u64,
    /// The most at any time.
    pub peak: u64,
    /// Of the average instance, without list items and the like.
    pub now: Cost,
    pub slotted: Cost,
    /// Bytes of blocks; negative where slots would make the instances bigger.
    pub saved_bytes: i64,
    pub saved_at_peak: i64,
    /// What the class itself costs more, once, in bytes of blocks.
    pub class_cost: i64,
    pub verdict: Verdict,
    pub blockers: Vec<Blocker>,
    /// Lines to paste; none when it is not advised.
    pub suggestion: Option<String>,
    /// File, and line where known, of the class.
    pub place: Option<String>,
    /// What else to know, one sentence each.
    pub notes: Vec<String>,
}

/// The advice on one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Recommended,
    /// After what each blocker says was done or checked.
    PossibleAfter,
    NotAdvised,
}

impl Verdict {
    /// As tables and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Recommended => "recommended",
            Verdict::PossibleAfter => "possible after",
            Verdict::NotAdvised => "not advised",
        }
    }
}

/// As tables write it.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Profile {
    /// Advice on every class whose instances have a dict.
    pub fn advise(&self, options: &SlotsOptions) -> Advice {
        let (recorded, target) = match self.layouts(options) {
            Ok(layouts) => layouts,
            Err(reason) => return Advice::impossible(reason),
        };
        if self.looks == 0 {
            return Advice::impossible("the trace has no full checkpoint, so nothing is known of attributes");
        }
        if !self.has_dict_states {
            return Advice::impossible(
                "the trace has no dict states: it does not say where instances keep their attributes",
            );
        }
        let mut advice = Advice { python: target.short(), min_saving: options.min_saving, ..Advice::default() };
        if recorded != target {
            advice.estimate = Some(estimate_sentence(recorded, target));
        }
        for row in &self.types {
            let Some(class) = self.classes.get(row.class).filter(|class| self.has_instance_dict(class)) else {
                continue;
            };
            let Some(slots) = self.advise_class(row, class, recorded, target) else {
                advice.not_understood.push(row.name.clone());
                continue;
            };
            let most_saved = slots.saved_bytes.max(slots.saved_at_peak);
            if class.is_foreign() && most_saved < LIBRARY_SAVING {
                advice.library.insert(slots.name, most_saved);
            } else if options.min_saving > 0 && most_saved < i64::try_from(options.min_saving).unwrap_or(i64::MAX) {
                advice.hidden.insert(slots.name, most_saved);
            } else {
                advice.slots.push(slots);
            }
        }
        advice.slots.sort_by(|a, b| {
            b.saved_at_peak.cmp(&a.saved_at_peak).then_with(|| a.name.cmp(&b.name)).then(a.class.cmp(&b.class))
        });
        advice.not_understood.sort();
        advice
    }

    fn layouts(&self, options: &SlotsOptions) -> Result<(&'static Layout, &'static Layout), String> {
        let recorded = self.layout.clone().map_err(|UnknownLayout(reason)| reason)?;
        let target = match &options.python {
            None => recorded,
            Some(version) if version.matches('.').count() == 1 && *version == recorded.short() => recorded,
            Some(version) => Layout::named(version).map_err(|UnknownLayout(reason)| reason)?,
        };
        Ok((recorded, target))
    }

    /// A class statement's type that was seen with instances, and gives them a dict.
    pub(super) fn has_instance_dict(&self, class: &Class) -> bool {
        use crate::trace::TypeFlags;
        let flags = class.def.flags;
        class.is_python
            && flags.has(TypeFlags::DICT)
            && !flags.has(TypeFlags::CLASS)
            && self.observed.get(&class.def.id).is_some_and(|seen| seen.most.kept() > 0)
    }

    fn advise_class(
        &self,
        row: &TypeProfile,
        class: &Class,
        recorded: &'static Layout,
        target: &'static Layout,
    ) -> Option<SlotsAdvice> {
        let observed = self.observed.get(&class.def.id)?;
        let build = self.classes.build(class, recorded)?;
        let explained = observed.most.kinds.keys().all(|kind| {
            build.item_size != 0
                || recorded.has_inline_values(&build)
                || kind.object == recorded.object_bytes(&build, 0, 0)
        });
        if !explained {
            return None;
        }
        let (comparison, base_known) = Comparison::of(&self.classes, class, observed, build, recorded, target);
        let observed_of = |other: &Class| self.observed.get(&other.def.id).map(Box::as_ref);
        let plan = Plan::of(&self.classes, class, &build, target, observed, &observed_of);
        let savings = Savings::of(&comparison, observed, row.peak, &plan);
        let candidate = Candidate {
            classes: &self.classes,
            all: &self.observed,
            class,
            observed,
            comparison: &comparison,
            plan: &plan,
            savings: &savings,
            peak: row.peak,
        };
        let blockers = blockers::of(&candidate);
        let verdict = match blockers.iter().map(|blocker| blocker.effect).max() {
            None => Verdict::Recommended,
            Some(Effect::After) => Verdict::PossibleAfter,
            Some(Effect::Never) => Verdict::NotAdvised,
        };
        let mut notes = blockers::notes(&candidate);
        if !base_known && !comparison.is_recorded() {
            notes.push(format!(
                "the built-in base of {} is assumed to be as big in CPython {} as in the recording",
                class.short_name(),
                target.short()
            ));
        }
        Some(SlotsAdvice {
            class: row.class,
            name: row.name.clone(),
            instances: observed.now.instances,
            peak: row.peak,
            now: savings.now,
            slotted: savings.after,
            saved_bytes: savings.saved,
            saved_at_peak: savings.saved_at_peak,
            class_cost: savings.class_cost,
            verdict,
            blockers,
            suggestion: (verdict != Verdict::NotAdvised).then(|| suggestion::text(&plan)),
            place: class.place(),
            notes,
        })
    }
}

impl Unlisted {
    fn insert(&mut self, class: String, saved: i64) {
        self.classes.insert(class);
        self.bytes += saved.max(0) as u64;
    }

    /// Adds those of another trace.
    pub fn add(&mut self, other: Unlisted) {
        self.classes.extend(other.classes);
        self.bytes += other.bytes;
    }
}

impl Advice {
    fn impossible(reason: impl Into<String>) -> Advice {
        Advice { impossible: Some(reason.into()), ..Advice::default() }
    }
}

/// What cannot be known of another CPython, said plainly.
fn estimate_sentence(recorded: &Layout, target: &Layout) -> String {
    let mut text = format!(
        "an estimate: recorded with CPython {}, asked about {}; every instance is taken to set its attributes in one order, in a class that has settled",
        recorded.short(),
        target.short()
    );
    if target.shows_materialised && !recorded.shows_materialised {
        text.push_str("; a recording of this version does not show which instances had their `__dict__` asked for, 64 bytes more each");
    }
    if !target.shows_materialised && recorded.shows_materialised {
        text.push_str("; where some instance sets them in another order, all later ones cost much more there");
    }
    text
}
