//! The report for machines. `docs/json-schema.md` says what each field means; it changes together with this file.

use std::io::{self, Write};

use serde::Serialize;

use super::{Page, Report, ReportFormat};

pub struct Json;

/// Raised when a field changes its meaning or goes away; not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    refloop: &'static str,
    #[serde(flatten)]
    report: &'a Report,
    omitted: Omitted,
}

/// Rows that `--top` left out.
#[derive(Serialize)]
struct Omitted {
    loops: u64,
    types: u64,
    slots: u64,
}

impl ReportFormat for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "everything, for programs (docs/json-schema.md)"
    }

    fn write(&self, report: &Report, _: &Page, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            schema: SCHEMA_VERSION,
            refloop: env!("CARGO_PKG_VERSION"),
            report,
            omitted: Omitted { loops: report.loops.omitted, types: report.types.omitted, slots: report.slots.omitted },
        };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }
}
