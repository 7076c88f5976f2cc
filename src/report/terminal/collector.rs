//! Writes a table of what each setting of the collector would do.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use super::wrap::{Style, styled, wrap_words};
use crate::human::{bytes, count, duration, or_unknown};
use crate::report::RenderOptions;
use crate::report::collector::notes;
use crate::whatif::collector::{Modelled, Span};

pub(crate) fn write(
    tables: &[(String, Modelled)],
    limit: Option<u64>,
    page: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (place, (name, modelled)) in tables.iter().enumerate() {
        if place > 0 {
            writeln!(out)?;
        }
        if tables.len() > 1 {
            writeln!(out, "{}", styled(name, Style::Bold, page.color))?;
        }
        table(modelled, limit, page, out)?;
    }
    Ok(())
}

fn table(modelled: &Modelled, limit: Option<u64>, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut grid = Grid::new(page.width);
    grid.column("Collector", Align::Left);
    for head in ["Gen 0", "Gen 1", "Gen 2", "Looked at", "Pauses", "Most garbage", "Left"] {
        grid.column(head, Align::Right);
    }
    let cells =
        |name: &str, runs: [u64; 3]| [name.to_string()].into_iter().chain(runs.map(count)).collect::<Vec<String>>();
    let mut recorded = cells("recorded", modelled.recorded.runs);
    let sum = |of_each: [Option<u64>; 3]| of_each.into_iter().sum::<Option<u64>>();
    recorded.push(or_unknown(sum(modelled.recorded.looked), count));
    recorded.push(or_unknown(sum(modelled.recorded.pause_ns), duration));
    recorded.extend(["", ""].map(String::from));
    grid.row(recorded);
    for outcome in &modelled.outcomes {
        let mut row = cells(&outcome.setting, outcome.collections.runs);
        row.push(count(outcome.collections.looked_at()));
        let pauses = modelled.recorded.pauses_of(&outcome.collections);
        row.push(or_unknown(pauses, |ns| if ns == 0 { duration(ns) } else { format!("about {}", duration(ns)) }));
        row.extend([span(&outcome.peak), span(&outcome.left)]);
        grid.row(row);
    }
    grid.write(out)?;
    notes(modelled, limit).iter().try_for_each(|text| writeln!(out, "{}", wrap_words(text, 0, page.width)))
}

/// `1.2 MB`, or `1.2 MB (0.9 to 1.4 MB)` where it is known between bounds.
fn span(span: &Span) -> String {
    let (least, likely, most) = (bytes(span.least.bytes), bytes(span.likely.bytes), bytes(span.most.bytes));
    if least == most { likely } else { format!("{likely} ({least} to {most})") }
}
