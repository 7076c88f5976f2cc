//! The page for a terminal: a summary, each loop told, and tables that fit the width.

use std::io::{self, Write};

use super::grid::{self, Align, Grid};
use super::human::{bytes, bytes_each, bytes_or_unknown, count, counted, percent, size};
use super::text::{Style, styled, wrap, wrap_words};
use super::{FindingRow, Input, Known, Page, Report, ReportFormat, SplitRow, View, told};
use crate::heap::printable;

pub struct Table;

/// Columns that the name of a type has where there is more to be shown beside it.
const NAME: usize = 28;

/// The parts of a type's bytes.
type Part = (&'static str, fn(&SplitRow) -> u64);

const SPLIT: [Part; 7] = [
    ("Object", |split| split.object),
    ("Header", |split| split.gc_header + split.pre_header),
    ("Dict", |split| split.dict_object),
    ("Values", |split| split.attributes),
    ("Items", |split| split.items),
    ("Weakref", |split| split.weakref_field),
    ("Padding", |split| split.padding),
];

impl ReportFormat for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn about(&self) -> &'static str {
        "for people, on a terminal"
    }

    fn write(&self, report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
        match page.view {
            View::Check => super::check::write(report, page, out),
            View::Loops => loops(report, page, |_| true, out),
            View::Types => types(report, page, out),
            View::Slots => super::slots::write(report, page, out),
            View::Analyze => {
                summary(report, page, out)?;
                let is_own = |owner: &str| owner == "application";
                loops(report, page, is_own, out)?;
                foreign(report, page, |owner| !is_own(owner), out)?;
                types(report, page, out)?;
                super::slots::write(report, page, out)?;
                waste(report, page, out)?;
                lost(report, page, out)?;
                unreachable(report, page, out)?;
                anomalies(report, page, out)
            }
        }
    }
}

/// The title of a section, after an empty line.
pub(super) fn title(text: &str, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", styled(text, Style::Bold, page.color))
}

/// `… and 12 more loops (--top 0 shows all)`; nothing where nothing was left out.
pub(super) fn omitted(n: u64, one: &str, many: &str, out: &mut dyn Write) -> io::Result<()> {
    match n {
        0 => Ok(()),
        n => writeln!(out, "… and {} more {} (--top 0 shows all)", count(n), if n == 1 { one } else { many }),
    }
}

/// A line for each trace: what wrote it, and how far it can be read.
fn inputs(report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    for input in &report.inputs {
        let mut facts = vec![styled(&printable(&input.path), Style::Bold, page.color), input.runtime.clone()];
        facts.push(counted(input.events, "event", "events"));
        match input.ending.as_str() {
            "cut" => facts.push(format!("cut short at byte {}", input.cut_at.unwrap_or_default())),
            "open" if input.references != "none" => facts.push("without its end record".to_string()),
            "error" => facts.push("not readable to its end".to_string()),
            _ => {}
        }
        match input.known {
            _ if input.references == "none" => facts.push("no references: loops are not known".to_string()),
            Known::Nothing => facts.push("no checkpoint: nothing is known of its loops".to_string()),
            Known::Collections => {
                facts.push("no full checkpoint: only loops that a collection found are known".to_string());
            }
            Known::Part | Known::End => {}
        }
        writeln!(out, "{}", wrap(&facts, " · ", 0, page.width))?;
    }
    Ok(())
}

fn summary(report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    inputs(report, page, out)?;
    let summary = &report.summary;
    let mut line = |name: &str, facts: &[String]| {
        let lead = format!("{name:<18}");
        writeln!(out, "  {lead}{}", wrap(facts, " · ", 20, page.width))
    };
    if !summary.live_known {
        line("alive at the end", &["not known".to_string()])?;
    } else {
        line(
            "alive at the end",
            &[
                counted(summary.live_objects, "object", "objects"),
                size(summary.live_bytes),
                match summary.live_types {
                    Some(types) => counted(types, "type", "types"),
                    None => "types not known".to_string(),
                },
            ],
        )?;
    }
    let cyclic = &summary.cyclic_garbage;
    if cyclic.loops == 0 {
        line(
            "cyclic garbage",
            &[if Input::none_is_checked(&report.inputs) || !report.unreachable.is_empty() {
                "none known"
            } else {
                "none"
            }
            .to_string()],
        )?;
    } else {
        line(
            "cyclic garbage",
            &[
                format!("{} of {}", counted(cyclic.loops, "loop", "loops"), counted(cyclic.kinds, "kind", "kinds")),
                counted(cyclic.objects, "object", "objects"),
                size(cyclic.bytes),
            ],
        )?;
        let whose = cyclic.by_owner.iter().map(|(owner, n)| format!("{owner} {}", count(*n)));
        line("", &whose.collect::<Vec<_>>())?;
        if cyclic.collected_objects > 0 {
            line(
                "freed later",
                &[
                    counted(cyclic.collected_loops, "loop", "loops"),
                    format!("{} by the collector", counted(cyclic.collected_objects, "object", "objects")),
                ],
            )?;
        }
    }
    if cyclic.unproved_paths > 0 {
        let big = counted(cyclic.unproved_paths, "loop", "loops");
        line("big loops", &[format!("{big} may have a shorter way around than the one told")])?;
    }
    if summary.lost_objects > 0 {
        line("lost references", &[counted(summary.lost_objects, "object", "objects"), bytes(summary.lost_bytes)])?;
    }
    if !report.unreachable.is_empty() {
        let objects = report.unreachable.iter().fold(0, |sum: u64, row| sum.saturating_add(row.objects));
        let types = counted(report.unreachable.len() as u64, "type", "types");
        let kept = counted(objects, "object", "objects");
        line("unreachable", &[format!("{kept} of {types}, says the log"), "loops not known".to_string()])?;
    }
    if summary.anomalies > 0 {
        line("anomalies", &[count(summary.anomalies)])?;
    }
    Ok(())
}

fn loops(report: &Report, page: &Page, wanted: impl Fn(&str) -> bool, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = report.loops.rows.iter().filter(|row| wanted(&row.owner)).peekable();
    if rows.peek().is_none() {
        return match page.view {
            View::Loops if report.inputs.iter().any(|input| input.references == "none") => {
                writeln!(out, "no loops known: a log without references does not show them")
            }
            View::Loops => writeln!(out, "no loops"),
            _ => Ok(()),
        };
    }
    if page.view == View::Analyze {
        title("LEAKED LOOPS", page, out)?;
    }
    for (i, row) in rows.enumerate() {
        if i > 0 || page.view == View::Analyze {
            writeln!(out)?;
        }
        told::write(row, page, out)?;
    }
    match page.view {
        View::Loops => omitted(report.loops.omitted, "kind of loop", "kinds of loops", out),
        _ => Ok(()),
    }
}

/// Loops of packages and the standard library, one line each.
fn foreign(report: &Report, page: &Page, wanted: impl Fn(&str) -> bool, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<_> = report.loops.rows.iter().filter(|row| wanted(&row.owner)).collect();
    if !rows.is_empty() {
        title("LOOPS OF PACKAGES AND THE STANDARD LIBRARY", page, out)?;
        let mut grid = Grid::new(page.width);
        grid.column("Owner", Align::Left).column("Loops", Align::Right).column("Bytes", Align::Right);
        grid.column("Loop", Align::Path);
        for row in rows {
            grid.row([row.owner.clone(), count(row.count), bytes_or_unknown(row.total_bytes), row.path.clone()]);
        }
        grid.write(out)?;
    }
    if report.loops.omitted > 0 {
        writeln!(out)?;
    }
    omitted(report.loops.omitted, "kind of loop", "kinds of loops", out)
}

fn types(report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    if page.view == View::Analyze {
        if report.types.rows.is_empty() && report.types_notes.is_empty() {
            return Ok(());
        }
        title("TYPES", page, out)?;
    }
    if report.types.rows.is_empty() && !report.types_notes.is_empty() {
        return super::slots::notes(&report.types_notes, page, out);
    }
    // The columns that there is room for.
    let roomy = TYPE_COLUMNS.iter().find_map(|&(columns, least)| {
        let grid = types_grid(report, page.width, columns);
        grid.fits(least).then_some(grid)
    });
    roomy.unwrap_or_else(|| types_grid(report, page.width, TypeColumns::default())).write(out)?;
    let what = if report.by_module { ["module", "modules"] } else { ["type", "types"] };
    omitted(report.types.omitted, what[0], what[1], out)?;
    super::slots::notes(&report.types_notes, page, out)
}

/// Columns of the table of types beside the number of objects and their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct TypeColumns {
    /// The most that were alive, and how many ever were.
    history: bool,
    /// Where the bytes go.
    split: bool,
    /// States of the dicts.
    states: bool,
}

/// Which ones are shown: the first that leave so much to the names.
const TYPE_COLUMNS: [(TypeColumns, usize); 3] = [
    (TypeColumns { history: true, split: true, states: true }, NAME),
    (TypeColumns { history: true, split: true, states: false }, NAME),
    (TypeColumns { history: true, split: false, states: false }, grid::NARROWEST),
];

fn types_grid(report: &Report, width: usize, columns: TypeColumns) -> Grid {
    let TypeColumns { history, split, states } = columns;
    let rows = &report.types.rows;
    let parts: Vec<_> = SPLIT.iter().filter(|(_, part)| split && rows.iter().any(|row| part(&row.split) > 0)).collect();
    let states = states && rows.iter().any(|row| !row.states.is_empty());
    let mut grid = Grid::new(width);
    grid.column(if report.by_module { "Module" } else { "Type" }, Align::Name).column("Live", Align::Right);
    if history {
        grid.column("Peak", Align::Right).column("Ever", Align::Right);
    }
    grid.column("Bytes", Align::Right).column("Each", Align::Right).column("Share", Align::Right);
    for (name, _) in &parts {
        grid.column(name, Align::Right);
    }
    if states {
        grid.column("Dict states", Align::Left);
    }
    for row in rows {
        let mut cells = vec![row.type_name.clone(), count(row.instances)];
        if history {
            cells.extend([count(row.peak_instances), count(row.ever_instances)]);
        }
        cells.extend([bytes(row.bytes), bytes_each(row.bytes_per_instance), percent(row.share, row.bytes)]);
        cells.extend(parts.iter().map(|(_, part)| match part(&row.split) {
            0 => "-".to_string(),
            n => bytes(n),
        }));
        if states {
            let states = row.states.iter().map(|(state, n)| format!("{state} {}", count(*n)));
            cells.push(states.collect::<Vec<_>>().join(", "));
        }
        grid.row(cells);
    }
    grid
}

/// Classes of the application that waste memory for another reason than the want of slots.
fn waste(report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let told = |finding: &&FindingRow| {
        finding.severity == "note" && finding.owner == "application" && finding.rule != "missing-slots"
    };
    let mut findings = report.findings.iter().filter(told).peekable();
    if findings.peek().is_none() {
        return Ok(());
    }
    title("WASTED MEMORY", page, out)?;
    for finding in findings {
        let facts = [finding.subject.clone(), bytes_or_unknown(finding.bytes), finding.rule.clone()];
        writeln!(out, "  {}", wrap(&facts, " · ", 2, page.width))?;
        let sentence =
            finding.message.split_once(" more than need be: ").map_or(&*finding.message, |(_, sentence)| sentence);
        writeln!(out, "      {}", wrap_words(sentence, 6, page.width))?;
    }
    Ok(())
}

fn lost(report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    if report.lost.is_empty() {
        return Ok(());
    }
    title("LOST REFERENCES", page, out)?;
    let mut grid = Grid::new(page.width);
    grid.column("Type", Align::Name).column("Objects", Align::Right).column("Bytes", Align::Right);
    for row in &report.lost {
        grid.row([row.type_name.clone(), count(row.objects), bytes(row.bytes)]);
    }
    grid.write(out)
}

/// What the program's own collector said, by type.
fn unreachable(report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    if report.unreachable.is_empty() {
        return Ok(());
    }
    title("UNREACHABLE, SAYS THE LOG", page, out)?;
    let mut grid = Grid::new(page.width);
    grid.column("Type", Align::Name).column("Objects", Align::Right).column("Collectable", Align::Right);
    grid.column("Bytes", Align::Right);
    for row in &report.unreachable {
        grid.row([row.type_name.clone(), count(row.objects), count(row.collected), bytes_or_unknown(row.bytes)]);
    }
    grid.write(out)
}

fn anomalies(report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()> {
    if report.anomalies.is_empty() {
        return Ok(());
    }
    title("ANOMALIES OF THE TRACE", page, out)?;
    let mut grid = Grid::new(page.width);
    grid.column("Kind", Align::Left).column("Times", Align::Right).column("What", Align::Left);
    grid.column("First at", Align::Left);
    for row in &report.anomalies {
        let example = row.examples.first().cloned().unwrap_or_default();
        grid.row([row.kind.clone(), count(row.count), row.meaning.clone(), example]);
    }
    grid.write(out)
}
