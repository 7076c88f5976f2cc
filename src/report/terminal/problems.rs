//! Writes what is wrong beside loops: wasted memory, lost references, unreachable objects, anomalies of the trace.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use super::title;
use super::wrap::{wrap, wrap_words};
use crate::human::{bytes, bytes_or_unknown, count, or_unknown};
use crate::report::{FindingRow, RenderOptions, Report};

/// Classes of the application that waste memory for another reason than the want of slots.
pub fn waste(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let wasteful = |finding: &&FindingRow| finding.cause.is_some() && finding.owner.may_be_application();
    let mut findings = report.findings.iter().filter(wasteful).peekable();
    if findings.peek().is_none() {
        return Ok(());
    }
    title("WASTED MEMORY", page, out)?;
    for finding in findings {
        let facts = [finding.subject.clone(), bytes_or_unknown(finding.bytes), finding.rule.to_string()];
        writeln!(out, "  {}", wrap(&facts, " · ", 2, page.width))?;
        if let Some(cause) = &finding.cause {
            writeln!(out, "      {}", wrap_words(cause, 6, page.width))?;
        }
    }
    Ok(())
}

pub fn lost(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
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
pub fn unreachable(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    if report.unreachable.is_empty() {
        return Ok(());
    }
    title("UNREACHABLE, SAYS THE LOG", page, out)?;
    let mut grid = Grid::new(page.width);
    grid.column("Type", Align::Name).column("Objects", Align::Right).column("Collectable", Align::Right);
    grid.column("Bytes", Align::Right);
    let some_made = report.unreachable.iter().any(|row| row.made.is_some());
    let some_named = report.unreachable.iter().any(|row| !row.named.is_empty());
    if some_made {
        grid.column("Made", Align::Right);
    }
    if some_named {
        grid.column("Named", Align::Left);
    }
    for row in &report.unreachable {
        let bytes = bytes_or_unknown(row.bytes);
        let made = some_made.then(|| or_unknown(row.made, count));
        let named = some_named.then(|| row.named.join(", "));
        let cells = [row.type_name.clone(), count(row.objects), count(row.collected), bytes];
        grid.row(cells.into_iter().chain(made).chain(named));
    }
    grid.write(out)
}

pub fn anomalies(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    if report.anomalies.is_empty() {
        return Ok(());
    }
    title("ANOMALIES OF THE TRACE", page, out)?;
    let mut grid = Grid::new(page.width);
    grid.column("Kind", Align::Left).column("Times", Align::Right).column("What", Align::Left);
    grid.column("First at", Align::Left);
    for row in &report.anomalies {
        let example = row.examples.first().cloned().unwrap_or_default();
        grid.row([row.kind.to_string(), count(row.count), row.meaning.clone(), example]);
    }
    grid.write(out)
}
