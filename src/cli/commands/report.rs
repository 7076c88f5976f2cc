//! Runs `analyze`, `loops`, `types` and `slots`: writes the report, whole or one table of it.

use std::path::{Path, PathBuf};

use refloop::findings::{self, Ownership};
use refloop::overhead::SlotsOptions;
use refloop::report::{self, Audience, Report, ReportFormat, ReportOptions, SortKey, View};
use refloop::run::Options;

use crate::args;
use crate::replay::{Replayed, replay, try_cuts};
use crate::settings::Settings;
use crate::status::{Failure, Outcome};
use crate::{output, settings};

/// Rows of each table on a page for people.
const TOP: usize = 20;

/// Bytes that slots must save for a class to be in a page of everything.
const MIN_SAVING: u64 = 1_000;

pub(crate) fn analyze(command: &args::Report) -> Result<Outcome, Failure> {
    // Pages for people leave out what is not worth a line.
    let min_saving = if format(&command.page)?.audience().wants_the_most_important() { MIN_SAVING } else { 0 };
    show(command, View::Analyze, &SlotsOptions { min_saving, ..SlotsOptions::default() }, false)
}

pub(crate) fn loops(command: &args::Report) -> Result<Outcome, Failure> {
    show(command, View::Loops, &SlotsOptions::default(), false)
}

pub(crate) fn types(command: &args::Types) -> Result<Outcome, Failure> {
    show(&command.report, View::Types, &SlotsOptions::default(), command.by == Some(args::By::Module))
}

pub(crate) fn slots(command: &args::Slots) -> Result<Outcome, Failure> {
    let options = SlotsOptions { python: command.python.clone(), min_saving: command.min_saving.unwrap_or(0) };
    show(&command.report, View::Slots, &options, false)
}

fn show(command: &args::Report, view: View, slots: &SlotsOptions, by_module: bool) -> Result<Outcome, Failure> {
    let format = format(&command.page)?;
    require(format, view)?;
    let settings = settings::load(&command.project)?;
    let ownership = ownership(&settings)?;
    let options = Options { slots: slots.clone(), extras: format.extras() };
    let replayed = replay(&command.traces.traces, &options, &command.page.messages)?;
    let mut findings = findings::find(&replayed.run, &ownership);
    if view.has(View::Loops) && format.tells_of_loops() {
        try_cuts(&replayed, &mut findings, |_| true, &ownership, &command.page.messages);
    }
    let Replayed { run, error } = replayed;
    let root = root();
    let options = ReportOptions { by_module, ..shown(&command.page, format, view, root.as_deref()) };
    let report = Report::new(&run, &findings, None, &ownership, &options);
    write(&report, view, &command.page)?;
    error.map_or(Ok(Outcome::Nothing), |error| Err(error.into()))
}

pub(crate) fn format(page: &args::Page) -> Result<&'static dyn ReportFormat, Failure> {
    let unknown = || Failure::usage(format!("unknown format '{}'", page.format));
    report::format_named(&page.format).ok_or_else(unknown)
}

/// A table that the format cannot show is a mistake on the command line, found before a long replay.
fn require(format: &dyn ReportFormat, view: View) -> Result<(), Failure> {
    match format.shows(view) {
        true => Ok(()),
        false => Err(Failure::usage(format!(
            "the format '{}' has no such table: it writes {}",
            format.name(),
            format.about()
        ))),
    }
}

pub(crate) fn ownership(settings: &Settings) -> Result<Ownership, Failure> {
    Ownership::new(&settings.config.own).map_err(Failure::usage)
}

/// Files are named relative to the current directory.
pub(crate) fn root() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

/// What of a report the page shows that was asked for.
pub(crate) fn shown<'a>(
    page: &args::Page,
    format: &dyn ReportFormat,
    view: View,
    root: Option<&'a Path>,
) -> ReportOptions<'a> {
    let sort = match page.sort {
        args::Sort::Bytes => SortKey::Bytes,
        args::Sort::Count => SortKey::Count,
        args::Sort::Objects => SortKey::Objects,
        args::Sort::Name => SortKey::Name,
        args::Sort::Time => SortKey::Time,
    };
    let is_short = view == View::Analyze && format.audience().wants_the_most_important();
    let top = page.top.unwrap_or(if is_short { TOP } else { 0 });
    ReportOptions { root, sort, top: Some(top).filter(|&top| top > 0 && view != View::Check), by_module: false }
}

/// Writes a report in the form that was asked for.
pub(crate) fn write(report: &Report, view: View, page: &args::Page) -> Result<(), Failure> {
    let format = format(page)?;
    let mut of_page = output::layout(page.output.as_deref(), view, &page.messages);
    let root = root();
    of_page.full_stacks = page.full_stacks;
    of_page.links = root.as_deref().filter(|_| output::has_links(&of_page));
    // A passing gate has nothing to say when nothing is to be said.
    let is_quiet = page.messages.quiet && format.audience() == Audience::Terminal;
    let passes = report.gate.as_ref().is_some_and(|gate| !gate.failed);
    if !(is_quiet && passes) {
        output::write(page.output.as_deref(), |out| format.write(report, &of_page, out))?;
    }
    format.write_aside(report, &of_page).map_err(Failure::input)
}
