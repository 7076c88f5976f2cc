//! Runs `diff`: compares two runs.

use std::path::PathBuf;

use refloop::findings::{self, Ownership};
use refloop::report::diff::Diff;
use refloop::report::{Report, ReportOptions, View};
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
    let top = if command.top == 0 { usize::MAX } else { command.top };
    let args::Answer { format, output } = &command.answer;
    output::write_page(output.as_deref(), View::Analyze, &command.messages, |page, out| {
        diff.write(*format, page, top, out)
    })?;
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
