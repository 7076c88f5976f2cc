//! Writes what the program's collector did, by generation.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use super::title;
use crate::human::{count, duration, or_unknown};
use crate::report::{CollectionsRow, RenderOptions, Report};

/// A column that nothing is known of is not there.
pub(crate) fn collections(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let rows = &report.collections;
    if rows.is_empty() {
        return Ok(());
    }
    title("COLLECTIONS of the program's collector", page, out)?;
    let is_known = |value: fn(&CollectionsRow) -> Option<u64>| rows.iter().any(|row| value(row).is_some());
    let (looked, paused) = (is_known(|row| row.looked_at), is_known(|row| row.pause_ns));
    let mut grid = Grid::new(page.width);
    grid.column("Generation", Align::Right).column("Runs", Align::Right);
    if looked {
        grid.column("Looked at", Align::Right);
    }
    grid.column("Freed", Align::Right);
    let gave_up = rows.iter().any(|row| row.uncollectable > 0);
    if gave_up {
        grid.column("Given up", Align::Right);
    }
    if paused {
        grid.column("Pauses", Align::Right).column("Longest", Align::Right);
    }
    for row in rows {
        let mut cells = vec![row.generation.to_string(), count(row.collections)];
        cells.extend(looked.then(|| or_unknown(row.looked_at, count)));
        cells.push(count(row.freed));
        cells.extend(gave_up.then(|| count(row.uncollectable)));
        if paused {
            cells.extend([or_unknown(row.pause_ns, duration), or_unknown(row.longest_pause_ns, duration)]);
        }
        grid.row(cells);
    }
    grid.write(out)
}
