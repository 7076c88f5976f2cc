//! Writes what other settings of the collector would do: for people, and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::terminal::collector as page;
use super::{RenderOptions, html};
use crate::human::bytes;
use crate::whatif::collector::{Modelled, Moment, Outcome, Recorded, Span};

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Answer(super::Form),
    Html,
}

impl Form {
    /// What `--format` calls each of them.
    pub const NAMES: [&str; 3] = ["table", "json", "html"];

    /// The form of this name.
    pub fn named(name: &str) -> Option<Form> {
        match name {
            "html" => Some(Form::Html),
            name => super::Form::named(name).map(Form::Answer),
        }
    }
}

/// Writes, for each trace, its name and what was modelled. `limit`: bytes of garbage that may lie there at once.
pub fn write(
    tables: &[(String, Modelled)],
    limit: Option<u64>,
    form: Form,
    page: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let documents = || tables.iter().map(|table| Document::of(table, limit)).collect::<Vec<_>>();
    match form {
        Form::Answer(super::Form::Table) => page::write(tables, limit, page, out),
        Form::Answer(super::Form::Json) => {
            serde_json::to_writer_pretty(&mut *out, &documents())?;
            writeln!(out)
        }
        Form::Html => {
            let notes: Vec<Vec<String>> = tables.iter().map(|(_, modelled)| notes(modelled, limit)).collect();
            html::collector::write(&documents(), &notes, out)
        }
    }
}

/// What has to be said of a table.
pub(super) fn notes(modelled: &Modelled, limit: Option<u64>) -> Vec<String> {
    let mut notes = Vec::new();
    if modelled.recorded.explicit.is_none() {
        notes.push(
            "which collections the program asked for is not in the trace: all are taken to have begun by themselves"
                .to_string(),
        );
    }
    for outcome in modelled.outcomes.iter().filter(|outcome| outcome.frozen == Some(false)) {
        notes.push(format!("{}: no phase of this name began", outcome.setting));
    }
    if let Some(limit) = limit {
        notes.push(match modelled.cheapest(limit) {
            Some(place) => format!(
                "{} looks at the fewest objects of those under which at most {} of garbage lies there",
                modelled.outcomes[place].setting,
                bytes(limit)
            ),
            None => format!("under none of them at most {} of garbage lies there for sure", bytes(limit)),
        });
    }
    notes
}

#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) trace: &'a str,
    pub(super) recorded: Recorded,
    /// `None` where the log does not say which collections the program asked for.
    explicit: Option<u64>,
    pub(super) settings: Vec<Row<'a>>,
    /// Place of the setting with the least work whose garbage stays under the limit.
    cheapest: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Row<'a> {
    pub(super) setting: &'a str,
    thresholds: [u64; 3],
    frozen: Option<bool>,
    pub(super) collections: [u64; 3],
    pub(super) looked: [u64; 3],
    /// Nanoseconds, as the recorded pauses let one expect.
    pub(super) estimated_pause_ns: Option<u64>,
    pub(super) garbage_peak: Span,
    pub(super) garbage_left: Span,
    byte_seconds: f64,
    /// Before and after each collection, and at the end; of many those with the most and the least garbage.
    pub(super) garbage_over_time: &'a [Moment],
    pub(super) moments: usize,
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
            garbage_over_time: &outcome.over_time,
            moments: outcome.moments,
        }
    }
}
