//! Writes what grew from one look at the heap to the next.

use std::io::{self, Write};

use super::title;
use super::wrap::{Style, styled, wrap};
use crate::human::{count, counted, size};
use crate::report::{GrowingContainerRow, RenderOptions, Report};

/// Containers, and types, that are shown.
const SHOWN: usize = 3;

pub(crate) fn growth(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let growth = &report.growth;
    if growth.containers.is_empty() && growth.types.is_empty() {
        return Ok(());
    }
    title(&format!("GROWTH at each of {} looks at the heap", count(growth.looks)), page, out)?;
    growth.containers.iter().take(SHOWN).try_for_each(|row| container(row, page, out))?;
    let more = growth.containers.len().saturating_sub(SHOWN) as u64 + growth.more;
    if more > 0 {
        writeln!(out, "  … and {} (--format json shows more)", counted(more, "more container", "more containers"))?;
    }
    let types = growth.types.iter().take(SHOWN);
    let mut types: Vec<String> =
        types.map(|row| format!("{} {} → {}", row.type_name, count(row.from), count(row.to))).collect();
    if let Some(more) = growth.types.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        types.push(counted(more as u64, "more type", "more types"));
    }
    match types.is_empty() {
        true => Ok(()),
        false => writeln!(out, "  types  {}", wrap(&types, " · ", 9, page.width)),
    }
}

fn container(row: &GrowingContainerRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut facts = vec![
        styled(&row.path, Style::Bold, page.color),
        format!("a {}", row.type_name),
        format!("{} → {} references", count(row.from), count(row.to)),
    ];
    facts.extend(row.per_second.filter(|&rate| rate >= 1.0).map(|rate| format!("{} a second", count(rate as u64))));
    if row.emptied {
        facts.push("emptied at the end".to_string());
    }
    facts.push(format!("{}, most of it {}", size(row.bytes), row.element));
    writeln!(out, "  {}", wrap(&facts, " · ", 4, page.width))?;
    match &row.place {
        None => Ok(()),
        Some(frame) => writeln!(out, "    made at  {}", wrap(&[frame.short_place()], "", 13, page.width)),
    }
}
