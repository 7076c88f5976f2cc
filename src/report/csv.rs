//! Writes one table of the report as comma-separated values (RFC 4180): the loops, unless types or slots are asked for.

use std::io::{self, Write};

use super::{AnotherCutRow, RenderOptions, Report, ReportFormat, View};

pub struct Csv;

impl ReportFormat for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "one table, for a spreadsheet"
    }

    fn shows(&self, _: View) -> bool {
        true
    }

    fn write(&self, report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = ::csv::Writer::from_writer(out);
        match page.view {
            View::Analyze | View::Check | View::Loops => loops(report, &mut csv)?,
            View::Types => types(report, &mut csv)?,
            View::Slots => slots(report, &mut csv)?,
        }
        csv.flush()
    }
}

/// A cell that a spreadsheet would take for a formula is text: behind an apostrophe.
fn inert(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_string(),
    }
}

type Writer<'a> = ::csv::Writer<&'a mut dyn Write>;

fn loops(report: &Report, csv: &mut Writer<'_>) -> io::Result<()> {
    csv.write_record([
        "fingerprint",
        "path",
        "count",
        "objects",
        "gc_objects",
        "bytes",
        "held_objects",
        "held_bytes",
        "collected",
        "owner",
        "made_at",
        "pattern",
        "cut",
        "replacement",
        "first_seen_event",
        "standing",
        "more_cuts",
        "cut_is_enough",
        "alternatives",
        "evidence",
        "bytes_at_peak_at_least",
        "bytes_at_end",
    ])?;
    for row in &report.loops.rows {
        let cut = row.cut.clone().unwrap_or_default();
        let list =
            |cuts: &[AnotherCutRow]| cuts.iter().map(|cut| cut.reference.as_str()).collect::<Vec<_>>().join("; ");
        let (more, is_enough) = (list(&cut.more), cut.is_enough.map(|enough| enough.to_string()).unwrap_or_default());
        csv.write_record([
            row.fingerprint.clone(),
            inert(&row.path),
            row.count.to_string(),
            row.objects.to_string(),
            row.gc_objects.to_string(),
            number(row.bytes),
            row.held_objects.to_string(),
            number(row.held_bytes),
            row.collected.to_string(),
            row.owner.to_string(),
            row.site.first().map(|frame| inert(&frame.place())).unwrap_or_default(),
            row.pattern.clone().unwrap_or_default(),
            inert(&cut.reference),
            inert(&cut.replacement),
            row.first_seen.event.to_string(),
            row.standing.as_ref().map(|standing| standing.name().to_string()).unwrap_or_default(),
            inert(&more),
            is_enough,
            inert(&list(&cut.alternatives)),
            cut.evidence.unwrap_or_default(),
            number(row.peak_at_least.bytes),
            number(row.at_end.and_then(|end| end.bytes)),
        ])?;
    }
    Ok(())
}

fn types(report: &Report, csv: &mut Writer<'_>) -> io::Result<()> {
    csv.write_record([
        "type",
        "instances",
        "peak_instances",
        "ever_instances",
        "bytes",
        "peak_bytes",
        "bytes_per_instance",
        "share",
    ])?;
    for row in &report.types.rows {
        csv.write_record([
            inert(&row.type_name),
            row.instances.to_string(),
            row.peak_instances.to_string(),
            row.ever_instances.to_string(),
            row.bytes.to_string(),
            row.peak_bytes.to_string(),
            row.bytes_per_instance.to_string(),
            row.share.to_string(),
        ])?;
    }
    Ok(())
}

fn slots(report: &Report, csv: &mut Writer<'_>) -> io::Result<()> {
    csv.write_record([
        "type",
        "instances",
        "bytes_per_instance",
        "slotted_bytes_per_instance",
        "saved_bytes",
        "saved_bytes_at_peak",
        "verdict",
        "blockers",
        "suggestion",
    ])?;
    for row in &report.slots.rows {
        csv.write_record([
            inert(&row.type_name),
            row.instances.to_string(),
            row.bytes_per_instance.to_string(),
            row.slotted_bytes_per_instance.to_string(),
            row.saved_bytes.to_string(),
            row.saved_bytes_at_peak.to_string(),
            row.verdict.name().to_string(),
            row.blockers.join("; "),
            row.suggestion.as_deref().map(inert).unwrap_or_default(),
        ])?;
    }
    Ok(())
}

/// Nothing in a cell says that a number is not known.
fn number(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(inert("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(["+1", "-1", "@x", "\tx"].map(inert), ["'+1", "'-1", "'@x", "'\tx"]);
        assert_eq!([inert("app.Order"), inert("")], ["app.Order", ""]);
    }
}
