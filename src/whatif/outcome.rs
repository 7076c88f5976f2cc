//! Describes what a change would do: what would die by the count alone, how much sooner, and what too early.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cycles::SeenAt;

/// What a set of changes, made together, would do to the program of one trace, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The references, as they were asked for.
    pub references: Vec<String>,
    /// How far it is proved.
    pub proof: Proof,
    /// Snapshots that were looked at, and those of them that were of the whole heap.
    pub snapshots: u64,
    pub whole_snapshots: u64,
    /// Loops with such a reference between two members.
    pub loops: u64,
    /// Those of them of which the count alone frees every member.
    pub freed_loops: u64,
    /// Cyclic garbage that dies by the count alone: members, and what they hold.
    pub objects: u64,
    pub bytes: u64,
    /// When the first and the last of the loops were seen, dead by then.
    pub first: Option<SeenAt>,
    pub last: Option<SeenAt>,
    /// Bytes × nanoseconds that these objects lay there after they were seen, until the collector freed them or the trace
    /// ended; `None` where no times are known.
    pub byte_ns: Option<u128>,
    /// Such references between two objects that a root reached, at the snapshot with most of them.
    pub living: u64,
    /// Snapshots that had some.
    pub living_at: u64,
    /// Those of the references of which none was seen so.
    pub unseen: BTreeSet<String>,
    /// Those of the references of which none was seen so that leads to what more than a running function kept: while an object
    /// is made, or used once, who made it has it in a variable, whatever becomes of it later.
    pub passing: BTreeSet<String>,
    /// Objects that would be dead while a root still reached them: at the snapshot with most of them, or in a replay all.
    pub early_objects: u64,
    /// Of them those that such a reference leads to, each type and reference once; a few at most.
    pub early: Vec<Early>,
}

/// How a trace was looked at, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// No snapshot shows who refers to whom.
    #[default]
    Nothing,
    /// At each snapshot; between two of them it is not known who refers to whom.
    Snapshots,
    /// At every event: each change of a reference is in the log.
    Replay,
}

/// Objects that would have died too early.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Early {
    #[serde(rename = "type")]
    pub type_name: String,
    /// The reference that alone kept them.
    pub reference: String,
    /// Where the first of them was seen, alive.
    pub event: u64,
}

/// What an outcome proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every loop with such a reference dies by the count alone, and nothing dies that a root still reached, at any event.
    Verified,
    /// The same at the snapshots, in some of which living objects had each such reference. Between two of them something may
    /// die early all the same.
    NotRefuted,
    /// Something dies that a root still reached.
    DiesEarly,
    /// Some loops stay.
    NotEnough,
    /// Every loop dies, but one of the references was never seen between living objects, so whether one dies early is not
    /// known.
    NothingLiving,
    /// No loop has such a reference.
    NoLoop,
    /// No snapshot shows who refers to whom.
    NotKnown,
}

/// Kinds of objects that die early that are told.
pub(super) const MOST_EARLY: usize = 8;

impl Outcome {
    pub fn verdict(&self) -> Verdict {
        match () {
            () if self.early_objects > 0 => Verdict::DiesEarly,
            () if self.proof == Proof::Nothing => Verdict::NotKnown,
            () if self.loops == 0 => Verdict::NoLoop,
            () if self.freed_loops < self.loops => Verdict::NotEnough,
            () if self.proof == Proof::Replay => Verdict::Verified,
            () if self.living == 0 || !self.unseen.is_empty() => Verdict::NothingLiving,
            () => Verdict::NotRefuted,
        }
    }

    /// Whether living objects show that what the references lead to has another holder, or no event refutes it.
    pub fn stands(&self) -> bool {
        match self.verdict() {
            Verdict::Verified => true,
            Verdict::NotRefuted => self.passing.is_empty(),
            _ => false,
        }
    }

    /// The same changes in another trace as well.
    pub fn add(&mut self, other: Outcome) {
        let sum = |known: &mut u64, more: u64| *known = known.saturating_add(more);
        sum(&mut self.snapshots, other.snapshots);
        sum(&mut self.whole_snapshots, other.whole_snapshots);
        sum(&mut self.loops, other.loops);
        sum(&mut self.freed_loops, other.freed_loops);
        sum(&mut self.objects, other.objects);
        sum(&mut self.bytes, other.bytes);
        sum(&mut self.living_at, other.living_at);
        self.living = self.living.max(other.living);
        self.unseen.retain(|reference| other.unseen.contains(reference));
        self.passing.retain(|reference| other.passing.contains(reference));
        self.early_objects = self.early_objects.max(other.early_objects);
        self.byte_ns = self.byte_ns.zip(other.byte_ns).map(|(known, more)| known.saturating_add(more));
        self.proof = self.proof.min(other.proof);
        let known: BTreeSet<Early> = self.early.drain(..).chain(other.early).collect();
        self.early = known.into_iter().take(MOST_EARLY).collect();
    }
}
