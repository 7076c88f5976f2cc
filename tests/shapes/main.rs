//! Class shapes, measured for real on every CPython at hand: the layout model predicts what plain and slotted instances
//! cost within one byte, and no recommendation fails when it is applied.

mod apply;
mod programs;
mod recorded;
mod recording;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use programs::Shape;
use recording::{Measured, Predicted};
use refloop::overhead::{SlotsAdvice, SlotsOptions, Verdict};

const VERSIONS: [&str; 6] = ["3.8.18", "3.9.18", "3.10.13", "3.11.7", "3.12.1", "3.13.0"];

/// Bytes an instance that prediction and measurement may differ.
const TOLERANCE: f64 = 1.0;

#[test]
fn predictions_agree_with_tracemalloc_and_recommendations_work_when_applied() {
    let shapes = programs::shapes();
    assert!(shapes.len() >= 40);
    let found: Vec<(&str, Option<PathBuf>)> = VERSIONS.iter().map(|version| (*version, interpreter(version))).collect();
    // Each interpreter in a thread of its own: most of the time is theirs.
    let checked: Vec<Checked> = std::thread::scope(|scope| {
        let run = |(version, python): &(&'static str, Option<PathBuf>)| {
            let (version, python) = (*version, python.clone()?);
            let shapes = &shapes;
            Some(scope.spawn(move || check(version, &python, shapes)))
        };
        let threads: Vec<_> = found.iter().filter_map(run).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread ends")).collect()
    });
    for (version, _) in found.iter().filter(|(_, python)| python.is_none()) {
        eprintln!("SKIPPED: CPython {version} is not here, its {} shapes are not measured", shapes.len());
    }
    eprintln!("{} of {} versions of CPython measured", checked.len(), VERSIONS.len());
    let mut problems: String = checked.iter().map(|checked| checked.problems.as_str()).collect();
    for here in &checked {
        for there in checked.iter().filter(|there| there.version != here.version) {
            translate(here, there, &mut problems);
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

/// What one version showed.
struct Checked {
    version: &'static str,
    problems: String,
    plain: BTreeMap<String, Measured>,
    predicted: BTreeMap<String, Predicted>,
}

/// Asks a recording of one version about another: where every instance sets its attributes in one order, the answer is
/// what is measured there.
fn translate(here: &Checked, there: &Checked, problems: &mut String) {
    let question = SlotsOptions { python: Some(there.version.to_owned()), min_saving: 0 };
    for (name, predicted) in &here.predicted {
        let settled = ["plain_", "dataclass_", "setattr_", "frozen_", "list_", "str_", "int_", "tuple_", "exception_"];
        let (Some(measured), true) = (there.plain.get(name), settled.iter().any(|start| name.starts_with(start)))
        else {
            continue;
        };
        let advice = predicted.profile.advise(&question);
        let (Ok(bytes), [row]) = (&measured.bytes, advice.slots.as_slice()) else {
            continue;
        };
        let owned: f64 = predicted.types.values().map(|(_, owned)| owned).sum();
        if (row.now.requested + owned - bytes).abs() > TOLERANCE {
            let _ = writeln!(
                problems,
                "{name}: recorded with {}, {} has {} bytes, measured {bytes}",
                here.version,
                there.version,
                row.now.requested + owned
            );
        }
    }
}

/// Counts of one version, for the log.
#[derive(Default)]
struct Tally {
    plain: usize,
    slotted: usize,
    recommended: usize,
    blocked_and_broken: usize,
    blocked_but_works: usize,
}

fn check(version: &'static str, python: &Path, shapes: &[Shape]) -> Checked {
    let mut problems = String::new();
    let mut predictions = BTreeMap::new();
    let minor: u8 = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).expect("a version");
    let shapes: Vec<&Shape> = shapes.iter().filter(|shape| shape.since <= minor).collect();
    let sources = shapes.iter().map(|shape| (shape.name.clone(), shape.source.clone()));
    let plain = measure(python, "describe", sources);
    let mut tally = Tally::default();
    let mut changed = Vec::new();
    let mut expected = BTreeMap::new();
    for shape in &shapes {
        let measured = &plain[&shape.name];
        let bytes = match &measured.bytes {
            Ok(bytes) => *bytes,
            Err(error) => {
                let _ = writeln!(&mut problems, "{version} {}: does not run: {error}", shape.name);
                continue;
            }
        };
        let predicted = measured.predict(version);
        tally.plain += 1;
        if (predicted.bytes - bytes).abs() > TOLERANCE {
            let _ = writeln!(&mut problems, "{version} {}: predicted {} measured {bytes}", shape.name, predicted.bytes);
        }
        let advice = predicted.profile.advise(&SlotsOptions::default());
        assert_eq!(advice.impossible, None);
        assert!(advice.not_understood.is_empty(), "{version} {}: {:?}", shape.name, advice.not_understood);
        let predicted = predictions.entry(shape.name.clone()).or_insert(predicted);
        let verdict = advice.slots.iter().map(|slots| slots.verdict).min();
        let Some(verdict) = verdict.filter(|verdict| *verdict != Verdict::NotAdvised) else {
            continue;
        };
        let chosen: Vec<SlotsAdvice> = advice.slots.into_iter().filter(|slots| slots.verdict == verdict).collect();
        let source = apply::apply(&shape.source, &chosen);
        let bytes = slotted_bytes(predicted, &chosen);
        changed.push((shape.name.clone(), source));
        expected.insert(shape.name.clone(), (verdict, bytes, chosen));
    }
    let sources: BTreeMap<String, String> = changed.iter().cloned().collect();
    let slotted = measure(python, "measure", changed.into_iter());
    for (name, (verdict, bytes, chosen)) in &expected {
        let after = &slotted[name];
        let same_result = after.bytes.is_ok() && after.result == plain[name].result;
        match (verdict, same_result) {
            (Verdict::Recommended, true) => tally.recommended += 1,
            (Verdict::Recommended, false) => {
                let _ = writeln!(
                    &mut problems,
                    "{version} {name}: recommended, and fails: {:?}\n{}\nbefore {}\nafter  {}",
                    after.bytes, sources[name], plain[name].result, after.result
                );
                continue;
            }
            (_, true) => tally.blocked_but_works += 1,
            (_, false) => {
                tally.blocked_and_broken += 1;
                continue;
            }
        }
        let Ok(measured) = after.bytes else { continue };
        tally.slotted += 1;
        if (measured - bytes).abs() > TOLERANCE {
            let blockers: Vec<&str> =
                chosen.iter().flat_map(|slots| &slots.blockers).map(|blocker| blocker.name).collect();
            let _ = writeln!(
                &mut problems,
                "{version} {name}: slotted predicted {bytes} measured {measured} {blockers:?}\n{}",
                sources[name]
            );
        }
    }
    eprintln!(
        "CPython {version}: {} shapes, {} slotted; {} recommended and work; {} blocked and would break; {} blocked and would work here",
        tally.plain, tally.slotted, tally.recommended, tally.blocked_and_broken, tally.blocked_but_works
    );
    Checked { version, problems, plain, predicted: predictions }
}

/// What an instance of the changed program costs: the changed classes slotted, the others as they are.
fn slotted_bytes(predicted: &Predicted, chosen: &[SlotsAdvice]) -> f64 {
    predicted
        .types
        .iter()
        .map(|(class, (share, owned))| {
            let row = predicted.profile.types.iter().find(|row| row.class.0 == *class).expect("a row");
            match chosen.iter().find(|slots| slots.class.0 == *class) {
                Some(slots) => slots.slotted.requested * share + owned,
                None => row.bytes_per_instance() * share,
            }
        })
        .sum()
}

/// Runs programs by name, each in a process of its own; `what` is `describe` or `measure`.
fn measure(python: &Path, what: &str, sources: impl Iterator<Item = (String, String)>) -> BTreeMap<String, Measured> {
    let directory = tempfile::tempdir().expect("a directory for the programs");
    let mut files = Vec::new();
    for (name, source) in sources {
        let file = directory.path().join(format!("{name}.py"));
        std::fs::write(&file, source).expect("a program");
        files.push(file);
    }
    if files.is_empty() {
        return BTreeMap::new();
    }
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes/harness.py");
    let output =
        Command::new(python).args(["-I", "-B"]).arg(harness).arg(what).args(files).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(Measured::parse).map(|measured| (measured.shape.clone(), measured)).collect()
}

/// The interpreter of a version, where pyenv has it.
fn interpreter(version: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| {
        let output = Command::new("pyenv").arg("root").output().ok()?;
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
    })?;
    let python = root.join("versions").join(version).join("bin/python");
    python.exists().then_some(python)
}
