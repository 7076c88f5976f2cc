//! Writes the loops: the application's one by one, those of others in a table.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use super::{omitted, one_loop, title};
use crate::findings::Owner;
use crate::human::{bytes_or_unknown, count};
use crate::report::{RenderOptions, Report, View};
use crate::trace::References;

pub fn loops(
    report: &Report,
    page: &RenderOptions,
    wanted: impl Fn(&Owner) -> bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut rows = report.loops.rows.iter().filter(|row| wanted(&row.owner)).peekable();
    if rows.peek().is_none() {
        return match page.view {
            View::Loops if report.inputs.iter().any(|input| input.references == References::None) => {
                writeln!(out, "no loops known: a log without references does not show them")
            }
            View::Loops if report.inputs.iter().any(|input| !input.references.show_garbage()) => {
                writeln!(out, "no loops known: a dump without counts does not show them")
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
        one_loop::write(row, page, out)?;
    }
    match page.view {
        View::Loops => omitted(report.loops.omitted, "kind of loop", "kinds of loops", out),
        _ => Ok(()),
    }
}

/// Loops of packages and the standard library, one line each.
pub fn foreign(
    report: &Report,
    page: &RenderOptions,
    wanted: impl Fn(&Owner) -> bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows: Vec<_> = report.loops.rows.iter().filter(|row| wanted(&row.owner)).collect();
    if !rows.is_empty() {
        title("LOOPS OF PACKAGES AND THE STANDARD LIBRARY", page, out)?;
        let mut grid = Grid::new(page.width);
        grid.column("Owner", Align::Left).column("Loops", Align::Right).column("At one time", Align::Right);
        grid.column("Loop", Align::Path);
        for row in rows {
            grid.row([
                row.owner.to_string(),
                count(row.count),
                bytes_or_unknown(row.peak_at_least.bytes),
                row.path.clone(),
            ]);
        }
        grid.write(out)?;
    }
    if report.loops.omitted > 0 {
        writeln!(out)?;
    }
    omitted(report.loops.omitted, "kind of loop", "kinds of loops", out)
}
