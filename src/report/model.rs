//! Defines the report: every number that any format shows, computed once. Plain values, no address, no clock.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::growth::GrowthRows;
use super::section::Section;
use super::unreleased::{LostRow, SuspectedLostRow, UnheldRow};
use crate::cycles::{Occasion, PathStep, SeenAt};
use crate::findings::gate::Standing;
use crate::findings::{Owner, Severity};
use crate::overhead::{self, Split};
use crate::run::Input;
use crate::whatif::{self, Early};

/// What was found in one trace, or in several together.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub inputs: Vec<Input>,
    pub summary: Summary,
    /// The application's first, then most bytes first, unless sorted otherwise.
    pub loops: Section<LoopRow>,
    /// One row for each module instead, where that was asked for: `type` is its name.
    pub types: Section<TypeRow>,
    pub by_module: bool,
    pub slots: Section<SlotsRow>,
    /// What the types do not cover, one sentence each.
    pub types_notes: Vec<String>,
    /// Why there is no advice on slots, or what it rests on, one sentence each.
    pub slots_notes: Vec<String>,
    /// Classes of which nothing is said, because the known layout does not explain their sizes.
    pub slots_not_understood: Vec<String>,
    pub growth: GrowthRows,
    /// What the programs' collectors did, over all traces, the youngest generation first.
    pub collections: Vec<CollectionsRow>,
    /// Over time, of each trace for itself, in the order of `inputs`.
    pub memory: Vec<MemoryRows>,
    /// Of each trace for itself, in the order of `inputs`.
    pub types_over_time: Vec<TypesOverTimeRows>,
    /// Of each trace for itself, where a format asked for it and it is known.
    #[serde(skip)]
    pub retained: Vec<RetainedRows>,
    /// Where a format asked for it.
    #[serde(skip)]
    pub made: MadeRows,
    /// With references that nobody is going to release; `None` where no trace tells it. Most objects first.
    pub suspected_lost: Option<Vec<SuspectedLostRow>>,
    /// Never freed, and held by nothing that was recorded; `None` where no trace tells it. Most bytes first.
    pub unheld: Option<Vec<UnheldRow>>,
    /// Objects alive at the end that own memory which nobody could read: it is in no number here. Most objects first.
    pub closed: Vec<ClosedRow>,
    pub lost: Vec<LostRow>,
    /// What the logs themselves call unreachable; left out where they do not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<UnreachableRow>,
    pub anomalies: Vec<AnomalyRow>,
    /// Every finding, loops included: what a build fails on.
    pub findings: Vec<FindingRow>,
    /// What the gate said; only `check` asks it.
    pub gate: Option<GateRow>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    pub events: u64,
    /// At the end of the trace, or of all of them together.
    pub live_objects: Option<u64>,
    /// `None` where the traces have no sizes, as all bytes here.
    pub live_bytes: Option<u64>,
    /// `None` where the types were not looked at.
    pub live_types: Option<u64>,
    /// Some trace tells what was alive; without one the three before are `None`.
    pub live_known: bool,
    pub cyclic_garbage: CyclicSummary,
    /// `None` where nobody looked: no trace is an exact log.
    pub lost_objects: Option<u64>,
    pub lost_bytes: Option<u64>,
    pub anomalies: u64,
}

/// What is garbage at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AmountRow {
    pub loops: u64,
    /// Members and what they hold.
    pub objects: u64,
    pub bytes: Option<u64>,
}

/// The most that was garbage at one time, and when. In a recording there may have been more between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PeakRow {
    pub loops: u64,
    pub objects: u64,
    pub bytes: Option<u64>,
    pub at: SeenAt,
}

/// All cyclic garbage of the run, each loop once.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CyclicSummary {
    pub loops: u64,
    /// Different fingerprints.
    pub kinds: u64,
    /// Members of loops, and what only loops hold: in all, not at one time.
    pub objects: u64,
    /// Those that the collector counts.
    pub gc_objects: u64,
    pub bytes: Option<u64>,
    /// The most that was garbage at one time; of several traces, in the one with most.
    pub peak_at_least: PeakRow,
    /// It was no more than that: every trace is an exact log.
    pub peak_is_exact: bool,
    /// What is garbage at the end, of all traces together; `None` where some trace was not looked at to its end.
    pub at_end: Option<AmountRow>,
    /// Bytes × seconds between being orphaned and being freed: the truth is between the two.
    pub byte_seconds_at_least: Option<f64>,
    pub byte_seconds_at_most: Option<f64>,
    pub collected_loops: u64,
    pub collected_objects: u64,
    /// Loops so big that a shorter way around than the one told may exist.
    pub unproved_paths: u64,
    /// Loops by owner.
    pub by_owner: BTreeMap<Owner, u64>,
}

/// Loops with the same fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(remote = "Self")]
pub struct LoopRow {
    pub fingerprint: String,
    /// `Order.items[*] → Line.order → Order`.
    pub path: String,
    pub steps: Vec<PathStep>,
    pub count: u64,
    /// Members of all loops.
    pub objects: u64,
    pub gc_objects: u64,
    pub bytes: Option<u64>,
    pub held_objects: u64,
    pub held_bytes: Option<u64>,
    /// `bytes` and `held_bytes`: of all of them, not at one time.
    pub total_bytes: Option<u64>,
    /// As of [`CyclicSummary`].
    pub peak_at_least: PeakRow,
    pub peak_is_exact: bool,
    pub at_end: Option<AmountRow>,
    pub types: LoopTypes,
    /// For a class that the path names for its subclasses: those of them that the members are of. `types` counts them
    /// under that class.
    pub subclasses: BTreeMap<String, BTreeSet<String>>,
    /// The stack that made the first member of the path, innermost first.
    pub site: Vec<FrameRow>,
    pub other_sites: u64,
    /// Loops that were made before the recording began, so that no stack is known of them; `None` where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_before: Option<u64>,
    /// Loops that were alive as the program began to end, and garbage only then; `None` where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alive_at_exit: Option<u64>,
    /// Where the classes and the code of the path stand in the source.
    pub definitions: Vec<FrameRow>,
    pub first_seen: SeenAt,
    pub last_seen: SeenAt,
    /// The first loop lost its last outside reference after the first of these, and not after the second.
    pub orphaned: Option<[SeenAt; 2]>,
    /// How many of the loops the collector freed later.
    pub collected: u64,
    /// Bytes × seconds between being orphaned and being freed, over all loops, where it is known exactly.
    pub byte_seconds: Option<f64>,
    /// Else the truth is between these two.
    pub byte_seconds_at_least: Option<f64>,
    pub byte_seconds_at_most: Option<f64>,
    /// `application`, `package NAME`, `standard library`.
    pub owner: Owner,
    pub pattern: Option<String>,
    pub advice: Option<String>,
    pub cut: Option<CutRow>,
    /// References that are not offered, because by them something would have died while it could still be reached.
    pub refuted: Vec<Early>,
    /// Tests, requests, iterations in which the loops were seen first, as the program calls them.
    pub marks: BTreeMap<String, u64>,
    /// How it stands at the gate.
    pub standing: Option<Standing>,
}

/// Objects of each type per loop; a fraction where loops of a group differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoopTypes {
    pub members: BTreeMap<String, Number>,
    pub held: BTreeMap<String, Number>,
    /// Their bytes; empty where the trace has no sizes.
    pub member_bytes: BTreeMap<String, Number>,
    pub held_bytes: BTreeMap<String, Number>,
}

/// A number that is written without a fraction when it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Number {
    Whole(u64),
    Part(f64),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FrameRow {
    /// Relative to the directory that the report was asked for in, where it lies below it.
    pub path: String,
    pub line: u32,
    pub function: String,
    /// The package, or the module of the standard library, whose it is; `None` for the application's own.
    #[serde(skip)]
    pub package: Option<String>,
}

/// The reference to cut, and what to have in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CutRow {
    pub reference: String,
    pub replacement: String,
    /// Why it is this reference; `None` where nothing tells.
    pub evidence: Option<String>,
    /// Nothing tells that what the reference leads to lives on without it: the advice asks.
    pub is_question: bool,
    /// References of which any may be the one to cut instead: nothing tells which.
    pub alternatives: Vec<AnotherCutRow>,
    /// What to cut as well, for loops that are left.
    pub more: Vec<AnotherCutRow>,
    /// Whether no loop is left among the members then; `None` where that is not known.
    pub is_enough: Option<bool>,
    /// Otherwise a loop that is left.
    pub left: Option<String>,
    /// Members of one loop that no count frees then.
    pub stay: Option<u64>,
    /// Of so many.
    pub of: Option<u64>,
    /// What a replay proves of the cut, made with those of `more`; `None` where it was not tried.
    pub replay: Option<ReplayRow>,
}

/// What a replay of the trace without a reference proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayRow {
    pub verdict: whatif::Verdict,
    pub proof: whatif::Proof,
    /// In a few words, with the numbers.
    pub text: String,
}

/// A reference to cut as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AnotherCutRow {
    pub reference: String,
    pub replacement: String,
}

/// One type. Over several traces the numbers are added up by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TypeRow {
    #[serde(rename = "type")]
    pub type_name: String,
    /// `builtins` for a type without one in its name.
    pub module: String,
    /// Alive at the last full checkpoint, or at the end.
    pub instances: u64,
    /// Most that were alive at one time.
    pub peak_instances: u64,
    pub ever_instances: u64,
    /// Of the instances alive, with the storage that each alone owns.
    pub bytes: u64,
    pub peak_bytes: u64,
    pub bytes_per_instance: f64,
    /// Part of the bytes of all objects that were alive when the types were looked at, in percent.
    pub share: f64,
    /// Where `bytes` go.
    pub split: Split,
    /// Instances by state of their dict; empty for types whose instances have none.
    pub states: BTreeMap<&'static str, u64>,
}

/// What `__slots__` would change for one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotsRow {
    #[serde(rename = "type")]
    pub type_name: String,
    pub instances: u64,
    pub peak_instances: u64,
    /// Asked from the allocator, which is what `tracemalloc` shows.
    pub bytes_per_instance: f64,
    pub slotted_bytes_per_instance: f64,
    /// Used by the allocator, padding included: what `saved_bytes` are counted in.
    pub used_per_instance: f64,
    pub slotted_used_per_instance: f64,
    /// Over all instances; negative where slots would cost more.
    pub saved_bytes: i64,
    pub saved_bytes_at_peak: i64,
    /// What the class itself costs more, once.
    pub class_cost: i64,
    /// `recommended`, `possible after`, `not advised`.
    pub verdict: overhead::Verdict,
    pub blockers: Vec<String>,
    /// The code to paste.
    pub suggestion: Option<String>,
    /// Where the class is defined.
    pub place: Option<String>,
    pub notes: Vec<String>,
    /// Whose class it is, as of loops.
    pub owner: Owner,
}

/// The collections of one generation that were seen, and ended. Each looks at the younger generations too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CollectionsRow {
    pub generation: u8,
    pub collections: u64,
    /// Objects that they looked at, in all; `None` where it is not known of each.
    pub looked_at: Option<u64>,
    /// Objects that they freed, says the collector, and that it gave up.
    pub freed: u64,
    pub uncollectable: u64,
    /// How long the program waited, in all and for the longest one; `None` where it is not known of each.
    pub pause_ns: Option<u64>,
    pub longest_pause_ns: Option<u64>,
}

/// What was alive and what was garbage over time, in one trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MemoryRows {
    /// As in `inputs`.
    pub trace: String,
    /// Moments at which something was known.
    pub moments: u64,
    /// There are more of them than points. A point is then the one with most garbage of those that it stands for; the first
    /// moment and the last are always there.
    pub thinned: bool,
    /// At most 1,000, in the order of events.
    pub points: Vec<MemoryRow>,
}

/// What was alive and what was garbage at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemoryRow {
    pub event: u64,
    pub ns: Option<u64>,
    pub occasion: Occasion,
    /// Of a collection: what garbage of older generations there is, was not looked at.
    pub generation: Option<u8>,
    /// With what is garbage. `None` where it is not known: a trace of survivors tells it at checkpoints only.
    pub live_objects: Option<u64>,
    pub live_bytes: Option<u64>,
    /// Known to be garbage; in a recording there may be more.
    pub garbage_objects: u64,
    pub garbage_bytes: Option<u64>,
}

/// The bytes of the types with most of them, at moments at which the whole heap of one trace was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TypesOverTimeRows {
    /// As in `inputs`.
    pub trace: String,
    /// At most 64; of more, every second one is left out, but for the first and the last.
    pub moments: Vec<SeenAt>,
    /// Most bytes at one of the moments first.
    pub types: Vec<TypeOverTimeRow>,
    /// All other types together, at each moment.
    pub others: Vec<u64>,
}

/// The bytes of one type at each moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TypeOverTimeRow {
    #[serde(rename = "type")]
    pub type_name: String,
    pub bytes: Vec<u64>,
}

/// Who keeps how much alive, when the whole heap of a trace was last looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RetainedRows {
    /// As in `inputs`.
    pub trace: String,
    pub event: u64,
    pub ns: Option<u64>,
    /// Of all that the roots reach.
    pub objects: u64,
    pub bytes: u64,
    /// Each after the one that it is below.
    pub groups: Vec<RetainedRow>,
    /// Groups that are left out, because others retain more.
    pub left_out: u64,
}

/// Objects of one type that the same group keeps alive by references of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RetainedRow {
    /// Place in the list of the group that alone keeps them alive.
    pub above: Option<usize>,
    pub name: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub objects: u64,
    /// Of these objects, and of all that goes with them.
    pub bytes: u64,
}

/// Who made what, by stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MadeRows {
    /// All cyclic garbage of the run, each object once.
    pub garbage: Vec<MadeRow>,
    /// What was alive when the whole heap was last looked at; `None` where it never was.
    pub alive: Option<Vec<MadeRow>>,
    /// The traces have sizes.
    pub in_bytes: bool,
}

/// What one stack made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MadeRow {
    /// Innermost first; empty where it is not known.
    pub site: Vec<FrameRow>,
    /// They were made before the recording began.
    pub before: bool,
    pub objects: u64,
    pub bytes: u64,
}

/// Objects of one type that own memory outside of their block which nobody could read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClosedRow {
    #[serde(rename = "type")]
    pub type_name: String,
    pub objects: u64,
}

/// Objects of one type that the program's own collector found unreachable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UnreachableRow {
    #[serde(rename = "type")]
    pub type_name: String,
    pub objects: u64,
    /// `None` where the log has no sizes.
    pub bytes: Option<u64>,
    /// Those that the collector could free.
    pub collected: u64,
    /// How many of the type were made in all; `None` where the log does not say.
    pub made: Option<u64>,
    /// The first of them that the log has a name for: `serial 7 (1 reference)`.
    pub named: Vec<String>,
}

/// What the log said that a sane log would not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AnomalyRow {
    pub kind: &'static str,
    pub meaning: String,
    pub count: u64,
    pub examples: Vec<String>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingRow {
    pub rule: &'static str,
    pub severity: Severity,
    pub fingerprint: String,
    pub subject: String,
    pub message: String,
    /// Why memory is wasted, where the message says how much first.
    #[serde(skip)]
    pub cause: Option<String>,
    pub advice: Option<String>,
    /// The innermost frame of the application's own code, else the innermost of all.
    pub place: Option<FrameRow>,
    pub owner: Owner,
    pub count: u64,
    pub objects: u64,
    /// `None` where the log has no sizes.
    pub bytes: Option<u64>,
    /// Of loops: most of them at one time, as far as it was looked.
    pub bytes_at_peak: Option<u64>,
    pub standing: Option<Standing>,
}

/// What the gate said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GateRow {
    pub failed: bool,
    /// What was looked for, in many, and not found: `reference loops`, `growing containers`.
    pub none_of: Vec<&'static str>,
    /// Findings by how they stand.
    pub standings: BTreeMap<&'static str, u64>,
    /// `2 in the baseline`: findings that do not fail the build, for each reason.
    pub not_counted: Vec<String>,
    pub exceeded: Vec<String>,
    pub unused_suppressions: Vec<String>,
    pub expired_suppressions: Vec<String>,
    /// Baseline entries of which nothing is left: `fingerprint text`.
    pub gone: Vec<String>,
}

impl FindingRow {
    /// Not all of it was there at one time.
    pub fn comes_and_goes(&self) -> bool {
        self.bytes_at_peak.is_some_and(|peak| Some(peak) != self.bytes)
    }

    /// The build fails on it. Where no gate was asked: what is wrong, and the application's.
    pub fn fails(&self) -> bool {
        match &self.standing {
            Some(standing) => *standing == Standing::Fails,
            None => self.severity == Severity::Error && self.owner.may_be_application(),
        }
    }
}
