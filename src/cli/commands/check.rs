//! Runs `check`, the gate: judges the findings, writes those that count, and chooses the exit code.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use refloop::findings::baseline::Baseline;
use refloop::findings::gate::{Gate, Standing, Verdict};
use refloop::findings::suppress::Shown;
use refloop::findings::{self, Finding};
use refloop::heap::BlindSpots;
use refloop::report::{Report, View};
use refloop::run::{Input, Options};

use super::report;
use crate::args;
use crate::output;
use crate::replay::{Replayed, replay, try_cuts};
use crate::settings::{self, Settings};
use crate::status::{Failure, Outcome};

/// The baseline when no file is named: where `--write-baseline` writes, and what is read if it is there.
const BASELINE: &str = "refloop-baseline.txt";

pub(crate) fn check(command: &args::Check) -> Result<Outcome, Failure> {
    let settings = settings::with_check(settings::load(&command.project)?, command);
    let ownership = report::ownership(&settings)?;
    let file = baseline_file(command, &settings);
    let baseline = match &file {
        Some(file) if !command.write_baseline => Some(read(file)?),
        _ => None,
    };
    let gate = Gate::new(&settings.config, baseline.clone()).map_err(Failure::usage)?.with_shown(shown(&settings));
    let format = report::format(&command.page)?;
    let options = Options { extras: format.extras(), ..Options::default() };
    let replayed = replay(&command.traces.traces, &options, &command.page.messages)?;
    let mut findings = findings::find(&replayed.run, &ownership);
    let mut verdict = gate.judge(&findings, Utc::now().date_naive());
    if !command.write_baseline && verdict.failed {
        // Whose a loop is depends on the reference to cut.
        let fails = |place: usize| verdict.standings[place] == Standing::Fails;
        try_cuts(&replayed, &mut findings, fails, &ownership, &command.page.messages);
        verdict = gate.judge(&findings, Utc::now().date_naive());
    }
    let Replayed { run, error } = replayed;
    // What broke off may hold more than it shows.
    verdict.failed |= settings.config.strict && run.inputs.iter().any(Input::broke_off);
    if command.write_baseline {
        if let Some(error) = error {
            return Err(error.into());
        }
        return write_baseline(&file.unwrap_or(PathBuf::from(BASELINE)), &findings, &verdict, command);
    }
    let unchecked = !command.running && Input::none_is_checked(&run.inputs);
    let not_seen = not_seen(&run.inputs);
    let stopped = run.inputs.iter().find_map(|input| input.blind_spots.stopped.clone());
    let (failed, expired) = (verdict.failed, verdict.expired.first().cloned());
    if let (true, Some(file), Some(baseline), None) = (command.prune, &file, &baseline, &error) {
        prune(file, baseline, &findings, command)?;
    }
    let root = report::root();
    let options = report::shown(&command.page, format, View::Check, root.as_deref());
    let page = Report::new(&run, &findings, Some(&verdict), &ownership, &options);
    match report::write(&page, View::Check, &command.page) {
        Err(Failure::Input(error)) if crate::status::is_closed_pipe(&error) => {}
        other => other?,
    }
    if let Some(error) = error {
        return Err(error.into());
    }
    match (expired, failed) {
        (Some(expired), _) => Err(Failure::usage(format!("{expired}: renew it, or take it out"))),
        (None, true) => Ok(Outcome::Findings),
        (None, false) if unchecked && run.inputs.iter().all(|input| !input.references.show_garbage()) => {
            Err(Failure::input("no file has what shows garbage: references with counts, or a whole collection"))
        }
        (None, false) if unchecked => Err(Failure::input(match stopped {
            Some(reason) => format!("no trace has a full checkpoint: the recording stopped: {reason}"),
            None => "no trace has a full checkpoint: was the program killed, or did it call os.exec…, before its end?"
                .to_string(),
        })),
        (None, false) => not_seen.map_or(Ok(Outcome::Nothing), |reason| Err(Failure::input(reason))),
    }
}

/// Why loops may have come and gone unseen.
fn not_seen(inputs: &[Input]) -> Option<&'static str> {
    let of_any = |lacks: fn(&BlindSpots) -> bool| inputs.iter().any(|input| lacks(&input.blind_spots));
    if of_any(|spots| spots.missed_collections > 0) {
        Some("collections were not seen: does the program, or a test, clear gc.callbacks?")
    } else if of_any(|spots| spots.births_unseen.is_some()) {
        Some("births were not seen: does the program call tracemalloc.stop(), or change CPython's allocators?")
    } else if of_any(|spots| spots.other_interpreters > 0) {
        Some("not every interpreter was looked at: loops in a sub-interpreter are not found")
    } else {
        None
    }
}

/// Files are shown relative to the current directory. One configuration is used from several, so its own counts too.
fn shown(settings: &Settings) -> Shown {
    let here = std::env::current_dir().ok();
    let roots = here.iter().flat_map(|here| [here.clone(), here.join(&settings.directory)]).collect();
    Shown { roots, short: Some(refloop::report::short) }
}

/// What the command line names, or the configuration, relative to where that is.
fn baseline_file(command: &args::Check, settings: &Settings) -> Option<PathBuf> {
    let configured = settings.config.baseline.as_ref().map(|file| settings.directory.join(file));
    let usual = || (command.prune || Path::new(BASELINE).is_file()).then(|| PathBuf::from(BASELINE));
    command.baseline.clone().or(configured).or_else(usual)
}

fn read(file: &Path) -> Result<Baseline, Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure::input(format!("{}: {error}", file.display())))?;
    Baseline::parse(&text).map_err(|error| Failure::input(format!("{}: {error}", file.display())))
}

fn write_baseline(
    file: &Path,
    findings: &[Finding],
    verdict: &Verdict,
    command: &args::Check,
) -> Result<Outcome, Failure> {
    let counted = findings.iter().zip(&verdict.standings);
    let counted = counted.filter(|(_, standing)| matches!(standing, Standing::Fails | Standing::Allowed));
    let baseline = Baseline::of(counted.map(|(finding, _)| finding));
    save(file, &baseline)?;
    if !command.page.messages.quiet {
        let n = baseline.len();
        eprintln!("wrote {n} {} to {}", if n == 1 { "entry" } else { "entries" }, file.display());
    }
    Ok(Outcome::Nothing)
}

fn prune(file: &Path, baseline: &Baseline, findings: &[Finding], command: &args::Check) -> Result<(), Failure> {
    let pruned = baseline.pruned(findings);
    let dropped = baseline.len() - pruned.len();
    if dropped > 0 {
        save(file, &pruned)?;
        if !command.page.messages.quiet {
            let entries = if dropped == 1 { "entry" } else { "entries" };
            eprintln!("dropped {dropped} {entries} from {}", file.display());
        }
    }
    Ok(())
}

fn save(file: &Path, baseline: &Baseline) -> Result<(), Failure> {
    output::write(Some(file), |out| out.write_all(baseline.to_text().as_bytes()))
}
