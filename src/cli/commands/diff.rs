//! Runs `diff`: compares two runs.

use std::path::PathBuf;

use refloop::findings::{self, Ownership};
use refloop::report::diff::Diff;
use refloop::report::{RenderOptions, Report, ReportOptions, View};
use refloop::run::Options;

use super::report;
use crate::args;
use crate::replay::{Replayed, replay};
use crate::status::{Failure, Outcome};
use crate::{output, settings};

pub(crate) fn diff(command: &args::Diff) -> Result<Outcome, Failure> {
    let ownership = report::ownership(&settings::load(&command.project)?)?;
    let (old, old_error) = report_of(&command.old, &ownership, command)?;
    let (new, new_error) = report_of(&command.new, &ownership, command)?;
    let diff = Diff::between(&old, &new);
    let to_file = command.output.is_some();
    let width = output::width(to_file);
    let page = RenderOptions { view: View::Analyze, width, color: output::color(&command.messages, to_file) };
    let top = if command.top == 0 { usize::MAX } else { command.top };
    output::write(command.output.as_deref(), |out| diff.write(command.format, &page, top, out))?;
    match old_error.or(new_error) {
        Some(error) => Err(error),
        None if command.fail_on_new && diff.has_new_loops() => Ok(Outcome::Findings),
        None => Ok(Outcome::Nothing),
    }
}

fn report_of(
    path: &PathBuf,
    ownership: &Ownership,
    command: &args::Diff,
) -> Result<(Report, Option<Failure>), Failure> {
    let Replayed { run, error } = replay(std::slice::from_ref(path), &Options::default(), &command.messages)?;
    let findings = findings::find(&run, ownership);
    let report = Report::new(&run, &findings, None, ownership, &ReportOptions::default());
    Ok((report, error.map(Failure::from)))
}
