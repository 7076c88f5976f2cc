//! Writes what a change would do: for people, and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::terminal::whatif as page;
use super::{Form, RenderOptions, SeenAt};
use crate::whatif::{Early, Outcome, Proof, Verdict};

/// Writes an outcome.
pub fn write(outcome: &Outcome, form: Form, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Table => page::write(outcome, page, out),
        Form::Json => {
            serde_json::to_writer_pretty(&mut *out, &Document::of(outcome))?;
            writeln!(out)
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    references: &'a [String],
    verdict: Verdict,
    proof: Proof,
    snapshots: u64,
    whole_snapshots: u64,
    loops: u64,
    freed_loops: u64,
    objects: u64,
    /// `None` where the traces have no sizes.
    bytes: Option<u64>,
    first: Option<SeenAt>,
    last: Option<SeenAt>,
    byte_seconds: Option<f64>,
    living: u64,
    living_at: u64,
    early_objects: u64,
    early: &'a [Early],
}

impl Document<'_> {
    fn of(outcome: &Outcome) -> Document<'_> {
        Document {
            references: &outcome.references,
            verdict: outcome.verdict(),
            proof: outcome.proof,
            snapshots: outcome.snapshots,
            whole_snapshots: outcome.whole_snapshots,
            loops: outcome.loops,
            freed_loops: outcome.freed_loops,
            objects: outcome.objects,
            bytes: (outcome.objects == 0 || outcome.bytes > 0).then_some(outcome.bytes),
            first: outcome.first,
            last: outcome.last,
            byte_seconds: outcome.byte_ns.map(|byte_ns| (byte_ns as f64 / 1e6).round() / 1e3),
            living: outcome.living,
            living_at: outcome.living_at,
            early_objects: outcome.early_objects,
            early: &outcome.early,
        }
    }
}
