//! Writes what grew from one look at the heap to the next.

use std::io::{self, Write};

use super::title;
use super::wrap::{Style, styled, wrap};
use crate::human::{count, counted, size};
use crate::report::{FrameRow, GrowingContainerRow, RenderOptions, Report, wording};

/// Containers, and types, that are shown.
const SHOWN: usize = 3;

pub(crate) fn growth(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let growth = &report.growth;
    if growth.containers.is_empty() && growth.types.is_empty() {
        return Ok(());
    }
    title(&format!("GROWTH over {} looks at the heap", count(growth.looks)), page, out)?;
    growth.containers.iter().take(SHOWN).try_for_each(|row| container(row, page, out))?;
    let more = growth.containers.len().saturating_sub(SHOWN) as u64 + growth.more;
    left_out(more, ["more container", "more containers"], "(--format json shows more)", out)?;
    let types = growth.types.iter().map(|row| format!("{} {} → {}", row.type_name, count(row.from), count(row.to)));
    let types = wording::first(types, SHOWN, "more type", "more types");
    match types.is_empty() {
        true => Ok(()),
        false => writeln!(out, "  types  {}", wrap(&types, " · ", 9, page.width)),
    }
}

/// What has references that nobody is going to release.
pub(crate) fn suspected_lost(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let rows = report.suspected_lost.as_deref().unwrap_or_default();
    if rows.is_empty() {
        return Ok(());
    }
    title("LOST REFERENCES, suspected: nothing explains the counts", page, out)?;
    for row in rows.iter().take(SHOWN) {
        let mut facts = vec![styled(&row.type_name, Style::Bold, page.color)];
        facts.extend(wording::suspected_lost(row));
        facts.extend(row.bytes.filter(|&bytes| bytes > 0).map(|bytes| size(Some(bytes))));
        writeln!(out, "  {}", wrap(&facts, " · ", 4, page.width))?;
        made_at(row.place.as_ref(), page, out)?;
    }
    let more = rows.len().saturating_sub(SHOWN) as u64;
    left_out(more, ["more line", "more lines"], "(--format json shows them)", out)
}

/// What is never freed, and held by nothing that was recorded.
pub(crate) fn unheld(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let rows = report.unheld.as_deref().unwrap_or_default();
    if rows.is_empty() {
        return Ok(());
    }
    title("NEVER FREED, and nothing that was recorded holds them", page, out)?;
    for row in rows.iter().take(SHOWN) {
        let amount = format!("{} {}", count(row.objects), row.type_name);
        let facts = [amount, size(row.bytes), format!("made at {}", row.place.linked_place(page))];
        writeln!(out, "  {}", wrap(&facts, " · ", 4, page.width))?;
    }
    let more = rows.len().saturating_sub(SHOWN) as u64;
    left_out(more, ["more line", "more lines"], "of the program (--format json shows them)", out)
}

fn container(row: &GrowingContainerRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let of = row.facts();
    let mut facts = vec![styled(&row.path, Style::Bold, page.color), of.what(), of.from_to()];
    facts.extend(row.per_second.filter(|&rate| rate >= 1.0).map(|rate| of.a_second(rate)));
    if row.emptied {
        facts.push("emptied at the end".to_string());
    }
    facts.extend(of.holds());
    writeln!(out, "  {}", wrap(&facts, " · ", 4, page.width))?;
    match (&row.place, row.made_itself()) {
        (Some(frame), Some(type_name)) => {
            let made = [format!("{type_name} made at"), frame.linked_place(page)];
            writeln!(out, "    {}", wrap(&made, "  ", 13, page.width))
        }
        (place, _) => made_at(place.as_ref(), page, out),
    }
}

/// `made at  app.py:42 load`, below a row.
fn made_at(place: Option<&FrameRow>, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    match place {
        None => Ok(()),
        Some(frame) => writeln!(out, "    made at  {}", wrap(&[frame.linked_place(page)], "", 13, page.width)),
    }
}

/// `… and 2 more lines`, and where they are; nothing where nothing was left out.
fn left_out(more: u64, [one, many]: [&str; 2], rest: &str, out: &mut dyn Write) -> io::Result<()> {
    match more {
        0 => Ok(()),
        _ => writeln!(out, "  … and {} {rest}", counted(more, one, many)),
    }
}
