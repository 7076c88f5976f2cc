//! Describes cyclic garbage: groups of loops that are the same bug, of one trace or of several.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::heap::AnomalyExample;
use crate::trace::Evidence;

/// The cyclic garbage of a run. Each loop is in it once, in however many snapshots.
#[derive(Debug, Clone, Default)]
pub struct CyclicGarbage {
    /// Most bytes at one time first, then by path text.
    pub groups: Vec<LoopGroup>,
    /// Loops that there are if addresses which were found in memory are references: none of them is in the numbers.
    pub suspected: Vec<LoopGroup>,
    /// Objects with a refcount, but no root, no referrer and no loop: a lost reference. By type: objects, bytes.
    pub lost: BTreeMap<String, (u64, u64)>,
    /// Objects that the log itself calls unreachable, without the references that would show their loops. By type.
    pub unreachable: BTreeMap<String, Unreachable>,
    /// Most that was garbage at one time, as far as it was looked: exact in an exact log, else at least. Of several traces,
    /// that of the one with most.
    pub peak: Amount,
    pub peak_at: SeenAt,
    /// What is garbage at the end of the traces, as far as it was looked.
    pub end: Amount,
    /// How long it lay about, where times are known.
    pub lingered: Option<Lingered>,
    /// All objects that were cyclic garbage at a snapshot: in loops or held by them. Not at one time.
    pub objects: u64,
    /// Those of them that the collector counts.
    pub gc_objects: u64,
    pub bytes: u64,
    /// Those that the collector freed later in the run.
    pub collected_objects: u64,
    /// Loops so big that a shorter way around than the one in their group's path may exist.
    pub unproved_paths: u64,
    /// Objects whose count was below their known references, at the snapshot that found most of them.
    pub imbalances: u64,
    /// The first few of them, as they were then. Types are numbered in each trace anew, so there are none of several.
    pub imbalanced: Vec<AnomalyExample>,
    /// Of one trace; empty of several.
    pub memory: Memory,
}

impl CyclicGarbage {
    /// Nobody knows how long it lay about: the program ran before the trace began.
    pub fn forget_times(&mut self) {
        self.lingered = None;
        self.groups.iter_mut().for_each(|group| group.lingered = None);
    }
}

/// What was alive and what was garbage over time, at most 1,000 points of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// In the order of events. Where moments are left out, a point is the one with most garbage of those that it stands
    /// for; the first moment and the last are always there.
    pub points: Vec<MemoryPoint>,
    /// Moments at which something was known.
    pub moments: u64,
}

impl Memory {
    /// Moments are left out.
    pub fn is_thinned(&self) -> bool {
        self.moments > self.points.len() as u64
    }
}

/// What was alive and what was garbage at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryPoint {
    pub event: u64,
    pub ns: Option<u64>,
    pub occasion: Occasion,
    /// Of a collection.
    pub generation: Option<u8>,
    /// `None` where a trace of survivors does not tell it: between two looks at the whole heap.
    pub live: Option<(u64, u64)>,
    /// Objects that are known to be garbage; in a recording there may be more.
    pub garbage_objects: u64,
    /// 0 where the log has no sizes.
    pub garbage_bytes: u64,
}

/// Why something is known of a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// The whole heap was looked at.
    #[default]
    Checkpoint,
    /// What a collection was about to find was looked at without one, as a test or a request ends.
    Sweep,
    /// A collection began.
    Collection,
    /// A collection ended.
    Collected,
    /// The end of a log with references as events.
    End,
}

/// Objects of one type that the program's own collector found unreachable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreachable {
    pub objects: u64,
    /// 0 where the log has no sizes.
    pub bytes: u64,
    /// Those that the collector could free.
    pub collected: u64,
    /// How many of the type were born in all, says the log; 0 where it does not.
    pub born: u64,
    /// The first of them that the log has a name for, each with its count, where the log has that.
    pub named: Vec<(String, Option<u64>)>,
}

impl Unreachable {
    /// Stands for the type of objects that the log counts and does not name.
    pub const UNNAMED: &str = "(type not in the log)";

    /// Objects that are kept by their names.
    pub(super) const NAMED: usize = 8;

    pub(super) fn add(&mut self, more: Unreachable) {
        self.objects = self.objects.saturating_add(more.objects);
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.collected += more.collected;
        self.born = self.born.saturating_add(more.born);
        let room = Unreachable::NAMED.saturating_sub(self.named.len());
        self.named.extend(more.named.into_iter().take(room));
    }
}

/// What is garbage at one time: loops, and their members with what only they hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    pub loops: u64,
    pub objects: u64,
    /// 0 where the log has no sizes.
    pub bytes: u64,
}

/// Bytes × nanoseconds between being orphaned and being freed, or the end. Neither moment is always known, so it is an
/// interval, and the truth is in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lingered {
    pub at_least: u128,
    pub at_most: u128,
}

impl Amount {
    /// Bytes decide; objects, where the log has no sizes.
    pub(super) fn is_more_than(&self, other: &Amount) -> bool {
        (self.bytes, self.objects) > (other.bytes, other.objects)
    }

    pub(super) fn take(&mut self, other: &Amount) {
        self.loops = self.loops.saturating_sub(other.loops);
        self.objects = self.objects.saturating_sub(other.objects);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    pub(super) fn add(&mut self, other: &Amount) {
        self.loops += other.loops;
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Lingered {
    /// Of both, if anything is known of both.
    pub(super) fn both(a: Option<Lingered>, b: Option<Lingered>) -> Option<Lingered> {
        let (a, b) = (a?, b?);
        Some(Lingered { at_least: a.at_least.saturating_add(b.at_least), at_most: a.at_most.saturating_add(b.at_most) })
    }
}

/// Loops with the same fingerprint.
#[derive(Debug, Clone)]
pub struct LoopGroup {
    pub fingerprint: Fingerprint,
    pub path: LoopPath,
    /// For each step of the path, what would be left of these loops without the references that read like it.
    pub residuals: Vec<Residual>,
    /// For each step of the path, the same where references of that name are cut in every class that has one; `None`
    /// where only one class has.
    pub alike: Vec<Option<Alike>>,
    /// For each step of the path, the file of the object's class or code; `None` where it has none, as a list.
    pub step_files: Vec<Option<String>>,
    /// For each step of the path, which of the two objects made the other.
    pub origins: Vec<Origin>,
    /// References within these loops that the collector does not know: it frees none of them.
    pub hidden: BTreeSet<HiddenLink>,
    /// What is known of the members' types.
    pub types: MemberTypes,
    /// How many such loops.
    pub count: u64,
    /// Members of all of them, and what they weigh.
    pub objects: u64,
    pub gc_objects: u64,
    pub bytes: u64,
    /// Objects that are no member of any loop but reachable from one; each is counted with one loop.
    pub held_objects: u64,
    pub held_bytes: u64,
    /// Objects per type over all loops of the group, members and held apart.
    pub member_types: BTreeMap<String, u64>,
    pub held_types: BTreeMap<String, u64>,
    /// Their bytes.
    pub member_bytes: BTreeMap<String, u64>,
    pub held_bytes_by_type: BTreeMap<String, u64>,
    /// The stack that made the member named first in `path`, innermost first, of the first loop seen; and how many
    /// other sites made such loops.
    pub site: Vec<StackFrame>,
    pub other_sites: u64,
    /// Loops that were made before the recording began, so that no stack is known of them.
    pub made_before: u64,
    /// Loops that were alive as the main part of the program had ended, or its event loop, and that only the last look found: they are
    /// garbage because it ended.
    pub alive_at_exit: u64,
    /// Where the classes and the code of the path stand in the source, as far as the trace tells, each once. A class has
    /// `class Node` for a function.
    pub definitions: Vec<StackFrame>,
    pub first_seen: SeenAt,
    pub last_seen: SeenAt,
    /// Loops whose members the collector freed later.
    pub collected: u64,
    /// When the last outside reference to the first loop went away: exact (both the same) or an interval.
    pub orphaned: Option<(SeenAt, SeenAt)>,
    /// Most of them that were garbage at one time, and what is at the end: as of [`CyclicGarbage`].
    pub peak: Amount,
    pub peak_at: SeenAt,
    pub end: Amount,
    /// How long they lay about, where times are known.
    pub lingered: Option<Lingered>,
    /// Whose loop it is: the files of the members' code and classes, and those that made members without a file of their
    /// own. `<string>` where generated code made them, called by nothing else.
    pub member_files: Vec<String>,
    /// Nothing tells who made one of the members: the trace has no stacks, or not for all.
    pub lacks_maker: bool,
    /// The marks (tests, requests) in which loops of the group were first seen, with their number.
    pub marks: BTreeMap<String, u64>,
}

/// A reference of a loop that the type of its holder does not show to the collector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct HiddenLink {
    /// Full names of both types.
    pub holder: String,
    pub referent: String,
    /// `.tzinfo`, or where the address was found: `(+24 +8)`.
    pub place: String,
    pub evidence: Evidence,
    /// Of the holder's type, which tells how it was made.
    pub metaclass: Option<String>,
    /// The holder's type takes part in collection: it shows other references.
    pub shows_others: bool,
}

/// The slot of a reference whose place has no name.
pub const HIDDEN: &str = "(hidden)";

impl HiddenLink {
    /// What a path has for it.
    pub fn slot(&self) -> &str {
        if self.is_an_address() { HIDDEN } else { &self.place }
    }

    /// The place has no name, only an address.
    pub fn is_an_address(&self) -> bool {
        is_an_address(&self.place)
    }
}

/// A slot that says where an address was found, and no name.
pub(super) fn is_an_address(slot: &str) -> bool {
    slot.starts_with("(+")
}

/// Full names of types among the members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberTypes {
    /// Their instances cannot be weakly referenced.
    pub strong: BTreeSet<String>,
    /// C code made them, as far as the trace tells.
    pub of_c: BTreeSet<String>,
    /// Some of their instances have a `__del__`.
    pub finalized: BTreeSet<String>,
    /// For a class that the path names for its subclasses: those of them that the members are of.
    pub subclasses: BTreeMap<String, BTreeSet<String>>,
}

impl MemberTypes {
    /// The same of these loops and of others.
    pub(super) fn and(&mut self, other: MemberTypes) {
        self.strong.extend(other.strong);
        self.of_c.extend(other.of_c);
        self.finalized.extend(other.finalized);
        for (class, subclasses) in other.subclasses {
            self.subclasses.entry(class).or_default().extend(subclasses);
        }
    }
}

/// What is left of loops when a reference is cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Residual {
    /// Not tried for all of them.
    #[default]
    Unknown,
    /// No loop: the count frees the members.
    Nothing,
    /// This loop, in some of them at least; and for each step of its path, what is left when that is cut as well.
    Loop {
        path: LoopPath,
        residuals: Vec<Residual>,
        /// Members that no count frees, of so many that the loop had.
        stay: u64,
        of: u64,
    },
}

/// What is left of loops when every reference of one name to one class is cut, whatever class has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Full names of the classes that have such a reference.
    pub classes: BTreeSet<String>,
    pub residual: Residual,
}

/// How the two objects of a reference came to be, as far as their stacks tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    Unknown,
    /// The `__init__` of the object that has the reference made the one that it leads to.
    MadeByReferrer,
    /// The `__init__` of the object that the reference leads to made the one that has it: the reference leads back.
    MadeByReferent,
    /// A cached property made the object that has the reference: it was given the one that caches it.
    MadeInCache,
    /// One expression made the object that the reference leads to, and after it the one that has it, as `Child(Parent())` or
    /// `Parent().child()` does: perhaps nothing else ever held the first.
    MadeOnTheWay,
}

impl Alike {
    /// The same of these loops and of others.
    pub(super) fn and(&mut self, other: Alike) {
        self.classes.extend(other.classes);
        self.residual.and(other.residual);
    }
}

impl Origin {
    /// The same of these loops and of others.
    pub(super) fn and(&mut self, other: Origin) {
        *self = match (*self, other) {
            (one, other) if one == other => one,
            // What shows once that a reference may be needed is not undone by loops that do not show it.
            (Origin::MadeOnTheWay, _) | (_, Origin::MadeOnTheWay) => Origin::MadeOnTheWay,
            _ => Origin::Unknown,
        };
    }
}

impl Residual {
    /// What is left of these loops and of others.
    pub(super) fn and(&mut self, other: Residual) {
        match (&mut *self, other) {
            (Residual::Loop { path, residuals, .. }, Residual::Loop { path: theirs, residuals: of_theirs, .. })
                if *path == theirs =>
            {
                residuals.iter_mut().zip(of_theirs).for_each(|(residual, other)| residual.and(other));
            }
            (_, Residual::Nothing) => {}
            (Residual::Loop { residuals, .. }, _) => {
                residuals.iter_mut().for_each(|residual| residual.and(Residual::Unknown))
            }
            (_, other) => *self = other,
        }
    }
}

/// A moment of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SeenAt {
    /// Number of the event, from 1.
    pub event: u64,
    /// Nanoseconds since the start, where the trace has times.
    pub ns: Option<u64>,
}

/// A shortest loop through a component, in canonical rotation, instance dicts folded away.
///
/// The last step is `…`, of no type, where steps were left out: all further rounds of a ring whose steps repeat, and
/// what is beyond 48 steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoopPath {
    pub steps: Vec<PathStep>,
}

/// One member of the path and the reference that leads on from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PathStep {
    /// `Order` of `app.Order`; functions and frames with their name: `function make_order`.
    pub label: String,
    /// The type's full name: `app.Order`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `.items`, `['key']`, `[*]`; joined where a dict or list was folded in between: `.items[*]`.
    pub slot: String,
}

/// One place of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackFrame {
    pub path: String,
    pub line: u32,
    pub function: String,
}

/// The name of a bug: the same in every run and on every CPython.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for PathStep {
    /// `Order.items[*]`, `frame run local self`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let apart = if self.slot.is_empty() || self.slot.starts_with(['.', '[']) { "" } else { " " };
        [&self.label, apart, &self.slot].into_iter().try_for_each(|part| f.write_str(part))
    }
}

impl fmt::Display for LoopPath {
    /// `Order.items[*] → Line.order → Order`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            step.fmt(f)?;
            f.write_str(" → ")?;
        }
        self.steps.first().map_or(Ok(()), |first| f.write_str(&first.label))
    }
}
