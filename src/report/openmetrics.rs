//! Writes the numbers of the report as metrics in the text form of OpenMetrics, for Prometheus and what reads like it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{GrowingContainerRow, Input, LoopRow, RenderOptions, Report, ReportFormat, View};
use crate::growth::Unit;

pub struct OpenMetrics;

/// Fingerprints that have rows of their own; those beyond are counted together. Each is a time series somewhere.
const FINGERPRINTS: usize = 50;

/// Containers that have rows of their own.
const PATHS: usize = 50;

impl ReportFormat for OpenMetrics {
    fn name(&self) -> &'static str {
        "openmetrics"
    }

    fn about(&self) -> &'static str {
        "metrics, for Prometheus"
    }

    fn shows(&self, view: View) -> bool {
        view.is_whole()
    }

    /// What is not known has no row.
    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let summary = &report.summary;
        let whole = |value: Option<u64>| Vec::from_iter(value.map(|value| (Vec::new(), value)));
        let incomplete =
            report.inputs.iter().filter(|input| !input.is_checked() || input.blind_spots.hide_loops()).count();
        family(out, "traces", "Traces that were read.", &whole(Some(report.inputs.len() as u64)))?;
        family(out, "traces_incomplete", "Traces of whose garbage not all is known.", &whole(Some(incomplete as u64)))?;
        family(out, "live_objects", "Objects alive at the end.", &whole(summary.live_objects))?;
        family(out, "live_bytes", "Bytes of the objects alive at the end.", &whole(summary.live_bytes))?;
        garbage(report, out)?;
        growth(report, out)?;
        let mut findings: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for finding in &report.findings {
            let standing = finding.standing.as_ref().map_or("", |standing| standing.name());
            *findings.entry((finding.rule, standing)).or_default() += 1;
        }
        let rows = { findings.into_iter() }
            .map(|((rule, standing), n)| (vec![("rule", rule.to_owned()), ("standing", standing.to_owned())], n));
        family(out, "findings", "Findings by rule, and how they stand at the gate.", &rows.collect::<Vec<_>>())?;
        let failed = report.gate.as_ref().map(|gate| u64::from(gate.failed));
        family(out, "gate_failed", "1 where the gate fails the build.", &whole(failed))?;
        writeln!(out, "# EOF")
    }
}

/// Loops in all, by owner and by fingerprint; nothing where garbage was looked for nowhere.
fn garbage(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let cyclic = &report.summary.cyclic_garbage;
    if cyclic.loops == 0 && (Input::none_is_checked(&report.inputs) || report.inputs.is_empty()) {
        return Ok(());
    }
    let owners: Vec<_> = cyclic.by_owner.iter().map(|(owner, &n)| (vec![("owner", owner.to_string())], n)).collect();
    family(out, "loops", "Reference loops by whose they are.", &owners)?;
    let whole = |value: u64| [(Vec::new(), value)];
    family(out, "loop_kinds", "Different fingerprints of loops.", &whole(cyclic.kinds))?;
    family(out, "garbage_objects", "Objects in loops, or held by them.", &whole(cyclic.objects))?;
    let bytes: Vec<_> = cyclic.bytes.map(|bytes| (Vec::new(), bytes)).into_iter().collect();
    family(out, "garbage_bytes", "Bytes of the objects in loops, or held by them.", &bytes)?;
    family(out, "loops_collected", "Loops that the collector freed later.", &whole(cyclic.collected_loops))?;
    let mut rows: Vec<&LoopRow> = report.loops.rows.iter().collect();
    rows.sort_by(|a, b| b.total_bytes.cmp(&a.total_bytes).then_with(|| a.fingerprint.cmp(&b.fingerprint)));
    let left_out = rows.len().saturating_sub(FINGERPRINTS) as u64 + report.loops.omitted;
    rows.truncate(FINGERPRINTS);
    let labels = |row: &LoopRow| {
        let [fingerprint, owner, path] = [row.fingerprint.clone(), row.owner.to_string(), row.path.clone()];
        vec![("fingerprint", fingerprint), ("owner", owner), ("path", path)]
    };
    let counts: Vec<_> = rows.iter().map(|row| (labels(row), row.count)).collect();
    family(out, "loop_count", "Loops with this fingerprint.", &counts)?;
    let bytes: Vec<_> = rows.iter().filter_map(|row| Some((labels(row), row.total_bytes?))).collect();
    family(out, "loop_bytes", "Bytes of the loops with this fingerprint, and of what they hold.", &bytes)?;
    family(out, "loop_kinds_left_out", "Fingerprints without rows of their own.", &whole(left_out))
}

/// Containers that kept growing, each by its path; nothing where it is not known.
fn growth(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let growth = &report.growth;
    if !growth.known {
        return Ok(());
    }
    let all = growth.containers.len() as u64 + growth.more;
    family(out, "growing_containers", "Containers that kept growing from look to look.", &[(Vec::new(), all)])?;
    let mut rows: Vec<&GrowingContainerRow> = growth.by_path().into_values().collect();
    rows.sort_by_key(|row| Reverse((row.to, row.bytes)));
    rows.truncate(PATHS);
    let labels = |row: &GrowingContainerRow| vec![("path", row.path.clone()), ("type", row.type_name.clone())];
    let by_references = rows.iter().filter(|row| row.unit == Unit::References);
    let references: Vec<_> = by_references.map(|row| (labels(row), row.to)).collect();
    family(out, "growing_container_references", "References of a container at the last look.", &references)?;
    let bytes: Vec<_> = rows.iter().filter_map(|row| Some((labels(row), row.bytes?))).collect();
    family(out, "growing_container_bytes", "Bytes of a container and what it refers to directly.", &bytes)
}

/// Labels of a sample, and its value.
type Sample = (Vec<(&'static str, String)>, u64);

/// A gauge with its samples; nothing where there are none.
fn family(out: &mut dyn Write, name: &str, help: &str, samples: &[Sample]) -> io::Result<()> {
    if samples.is_empty() {
        return Ok(());
    }
    writeln!(out, "# TYPE refloop_{name} gauge")?;
    if name.ends_with("_bytes") {
        writeln!(out, "# UNIT refloop_{name} bytes")?;
    }
    writeln!(out, "# HELP refloop_{name} {help}")?;
    for (labels, value) in samples {
        let labels: Vec<String> = labels.iter().map(|(name, text)| format!("{name}=\"{}\"", escaped(text))).collect();
        match labels.is_empty() {
            true => writeln!(out, "refloop_{name} {value}")?,
            false => writeln!(out, "refloop_{name}{{{}}} {value}", labels.join(","))?,
        }
    }
    Ok(())
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::GrowthRows;
    use crate::report::testing::report;

    #[test]
    fn fingerprints_are_bounded_and_the_rest_is_counted() {
        let mut many = report(None);
        let row = many.loops.rows[0].clone();
        many.loops.rows = (0..80).map(|n| LoopRow { fingerprint: format!("{n:016x}"), ..row.clone() }).collect();
        let mut out = Vec::new();
        OpenMetrics.write(&many, &RenderOptions::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("refloop_loop_count{").count(), FINGERPRINTS);
        assert!(text.contains("\nrefloop_loop_kinds_left_out 30\n"), "{text}");
    }

    #[test]
    fn what_grows_in_several_traces_by_one_path_is_one_sample() {
        let row = |to| GrowingContainerRow { path: "svc.CACHE".to_string(), to, ..GrowingContainerRow::default() };
        let growth =
            GrowthRows { looks: 5, known: true, containers: vec![row(300), row(900)], ..GrowthRows::default() };
        let mut out = Vec::new();
        OpenMetrics.write(&Report { growth, ..Report::default() }, &RenderOptions::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("refloop_growing")).collect();
        let references = "refloop_growing_container_references{path=\"svc.CACHE\",type=\"\"} 900";
        assert_eq!(samples, ["refloop_growing_containers 2", references]);
    }

    #[test]
    fn a_buffer_has_bytes_and_no_references() {
        let buffer = GrowingContainerRow {
            path: "svc.BUFFER".to_string(),
            type_name: "bytearray".to_string(),
            unit: Unit::Bytes,
            to: 14_000_000,
            bytes: Some(14_000_000),
            ..GrowingContainerRow::default()
        };
        let growth = GrowthRows { looks: 5, known: true, containers: vec![buffer], ..GrowthRows::default() };
        let mut out = Vec::new();
        OpenMetrics.write(&Report { growth, ..Report::default() }, &RenderOptions::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("refloop_growing")).collect();
        let bytes = "refloop_growing_container_bytes{path=\"svc.BUFFER\",type=\"bytearray\"} 14000000";
        assert_eq!(samples, ["refloop_growing_containers 1", bytes]);
    }

    #[test]
    fn what_was_not_looked_at_has_no_row() {
        let mut out = Vec::new();
        let blind = Report { inputs: vec![Input::default()], ..Report::default() };
        OpenMetrics.write(&blind, &RenderOptions::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("loops") && !text.contains("live"), "{text}");
        assert!(text.contains("\nrefloop_traces_incomplete 1\n") && text.ends_with("# EOF\n"), "{text}");
    }
}
