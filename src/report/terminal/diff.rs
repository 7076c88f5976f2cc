//! Writes the difference between two reports.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use crate::findings::Owner;
use crate::human::{bytes, count};
use crate::report::RenderOptions;
use crate::report::diff::{Change, Diff};

pub fn write(diff: &Diff, page: &RenderOptions, top: usize, out: &mut dyn Write) -> io::Result<()> {
    if diff.loops.is_empty() && diff.types.is_empty() {
        return writeln!(out, "no difference");
    }
    for (head, name, changes) in [("LOOPS", "Loop", &diff.loops), ("TYPES", "Type", &diff.types)] {
        if changes.is_empty() {
            continue;
        }
        if head == "TYPES" && !diff.loops.is_empty() {
            writeln!(out)?;
        }
        writeln!(out, "{head}")?;
        let mut grid = Grid::new(page.width);
        grid.column("", Align::Left).column("Before", Align::Right).column("After", Align::Right);
        grid.column("Bytes", Align::Right);
        let owners = changes.iter().take(top).any(Change::is_foreign);
        if owners {
            grid.column("Owner", Align::Left);
        }
        grid.column(name, if name == "Loop" { Align::Path } else { Align::Name });
        for change in changes.iter().take(top) {
            let amounts = [count(change.count[0]), count(change.count[1]), signed(change.bytes)];
            let owner = change.owner.as_ref().filter(|_| owners).map(Owner::to_string);
            let cells = [change.what.name().to_string()].into_iter().chain(amounts).chain(owner);
            grid.row(cells.chain([change.name.clone()]));
        }
        grid.write(out)?;
        if let Some(more) = changes.len().checked_sub(top).filter(|&more| more > 0) {
            writeln!(out, "… and {} more (--top 0 shows all)", count(more as u64))?;
        }
    }
    Ok(())
}

fn signed([before, after]: [u64; 2]) -> String {
    let sign = if after < before { "-" } else { "+" };
    format!("{sign}{}", bytes(before.abs_diff(after)))
}
