//! Class shapes, measured for real on every CPython at hand: the layout model predicts what plain and slotted instances
//! cost within one byte, and no recommendation fails when it is applied.

mod apply;
mod programs;
mod recorded;
mod recording;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use crate::each::at_hand;
use crate::support::pythons::Python;
use programs::Shape;
use recording::{Measured, Predicted};
use refloop::overhead::{SlotsAdvice, SlotsOptions, Verdict};

on_each_python! {
    predictions_agree_with_tracemalloc_and_recommendations_work_when_applied,
    a_recording_says_of_each_shape_what_its_memory_says,
}

/// Bytes an instance that prediction and measurement may differ.
const TOLERANCE: f64 = 1.0;

fn predictions_agree_with_tracemalloc_and_recommendations_work_when_applied(python: &Python) {
    let checked = checked(python);
    assert!(checked.problems.is_empty(), "{}", checked.problems);
}

fn a_recording_says_of_each_shape_what_its_memory_says(python: &Python) {
    let mut problems = String::new();
    recorded::compare(python, &programs::shapes(), &mut problems);
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn an_answer_for_another_cpython_is_what_is_measured_there() {
    let all: Vec<Arc<Checked>> = at_hand().iter().map(checked).collect();
    let mut problems = String::new();
    for here in &all {
        for there in all.iter().filter(|there| there.version != here.version) {
            translate(here, there, &mut problems);
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

/// What one build shows, measured once for all tests.
fn checked(python: &Python) -> Arc<Checked> {
    type Cell = Arc<OnceLock<Arc<Checked>>>;
    static CHECKED: Mutex<BTreeMap<&str, Cell>> = Mutex::new(BTreeMap::new());
    let cell: Cell = CHECKED.lock().unwrap().entry(python.build).or_default().clone();
    cell.get_or_init(|| Arc::new(check(python, &programs::shapes()))).clone()
}

/// What one build showed.
struct Checked {
    version: String,
    problems: String,
    plain: BTreeMap<String, Measured>,
    predicted: BTreeMap<String, Predicted>,
}

/// Asks a recording of one version about another: where every instance sets its attributes in one order, the answer is
/// what is measured there.
fn translate(here: &Checked, there: &Checked, problems: &mut String) {
    let question = SlotsOptions { python: Some(there.version.clone()), min_saving: 0 };
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

fn check(python: &Python, shapes: &[Shape]) -> Checked {
    assert!(shapes.len() >= 40);
    let version = python.version();
    let mut problems = String::new();
    let mut predictions = BTreeMap::new();
    let shapes: Vec<&Shape> = shapes.iter().filter(|shape| u32::from(shape.since) <= python.minor).collect();
    let sources = shapes.iter().map(|shape| (shape.name.clone(), shape.source.clone()));
    let plain = measure(&python.path, "describe", sources);
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
        let predicted = measured.predict(&version);
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
    let slotted = measure(&python.path, "measure", changed.into_iter());
    for (name, (verdict, bytes, chosen)) in &expected {
        let after = &slotted[name];
        let same_result = after.bytes.is_ok() && after.result == plain[name].result;
        if !same_result {
            if *verdict == Verdict::Recommended {
                let _ = writeln!(
                    &mut problems,
                    "{version} {name}: recommended, and fails: {:?}\n{}\nbefore {}\nafter  {}",
                    after.bytes, sources[name], plain[name].result, after.result
                );
            }
            continue;
        }
        let Ok(measured) = after.bytes else { continue };
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
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpython/shapes/harness.py");
    let output =
        Command::new(python).args(["-I", "-B"]).arg(harness).arg(what).args(files).output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(Measured::parse).map(|measured| (measured.shape.clone(), measured)).collect()
}
