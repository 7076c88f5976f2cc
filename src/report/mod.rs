//! Findings become bytes: one report, and one file for each format it is written in.
//!
//! A format computes nothing: a number that two formats need is a field of [`Report`].

pub mod build;
pub mod csv;
pub mod diff;
pub mod dot;
pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model;
mod place;
pub mod rows;
pub mod sarif;
pub mod terminal;
pub mod why;
mod wording;

use std::io::{self, Write};

pub use build::{Material, SortKey};
pub use model::*;
pub use place::short;

/// Every format, the one for people first.
pub const FORMATS: &[&dyn ReportFormat] = &[
    &terminal::Table,
    &json::Json,
    &markdown::Markdown,
    &csv::Csv,
    &sarif::Sarif,
    &junit::Junit,
    &github::Github,
    &dot::Dot,
];

/// A way to write a report down.
pub trait ReportFormat: Sync {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;
    /// One line, without a final dot.
    fn about(&self) -> &'static str;
    /// Writes the whole report. The same report and page give the same bytes.
    fn write(&self, report: &Report, page: &Page, out: &mut dyn Write) -> io::Result<()>;
}

/// What is asked for, and the space there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub view: View,
    /// Columns of the terminal.
    pub width: usize,
    pub color: bool,
}

/// Which part of the report is asked for. Formats for machines write all of it whatever is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Summary, loops, and the top of the other tables.
    #[default]
    Analyze,
    /// What fails the build, short.
    Check,
    Loops,
    Types,
    Slots,
}

/// The format of this name.
pub fn format_named(name: &str) -> Option<&'static dyn ReportFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

impl Default for Page {
    fn default() -> Page {
        Page { view: View::Analyze, width: 80, color: false }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
