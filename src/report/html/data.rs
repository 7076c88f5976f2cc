//! Makes the JSON that a page carries: the report's own rows, each stack once, and no more than a page has room for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use super::table::{Room, Table, embedded};
use crate::cycles::{PathStep, SeenAt};
use crate::findings::Severity;
use crate::growth::Unit;
use crate::heap::printable;
use crate::report::{
    CutRow, FindingRow, FrameRow, GrowingContainerRow, Input, LoopRow, MemoryRows, Number, Report, RetainedRows,
    TypesOverTimeRows, wording,
};

/// Bytes that the report takes in a page: with the page around it, less than 3 MB.
pub(super) const MOST_BYTES: usize = 2_800_000;

/// Bytes of the list of all loops; what can be opened of them has what is left.
const LOOPS: usize = 1_800_000;

/// Bytes of memory over time and of retained sizes, of all traces together.
const PICTURES: usize = 600_000;

/// Bytes of each of the other tables.
const TABLE: usize = 100_000;

/// The report as the script of the page reads it.
pub(super) fn of(report: &Report) -> Value {
    let mut room = Room(MOST_BYTES);
    let mut stacks = Stacks::default();
    let growth = &report.growth;
    let containers: Vec<Growing> = growth.containers.iter().map(|row| Growing::of(row, &mut stacks)).collect();
    let mut for_pictures = room.part(PICTURES);
    let memory: Vec<Value> = report.memory.iter().map_while(|of| memory(of, &mut for_pictures)).collect();
    let retained: Vec<Value> = report.retained.iter().map_while(|of| retained(of, &mut for_pictures)).collect();
    let types_over_time: Vec<Value> =
        report.types_over_time.iter().map_while(|of| types_over_time(of, &mut for_pictures)).collect();
    room.0 += for_pictures.0;
    let sentences = |texts: &[String]| texts.iter().map(|text| Sentence { text: text.clone() }).collect::<Vec<_>>();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "summary": report.summary,
        "gate": report.gate.as_ref().map(|gate| {
            json!({"failed": gate.failed, "exceeded": room.table(sentences(&gate.exceeded), TABLE)})
        }),
        "not_checked": Input::cannot_pass(&report.inputs),
        "gaps": room.table(sentences(&wording::gaps(&report.inputs)), TABLE),
        "inputs": room.table(&report.inputs, TABLE),
        "findings": room.table(beside_loops(report), TABLE),
        "growth": {"looks": growth.looks, "known": growth.known, "more": growth.more},
        "containers": room.table(containers, TABLE),
        "collections": room.table(&report.collections, TABLE),
        "growing_types": room.table(&growth.types, TABLE),
        "memory_left_out": report.memory.len() - memory.len(),
        "memory": memory,
        "types_over_time": types_over_time,
        "retained_left_out": report.retained.len() - retained.len(),
        "retained": retained,
        "slots": room.table(&report.slots.rows, TABLE),
        "slots_notes": room.table(sentences(&report.slots_notes), TABLE),
        "slots_not_understood": report.slots_not_understood.len(),
        "types": room.table(&report.types.rows, TABLE),
        "types_notes": room.table(sentences(&report.types_notes), TABLE),
        "by_module": report.by_module,
        "suspected_lost": room.table(suspected_lost(report), TABLE),
        "lost_not_known": wording::lost_not_known(report),
        "unheld": room.table(unheld(report), TABLE),
        "closed": wording::closed(&report.closed),
        "lost": room.table(&report.lost, TABLE),
        "unreachable": room.table(&report.unreachable, TABLE),
        "anomalies": room.table(&report.anomalies, TABLE),
        "omitted": {"loops": report.loops.omitted, "types": report.types.omitted, "slots": report.slots.omitted},
        "loops": room.table(report.loops.rows.iter().map(Loop::of), LOOPS),
        "details": details(&report.loops.rows, &mut stacks, &mut room),
        "frames": stacks.frames,
        "stacks": stacks.all,
    })
}

/// A text, as a row of a table.
#[derive(Serialize)]
struct Sentence {
    text: String,
}

/// A finding that is no loop.
#[derive(Serialize)]
struct Finding<'a> {
    rule: &'static str,
    severity: Severity,
    subject: &'a str,
    message: &'a str,
    advice: Option<&'a str>,
    owner: String,
    place: Option<String>,
    standing: Option<&'static str>,
}

fn beside_loops(report: &Report) -> impl Iterator<Item = Finding<'_>> {
    let loops: BTreeSet<&str> = report.loops.rows.iter().map(|row| row.fingerprint.as_str()).collect();
    let others = report.findings.iter().filter(move |finding| !loops.contains(finding.fingerprint.as_str()));
    others.map(|finding: &FindingRow| Finding {
        rule: finding.rule,
        severity: finding.severity,
        subject: &finding.subject,
        message: &finding.message,
        advice: finding.advice.as_deref(),
        owner: finding.owner.to_string(),
        place: finding.place.as_ref().map(FrameRow::short_place),
        standing: finding.standing.as_ref().map(|standing| standing.name()),
    })
}

/// Memory over time in one trace, if there is room for all of it.
fn memory(of: &MemoryRows, room: &mut Room) -> Option<Value> {
    let points = room.table(&of.points, PICTURES);
    let memory = json!({"trace": printable(&of.trace), "moments": of.moments, "thinned": of.thinned, "points": points});
    (points.left_out == 0).then_some(memory)
}

/// Bytes of types over time in one trace, if there is room for all of it.
fn types_over_time(of: &TypesOverTimeRows, room: &mut Room) -> Option<Value> {
    let types = room.table(&of.types, PICTURES);
    let picture = json!({
        "trace": printable(&of.trace),
        "moments": of.moments,
        "others": of.others,
        "types": types,
    });
    (types.left_out == 0).then_some(picture)
}

/// Who keeps how much alive in one trace, if there is room for all of it.
fn retained(of: &RetainedRows, room: &mut Room) -> Option<Value> {
    let groups = room.table(&of.groups, PICTURES);
    let retained = json!({
        "trace": printable(&of.trace),
        "objects": of.objects,
        "bytes": of.bytes,
        "left_out": of.left_out,
        "groups": groups,
    });
    (groups.left_out == 0).then_some(retained)
}

/// A container that grew, with its stack by number.
#[derive(Serialize)]
struct Growing<'a> {
    path: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    containers: u64,
    unit: Unit,
    from: u64,
    to: u64,
    from_is_exact: bool,
    per_second: Option<f64>,
    emptied: bool,
    element: &'a str,
    bytes: Option<u64>,
    place: Option<String>,
    site_of_container: bool,
    stack: Option<usize>,
}

impl Growing<'_> {
    fn of<'a>(row: &'a GrowingContainerRow, stacks: &mut Stacks) -> Growing<'a> {
        Growing {
            path: &row.path,
            type_name: &row.type_name,
            containers: row.containers,
            unit: row.unit,
            from: row.from,
            to: row.to,
            from_is_exact: row.from_is_exact,
            per_second: row.per_second,
            emptied: row.emptied,
            element: &row.element,
            bytes: row.bytes,
            place: row.place.as_ref().map(FrameRow::short_place),
            site_of_container: row.site_of_container,
            stack: stacks.number(&row.site),
        }
    }
}

/// What the list of loops shows of each, and what it is sorted by.
#[derive(Serialize)]
struct Loop<'a> {
    fingerprint: &'a str,
    path: &'a str,
    count: u64,
    objects: u64,
    /// The most at one time, and in all.
    peak_bytes: Option<u64>,
    peak_is_exact: bool,
    total_bytes: Option<u64>,
    collected: u64,
    first_seen: u64,
    owner: String,
    standing: Option<&'static str>,
    place: Option<String>,
}

impl Loop<'_> {
    fn of(row: &LoopRow) -> Loop<'_> {
        Loop {
            fingerprint: &row.fingerprint,
            path: &row.path,
            count: row.count,
            objects: row.objects,
            peak_bytes: row.peak_at_least.bytes,
            peak_is_exact: row.peak_is_exact,
            total_bytes: row.total_bytes,
            collected: row.collected,
            first_seen: row.first_seen.event,
            owner: row.owner.to_string(),
            standing: row.standing.as_ref().map(|standing| standing.name()),
            place: row.site.first().map(FrameRow::short_place),
        }
    }
}

/// What is shown of a loop where it is opened.
#[derive(Serialize)]
struct Detail<'a> {
    fingerprint: &'a str,
    steps: &'a [PathStep],
    members: &'a BTreeMap<String, Number>,
    subclasses: &'a BTreeMap<String, BTreeSet<String>>,
    held: &'a BTreeMap<String, Number>,
    held_objects: u64,
    held_bytes: Option<u64>,
    stack: Option<usize>,
    other_sites: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    made_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alive: Option<String>,
    first_seen: SeenAt,
    last_seen: SeenAt,
    orphaned: &'a Option<[SeenAt; 2]>,
    byte_seconds: Option<f64>,
    pattern: &'a Option<String>,
    advice: &'a Option<String>,
    cut: &'a Option<CutRow>,
    /// What is left after the cut, in words; and why other references are not offered.
    after: Option<String>,
    refuted: Vec<String>,
    marks: &'a BTreeMap<String, u64>,
}

impl Detail<'_> {
    fn of(row: &LoopRow, stack: Option<usize>) -> Detail<'_> {
        Detail {
            fingerprint: &row.fingerprint,
            steps: &row.steps,
            members: &row.types.members,
            subclasses: &row.subclasses,
            held: &row.types.held,
            held_objects: row.held_objects,
            held_bytes: row.held_bytes,
            stack,
            other_sites: row.other_sites,
            made_before: wording::made_before(row),
            alive: wording::alive(row),
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            orphaned: &row.orphaned,
            byte_seconds: row.byte_seconds,
            pattern: &row.pattern,
            advice: &row.advice,
            cut: &row.cut,
            after: row.cut.as_ref().and_then(wording::after_cut),
            refuted: row.refuted.iter().map(wording::refuted).collect(),
            marks: &row.marks,
        }
    }
}

/// Objects with references too many, with their line and the evidence.
#[derive(Serialize)]
struct SuspectedLost<'a> {
    #[serde(rename = "type")]
    type_name: &'a str,
    objects: u64,
    evidence: String,
    bytes: Option<u64>,
    place: String,
}

fn suspected_lost(report: &Report) -> impl Iterator<Item = SuspectedLost<'_>> {
    report.suspected_lost.iter().flatten().map(|row| SuspectedLost {
        type_name: &row.type_name,
        objects: row.objects,
        evidence: wording::suspected_lost(row).join("; "),
        bytes: row.bytes,
        place: row.place.as_ref().map(FrameRow::short_place).unwrap_or_default(),
    })
}

/// Objects that nothing recorded holds, with their line.
#[derive(Serialize)]
struct Unheld<'a> {
    #[serde(rename = "type")]
    type_name: &'a str,
    objects: u64,
    bytes: Option<u64>,
    place: String,
}

fn unheld(report: &Report) -> impl Iterator<Item = Unheld<'_>> {
    report.unheld.iter().flatten().map(|row| Unheld {
        type_name: &row.type_name,
        objects: row.objects,
        bytes: row.bytes,
        place: row.place.short_place(),
    })
}

/// The first loops, as many as there is room for. Their stacks take room as well.
fn details(loops: &[LoopRow], stacks: &mut Stacks, room: &mut Room) -> Table {
    room.take(std::mem::take(&mut stacks.bytes));
    let details = loops.iter().map_while(|row| {
        let stack = stacks.number(&row.site);
        room.take(std::mem::take(&mut stacks.bytes)).then(|| Detail::of(row, stack))
    });
    let details: Vec<Detail> = details.collect();
    let without = loops.len() - details.len();
    let mut table = room.table(details, usize::MAX);
    table.left_out += without as u64;
    table
}

/// The stacks of a page, each once, as numbers of frames.
#[derive(Default)]
struct Stacks {
    frames: Vec<String>,
    all: Vec<Vec<usize>>,
    number_of_frame: HashMap<String, usize>,
    number_of_stack: HashMap<Vec<usize>, usize>,
    /// What they take in the page, since it was last asked.
    bytes: usize,
}

impl Stacks {
    /// The number of a stack; `None` where it is not known.
    fn number(&mut self, site: &[FrameRow]) -> Option<usize> {
        let frames: Vec<usize> = site.iter().map(|frame| self.frame(frame.short_place())).collect();
        if frames.is_empty() {
            return None;
        }
        let next = self.all.len();
        let number = *self.number_of_stack.entry(frames.clone()).or_insert(next);
        if number == next {
            self.bytes += 8 * frames.len();
            self.all.push(frames);
        }
        Some(number)
    }

    fn frame(&mut self, place: String) -> usize {
        let place = printable(&place).into_owned();
        let next = self.frames.len();
        let number = *self.number_of_frame.entry(place.clone()).or_insert(next);
        if number == next {
            self.bytes += embedded(&json!(place)).len() + 1;
            self.frames.push(place);
        }
        number
    }
}
