//! Writes who made the garbage and who made what lives as collapsed stacks: a line for each, for tools that draw flame graphs.

use std::io::{self, Write};

use super::{FrameRow, MadeRow, RenderOptions, Report, ReportFormat, View};
use crate::run::Extras;

pub struct Collapsed;

impl ReportFormat for Collapsed {
    fn name(&self) -> &'static str {
        "collapsed"
    }

    fn about(&self) -> &'static str {
        "who made the garbage and who made what lives, by stack, for flame graphs"
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
        for (name, rows) in [("garbage", Some(&report.made.garbage)), ("alive", report.made.alive.as_ref())] {
            rows.into_iter().flatten().try_for_each(|row| line(name, row, report.made.in_bytes, out))?;
        }
        Ok(())
    }
}

/// `alive;app.py:80 main;app.py:42 make_order 96`.
fn line(name: &str, row: &MadeRow, in_bytes: bool, out: &mut dyn Write) -> io::Result<()> {
    let stack = if row.site.is_empty() { FrameRow::instead(row).to_owned() } else { stack(&row.site) };
    writeln!(out, "{name};{stack} {}", if in_bytes { row.bytes } else { row.objects })
}

/// `app.py:80 main;app.py:42 make_order`, the outermost frame first.
pub fn stack(site: &[FrameRow]) -> String {
    let frames: Vec<String> = site.iter().rev().map(|frame| frame.short_place().replace(';', ",")).collect();
    frames.join(";")
}
