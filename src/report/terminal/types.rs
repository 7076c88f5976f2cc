//! Writes the table of types: as many columns as there is room for.

use std::io::{self, Write};

use super::grid::{self, Align, Grid};
use super::{notes, omitted, title};
use crate::human::{bytes, bytes_each, count, percent};
use crate::report::{RenderOptions, Report, Split, View};

/// Columns that the name of a type has where there is more to be shown beside it.
const NAME: usize = 28;

/// The parts of a type's bytes.
type Part = (&'static str, fn(&Split) -> u64);

const SPLIT: [Part; 7] = [
    ("Object", |split| split.object),
    ("Header", |split| split.gc_header + split.pre_header),
    ("Dict", |split| split.dict_object),
    ("Values", |split| split.attributes),
    ("Items", |split| split.items),
    ("Weakref", |split| split.weakref_field),
    ("Padding", |split| split.padding),
];

pub fn types(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    if page.view == View::Analyze {
        if report.types.rows.is_empty() && report.types_notes.is_empty() {
            return Ok(());
        }
        title("TYPES", page, out)?;
    }
    if report.types.rows.is_empty() && !report.types_notes.is_empty() {
        return notes(&report.types_notes, page, out);
    }
    // The columns that there is room for.
    let roomy = TYPE_COLUMNS.iter().find_map(|&(columns, least)| {
        let grid = types_grid(report, page.width, columns);
        grid.fits(least).then_some(grid)
    });
    roomy.unwrap_or_else(|| types_grid(report, page.width, TypeColumns::default())).write(out)?;
    let what = if report.by_module { ["module", "modules"] } else { ["type", "types"] };
    omitted(report.types.omitted, what[0], what[1], out)?;
    notes(&report.types_notes, page, out)
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
