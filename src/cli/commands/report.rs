//! `analyze`, `loops`, `types` and `slots`: the report, whole or one table of it.

use std::io::{self, Write};
use std::path::Path;

use refloop::findings::gate::Verdict;
use refloop::findings::{self, Finding, Ownership};
use refloop::overhead::SlotsOptions;
use refloop::report::{self, Material, Report, SortKey, View};

use crate::args;
use crate::run::Run;
use crate::settings::Settings;
use crate::status::{Failure, Outcome};
use crate::{output, run, settings};

/// Rows of each table on a page for people.
const TOP: usize = 20;

/// Bytes that slots must save for a class to be in a page of everything.
const MIN_SAVING: u64 = 1_000;

pub fn analyze(command: &args::Report) -> Result<Outcome, Failure> {
    // Pages for people leave out what is not worth a line.
    let min_saving = if for_people(&command.page) { MIN_SAVING } else { 0 };
    show(command, View::Analyze, &SlotsOptions { min_saving, ..SlotsOptions::default() }, false)
}

pub fn loops(command: &args::Report) -> Result<Outcome, Failure> {
    show(command, View::Loops, &SlotsOptions::default(), false)
}

pub fn types(command: &args::Types) -> Result<Outcome, Failure> {
    show(&command.report, View::Types, &SlotsOptions::default(), command.by == Some(args::By::Module))
}

pub fn slots(command: &args::Slots) -> Result<Outcome, Failure> {
    let options = SlotsOptions { python: command.python.clone(), min_saving: command.min_saving.unwrap_or(0) };
    show(&command.report, View::Slots, &options, false)
}

fn show(command: &args::Report, view: View, options: &SlotsOptions, by_module: bool) -> Result<Outcome, Failure> {
    let settings = settings::load(&command.project)?;
    let ownership = ownership(&settings)?;
    let mut run = run::replay(&command.traces.traces, options, &command.page.messages)?;
    run.by_module = by_module;
    let findings = findings::find(&run.facts, &ownership);
    write(run, ownership, &findings, None, view, &command.page)?;
    Ok(Outcome::Nothing)
}

fn for_people(page: &args::Page) -> bool {
    ["table", "markdown"].contains(&page.format.as_str())
}

pub fn ownership(settings: &Settings) -> Result<Ownership, Failure> {
    Ownership::new(&settings.config.own).map_err(Failure::usage)
}

/// Writes the report of a run; then fails if a trace could not be read to its end.
pub fn write(
    run: Run,
    ownership: Ownership,
    findings: &[Finding],
    verdict: Option<&Verdict>,
    view: View,
    page: &args::Page,
) -> Result<(), Failure> {
    let here = std::env::current_dir().ok();
    let (mut report, error) = of_run(run, ownership, findings, verdict, here.as_deref());
    report.sort(match page.sort {
        args::Sort::Bytes => SortKey::Bytes,
        args::Sort::Count => SortKey::Count,
        args::Sort::Objects => SortKey::Objects,
        args::Sort::Name => SortKey::Name,
        args::Sort::Time => SortKey::Time,
    });
    let top = page.top.unwrap_or(if view == View::Analyze && for_people(page) { TOP } else { 0 });
    if top > 0 && view != View::Check {
        report.limit(top);
    }
    let to_file = page.output.is_some();
    let of_page = report::Page { view, width: output::width(to_file), color: output::color(&page.messages, to_file) };
    let Some(format) = report::format_named(&page.format) else {
        return Err(Failure::usage(format!("unknown format '{}'", page.format)));
    };
    // A passing gate has nothing to say when nothing is to be said.
    let silent = page.messages.quiet && page.format == "table" && verdict.is_some_and(|verdict| !verdict.failed);
    if !silent {
        output::write(page.output.as_deref(), |out| format.write(&report, &of_page, out))?;
    }
    if page.format == "github" {
        step_summary(&report, &of_page).map_err(|error| Failure::input(format!("$GITHUB_STEP_SUMMARY: {error}")))?;
    }
    error.map_or(Ok(()), Err)
}

/// The report of a run, and why it is not complete.
pub fn of_run(
    run: Run,
    ownership: Ownership,
    findings: &[Finding],
    verdict: Option<&Verdict>,
    root: Option<&Path>,
) -> (Report, Option<Failure>) {
    let report = Report::new(Material {
        live_unknown: run.untyped.len() == run.inputs.len(),
        inputs: run.inputs,
        live_objects: run.live_objects,
        live_bytes: run.live_bytes,
        profiled_bytes: run.profiled_bytes,
        types: run.types,
        types_notes: run.types_notes,
        slots: run.slots,
        slots_notes: run.slots_notes,
        slots_not_understood: run.slots_not_understood,
        by_module: run.by_module,
        facts: run.facts,
        findings,
        verdict,
        ownership,
        root,
    });
    (report, run.error.map(Failure::from))
}

/// The page that GitHub Actions shows for the job.
fn step_summary(report: &Report, page: &report::Page) -> io::Result<()> {
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else { return Ok(()) };
    let Some(markdown) = report::format_named("markdown") else { return Ok(()) };
    let mut text = Vec::new();
    markdown.write(report, page, &mut text)?;
    std::fs::OpenOptions::new().append(true).create(true).open(file)?.write_all(&text)
}
