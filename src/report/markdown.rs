//! Writes the report as a Markdown page: for a pull request, a job summary, a wiki.

use std::io::{self, Write};

use super::{Audience, Input, LoopRow, RenderOptions, Report, ReportFormat, View, wording};
use crate::heap::printable;
use crate::human::{bytes, bytes_each, bytes_or_unknown, count, counted, percent};

pub struct Markdown;

impl ReportFormat for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn about(&self) -> &'static str {
        "for a pull request or a job summary"
    }

    fn audience(&self) -> Audience {
        Audience::Readers
    }

    fn shows(&self, _: View) -> bool {
        true
    }

    fn write(&self, report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        match page.view {
            View::Analyze | View::Check => whole(report, out),
            View::Loops => alone(loops, report, out),
            View::Types => alone(types, report, out),
            View::Slots => alone(slots, report, out),
        }
    }
}

/// A page of one chapter, which begins with its title and not with an empty line.
fn alone(chapter: Chapter, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    chapter(report, &mut text)?;
    out.write_all(text.trim_ascii_start())
}

type Chapter = fn(&Report, &mut dyn Write) -> io::Result<()>;

fn whole(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# refloop\n")?;
    if let Some(gate) = &report.gate {
        let failing = report.findings.iter().filter(|finding| finding.fails()).count() as u64;
        match gate.failed {
            true => writeln!(out, "**Failed**: {}.\n", counted(failing, "leak", "leaks"))?,
            false if Input::cannot_pass(&report.inputs) => writeln!(out, "**Not checked**.\n")?,
            false => writeln!(out, "**Passed**.\n")?,
        }
    }
    let gaps = wording::gaps(&report.inputs);
    for gap in &gaps {
        writeln!(out, "- note: {}", escape(gap))?;
    }
    if !gaps.is_empty() {
        writeln!(out)?;
    }
    summary(report, out)?;
    loops(report, out)?;
    types(report, out)?;
    growth(report, out)?;
    slots(report, out)?;
    lost(report, out)?;
    unreachable(report, out)?;
    anomalies(report, out)
}

fn loops(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if !report.loops.rows.is_empty() {
        writeln!(out, "\n## Loops")?;
    }
    report.loops.rows.iter().try_for_each(|row| one_loop(row, out))?;
    omitted(report.loops.omitted, "kinds of loops", out)
}

fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (summary, cyclic) = (&report.summary, &report.summary.cyclic_garbage);
    head(&["", "count", "objects", "bytes"], out)?;
    let known = |objects: Option<u64>, bytes| match objects {
        Some(objects) => [count(objects), bytes_or_unknown(bytes)],
        None => ["not known".to_string(), String::new()],
    };
    let alive = known(summary.live_objects, summary.live_bytes);
    row(&[vec!["alive at the end".to_string(), String::new()], alive.to_vec()].concat(), out)?;
    if report.inputs.iter().all(|input| !input.references.show_garbage()) && !report.inputs.is_empty() {
        let unknown = ["not known".to_string(), String::new(), String::new()];
        row(&[vec!["loops and lost references".to_string()], unknown.to_vec()].concat(), out)?;
        return row(&["anomalies of the trace".into(), count(summary.anomalies), String::new(), String::new()], out);
    }
    let peak = &cyclic.peak_at_least;
    let at_one_time = format!("cyclic garbage at one time{}", if cyclic.peak_is_exact { "" } else { ", at least" });
    row(&[at_one_time, count(peak.loops), count(peak.objects), bytes_or_unknown(peak.bytes)], out)?;
    if let Some(end) = &cyclic.at_end {
        row(&["at the end".into(), count(end.loops), count(end.objects), bytes_or_unknown(end.bytes)], out)?;
    }
    row(&["in all".into(), count(cyclic.loops), count(cyclic.objects), bytes_or_unknown(cyclic.bytes)], out)?;
    let freed = [count(cyclic.collected_loops), count(cyclic.collected_objects), String::new()];
    row(&[vec!["freed later by the collector".to_string()], freed.to_vec()].concat(), out)?;
    if let (Some(objects), Some(of_bytes)) = (summary.lost_objects, summary.lost_bytes) {
        row(&["lost references".into(), String::new(), count(objects), bytes(of_bytes)], out)?;
    }
    row(&["anomalies of the trace".into(), count(summary.anomalies), String::new(), String::new()], out)
}

fn one_loop(row: &LoopRow, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n### {}\n", code(&row.path))?;
    writeln!(out, "- {}", wording::amount(row).join(" · "))?;
    if !row.site.is_empty() {
        let frames: Vec<String> = row.site.iter().map(|frame| code(&frame.short_place())).collect();
        writeln!(out, "- made at {}", frames.join(" ← "))?;
    } else if !row.definitions.is_empty() {
        let places: Vec<String> = row.definitions.iter().map(|place| code(&place.short_place())).collect();
        writeln!(out, "- defined at {}", places.join(", "))?;
    }
    if let Some(cut) = &row.cut {
        writeln!(out, "- cut {}: {}", code(&cut.reference), code(&cut.replacement))?;
        for cut in &cut.alternatives {
            writeln!(out, "- or {}: {}", code(&cut.reference), code(&cut.replacement))?;
        }
        if let Some(evidence) = &cut.evidence {
            writeln!(out, "  - {}", escape(evidence))?;
        }
        for cut in &cut.more {
            writeln!(out, "- and {}: {}", code(&cut.reference), code(&cut.replacement))?;
        }
        if let Some(after) = wording::after_cut(cut) {
            writeln!(out, "  - {}", escape(&after))?;
        }
    }
    for early in &row.refuted {
        writeln!(out, "- {}", escape(&wording::refuted(early)))?;
    }
    if let (Some(pattern), Some(advice)) = (&row.pattern, &row.advice) {
        writeln!(out, "- {}: {}", escape(pattern), escape(advice))?;
    }
    for (mark, n) in &row.marks {
        writeln!(out, "- in {} ({})", code(&printable(mark)), count(*n))?;
    }
    match &row.standing {
        Some(standing) => {
            writeln!(out, "- owner: {}; at the gate: {}", escape(&row.owner.to_string()), standing.name())
        }
        None => writeln!(out, "- owner: {}", escape(&row.owner.to_string())),
    }
}

fn types(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.types.rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Types\n")?;
    head(&["type", "live", "peak", "ever", "bytes", "each", "share"], out)?;
    for of_type in &report.types.rows {
        row(
            &[
                code(&of_type.type_name),
                count(of_type.instances),
                count(of_type.peak_instances),
                count(of_type.ever_instances),
                bytes(of_type.bytes),
                bytes_each(of_type.bytes_per_instance),
                percent(of_type.share, of_type.bytes),
            ],
            out,
        )?;
    }
    omitted(report.types.omitted, "types", out)
}

fn slots(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.slots.rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Slots\n")?;
    head(&["class", "live", "each", "slotted", "saves bytes", "verdict"], out)?;
    for class in &report.slots.rows {
        row(
            &[
                code(&class.type_name),
                count(class.instances),
                class.used_per_instance.to_string(),
                class.slotted_used_per_instance.to_string(),
                class.saved_bytes.to_string(),
                escape(class.verdict.name()),
            ],
            out,
        )?;
    }
    omitted(report.slots.omitted, "classes", out)
}

fn growth(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.growth.containers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Growth\n")?;
    head(&["container", "type", "references", "a second", "mostly", "made at"], out)?;
    for of in &report.growth.containers {
        let cells = [
            code(&of.path),
            code(&of.type_name),
            format!("{} → {}", count(of.from), count(of.to)),
            of.per_second.map(|rate| rate.to_string()).unwrap_or_default(),
            code(&of.element),
            of.place.as_ref().map(|frame| code(&frame.short_place())).unwrap_or_default(),
        ];
        row(&cells, out)?;
    }
    omitted(report.growth.more, "containers", out)
}

fn unreachable(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.unreachable.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Unreachable, says the log\n")?;
    head(&["type", "objects", "collectable", "bytes"], out)?;
    for of in &report.unreachable {
        let cells = [code(&of.type_name), count(of.objects), count(of.collected), bytes_or_unknown(of.bytes)];
        row(&cells, out)?;
    }
    Ok(())
}

fn lost(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.lost.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Lost references\n")?;
    head(&["type", "objects", "bytes"], out)?;
    report.lost.iter().try_for_each(|lost| row(&[code(&lost.type_name), count(lost.objects), bytes(lost.bytes)], out))
}

fn anomalies(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.anomalies.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Anomalies of the trace\n")?;
    head(&["kind", "times", "what"], out)?;
    report.anomalies.iter().try_for_each(|of| row(&[of.kind.to_string(), count(of.count), escape(&of.meaning)], out))
}

fn head(names: &[&str], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| {} |", names.join(" | "))?;
    writeln!(out, "|{}", "---|".repeat(names.len()))
}

fn row(cells: &[String], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| {} |", cells.join(" | "))
}

fn omitted(n: u64, what: &str, out: &mut dyn Write) -> io::Result<()> {
    match n {
        0 => Ok(()),
        n => writeln!(out, "\n… and {} more {what}", count(n)),
    }
}

/// A code span that holds any text: its fence is longer than any run of backticks inside.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|").replace(['\n', '\r'], " "))
}

/// Text without the characters that Markdown reads as more than text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}
