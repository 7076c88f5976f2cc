//! Collects what the loops of one bug have in common, while the trace plays.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::fast::FixedState;

use super::ledger::Account;
use super::origin;
use crate::cycles::garbage::{
    Fingerprint, HiddenLink, Lingered, LoopGroup, LoopPath, MemberTypes, Origin, SeenAt, StackFrame,
};
use crate::cycles::merge::and_alike;
use crate::cycles::path::cut_trial::{self, Trial};
use crate::cycles::path::loop_graph::LoopGraph;
use crate::cycles::path::provenance;
use crate::heap::{Heap, Object, ObjectIndex};
use crate::trace::{Births, SiteId, TypeFlags, TypeId};

/// A [`LoopGroup`] in the making: numbers where that one has texts.
#[derive(Debug, Clone)]
pub(super) struct Group {
    fingerprint: Fingerprint,
    path: LoopPath,
    /// `None` until a loop was tried.
    trials: Option<Vec<Trial>>,
    /// References that may still be looked at for that.
    budget: usize,
    /// `None` until a loop was added.
    origins: Option<Vec<Origin>>,
    step_files: Vec<Option<String>>,
    definitions: Vec<StackFrame>,
    files: BTreeSet<String>,
    lacks_maker: bool,
    count: u64,
    members: Weight,
    held: Weight,
    sites: Sites,
    made_before: u64,
    alive_at_exit: u64,
    /// Members of these types, made at these sites, were asked for the files they come from.
    asked: HashSet<(TypeId, SiteId), FixedState>,
    /// Some of those, to be found without a hash.
    asked_lately: [Option<(TypeId, SiteId)>; 8],
    /// Full names of the members that are classes.
    classes: BTreeSet<String>,
    first_seen: SeenAt,
    last_seen: SeenAt,
    collected: u64,
    orphaned: Option<(SeenAt, SeenAt)>,
    hidden: BTreeSet<HiddenLink>,
    /// By number of the mark, as the tracker counts them.
    marks: BTreeMap<u32, u64>,
}

/// Objects together.
#[derive(Debug, Clone, Default)]
struct Weight {
    objects: u64,
    tracked: u64,
    bytes: u64,
    /// Objects of each type, and their bytes.
    types: BTreeMap<TypeId, (u64, u64)>,
}

/// Where the loops were made.
#[derive(Debug, Clone, Default)]
struct Sites {
    first: Option<(SiteId, Vec<StackFrame>)>,
    others: HashSet<SiteId, FixedState>,
}

/// References that are looked at to know what is left of the loops of one group: a second's work.
const BUDGET: usize = 1 << 24;

/// Loops of a group whose stacks are looked at.
const MOST_ORIGINS: u64 = 1_000;

impl Group {
    pub(super) fn new(
        fingerprint: Fingerprint,
        path: LoopPath,
        step_files: Vec<Option<String>>,
        definitions: Vec<StackFrame>,
        seen: SeenAt,
    ) -> Group {
        Group {
            fingerprint,
            path,
            trials: None,
            origins: None,
            step_files,
            definitions,
            budget: BUDGET,
            files: BTreeSet::new(),
            lacks_maker: false,
            count: 0,
            members: Weight::default(),
            held: Weight::default(),
            sites: Sites::default(),
            made_before: 0,
            alive_at_exit: 0,
            asked: HashSet::default(),
            asked_lately: [None; 8],
            classes: BTreeSet::new(),
            first_seen: seen,
            last_seen: seen,
            collected: 0,
            orphaned: None,
            hidden: BTreeSet::new(),
            marks: BTreeMap::new(),
        }
    }

    /// Loops of another shape: what is left of it without each step.
    pub(super) fn add_shape(&mut self, loop_graph: &LoopGraph) {
        let trials = cut_trial::after_each(loop_graph, &self.path.steps, &mut self.budget);
        match &mut self.trials {
            None => self.trials = Some(trials),
            Some(known) => {
                for (known, new) in known.iter_mut().zip(trials) {
                    known.residual.and(new.residual);
                    and_alike(&mut known.alike, new.alike);
                }
            }
        }
    }

    /// Loops of another shape have members from these files.
    pub(super) fn add_files(&mut self, files: BTreeSet<String>) {
        self.files.extend(files);
    }

    /// A loop has these references that the collector does not know.
    pub(super) fn add_hidden(&mut self, links: impl Iterator<Item = HiddenLink>) {
        self.hidden.extend(links);
    }

    /// A loop was made before the recording began.
    pub(super) fn add_before(&mut self) {
        self.made_before += 1;
    }

    /// A loop was alive as the program began to end, and the last look found it.
    pub(super) fn add_alive_at_exit(&mut self) {
        self.alive_at_exit += 1;
    }

    /// One loop more, made at `site`, first seen in the phase `mark`.
    pub(super) fn add_loop(
        &mut self,
        heap: &Heap,
        site: SiteId,
        orphaned: Option<(SeenAt, SeenAt)>,
        mark: Option<u32>,
    ) {
        self.count += 1;
        self.orphaned = self.orphaned.or(orphaned);
        if let Some(mark) = mark {
            *self.marks.entry(mark).or_default() += 1;
        }
        match &self.sites.first {
            _ if site == SiteId::NONE => {}
            None => self.sites.first = Some((site, stack(heap, site))),
            Some((first, _)) if *first == site => {}
            Some(_) => {
                self.sites.others.insert(site);
            }
        }
    }

    /// Members that the steps of the path stand for, of one loop more. Those of very many loops are like those of the first.
    pub(super) fn add_origins(&mut self, heap: &Heap, members: impl Iterator<Item = Option<ObjectIndex>>) {
        if self.count > MOST_ORIGINS {
            return;
        }
        let members: Vec<Option<ObjectIndex>> = members.collect();
        let next = members.iter().cycle().skip(1);
        let origins = members.iter().zip(next).map(|pair| match pair {
            (Some(referrer), Some(referent)) => origin::of(heap, *referrer, *referent),
            _ => Origin::Unknown,
        });
        match &mut self.origins {
            None => self.origins = Some(origins.collect()),
            Some(known) => known.iter_mut().zip(origins).for_each(|(known, new)| known.and(new)),
        }
    }

    pub(super) fn add_object(
        &mut self,
        heap: &Heap,
        index: ObjectIndex,
        object: &Object,
        is_member: bool,
        tracked: bool,
    ) {
        if is_member && self.is_new(object) {
            self.files.extend(provenance::of_maker(heap, index));
            self.classes.extend(provenance::class_name(heap, index).map(str::to_string));
        }
        if is_member && !self.lacks_maker && knows_few_births(heap) {
            self.lacks_maker = !provenance::knows_maker(heap, index);
        }
        let weight = if is_member { &mut self.members } else { &mut self.held };
        weight.objects += 1;
        weight.tracked += u64::from(tracked);
        weight.bytes = weight.bytes.saturating_add(object.all_bytes());
        let (objects, bytes) = weight.types.entry(object.class).or_default();
        *objects += 1;
        *bytes = bytes.saturating_add(object.all_bytes());
    }

    /// Whether no member of this type, made at this site, was asked before.
    fn is_new(&mut self, object: &Object) -> bool {
        let kind = (object.class, object.site);
        let lately = &mut self.asked_lately[(object.class.0 ^ object.site.0) as usize % 8];
        *lately != Some(kind) && {
            *lately = Some(kind);
            self.asked.insert(kind)
        }
    }

    /// Every loop of the group is a class and nothing else: their names.
    pub(super) fn only_classes(&self) -> Option<&BTreeSet<String>> {
        (self.path.steps.len() == 1 && !self.classes.is_empty()).then_some(&self.classes)
    }

    /// The loops are those of these files, whatever their members say.
    pub(super) fn set_files(&mut self, files: BTreeSet<String>) {
        self.files = files;
    }

    pub(super) fn see(&mut self, now: SeenAt) {
        self.last_seen = now;
    }

    pub(super) fn add_collected(&mut self) {
        self.collected += 1;
    }

    /// The first loop was orphaned after this event at the earliest, says the collection that found it.
    pub(super) fn narrow_orphaned(&mut self, found: u64, after: SeenAt) {
        if let Some((from, by)) = &mut self.orphaned
            && by.event == found
            && from.event < after.event
        {
            *from = after;
        }
    }

    pub(super) fn finish(
        self,
        heap: &Heap,
        marks: &[String],
        account: Account,
        lingered: Option<Lingered>,
    ) -> LoopGroup {
        let lacks_maker = self.lacks_maker && !provenance::is_of_definitions(&self.path, &self.files);
        let trials = self.trials.unwrap_or_default().into_iter();
        let (residuals, alike) = trials.map(|trial| (trial.residual, trial.alike)).unzip();
        LoopGroup {
            fingerprint: self.fingerprint,
            residuals,
            alike,
            origins: self.origins.unwrap_or_default(),
            step_files: self.step_files,
            hidden: self.hidden,
            types: types(heap, &self.path, self.members.types.keys()),
            path: self.path,
            count: self.count,
            objects: self.members.objects,
            gc_objects: self.members.tracked,
            bytes: self.members.bytes,
            held_objects: self.held.objects,
            held_bytes: self.held.bytes,
            member_types: by_name(heap, &self.members.types, |(objects, _)| objects),
            member_bytes: by_name(heap, &self.members.types, |(_, bytes)| bytes),
            held_types: by_name(heap, &self.held.types, |(objects, _)| objects),
            held_bytes_by_type: by_name(heap, &self.held.types, |(_, bytes)| bytes),
            site: self.sites.first.map(|(_, stack)| stack).unwrap_or_default(),
            other_sites: self.sites.others.len() as u64,
            made_before: self.made_before,
            alive_at_exit: self.alive_at_exit,
            definitions: self.definitions,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            collected: self.collected,
            orphaned: self.orphaned,
            peak: account.peak,
            peak_at: account.peak_at,
            end: account.now,
            lingered,
            member_files: self.files.into_iter().collect(),
            lacks_maker,
            marks: self.marks.into_iter().map(|(mark, loops)| (marks[mark as usize].clone(), loops)).collect(),
        }
    }
}

/// Whether it is a recording of garbage: what leaked once has no stack.
fn knows_few_births(heap: &Heap) -> bool {
    let header = heap.header();
    header.births == Births::Garbage && header.word("format").is_none()
}

/// What the trace tells of these types.
fn types<'a>(heap: &Heap, path: &LoopPath, members: impl Iterator<Item = &'a TypeId>) -> MemberTypes {
    let mut types = MemberTypes::default();
    let is_told = |name: &str| path.steps.iter().any(|step| step.type_name == name);
    for &class in members {
        let name = heap.types().name(class);
        let is_finalized = heap.types().get(class).is_some_and(|def| def.flags.has(TypeFlags::FINALIZER));
        // What a class can, its subclasses can: an object that cannot be weakly referenced has no base that can.
        for def in heap.types().lineage(class) {
            let weak = def.flags.has(TypeFlags::WEAKREF) || def.flags.has(TypeFlags::MANAGED_WEAKREF);
            if !weak {
                types.strong.insert(def.name.clone());
            }
            if is_finalized {
                types.finalized.insert(def.name.clone());
            }
            if heap.is_of_c(def) {
                types.of_c.insert(def.name.clone());
            }
            if is_told(&def.name) && !is_told(name) {
                types.subclasses.entry(def.name.clone()).or_default().insert(name.to_string());
            }
        }
    }
    types
}

/// The places of a stack, innermost first.
pub(crate) fn stack(heap: &Heap, site: SiteId) -> Vec<StackFrame> {
    let sites = heap.sites().stack(site).into_iter().filter_map(|site| heap.sites().get(site));
    sites
        .map(|site| StackFrame {
            path: heap.text(site.path).to_string(),
            line: site.line,
            function: heap.text(site.function).to_string(),
        })
        .collect()
}

/// One of the two numbers of each type, by its name.
fn by_name(heap: &Heap, types: &BTreeMap<TypeId, (u64, u64)>, number: fn((u64, u64)) -> u64) -> BTreeMap<String, u64> {
    let mut named: BTreeMap<String, u64> = BTreeMap::new();
    for (&class, &numbers) in types {
        let sum = named.entry(heap.types().name(class).to_string()).or_default();
        *sum = sum.saturating_add(number(numbers));
    }
    named
}
