//! Writes the advice on slots, as a table and class by class.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use super::wrap::{Style, styled, wrap_words};
use super::{notes, omitted, title};
use crate::human::{bytes, count, counted, ratio};
use crate::report::{RenderOptions, Report, SlotsRow, View, short};

/// Columns that the name of a class has where there is more to be shown beside it.
const NAME: usize = 20;

/// Classes of which nothing is said that are named.
const NAMES: usize = 5;

/// From this width on, the table says whose each class is.
const WITH_OWNERS: usize = 100;

/// The table, and under it what to change for each class and why not for others.
pub fn write(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let whole = page.view == View::Slots;
    if !whole {
        // Without instances that have a dict there is nothing to say.
        if !report.slots.rows.iter().any(can_change) {
            return Ok(());
        }
        title("SLOTS", page, out)?;
    } else if report.slots.rows.is_empty() && report.slots_notes.is_empty() {
        writeln!(out, "no class would gain from __slots__")?;
    }
    if !report.slots.rows.is_empty() {
        table(report, page, out)?;
    }
    notes(&report.slots_notes, page, out)?;
    not_understood(&report.slots_not_understood, page, out)?;
    if whole {
        report.slots.rows.iter().filter(|row| can_change(row)).try_for_each(|row| change(row, page, out))?;
    } else if report.slots.rows.iter().any(|row| row.suggestion.is_some()) {
        writeln!(out, "{}", wrap_words("refloop slots shows the change to make for each class", 0, page.width))?;
    }
    Ok(())
}

fn table(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let rows = &report.slots.rows;
    let shown: Vec<&SlotsRow> = rows.iter().filter(|row| page.view == View::Slots || can_change(row)).collect();
    let owners = page.width >= WITH_OWNERS && shown.iter().any(|row| !row.owner.may_be_application());
    let mut table = grid(&shown, page.width, true, owners);
    if !table.fits(NAME) {
        table = grid(&shown, page.width, false, false);
    }
    table.write(out)?;
    omitted(report.slots.omitted, "class", "classes", out)?;
    match rows.len() - shown.len() {
        0 => Ok(()),
        others => {
            let others = counted(others as u64, "class", "classes");
            let text = format!("{others} of packages and the standard library left out (refloop slots shows them)");
            writeln!(out, "{}", wrap_words(&text, 0, page.width))
        }
    }
}

/// The rows; with what slots would save at the end, beside the peak, and with whose each class is.
fn grid(rows: &[&SlotsRow], width: usize, saves: bool, owners: bool) -> Grid {
    let mut grid = Grid::new(width);
    grid.column("Class", Align::Name).column("Live", Align::Right).column("Each", Align::Right);
    grid.column("Slotted", Align::Right);
    if saves {
        grid.column("Saves", Align::Right).column("At peak", Align::Right);
    } else {
        grid.column("Saves at peak", Align::Right);
    }
    grid.column("Verdict", Align::Left);
    if owners {
        grid.column("Owner", Align::Left);
    }
    for row in rows {
        let each = [row.used_per_instance, row.slotted_used_per_instance].map(ratio);
        let saved = [saves.then_some(row.saved_bytes), Some(row.saved_bytes_at_peak)].into_iter().flatten().map(signed);
        let cells = [row.type_name.clone(), count(row.instances)].into_iter().chain(each).chain(saved);
        grid.row(cells.chain([row.verdict.name().to_string()]).chain(owners.then(|| row.owner.to_string())));
    }
    grid
}

/// Somebody else's class that no advice is given on is not worth a line.
fn can_change(row: &SlotsRow) -> bool {
    row.owner.may_be_application() || row.suggestion.is_some()
}

/// How many there are, and the first names where slots are asked for.
fn not_understood(names: &[String], page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let n = counted(names.len() as u64, "class", "classes");
    let text = format!("nothing is said of {n} whose sizes are not those of the known layout");
    let shown = if page.view == View::Slots { names.len().min(NAMES) } else { 0 };
    let first = if shown > 0 { format!(": {}", names[..shown].join(", ")) } else { String::new() };
    let rest = match names.len() - shown {
        0 => String::new(),
        more if shown > 0 => format!(" and {} more (--format json names all)", count(more as u64)),
        _ => " (--format json names them)".to_string(),
    };
    writeln!(out, "{}", wrap_words(&format!("{text}{first}{rest}"), 0, page.width))
}

/// What to change in one class, and why not or not yet.
fn change(row: &SlotsRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let place = row.place.as_ref().map(|place| format!("  {}", short(place))).unwrap_or_default();
    writeln!(
        out,
        "\n{}{place}",
        styled(&format!("{}: {}", row.type_name, row.verdict.name()), Style::Bold, page.color)
    )?;
    for text in row.blockers.iter().chain(&row.notes) {
        writeln!(out, "  - {}", wrap_words(text, 4, page.width))?;
    }
    for line in row.suggestion.iter().flat_map(|suggestion| suggestion.lines()) {
        writeln!(out, "      {line}")?;
    }
    Ok(())
}

fn signed(n: i64) -> String {
    match n < 0 {
        true => format!("-{}", bytes(n.unsigned_abs())),
        false => bytes(n.unsigned_abs()),
    }
}
