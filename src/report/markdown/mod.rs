//! Writes the report as a Markdown page: for a pull request, a job summary, a wiki.

mod chapter;

use std::fmt::Write as _;
use std::io::{self, Write};

use chapter::{Chapter, MOST};

use super::{Audience, Input, LoopRow, RenderOptions, Report, ReportFormat, View, wording};
use crate::heap::printable;
use crate::human::{bytes, bytes_each, bytes_or_unknown, count, counted, duration, or_unknown, percent, ratio};

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
fn alone(chapter: fn(&Report) -> Option<Chapter>, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(mut chapter) = chapter(report) else { return Ok(()) };
    chapter.head = chapter.head.trim_start().to_string();
    chapter::write(&[chapter], MOST, out)
}

fn whole(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut head = Vec::new();
    opening(report, &mut head)?;
    let head = String::from_utf8_lossy(&head).into_owned();
    let chapters = [
        loops(report),
        types(report),
        growth(report),
        suspected_lost(report),
        unheld(report),
        collections(report),
        slots(report),
        lost(report),
        unreachable(report),
        anomalies(report),
    ];
    let chapters: Vec<Chapter> = chapters.into_iter().flatten().collect();
    let room = MOST.saturating_sub(head.chars().count());
    write!(out, "{head}")?;
    chapter::write(&chapters, room, out)
}

/// The verdict, what is not known, and the numbers.
fn opening(report: &Report, out: &mut dyn Write) -> io::Result<()> {
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
    match wording::closed(&report.closed) {
        Some(closed) => writeln!(out, "\nnot counted: {}", escape(&closed)),
        None => Ok(()),
    }
}

fn loops(report: &Report) -> Option<Chapter> {
    let rows: Vec<String> = report.loops.rows.iter().map(one_loop).collect();
    let head = if rows.is_empty() { "" } else { "\n## Loops\n" }.to_string();
    let omitted = report.loops.omitted;
    (!rows.is_empty() || omitted > 0).then_some(Chapter { head, rows, what: "kinds of loops", omitted })
}

fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (summary, cyclic) = (&report.summary, &report.summary.cyclic_garbage);
    write!(out, "{}", head(&["", "count", "objects", "bytes"]))?;
    let row = |cells: &[String], out: &mut dyn Write| write!(out, "{}", row(cells));
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
    if let Some(why) = wording::lost_not_known(report) {
        row(&["lost references".into(), format!("not known: {why}"), String::new(), String::new()], out)?;
    }
    row(&["anomalies of the trace".into(), count(summary.anomalies), String::new(), String::new()], out)
}

fn one_loop(row: &LoopRow) -> String {
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = write_loop(row, &mut text);
    text
}

fn write_loop(row: &LoopRow, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n### {}\n", code(&row.path))?;
    writeln!(out, "- {}", wording::amount(row).join(" · "))?;
    if !row.site.is_empty() {
        let frames: Vec<String> = row.site.iter().map(|frame| code(&frame.short_place())).collect();
        writeln!(out, "- made at {}", frames.join(" ← "))?;
    }
    if let Some(before) = wording::made_before(row) {
        writeln!(out, "- made {before}")?;
    }
    if let Some(alive) = wording::alive(row) {
        writeln!(out, "- alive {alive}")?;
    }
    if row.site.is_empty() && !row.definitions.is_empty() {
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

fn types(report: &Report) -> Option<Chapter> {
    let columns = ["type", "live", "peak", "ever", "bytes", "each", "share"];
    let rows = report.types.rows.iter().map(|of_type| {
        row(&[
            code(&of_type.type_name),
            count(of_type.instances),
            count(of_type.peak_instances),
            count(of_type.ever_instances),
            bytes(of_type.bytes),
            bytes_each(of_type.bytes_per_instance),
            percent(of_type.share, of_type.bytes),
        ])
    });
    table("Types", &columns, rows, ("types", report.types.omitted))
}

fn slots(report: &Report) -> Option<Chapter> {
    let columns = ["class", "live", "each", "slotted", "saves bytes", "verdict"];
    let rows = report.slots.rows.iter().map(|class| {
        row(&[
            code(&class.type_name),
            count(class.instances),
            ratio(class.used_per_instance),
            ratio(class.slotted_used_per_instance),
            class.saved_bytes.to_string(),
            escape(class.verdict.name()),
        ])
    });
    table("Slots", &columns, rows, ("classes", report.slots.omitted))
}

fn growth(report: &Report) -> Option<Chapter> {
    let columns = ["container", "type", "grew", "a second", "mostly", "made at"];
    let rows = report.growth.containers.iter().map(|of| {
        row(&[
            code(&of.path),
            match of.containers {
                1 => code(&of.type_name),
                n => format!("{} × {}", count(n), code(&of.type_name)),
            },
            of.facts().from_to(),
            of.per_second.map(|rate| of.facts().rate(rate)).unwrap_or_default(),
            code(&of.element),
            match (&of.place, of.made_itself()) {
                (None, _) => String::new(),
                (Some(frame), None) => code(&frame.short_place()),
                (Some(frame), Some(type_name)) => format!("{} itself: {}", code(type_name), code(&frame.short_place())),
            },
        ])
    });
    table("Growth", &columns, rows, ("containers", report.growth.more))
}

fn suspected_lost(report: &Report) -> Option<Chapter> {
    let rows = report.suspected_lost.iter().flatten().map(|of| {
        let place = of.place.as_ref().map(|frame| code(&frame.short_place())).unwrap_or_default();
        let evidence = wording::suspected_lost(of).join("; ");
        row(&[code(&of.type_name), evidence, bytes_or_unknown(of.bytes), place])
    });
    let title = "Lost references, suspected: nothing in memory explains the counts";
    table(title, &["type", "objects", "bytes", "made at"], rows, ("types", 0))
}

fn unheld(report: &Report) -> Option<Chapter> {
    let rows = report.unheld.iter().flatten().map(|of| {
        let place = code(&of.place.short_place());
        row(&[code(&of.type_name), count(of.objects), bytes_or_unknown(of.bytes), place])
    });
    let title = "Never freed, and nothing that was recorded holds them";
    table(title, &["type", "objects", "bytes", "made at"], rows, ("types", 0))
}

fn collections(report: &Report) -> Option<Chapter> {
    let columns = ["generation", "collections", "looked at", "freed", "given up", "pauses", "longest"];
    let rows = report.collections.iter().map(|of| {
        row(&[
            of.generation.to_string(),
            count(of.collections),
            or_unknown(of.looked_at, count),
            count(of.freed),
            count(of.uncollectable),
            or_unknown(of.pause_ns, duration),
            or_unknown(of.longest_pause_ns, duration),
        ])
    });
    table("Collections", &columns, rows, ("generations", 0))
}

fn unreachable(report: &Report) -> Option<Chapter> {
    let some_made = report.unreachable.iter().any(|row| row.made.is_some());
    let some_named = report.unreachable.iter().any(|row| !row.named.is_empty());
    let rows = report.unreachable.iter().map(|of| {
        let made = some_made.then(|| or_unknown(of.made, count));
        let named = some_named.then(|| escape(&of.named.join(", ")));
        let cells = [code(&of.type_name), count(of.objects), count(of.collected), bytes_or_unknown(of.bytes)];
        row(&cells.into_iter().chain(made).chain(named).collect::<Vec<String>>())
    });
    let columns = ["type", "objects", "collectable", "bytes"].into_iter();
    let columns = columns.chain(some_made.then_some("made")).chain(some_named.then_some("named"));
    table("Unreachable, says the log", &columns.collect::<Vec<&str>>(), rows, ("types", 0))
}

fn lost(report: &Report) -> Option<Chapter> {
    let rows = report.lost.iter().map(|lost| row(&[code(&lost.type_name), count(lost.objects), bytes(lost.bytes)]));
    table("Lost references", &["type", "objects", "bytes"], rows, ("types", 0))
}

fn anomalies(report: &Report) -> Option<Chapter> {
    let rows = report.anomalies.iter().map(|of| row(&[of.kind.to_string(), count(of.count), escape(&of.meaning)]));
    table("Anomalies of the trace", &["kind", "times", "what"], rows, ("anomalies", 0))
}

/// A chapter that is a table; nothing without rows.
fn table(
    title: &str,
    columns: &[&str],
    rows: impl Iterator<Item = String>,
    (what, omitted): (&'static str, u64),
) -> Option<Chapter> {
    let rows: Vec<String> = rows.collect();
    let head = format!("\n## {title}\n\n{}", head(columns));
    (!rows.is_empty()).then_some(Chapter { head, rows, what, omitted })
}

fn head(names: &[&str]) -> String {
    format!("| {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len()))
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
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
