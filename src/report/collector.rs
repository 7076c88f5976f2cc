//! Writes what other settings of the collector would do: for people, and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::terminal::collector as page;
use super::{Form, RenderOptions};
use crate::whatif::collector::{Modelled, Outcome, Recorded, Span};

/// Writes, for each trace, its name and what was modelled. `limit`: bytes of garbage that may lie there at once.
pub fn write(
    tables: &[(String, Modelled)],
    limit: Option<u64>,
    form: Form,
    page: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    match form {
        Form::Table => page::write(tables, limit, page, out),
        Form::Json => {
            let traces: Vec<Document<'_>> = tables.iter().map(|table| Document::of(table, limit)).collect();
            serde_json::to_writer_pretty(&mut *out, &traces)?;
            writeln!(out)
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    trace: &'a str,
    recorded: Recorded,
    /// `None` where the log does not say which collections the program asked for.
    explicit: Option<u64>,
    settings: Vec<Row<'a>>,
    /// Place of the setting with the least work whose garbage stays under the limit.
    cheapest: Option<usize>,
}

#[derive(Serialize)]
struct Row<'a> {
    setting: &'a str,
    thresholds: [u64; 3],
    frozen: Option<bool>,
    collections: [u64; 3],
    looked: [u64; 3],
    /// Nanoseconds, as the recorded pauses let one expect.
    estimated_pause_ns: Option<u64>,
    garbage_peak: Span,
    garbage_left: Span,
    byte_seconds: f64,
}

impl Document<'_> {
    fn of((trace, modelled): &(String, Modelled), limit: Option<u64>) -> Document<'_> {
        Document {
            trace,
            recorded: modelled.recorded,
            explicit: modelled.recorded.explicit,
            settings: modelled.outcomes.iter().map(|outcome| Row::of(outcome, &modelled.recorded)).collect(),
            cheapest: limit.and_then(|limit| modelled.cheapest(limit)),
        }
    }
}

impl Row<'_> {
    fn of<'a>(outcome: &'a Outcome, recorded: &Recorded) -> Row<'a> {
        Row {
            setting: &outcome.setting,
            thresholds: outcome.thresholds,
            frozen: outcome.frozen,
            collections: outcome.collections.runs,
            looked: outcome.collections.looked,
            estimated_pause_ns: recorded.pauses_of(&outcome.collections),
            garbage_peak: outcome.peak,
            garbage_left: outcome.left,
            byte_seconds: (outcome.byte_ns as f64 / 1e6).round() / 1e3,
        }
    }
}
