//! Writes what grew from one look at the heap to the next.

use std::io::{self, Write};

use super::title;
use super::wrap::{Style, styled, wrap};
use crate::human::{count, counted, size};
use crate::report::{GrowingContainerRow, RenderOptions, Report, wording};

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
    if more > 0 {
        writeln!(out, "  … and {} (--format json shows more)", counted(more, "more container", "more containers"))?;
    }
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
        if let Some(frame) = &row.place {
            writeln!(out, "    made at  {}", wrap(&[frame.linked_place(page)], "", 13, page.width))?;
        }
    }
    match rows.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        None => Ok(()),
        Some(more) => {
            writeln!(out, "  … and {} (--format json shows them)", counted(more as u64, "more line", "more lines"))
        }
    }
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
    match rows.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        None => Ok(()),
        Some(more) => {
            let lines = counted(more as u64, "more line", "more lines");
            writeln!(out, "  … and {lines} of the program (--format json shows them)")
        }
    }
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
    match &row.place {
        None => Ok(()),
        Some(frame) => writeln!(out, "    made at  {}", wrap(&[frame.linked_place(page)], "", 13, page.width)),
    }
}
