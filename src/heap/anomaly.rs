//! Counts what a sane log would not say, with the first few examples of each kind.

use std::fmt;

use super::model::Object;
use crate::trace::{SiteId, TypeId};

/// One way in which a log contradicts itself, or the program it recorded is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// An event names an object that was never allocated, or died long ago.
    UnknownObject,
    /// An event names an object that is dead: it died among the last few thousand, or its number is free.
    UseAfterFree,
    /// `alloc` on a live tag: the old object ended unseen.
    AllocOnLive,
    /// With dense numbers: an `alloc` whose number is neither free nor the next one. Ignored.
    NumberOutOfOrder,
    /// With recorded frees: the tally returned to zero and no `free` came.
    MissingFree,
    /// A `free` outside a collection, of an object that is still counted.
    FreeWhileCounted,
    /// An object came back from death after so much had to be undone already that it comes back without its references.
    RevivedBare,
    /// `unref` of a reference that is not there.
    MissingReference,
    /// `unroot` of a root that is not there.
    MissingRoot,
    /// A tally would have fallen below zero.
    BelowZero,
    /// An observed count is not the tally.
    CountMismatch,
    /// With references at checkpoints: a reference, or a change of a count, outside a walk.
    OutsideWalk,
    /// A second description of an object in one walk. Ignored.
    DescribedTwice,
    /// A walk says that an object is unchanged which the one before did not describe. Ignored.
    NeverDescribed,
    /// An object died while a walk described the heap; what the walk said of it is dropped.
    DiedInWalk,
    /// A walk began while another was not complete. The other counts for nothing.
    UnfinishedWalk,
    /// A checkpoint without its walk. Ignored.
    CheckpointWithoutWalk,
    /// A type number that no event defined.
    UnknownType,
    /// A site number that no event defined.
    UnknownSite,
    /// A text number that no event defined.
    UnknownText,
    /// A number was defined twice, with another meaning.
    Redefined,
    /// `gc start` inside a collection, or `gc stop` outside one.
    UnpairedCollection,
    /// A time less than the one before. Ignored.
    TimeWentBack,
    /// An object of more than a tebibyte. Counted as one tebibyte.
    AbsurdSize,
    /// More live objects or references than 32-bit numbers can name. Ignored.
    TooMany,
}

impl AnomalyKind {
    /// Every kind, in the order of the reports.
    pub const ALL: [AnomalyKind; 25] = [
        AnomalyKind::UnknownObject,
        AnomalyKind::UseAfterFree,
        AnomalyKind::AllocOnLive,
        AnomalyKind::NumberOutOfOrder,
        AnomalyKind::MissingFree,
        AnomalyKind::FreeWhileCounted,
        AnomalyKind::RevivedBare,
        AnomalyKind::MissingReference,
        AnomalyKind::MissingRoot,
        AnomalyKind::BelowZero,
        AnomalyKind::CountMismatch,
        AnomalyKind::OutsideWalk,
        AnomalyKind::DescribedTwice,
        AnomalyKind::NeverDescribed,
        AnomalyKind::DiedInWalk,
        AnomalyKind::UnfinishedWalk,
        AnomalyKind::CheckpointWithoutWalk,
        AnomalyKind::UnknownType,
        AnomalyKind::UnknownSite,
        AnomalyKind::UnknownText,
        AnomalyKind::Redefined,
        AnomalyKind::UnpairedCollection,
        AnomalyKind::TimeWentBack,
        AnomalyKind::AbsurdSize,
        AnomalyKind::TooMany,
    ];

    /// A word for machines.
    pub fn name(self) -> &'static str {
        match self {
            AnomalyKind::UnknownObject => "unknown-object",
            AnomalyKind::UseAfterFree => "use-after-free",
            AnomalyKind::AllocOnLive => "alloc-on-live",
            AnomalyKind::NumberOutOfOrder => "number-out-of-order",
            AnomalyKind::MissingFree => "missing-free",
            AnomalyKind::FreeWhileCounted => "free-while-counted",
            AnomalyKind::RevivedBare => "revived-bare",
            AnomalyKind::MissingReference => "missing-reference",
            AnomalyKind::MissingRoot => "missing-root",
            AnomalyKind::BelowZero => "below-zero",
            AnomalyKind::CountMismatch => "count-mismatch",
            AnomalyKind::OutsideWalk => "outside-walk",
            AnomalyKind::DescribedTwice => "described-twice",
            AnomalyKind::NeverDescribed => "never-described",
            AnomalyKind::DiedInWalk => "died-in-walk",
            AnomalyKind::UnfinishedWalk => "unfinished-walk",
            AnomalyKind::CheckpointWithoutWalk => "checkpoint-without-walk",
            AnomalyKind::UnknownType => "unknown-type",
            AnomalyKind::UnknownSite => "unknown-site",
            AnomalyKind::UnknownText => "unknown-text",
            AnomalyKind::Redefined => "redefined",
            AnomalyKind::UnpairedCollection => "unpaired-collection",
            AnomalyKind::TimeWentBack => "time-went-back",
            AnomalyKind::AbsurdSize => "absurd-size",
            AnomalyKind::TooMany => "too-many",
        }
    }
}

impl fmt::Display for AnomalyKind {
    /// One clause for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AnomalyKind::UnknownObject => "an event names an object that was never allocated",
            AnomalyKind::UseAfterFree => "an object is used after it died",
            AnomalyKind::AllocOnLive => "an object is allocated where another one is alive: its free is missing",
            AnomalyKind::NumberOutOfOrder => "an object's number is neither free nor the next one",
            AnomalyKind::MissingFree => "the tally returned to zero, but no free came",
            AnomalyKind::FreeWhileCounted => "an object is freed while it is still counted",
            AnomalyKind::RevivedBare => "an object came back from death without its references",
            AnomalyKind::MissingReference => "a reference goes away that was not there",
            AnomalyKind::MissingRoot => "a root goes away that was not there",
            AnomalyKind::BelowZero => "a refcount falls below zero",
            AnomalyKind::CountMismatch => "an observed refcount is not the tally",
            AnomalyKind::OutsideWalk => "a reference or count changes outside a walk",
            AnomalyKind::DescribedTwice => "a walk describes an object twice",
            AnomalyKind::NeverDescribed => "a walk calls an object unchanged that none has described",
            AnomalyKind::DiedInWalk => "an object dies during a walk",
            AnomalyKind::UnfinishedWalk => "a walk begins before the last one is complete",
            AnomalyKind::CheckpointWithoutWalk => "a checkpoint has no walk",
            AnomalyKind::UnknownType => "a type is not defined",
            AnomalyKind::UnknownSite => "a site is not defined",
            AnomalyKind::UnknownText => "a text is not defined",
            AnomalyKind::Redefined => "a number is defined again with another meaning",
            AnomalyKind::UnpairedCollection => "gc start and gc stop are not in pairs",
            AnomalyKind::TimeWentBack => "time goes backwards",
            AnomalyKind::AbsurdSize => "an object has more than a tebibyte",
            AnomalyKind::TooMany => "more objects or references than this program can number",
        })
    }
}

/// Where an anomaly was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnomalyExample {
    /// Number of the event, from 1.
    pub event: u64,
    /// The object's address, or the tag as the log has it where there is no such object.
    pub address: Option<u64>,
    /// The object's type; `UNKNOWN` where there is no such object.
    pub class: TypeId,
    /// The stack that made it, where that is known.
    pub site: SiteId,
}

impl AnomalyExample {
    /// Where the log speaks of no object that is known.
    pub(super) fn of_log(event: u64, tag: Option<u64>) -> AnomalyExample {
        AnomalyExample { event, address: tag, class: TypeId::UNKNOWN, site: SiteId::NONE }
    }

    /// Of an object.
    pub fn of(event: u64, object: Object) -> AnomalyExample {
        AnomalyExample { event, address: Some(object.address), class: object.class, site: object.site }
    }
}

/// All anomalies of a replay.
#[derive(Debug, Clone, Default)]
pub struct Anomalies {
    counts: [u64; AnomalyKind::ALL.len()],
    /// In the order met, a few of each kind.
    examples: Vec<(AnomalyKind, AnomalyExample)>,
}

impl Anomalies {
    /// Examples kept of each kind.
    pub const EXAMPLES: usize = 5;

    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub fn count(&self, kind: AnomalyKind) -> u64 {
        self.counts[kind as usize]
    }

    /// The kinds that were met, with how often, in the order of [`AnomalyKind::ALL`].
    pub fn kinds(&self) -> impl Iterator<Item = (AnomalyKind, u64)> + '_ {
        AnomalyKind::ALL.into_iter().map(|kind| (kind, self.count(kind))).filter(|&(_, count)| count > 0)
    }

    /// The first few of a kind.
    pub fn examples(&self, kind: AnomalyKind) -> impl Iterator<Item = &AnomalyExample> {
        self.examples.iter().filter(move |(of, _)| *of == kind).map(|(_, example)| example)
    }

    #[cold]
    pub(super) fn add(&mut self, kind: AnomalyKind, example: AnomalyExample) {
        let count = &mut self.counts[kind as usize];
        *count += 1;
        if *count <= Self::EXAMPLES as u64 {
            self.examples.push((kind, example));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_each_kind_at_its_own_place() {
        for (place, kind) in AnomalyKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{kind:?}");
        }
    }

    #[test]
    fn every_anomaly_is_counted_but_only_the_first_few_are_kept() {
        let mut anomalies = Anomalies::default();
        for event in 1..=100 {
            anomalies.add(AnomalyKind::BelowZero, AnomalyExample::of_log(event, None));
        }
        assert_eq!(anomalies.count(AnomalyKind::BelowZero), 100);
        let events: Vec<u64> = anomalies.examples(AnomalyKind::BelowZero).map(|example| example.event).collect();
        assert_eq!(events, [1, 2, 3, 4, 5]);
    }
}
