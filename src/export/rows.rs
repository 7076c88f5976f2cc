//! Defines the rows of each table, and makes them of a report on one trace.
//!
//! A column is a field. Numbers are signed, since not all engines have others; what is not known is null. `trace` is in each
//! table the same, [`Origin::id`], and the first column: by it is known which traces a file has.

use chrono::NaiveDateTime;
use parquet_derive::ParquetRecordWriter;
use serde::Serialize;

use super::Origin;
use crate::growth::Unit;
use crate::report::{FrameRow, Report, collapsed};
use crate::run::{Extent, Input};

#[derive(Debug, ParquetRecordWriter)]
pub(super) struct Trace {
    trace: String,
    path: String,
    host: Option<String>,
    started: Option<NaiveDateTime>,
    runtime: String,
    refs: String,
    births: String,
    events: i64,
    ending: String,
    known: String,
    unseen: bool,
    exit: Option<i32>,
    signal: Option<i32>,
    milliseconds: Option<i64>,
    live_objects: Option<i64>,
    live_bytes: Option<i64>,
    loops: Option<i64>,
    loop_kinds: Option<i64>,
    garbage_objects: Option<i64>,
    garbage_bytes: Option<i64>,
    garbage_bytes_at_peak: Option<i64>,
    garbage_bytes_at_end: Option<i64>,
    collected_loops: Option<i64>,
    lost_objects: Option<i64>,
    anomalies: i64,
    refloop: &'static str,
}

#[derive(Debug, ParquetRecordWriter)]
pub(super) struct Loop<'a> {
    trace: &'a str,
    fingerprint: &'a str,
    path: &'a str,
    owner: String,
    count: i64,
    objects: i64,
    gc_objects: i64,
    bytes: Option<i64>,
    held_objects: i64,
    held_bytes: Option<i64>,
    total_bytes: Option<i64>,
    bytes_at_peak: Option<i64>,
    bytes_at_end: Option<i64>,
    collected: i64,
    made_path: Option<&'a str>,
    made_line: Option<i32>,
    made_function: Option<&'a str>,
    stack: Option<String>,
    pattern: Option<&'a str>,
    cut: Option<&'a str>,
    replacement: Option<&'a str>,
    evidence: Option<&'a str>,
}

#[derive(Debug, ParquetRecordWriter)]
pub(super) struct Type<'a> {
    trace: &'a str,
    r#type: &'a str,
    module: &'a str,
    instances: i64,
    peak_instances: i64,
    ever_instances: i64,
    bytes: i64,
    peak_bytes: i64,
}

#[derive(Debug, ParquetRecordWriter)]
pub(super) struct Slots<'a> {
    trace: &'a str,
    r#type: &'a str,
    owner: String,
    verdict: &'a str,
    instances: i64,
    peak_instances: i64,
    bytes_per_instance: f64,
    slotted_bytes_per_instance: f64,
    saved_bytes: i64,
    saved_bytes_at_peak: i64,
    place: Option<&'a str>,
}

/// What one stack made.
#[derive(Debug, ParquetRecordWriter)]
pub(super) struct Site<'a> {
    trace: &'a str,
    made: &'a str,
    path: Option<&'a str>,
    line: Option<i32>,
    function: Option<&'a str>,
    stack: Option<String>,
    objects: i64,
    bytes: Option<i64>,
}

/// A container, a buffer, or a type, that kept growing from look to look.
#[derive(Debug, Default, ParquetRecordWriter)]
pub(super) struct Growth<'a> {
    trace: &'a str,
    grew: &'a str,
    name: &'a str,
    r#type: &'a str,
    first: i64,
    first_is_exact: bool,
    last: i64,
    per_second: Option<f64>,
    bytes: Option<i64>,
    made_path: Option<&'a str>,
    made_line: Option<i32>,
    made_function: Option<&'a str>,
}

/// The collections of one generation.
#[derive(Debug, ParquetRecordWriter)]
pub(super) struct Collections<'a> {
    trace: &'a str,
    generation: i32,
    collections: i64,
    looked_at: Option<i64>,
    freed: i64,
    uncollectable: i64,
    pause_ns: Option<i64>,
    longest_pause_ns: Option<i64>,
}

/// The row of the trace itself.
pub(super) fn traces(origin: &Origin, report: &Report) -> Vec<Trace> {
    let row = |input: &Input| {
        let summary = &report.summary;
        let garbage = &summary.cyclic_garbage;
        let looked = |number: u64| (input.known > Extent::Nothing).then(|| whole(number));
        Trace {
            trace: origin.id.clone(),
            path: input.path.clone(),
            host: origin.host.clone(),
            started: origin.started,
            runtime: input.runtime.clone(),
            refs: word(&input.references),
            births: word(&input.births),
            events: whole(input.events),
            ending: word(&input.ending),
            known: word(&input.known),
            unseen: input.blind_spots.hide_loops(),
            exit: input.program.and_then(|program| program.exit),
            signal: input.program.and_then(|program| program.signal),
            milliseconds: input.program.map(|program| whole(program.milliseconds)),
            live_objects: summary.live_objects.map(whole),
            live_bytes: summary.live_bytes.map(whole),
            loops: looked(garbage.loops),
            loop_kinds: looked(garbage.kinds),
            garbage_objects: looked(garbage.objects),
            garbage_bytes: garbage.bytes.and_then(looked),
            garbage_bytes_at_peak: garbage.peak_at_least.bytes.and_then(looked),
            garbage_bytes_at_end: garbage.at_end.and_then(|end| end.bytes).map(whole),
            collected_loops: looked(garbage.collected_loops),
            lost_objects: summary.lost_objects.map(whole),
            anomalies: whole(summary.anomalies),
            refloop: env!("CARGO_PKG_VERSION"),
        }
    };
    report.inputs.iter().map(row).collect()
}

pub(super) fn loops<'a>(trace: &'a str, report: &'a Report) -> Vec<Loop<'a>> {
    let rows = report.loops.rows.iter().map(|row| {
        let (made_path, made_line, made_function) = parts(place(&row.site));
        let cut = row.cut.as_ref();
        Loop {
            trace,
            fingerprint: &row.fingerprint,
            path: &row.path,
            owner: row.owner.to_string(),
            count: whole(row.count),
            objects: whole(row.objects),
            gc_objects: whole(row.gc_objects),
            bytes: row.bytes.map(whole),
            held_objects: whole(row.held_objects),
            held_bytes: row.held_bytes.map(whole),
            total_bytes: row.total_bytes.map(whole),
            bytes_at_peak: row.peak_at_least.bytes.map(whole),
            bytes_at_end: row.at_end.and_then(|end| end.bytes).map(whole),
            collected: whole(row.collected),
            made_path,
            made_line,
            made_function,
            stack: stack(&row.site),
            pattern: row.pattern.as_deref(),
            cut: cut.map(|cut| cut.reference.as_str()),
            replacement: cut.map(|cut| cut.replacement.as_str()),
            evidence: cut.and_then(|cut| cut.evidence.as_deref()),
        }
    });
    rows.collect()
}

pub(super) fn types<'a>(trace: &'a str, report: &'a Report) -> Vec<Type<'a>> {
    let rows = report.types.rows.iter().map(|row| Type {
        trace,
        r#type: &row.type_name,
        module: &row.module,
        instances: whole(row.instances),
        peak_instances: whole(row.peak_instances),
        ever_instances: whole(row.ever_instances),
        bytes: whole(row.bytes),
        peak_bytes: whole(row.peak_bytes),
    });
    rows.collect()
}

pub(super) fn slots<'a>(trace: &'a str, report: &'a Report) -> Vec<Slots<'a>> {
    let rows = report.slots.rows.iter().map(|row| Slots {
        trace,
        r#type: &row.type_name,
        owner: row.owner.to_string(),
        verdict: row.verdict.name(),
        instances: whole(row.instances),
        peak_instances: whole(row.peak_instances),
        bytes_per_instance: row.bytes_per_instance,
        slotted_bytes_per_instance: row.slotted_bytes_per_instance,
        saved_bytes: row.saved_bytes,
        saved_bytes_at_peak: row.saved_bytes_at_peak,
        place: row.place.as_deref(),
    });
    rows.collect()
}

pub(super) fn sites<'a>(trace: &'a str, report: &'a Report) -> Vec<Site<'a>> {
    let made = &report.made;
    let alive = made.alive.iter().flatten().map(|row| ("alive", row));
    let rows = made.garbage.iter().map(|row| ("garbage", row)).chain(alive).map(|(kind, row)| {
        let (path, line, function) = parts(place(&row.site));
        Site {
            trace,
            made: kind,
            path,
            line,
            function,
            stack: stack(&row.site),
            objects: whole(row.objects),
            bytes: made.in_bytes.then(|| whole(row.bytes)),
        }
    });
    rows.collect()
}

pub(super) fn growth<'a>(trace: &'a str, report: &'a Report) -> Vec<Growth<'a>> {
    let containers = report.growth.containers.iter().map(|row| {
        let (made_path, made_line, made_function) = parts(row.place.as_ref());
        Growth {
            trace,
            grew: match row.unit {
                Unit::References => "container",
                Unit::Bytes => "buffer",
            },
            name: &row.path,
            r#type: &row.type_name,
            first: whole(row.from),
            first_is_exact: row.from_is_exact,
            last: whole(row.to),
            per_second: row.per_second,
            bytes: row.bytes.map(whole),
            made_path,
            made_line,
            made_function,
        }
    });
    let types = report.growth.types.iter().map(|row| Growth {
        trace,
        grew: "type",
        name: &row.type_name,
        r#type: &row.type_name,
        first: whole(row.from),
        first_is_exact: true,
        last: whole(row.to),
        per_second: row.per_second,
        ..Growth::default()
    });
    containers.chain(types).collect()
}

pub(super) fn collections<'a>(trace: &'a str, report: &Report) -> Vec<Collections<'a>> {
    let rows = report.collections.iter().map(|row| Collections {
        trace,
        generation: row.generation.into(),
        collections: whole(row.collections),
        looked_at: row.looked_at.map(whole),
        freed: whole(row.freed),
        uncollectable: whole(row.uncollectable),
        pause_ns: row.pause_ns.map(whole),
        longest_pause_ns: row.longest_pause_ns.map(whole),
    });
    rows.collect()
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The word that JSON has for it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The innermost frame of the application's own code, else the innermost of all.
fn place(site: &[FrameRow]) -> Option<&FrameRow> {
    site.iter().find(|frame| frame.package.is_none()).or(site.first())
}

/// Its path, line and function.
fn parts(frame: Option<&FrameRow>) -> (Option<&str>, Option<i32>, Option<&str>) {
    let line = |frame: &FrameRow| i32::try_from(frame.line).unwrap_or(i32::MAX);
    (frame.map(|frame| frame.path.as_str()), frame.map(line), frame.map(|frame| frame.function.as_str()))
}

/// The frames as in a collapsed stack; `None` where they are not known.
fn stack(site: &[FrameRow]) -> Option<String> {
    (!site.is_empty()).then(|| collapsed::stack(site))
}
