//! Writes who made the garbage and who made what lives as two profiles for speedscope.
//!
//! The schema is `https://www.speedscope.app/file-format-schema.json`: frames by number, samples of them with the outermost
//! first, a weight for each.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{FrameRow, MadeRow, RenderOptions, Report, ReportFormat, View};
use crate::run::Extras;

pub struct Speedscope;

impl ReportFormat for Speedscope {
    fn name(&self) -> &'static str {
        "speedscope"
    }

    fn about(&self) -> &'static str {
        "the same as two profiles, for speedscope.app"
    }

    fn extras(&self) -> Extras {
        Extras { makers: true, ..Extras::default() }
    }

    fn tells_of_loops(&self) -> bool {
        false
    }

    fn shows(&self, view: View) -> bool {
        view.is_whole()
    }

    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let mut frames = Frames::default();
        let made = &report.made;
        let kinds = [("garbage", Some(&made.garbage)), ("alive at the end", made.alive.as_ref())];
        let known = kinds.into_iter().filter_map(|(name, rows)| Some((name, rows?)));
        let profiles: Vec<Value> = known.map(|(name, rows)| profile(name, rows, made.in_bytes, &mut frames)).collect();
        let document = json!({
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "exporter": concat!("refloop ", env!("CARGO_PKG_VERSION")),
            "name": report.inputs.first().map_or("refloop", |input| &input.path),
            "activeProfileIndex": 0,
            "shared": {"frames": frames.all},
            "profiles": profiles,
        });
        serde_json::to_writer(&mut *out, &document)?;
        writeln!(out)
    }
}

/// A sample for each stack, as heavy as what it made.
fn profile(name: &str, rows: &[MadeRow], in_bytes: bool, frames: &mut Frames) -> Value {
    let weights: Vec<u64> = rows.iter().map(|row| if in_bytes { row.bytes } else { row.objects }).collect();
    let samples: Vec<Vec<usize>> = rows.iter().map(|row| frames.sample(row)).collect();
    json!({
        "type": "sampled",
        "name": if in_bytes { name.to_string() } else { format!("{name}, in objects") },
        "unit": if in_bytes { "bytes" } else { "none" },
        "startValue": 0,
        "endValue": weights.iter().fold(0u64, |sum, weight| sum.saturating_add(*weight)),
        "samples": samples,
        "weights": weights,
    })
}

/// The frames that stacks share.
#[derive(Default)]
struct Frames {
    all: Vec<Value>,
    numbers: HashMap<String, usize>,
}

impl Frames {
    /// The numbers of a stack's frames, the outermost first.
    fn sample(&mut self, row: &MadeRow) -> Vec<usize> {
        if row.site.is_empty() {
            let name = FrameRow::instead(row);
            return vec![self.number(name.to_string(), || json!({"name": name}))];
        }
        let described = |frame: &FrameRow| json!({"name": frame.short_place(), "file": frame.path, "line": frame.line});
        row.site.iter().rev().map(|frame| self.number(frame.short_place(), || described(frame))).collect()
    }

    fn number(&mut self, place: String, frame: impl FnOnce() -> Value) -> usize {
        *self.numbers.entry(place).or_insert_with(|| {
            self.all.push(frame());
            self.all.len() - 1
        })
    }
}
