//! Writes the difference between two reports.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use super::wrap::wrap_words;
use crate::findings::Owner;
use crate::growth::Unit;
use crate::human::{bytes, count, counted};
use crate::report::RenderOptions;
use crate::report::diff::{Change, Diff, NOISE_BYTES, NOISE_PART};

pub fn write(diff: &Diff, page: &RenderOptions, top: usize, out: &mut dyn Write) -> io::Result<()> {
    let unreachable = "UNREACHABLE, SAYS THE LOG";
    let tables = [
        ("LOOPS", "Loop", diff.loops.as_slice()),
        ("CONTAINERS THAT KEPT GROWING", "Container", diff.containers.as_deref().unwrap_or_default()),
        (unreachable, "Type", &diff.unreachable),
        ("TYPES", "Type", &diff.types),
    ];
    let tables = tables.into_iter().filter(|(_, _, changes)| !changes.is_empty());
    if tables.clone().next().is_none() {
        writeln!(out, "no difference")?;
    }
    for (nth, (head, name, changes)) in tables.enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{head}")?;
        let mut grid = Grid::new(page.width);
        grid.column("", Align::Left).column("Before", Align::Right).column("After", Align::Right);
        grid.column(if name == "Loop" { "At one time" } else { "Bytes" }, Align::Right);
        let owners = changes.iter().take(top).any(Change::is_foreign);
        if owners {
            grid.column("Owner", Align::Left);
        }
        grid.column(name, if name == "Loop" { Align::Path } else { Align::Name });
        for change in changes.iter().take(top) {
            let written = if change.unit == Some(Unit::Bytes) { bytes } else { count };
            let amounts = [written(change.count[0]), written(change.count[1]), signed(change.bytes)];
            let owner = change.owner.as_ref().filter(|_| owners).map(Owner::to_string);
            let cells = [change.what.name().to_string()].into_iter().chain(amounts).chain(owner);
            grid.row(cells.chain([change.name.clone()]));
        }
        grid.write(out)?;
        if let Some(more) = changes.len().checked_sub(top).filter(|&more| more > 0) {
            writeln!(out, "… and {} more (--top 0 shows all)", count(more as u64))?;
        }
    }
    noise(diff, page, out)
}

/// What is left out because two runs of the same program differ by so much.
fn noise(diff: &Diff, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    if diff.types_left_out == 0 {
        return Ok(());
    }
    let types = counted(diff.types_left_out, "type is", "types are");
    let text = format!("{types} left out: the difference is below {} or 1 object in {NOISE_PART}", bytes(NOISE_BYTES));
    writeln!(out, "{}", wrap_words(&text, 0, page.width))
}

fn signed([before, after]: [u64; 2]) -> String {
    let sign = if after < before { "-" } else { "+" };
    format!("{sign}{}", bytes(before.abs_diff(after)))
}
