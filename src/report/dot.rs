//! Writes the loops as a graph in Graphviz's language: one cluster a loop, one node a member, one edge a reference.

use std::io::{self, Write};

use super::{RenderOptions, Report, ReportFormat, View};
use crate::human::{count, size};

pub struct Dot;

impl ReportFormat for Dot {
    fn name(&self) -> &'static str {
        "dot"
    }

    fn about(&self) -> &'static str {
        "the loops as a graph, for Graphviz"
    }

    fn shows(&self, view: View) -> bool {
        view.has(View::Loops)
    }

    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "digraph loops {{\n    node [shape=box];")?;
        for (number, row) in report.loops.rows.iter().enumerate() {
            let label = format!("{} × {}, {}", row.fingerprint, count(row.count), size(row.peak_at_least.bytes));
            writeln!(out, "    subgraph cluster_{number} {{\n        label={};", quoted(&label))?;
            for (i, step) in row.steps.iter().enumerate() {
                writeln!(
                    out,
                    "        n{number}_{i} [label={}, tooltip={}];",
                    quoted(&step.label),
                    quoted(&step.type_name)
                )?;
            }
            for (i, step) in row.steps.iter().enumerate() {
                let next = (i + 1) % row.steps.len();
                writeln!(out, "        n{number}_{i} -> n{number}_{next} [label={}];", quoted(step.slot.trim()))?;
            }
            writeln!(out, "    }}")?;
        }
        if report.loops.omitted > 0 {
            writeln!(out, "    // and {} more", count(report.loops.omitted))?;
        }
        writeln!(out, "}}")
    }
}

/// A double-quoted string, in which Graphviz knows the escapes of `"` and of `\`.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
