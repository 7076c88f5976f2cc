//! Makes a [`Report`] from a run and its findings: here, and only here, the numbers of a page are computed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::growth::{GrowingContainerRow, GrowingTypeRow, GrowthRows};
use super::model::*;
use super::rows::{self, known_bytes, quotient, rounded};
use super::section::Section;
use super::unreleased::{LostRow, SuspectedLostRow, UnheldRow};
use super::{notes, place, wording};
use crate::cycles::{Amount, CyclicGarbage, LoopGroup, MadeHere, Makers, Residual, SeenAt, StackFrame, Unreachable};
use crate::findings::gate::{Standing, Verdict};
use crate::findings::unreachable_object::with_references;
use crate::findings::{Advice, Cut, Finding, Owner, Ownership, Rule, looked_for};
use crate::growth::{Growth, LEAST_LOOKS, Lost, Unheld};
use crate::overhead::SlotsAdvice;
use crate::run::{Anomaly, Input, Run};
use crate::trace::References;
use crate::whatif::Outcome;

/// What a report is made for.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportOptions<'a> {
    /// Files below it are named relative to it.
    pub root: Option<&'a Path>,
    /// One row for each module instead of each type.
    pub by_module: bool,
    /// What loops, types and slots advice are sorted by.
    pub sort: SortKey,
    /// Rows of each of these tables that are made, the first of them; all where it is `None`.
    pub top: Option<usize>,
}

/// What loops and types are sorted by. Ties go by name, so that the order is the same in every run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortKey {
    #[default]
    Bytes,
    Count,
    Objects,
    Name,
    /// Loops by when they were first seen; types by their peak.
    Time,
}

impl Report {
    /// `verdict` is what the gate said of the findings, if it was asked.
    pub fn new(
        run: &Run,
        findings: &[Finding],
        verdict: Option<&Verdict>,
        ownership: &Ownership,
        options: &ReportOptions,
    ) -> Report {
        let rows = Rows { root: options.root, ownership, has_stacks: run.has_stacks, looks: Looks::of(&run.inputs) };
        let standing = |i: usize| verdict.and_then(|verdict| verdict.standings.get(i));
        let mut by_fingerprint = HashMap::new();
        for (i, finding) in findings.iter().enumerate() {
            by_fingerprint.entry(finding.fingerprint).or_insert(i);
        }
        let judged = run.garbage.groups.iter().map(|group| {
            let found = by_fingerprint.get(&group.fingerprint).copied();
            rows.judged(group, found.map(|i| &findings[i]), found.and_then(standing))
        });
        let mut judged: Vec<Judged> = judged.collect();
        sort_loops(&mut judged, options.sort);
        let summary = summary(run, &judged);
        let findings: Vec<FindingRow> =
            findings.iter().enumerate().map(|(i, finding)| rows.finding_row(finding, standing(i).cloned())).collect();
        let lost = run.garbage.lost.iter();
        let lost = lost.map(|(name, &(objects, bytes))| LostRow { type_name: name.clone(), objects, bytes });
        Report {
            summary,
            inputs: run.inputs.clone(),
            loops: Section::first(judged, options.top, |judged| rows.loop_row(judged)),
            types: rows::types(&run.types, options),
            by_module: options.by_module,
            slots: rows.slots(&run.slots.classes, options),
            types_notes: notes::of_types(run),
            slots_notes: notes::of_slots(&run.slots),
            slots_not_understood: run.slots.not_understood.iter().cloned().collect(),
            growth: rows.growth(&run.growth),
            collections: run.collections.iter().map(rows::collections).collect(),
            memory: run
                .inputs
                .iter()
                .zip(&run.memory)
                .map(|(input, memory)| rows::memory(&input.path, memory))
                .collect(),
            types_over_time: rows::types_over_time(run),
            retained: rows::retained(run),
            made: rows.made(&run.makers),
            suspected_lost: run.lost.as_ref().map(|lost| rows.suspected_lost(lost)),
            unheld: run.unheld.as_ref().map(|unheld| rows.unheld(unheld)),
            closed: rows::closed(&run.closed),
            lost: lost.collect(),
            unreachable: run.garbage.unreachable.iter().map(unreachable_row).collect(),
            anomalies: run.anomalies.iter().map(anomaly_row).collect(),
            gate: verdict.map(|verdict| gate_row(verdict, &findings, run)),
            findings,
        }
    }
}

/// Loops of one kind, with what findings and the gate say of them.
struct Judged<'a> {
    group: &'a LoopGroup,
    owner: Owner,
    advice: Option<&'a Advice>,
    standing: Option<&'a Standing>,
}

/// The application's before those of others, so that `--top` never hides them behind a library's; then by the key,
/// descending where it is a quantity.
fn sort_loops(judged: &mut [Judged], key: SortKey) {
    judged.sort_by_cached_key(|Judged { group, owner, .. }| {
        let quantity = match key {
            SortKey::Bytes => group.peak.bytes,
            SortKey::Count => group.count,
            SortKey::Objects => group.objects + group.held_objects,
            SortKey::Name => 0,
            SortKey::Time => u64::MAX - group.first_seen.event,
        };
        (!owner.may_be_application(), Reverse(quantity), group.path.to_string(), group.fingerprint)
    });
}

/// A path as it is told: from `root` on, where it lies below.
fn relative(path: &str, root: Option<&Path>) -> String {
    let below = root.and_then(|root| Path::new(path).strip_prefix(root).ok());
    below.map_or_else(|| path.to_string(), |path| path.to_string_lossy().into_owned())
}

fn summary(run: &Run, loops: &[Judged]) -> Summary {
    let live_known = run.live.is_some() || run.inputs.is_empty();
    let (live_objects, live_bytes) = run.live.unwrap_or_default();
    let live_types = run.types.rows.iter().filter(|row| row.live > 0).count() as u64;
    let is_looked_for = run.inputs.iter().any(|input| input.references == References::Events);
    let lost = || run.garbage.lost.values();
    Summary {
        events: run.inputs.iter().map(|input| input.events).sum(),
        live_objects: live_known.then_some(live_objects),
        live_bytes: known_bytes(live_objects, live_bytes).filter(|_| live_known),
        live_types: (live_known && (live_objects == 0 || live_types > 0)).then_some(live_types),
        live_known,
        cyclic_garbage: cyclic_summary(&run.garbage, Looks::of(&run.inputs), loops),
        lost_objects: is_looked_for.then(|| lost().map(|(objects, _)| objects).sum()),
        lost_bytes: is_looked_for.then(|| lost().map(|(_, bytes)| bytes).sum()),
        anomalies: run.anomalies.iter().map(|anomaly| anomaly.count).sum(),
    }
}

fn cyclic_summary(garbage: &CyclicGarbage, looks: Looks, loops: &[Judged]) -> CyclicSummary {
    let mut by_owner = BTreeMap::new();
    for of in loops {
        *by_owner.entry(of.owner.clone()).or_default() += of.group.count;
    }
    CyclicSummary {
        loops: loops.iter().map(|of| of.group.count).sum(),
        kinds: loops.len() as u64,
        objects: garbage.objects,
        gc_objects: garbage.gc_objects,
        bytes: known_bytes(garbage.objects, garbage.bytes),
        peak_at_least: peak_row(&garbage.peak, garbage.peak_at),
        peak_is_exact: looks.exact,
        at_end: looks.to_the_end.then(|| amount_row(&garbage.end)),
        byte_seconds_at_least: garbage.lingered.map(|of| seconds(of.at_least)),
        byte_seconds_at_most: garbage.lingered.map(|of| seconds(of.at_most)),
        collected_loops: loops.iter().map(|of| of.group.collected).sum(),
        collected_objects: garbage.collected_objects,
        unproved_paths: garbage.unproved_paths,
        by_owner,
    }
}

/// What rows need beside their fact.
struct Rows<'a> {
    root: Option<&'a Path>,
    ownership: &'a Ownership,
    has_stacks: bool,
    looks: Looks,
}

/// How closely the garbage of the traces was looked at.
#[derive(Clone, Copy)]
struct Looks {
    /// Every moment is known.
    exact: bool,
    /// What is there at the end is known of each.
    to_the_end: bool,
}

impl Looks {
    fn of(inputs: &[Input]) -> Looks {
        Looks {
            exact: inputs.iter().all(|input| input.references == References::Events),
            to_the_end: inputs.iter().all(|input| !input.broke_off()),
        }
    }
}

impl Rows<'_> {
    fn judged<'a>(
        &self,
        group: &'a LoopGroup,
        finding: Option<&'a Finding>,
        standing: Option<&'a Standing>,
    ) -> Judged<'a> {
        let owner =
            finding.map_or_else(|| self.ownership.of_loop(group, self.has_stacks), |finding| finding.owner.clone());
        Judged { group, owner, advice: finding.and_then(|finding| finding.advice.as_ref()), standing }
    }

    fn loop_row(&self, Judged { group, owner, advice, standing }: Judged) -> LoopRow {
        let per_loop = |types: BTreeMap<String, u64>| {
            types.into_iter().map(|(name, n)| (name, per_loop(n, group.count))).collect()
        };
        let known =
            |bytes: u64, types: BTreeMap<String, u64>| if bytes > 0 { per_loop(types) } else { BTreeMap::new() };
        LoopRow {
            fingerprint: group.fingerprint.to_string(),
            path: group.path.to_string(),
            steps: group.path.steps.clone(),
            count: group.count,
            objects: group.objects,
            gc_objects: group.gc_objects,
            bytes: known_bytes(group.objects, group.bytes),
            held_objects: group.held_objects,
            held_bytes: known_bytes(group.held_objects, group.held_bytes),
            total_bytes: known_bytes(group.objects, group.bytes.saturating_add(group.held_bytes)),
            peak_at_least: peak_row(&group.peak, group.peak_at),
            peak_is_exact: self.looks.exact,
            at_end: self.looks.to_the_end.then(|| amount_row(&group.end)),
            types: LoopTypes {
                members: per_loop(told_by_class(group, &group.member_types)),
                held: per_loop(group.held_types.clone()),
                member_bytes: known(group.bytes, told_by_class(group, &group.member_bytes)),
                held_bytes: known(group.held_bytes, group.held_bytes_by_type.clone()),
            },
            subclasses: group.types.subclasses.clone(),
            site: self.frame_rows(&group.site),
            other_sites: group.other_sites,
            made_before: (group.made_before > 0).then_some(group.made_before),
            alive_at_exit: (group.alive_at_exit > 0).then_some(group.alive_at_exit),
            definitions: self.frame_rows(&group.definitions),
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            orphaned: group.orphaned.map(|(after, by)| [after, by]),
            collected: group.collected,
            byte_seconds: { group.lingered }.filter(|of| of.at_least == of.at_most).map(|of| seconds(of.at_most)),
            byte_seconds_at_least: group.lingered.map(|of| seconds(of.at_least)),
            byte_seconds_at_most: group.lingered.map(|of| seconds(of.at_most)),
            owner,
            pattern: advice.map(|advice| advice.pattern.to_string()),
            advice: advice.map(|advice| advice.sentence.clone()),
            cut: advice.and_then(cut_row),
            refuted: advice.map(|advice| advice.refuted.clone()).unwrap_or_default(),
            marks: group.marks.clone(),
            standing: standing.cloned(),
        }
    }

    fn finding_row(&self, finding: &Finding, standing: Option<Standing>) -> FindingRow {
        FindingRow {
            rule: finding.rule,
            severity: finding.severity,
            fingerprint: finding.fingerprint.to_string(),
            subject: finding.subject.clone(),
            message: finding.message.clone(),
            cause: finding.cause.clone(),
            advice: finding.advice.as_ref().map(told),
            place: self.place(&finding.stack).or_else(|| self.place(&finding.definitions)),
            owner: finding.owner.clone(),
            count: finding.count,
            objects: finding.objects,
            bytes: known_bytes(finding.objects, finding.bytes),
            bytes_at_peak: finding.bytes_at_peak.and_then(|bytes| known_bytes(finding.objects, bytes)),
            standing,
        }
    }

    /// The application's classes before those of others, as its loops.
    fn slots(&self, classes: &[SlotsAdvice], options: &ReportOptions) -> Section<SlotsRow> {
        let mut rows: Vec<SlotsRow> = classes.iter().map(|class| self.slots_row(class)).collect();
        rows.sort_by_cached_key(|row| {
            let quantity = match options.sort {
                SortKey::Bytes => row.saved_bytes,
                SortKey::Count | SortKey::Objects => row.instances as i64,
                SortKey::Name => 0,
                SortKey::Time => row.saved_bytes_at_peak,
            };
            (!row.owner.may_be_application(), Reverse(quantity), row.type_name.clone())
        });
        Section::first(rows, options.top, |row| row)
    }

    fn slots_row(&self, advice: &SlotsAdvice) -> SlotsRow {
        let place = advice.place.as_deref().unwrap_or_default();
        let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
        SlotsRow {
            owner: self.ownership.of_file(file).unwrap_or_else(|| self.ownership.of_type(&advice.name)),
            place: advice.place.as_ref().map(|place| relative(place, self.root)),
            ..rows::slots_row(advice)
        }
    }

    fn growth(&self, growth: &Growth) -> GrowthRows {
        let containers = growth.containers.iter().map(|of| GrowingContainerRow {
            path: of.path.clone(),
            type_name: of.type_name.clone(),
            containers: of.containers,
            unit: of.unit,
            from: of.from,
            to: of.to,
            from_is_exact: of.from_is_exact,
            per_second: of.per_second.map(|rate| rounded(rate, 10.0)),
            emptied: of.emptied,
            element: of.element.clone(),
            bytes: known_bytes(of.containers, of.bytes),
            site: self.frame_rows(&of.site),
            place: self.place(&of.site),
            site_of_container: of.site_of_container,
        });
        let types = growth.types.iter().map(|of| GrowingTypeRow {
            type_name: of.name.clone(),
            from: of.from,
            to: of.to,
            per_second: of.per_second.map(|rate| rounded(rate, 10.0)),
        });
        GrowthRows {
            looks: growth.looks,
            known: growth.looks >= LEAST_LOOKS,
            containers: containers.collect(),
            more: growth.more,
            types: types.collect(),
        }
    }

    fn suspected_lost(&self, lost: &[Lost]) -> Vec<SuspectedLostRow> {
        let row = |of: &Lost| SuspectedLostRow {
            type_name: of.type_name.clone(),
            objects: of.objects,
            alive: of.alive,
            unclear: of.unclear,
            references_least: of.references.0,
            references_most: of.references.1,
            bytes: known_bytes(of.objects, of.bytes),
            from: of.from,
            per_second: of.per_second.map(|rate| rounded(rate, 10.0)),
            searched: of.is_searched,
            site: self.frame_rows(&of.stack),
            place: self.own(&of.stack).or(of.stack.first()).map(|frame| self.frame_row(frame)),
        };
        let mut rows: Vec<SuspectedLostRow> = lost.iter().map(row).collect();
        rows.sort_by_key(|row| Reverse(row.objects));
        rows
    }

    /// What lines of the application made; what others did, as an import, the interpreter has for itself.
    fn unheld(&self, unheld: &[Unheld]) -> Vec<UnheldRow> {
        let mut by_line: BTreeMap<(String, String, u32), UnheldRow> = BTreeMap::new();
        for of in unheld {
            let Some(place) = self.own(&of.stack).map(|frame| self.frame_row(frame)) else { continue };
            let key = (of.type_name.clone(), place.path.clone(), place.line);
            let row = by_line.entry(key).or_insert_with(|| UnheldRow {
                type_name: of.type_name.clone(),
                objects: 0,
                bytes: Some(0),
                site: self.frame_rows(&of.stack),
                place,
            });
            row.objects += of.objects;
            row.bytes = row.bytes.zip(known_bytes(of.objects, of.bytes)).map(|(sum, bytes)| sum.saturating_add(bytes));
        }
        let mut rows: Vec<UnheldRow> = by_line.into_values().collect();
        rows.sort_by_key(|row| Reverse((row.bytes, row.objects)));
        rows
    }

    fn made(&self, makers: &Makers) -> MadeRows {
        let row = |of: &MadeHere| MadeRow {
            site: self.frame_rows(&of.stack),
            before: of.before,
            objects: of.objects,
            bytes: of.bytes,
        };
        let all = makers.garbage.iter().chain(makers.alive.iter().flatten());
        MadeRows {
            garbage: makers.garbage.iter().map(row).collect(),
            alive: makers.alive.as_ref().map(|made| made.iter().map(row).collect()),
            in_bytes: { all }.any(|made| made.bytes > 0),
        }
    }

    /// The innermost frame of the application's own code, else the innermost of all.
    fn place(&self, stack: &[StackFrame]) -> Option<FrameRow> {
        self.own(stack).or(stack.first()).map(|frame| self.frame_row(frame))
    }

    /// The innermost frame of the application's own code.
    fn own<'s>(&self, stack: &'s [StackFrame]) -> Option<&'s StackFrame> {
        stack.iter().find(|frame| self.ownership.of_file(&frame.path) == Some(Owner::Application))
    }

    fn frame_rows(&self, stack: &[StackFrame]) -> Vec<FrameRow> {
        stack.iter().map(|frame| self.frame_row(frame)).collect()
    }

    fn frame_row(&self, frame: &StackFrame) -> FrameRow {
        let package = match self.ownership.of_file(&frame.path) {
            Some(Owner::Package(name)) => Some(name),
            Some(Owner::StandardLibrary) => Some(place::library_module(&frame.path).to_string()),
            Some(Owner::Application | Owner::Unknown) | None => None,
        };
        FrameRow { path: relative(&frame.path, self.root), line: frame.line, function: frame.function.clone(), package }
    }
}

/// The advice in one line: `child points back to its parent: cut Line.order (weakref.ref(order)); …`.
fn told(advice: &Advice) -> String {
    let written = |cut: &Cut| format!("cut {} ({})", cut.reference, cut.replacement);
    let choice: Vec<String> = advice.cut.iter().chain(&advice.or).map(written).collect();
    let mut cuts = choice.join(" or ");
    for more in &advice.more {
        cuts.push_str(&format!(" and {}", written(more)));
    }
    let evidence = advice.evidence.as_ref().map(|evidence| format!(" ({evidence})")).unwrap_or_default();
    let not_enough = match &advice.after {
        Residual::Loop { path, stay, of, .. } => format!("; {}", wording::not_enough(*stay, *of, &path.to_string())),
        Residual::Unknown | Residual::Nothing => {
            advice.replay.as_ref().map(|outcome| format!("; {}", wording::verdict(outcome))).unwrap_or_default()
        }
    };
    let refuted: String = advice.refuted.iter().map(|early| format!("; {}", wording::refuted(early))).collect();
    match cuts.is_empty() {
        false => format!("{}: {cuts}; {}{evidence}{not_enough}{refuted}", advice.pattern, advice.sentence),
        true => format!("{}: {}{refuted}", advice.pattern, advice.sentence),
    }
}

fn cut_row(advice: &Advice) -> Option<CutRow> {
    let cut = advice.cut.as_ref()?;
    let another = |cut: &Cut| AnotherCutRow { reference: cut.reference.clone(), replacement: cut.replacement.clone() };
    let (is_enough, left, stay) = match &advice.after {
        Residual::Unknown => (None, None, None),
        Residual::Nothing => (Some(true), None, None),
        Residual::Loop { path, stay, of, .. } => (Some(false), Some(path.to_string()), Some((*stay, *of))),
    };
    Some(CutRow {
        reference: cut.reference.clone(),
        replacement: cut.replacement.clone(),
        evidence: advice.evidence.clone(),
        is_question: advice.is_question,
        alternatives: advice.or.iter().map(another).collect(),
        more: advice.more.iter().map(another).collect(),
        is_enough,
        left,
        stay: stay.map(|(stay, _)| stay),
        of: stay.map(|(_, of)| of),
        replay: advice.replay.as_ref().map(replay_row),
    })
}

fn replay_row(outcome: &Outcome) -> ReplayRow {
    ReplayRow { verdict: outcome.verdict(), proof: outcome.proof, text: wording::verdict(outcome) }
}

/// A number of each type of the members; subclasses for which the path names their base are counted with it.
fn told_by_class(group: &LoopGroup, numbers: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for (name, &number) in numbers {
        let base = group.types.subclasses.iter().find(|(_, subclasses)| subclasses.contains(name));
        let sum = told.entry(base.map_or(name, |(base, _)| base).clone()).or_default();
        *sum = sum.saturating_add(number);
    }
    told
}

fn amount_row(amount: &Amount) -> AmountRow {
    let &Amount { loops, objects, bytes } = amount;
    AmountRow { loops, objects, bytes: known_bytes(objects, bytes) }
}

fn peak_row(peak: &Amount, at: SeenAt) -> PeakRow {
    let &Amount { loops, objects, bytes } = peak;
    PeakRow { loops, objects, bytes: known_bytes(objects, bytes), at }
}

/// Of nanoseconds.
fn seconds(ns: u128) -> f64 {
    rounded(ns as f64 / 1e9, 1000.0)
}

fn per_loop(n: u64, loops: u64) -> Number {
    match n.checked_rem(loops) {
        None | Some(0) => Number::Whole(n / loops.max(1)),
        // What only one loop in a thousand has is not none.
        Some(_) => Number::Part(rounded(quotient(n, loops), 100.0).max(0.01)),
    }
}

fn unreachable_row((name, of): (&String, &Unreachable)) -> UnreachableRow {
    UnreachableRow {
        type_name: name.clone(),
        objects: of.objects,
        bytes: known_bytes(of.objects, of.bytes),
        collected: of.collected,
        made: Some(of.born).filter(|&born| born > 0),
        named: of.named.iter().map(|(name, references)| with_references(name, *references)).collect(),
    }
}

fn anomaly_row(anomaly: &Anomaly) -> AnomalyRow {
    AnomalyRow {
        kind: anomaly.kind,
        meaning: anomaly.meaning.clone(),
        count: anomaly.count,
        examples: anomaly.examples.clone(),
    }
}

fn gate_row(verdict: &Verdict, findings: &[FindingRow], run: &Run) -> GateRow {
    let is_told = |rule: &Rule| {
        let told = |finding: &FindingRow| matches!(finding.standing, Some(Standing::Fails | Standing::Warning));
        findings.iter().any(|finding| finding.rule == rule.name && told(finding))
    };
    let none_of = looked_for(run).filter(|(rule, _)| !is_told(rule)).map(|(_, sought)| sought.plural);
    let mut standings = BTreeMap::new();
    for standing in &verdict.standings {
        *standings.entry(standing.name()).or_default() += 1;
    }
    GateRow {
        failed: verdict.failed,
        none_of: none_of.collect(),
        standings,
        not_counted: wording::not_counted(findings),
        exceeded: verdict.exceeded.clone(),
        unused_suppressions: verdict.unused.clone(),
        expired_suppressions: verdict.expired.clone(),
        gone: verdict.gone.iter().map(|(fingerprint, text)| format!("{fingerprint} {text}")).collect(),
    }
}
