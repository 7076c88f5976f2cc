//! Writes the report, in one file for each format.
//!
//! A format computes nothing: a number that two formats need is a field of [`Report`].

pub mod build;
pub mod collapsed;
pub mod collector;
pub mod csv;
pub mod diff;
pub mod dot;
pub mod github;
mod growth;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model;
mod notes;
pub mod openmetrics;
mod place;
pub mod rows;
pub mod sarif;
mod section;
pub mod speedscope;
pub mod terminal;
pub mod top;
mod unreleased;
pub mod whatif;
pub mod why;
mod wording;

use std::io::{self, Write};
use std::path::Path;

pub use crate::cycles::{PathStep, SeenAt};
pub use crate::overhead::Split;
use crate::run::Extras;
pub use crate::run::{Extent, Input, InputEnding};
pub use build::{ReportOptions, SortKey};
pub use growth::{GrowingContainerRow, GrowingTypeRow, GrowthRows};
pub use model::*;
pub use place::short;
pub use section::Section;
pub use unreleased::*;

/// Every format, the one for people first.
pub const FORMATS: &[&dyn ReportFormat] = &[
    &terminal::Table,
    &json::Json,
    &markdown::Markdown,
    &html::Html,
    &csv::Csv,
    &sarif::Sarif,
    &junit::Junit,
    &github::Github,
    &dot::Dot,
    &openmetrics::OpenMetrics,
    &collapsed::Collapsed,
    &speedscope::Speedscope,
];

/// A way to write a report down.
pub trait ReportFormat: Sync {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;
    /// One line, without a final dot.
    fn about(&self) -> &'static str;
    /// Who reads it.
    fn audience(&self) -> Audience {
        Audience::Programs
    }
    /// What it shows beyond what every report has.
    fn extras(&self) -> Extras {
        Extras::default()
    }
    /// Whether it says anything of the loops themselves.
    fn tells_of_loops(&self) -> bool {
        true
    }
    /// Whether it can show this part of the report. `Analyze` and `Check` are the whole of it.
    fn shows(&self, view: View) -> bool;
    /// Writes the part of the report that the page asks for. The same report and page give the same bytes.
    fn write(&self, report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()>;
    /// Writes what goes elsewhere than to the output, such as the summary of a CI job.
    fn write_aside(&self, _: &Report, _: &RenderOptions) -> io::Result<()> {
        Ok(())
    }
}

/// Who reads what a format writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Somebody at a terminal: what is not worth a line is left out, and where nothing is to be said nothing is written.
    Terminal,
    /// Somebody who reads a page: what is not worth a line is left out.
    Readers,
    /// Somebody at a page that can be searched: nothing is left out.
    Browsers,
    Programs,
}

impl Audience {
    /// Whether what is not worth a line is left out, and of a long table all but the first rows.
    pub fn wants_the_most_important(self) -> bool {
        matches!(self, Audience::Terminal | Audience::Readers)
    }
}

/// What is asked for, and the space there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions<'a> {
    pub view: View,
    /// Columns of the terminal.
    pub width: usize,
    pub color: bool,
    /// What does not count is listed, and not only counted.
    pub verbose: bool,
    /// Stacks are written frame by frame.
    pub full_stacks: bool,
    /// Where relative paths begin, if places are links to their files.
    pub links: Option<&'a Path>,
}

/// Which part of the report is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Summary, loops, and the top of the other tables.
    #[default]
    Analyze,
    /// What fails the build, short.
    Check,
    /// The table of loops alone.
    Loops,
    Types,
    Slots,
}

impl View {
    /// The report as a whole, rather than one of its tables.
    pub fn is_whole(self) -> bool {
        matches!(self, View::Analyze | View::Check)
    }

    /// Whether a page of this view has the table of `other`.
    pub fn has(self, other: View) -> bool {
        self.is_whole() || self == other
    }
}

/// The form of an answer that is no report, as of `why` and `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Json,
}

impl Form {
    /// What `--format` calls each of them, the one for people first.
    pub const NAMES: [&str; 2] = ["table", "json"];

    /// The form of this name.
    pub fn named(name: &str) -> Option<Form> {
        let forms = Form::NAMES.into_iter().zip([Form::Table, Form::Json]);
        { forms }.find(|(other, _)| *other == name).map(|(_, form)| form)
    }
}

/// The format of this name.
pub fn format_named(name: &str) -> Option<&'static dyn ReportFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

impl Default for RenderOptions<'_> {
    fn default() -> Self {
        let (verbose, full_stacks, links) = (false, false, None);
        RenderOptions { view: View::Analyze, width: 80, color: false, verbose, full_stacks, links }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
