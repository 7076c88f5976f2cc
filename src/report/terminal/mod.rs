//! Writes the page for a terminal: a summary, the loops, and tables that fit the width.

pub mod check;
mod collections;
pub mod collector;
pub mod diff;
pub mod grid;
mod growth;
pub mod loops;
pub mod one_loop;
pub mod problems;
pub mod slots;
pub mod summary;
pub mod top;
pub mod types;
pub mod whatif;
pub mod why;
pub mod wrap;

use std::io::{self, Write};

use super::{Audience, RenderOptions, Report, ReportFormat, View};
use crate::findings::Owner;
use crate::human::count;
use wrap::{Style, styled, wrap_words};

pub struct Table;

impl ReportFormat for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn about(&self) -> &'static str {
        "for people, on a terminal"
    }

    fn audience(&self) -> Audience {
        Audience::Terminal
    }

    fn shows(&self, _: View) -> bool {
        true
    }

    fn write(&self, report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        match page.view {
            View::Check => check::write(report, page, out),
            View::Loops => loops::loops(report, page, |_| true, out),
            View::Types => types::types(report, page, out),
            View::Slots => slots::write(report, page, out),
            View::Analyze => {
                summary::summary(report, page, out)?;
                loops::loops(report, page, Owner::may_be_application, out)?;
                growth::growth(report, page, out)?;
                growth::suspected_lost(report, page, out)?;
                growth::unheld(report, page, out)?;
                loops::foreign(report, page, |owner| !owner.may_be_application(), out)?;
                collections::collections(report, page, out)?;
                types::types(report, page, out)?;
                slots::write(report, page, out)?;
                problems::waste(report, page, out)?;
                problems::lost(report, page, out)?;
                problems::unreachable(report, page, out)?;
                problems::anomalies(report, page, out)
            }
        }
    }
}

/// The title of a section, after an empty line.
pub(super) fn title(text: &str, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", styled(text, Style::Bold, page.color))
}

/// `… and 12 more loops (--top 0 shows all)`; nothing where nothing was left out.
pub(super) fn omitted(n: u64, one: &str, many: &str, out: &mut dyn Write) -> io::Result<()> {
    match n {
        0 => Ok(()),
        n => writeln!(out, "… and {} more {} (--top 0 shows all)", count(n), if n == 1 { one } else { many }),
    }
}

/// Sentences, each on lines of its own.
pub(super) fn notes(notes: &[String], page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    notes.iter().try_for_each(|note| writeln!(out, "{}", wrap_words(note, 0, page.width)))
}
