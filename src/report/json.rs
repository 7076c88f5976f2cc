//! Writes the report for programs. `docs/json-schema.md` says what each field means, and changes together with this file.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::terminal::one_loop;
use super::{Input, LoopRow, RenderOptions, Report, ReportFormat, Section, SlotsRow, TypeRow, View};

pub struct Json;

/// Raised when a field changes its meaning or goes away; not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// What every document begins with, whatever it holds.
#[derive(Serialize)]
struct Document<Part> {
    schema: u32,
    refloop: &'static str,
    #[serde(flatten)]
    part: Part,
}

/// The whole report.
#[derive(Serialize)]
struct Whole<'a> {
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

/// The table of loops, and of which traces.
#[derive(Serialize)]
struct Loops<'a> {
    inputs: &'a [Input],
    loops: &'a Section<LoopRow>,
    omitted: Omitted,
}

#[derive(Serialize)]
struct Types<'a> {
    inputs: &'a [Input],
    types: &'a Section<TypeRow>,
    by_module: bool,
    types_notes: &'a [String],
    omitted: Omitted,
}

#[derive(Serialize)]
struct Slots<'a> {
    inputs: &'a [Input],
    slots: &'a Section<SlotsRow>,
    slots_notes: &'a [String],
    slots_not_understood: &'a [String],
    omitted: Omitted,
}

impl ReportFormat for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "everything, for programs (docs/json-schema.md)"
    }

    fn shows(&self, _: View) -> bool {
        true
    }

    fn write(&self, report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let inputs = &report.inputs[..];
        let Report { loops, types, slots, by_module, types_notes, slots_notes, slots_not_understood, .. } = report;
        let omitted = Omitted {
            loops: if page.view.has(View::Loops) { loops.omitted } else { 0 },
            types: if page.view.has(View::Types) { types.omitted } else { 0 },
            slots: if page.view.has(View::Slots) { slots.omitted } else { 0 },
        };
        match page.view {
            View::Analyze | View::Check => document(Whole { report, omitted }, out),
            View::Loops => document(Loops { inputs, loops, omitted }, out),
            View::Types => document(Types { inputs, types, by_module: *by_module, types_notes, omitted }, out),
            View::Slots => document(Slots { inputs, slots, slots_notes, slots_not_understood, omitted }, out),
        }
    }
}

/// With what a page says of it, line by line: how much, the path, where it was made, what to cut. That takes longer to make
/// than all else of the row, so it is made where it is written.
impl Serialize for LoopRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WithText<'a> {
            #[serde(flatten, with = "LoopRow")]
            row: &'a LoopRow,
            text: Vec<String>,
        }
        WithText { row: self, text: one_loop::text(self) }.serialize(serializer)
    }
}

fn document(part: impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let document = Document { schema: SCHEMA_VERSION, refloop: env!("CARGO_PKG_VERSION"), part };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
