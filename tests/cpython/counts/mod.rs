//! Compares what is said of garbage, how much at one time, at the end, and for how long, with what programs count themselves.

use serde_json::Value;

use crate::each::{record, report};
use crate::support::pythons::Python;
use crate::support::root;

on_each_python! { garbage_is_what_the_program_counts }

const KINDS: [&str; 5] = ["churn", "lingering", "service", "frozen", "off"];
/// Loops, and bytes that each holds.
const SIZES: [(&str, &str); 6] =
    [("50", "20"), ("300", "100"), ("1000", "1000"), ("3000", "10"), ("200", "100000"), ("5000", "300")];

/// Seconds for which the clocks of the program and of the recorder may differ: between two lines of either the system may do
/// something else.
const CLOCKS: f64 = 0.02;

fn garbage_is_what_the_program_counts(python: &Python) {
    // The oldest and the newest; what lies between them is as one of the two.
    if ![8, 15].contains(&python.minor) {
        return;
    }
    let mut wrong = Vec::new();
    for kind in KINDS {
        for (number, size) in SIZES {
            // Where the system stops the program between its clock and the recorder's, once more may be enough.
            let problems: Option<Vec<String>> = (0..3).map(|_| compare(python, kind, number, size)).collect();
            wrong.extend(
                problems
                    .and_then(|mut problems| problems.pop())
                    .map(|problem| format!("{python} {kind} {number} {size}: {problem}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare(python: &Python, kind: &str, number: &str, size: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("counts.reftrace");
    let program = root().join("tests/cpython/counts/programs.py");
    let output = record(&python.path, &[], &trace, &program, &[kind, number, size]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = report("analyze", &trace);
    let row = report["loops"].as_array().unwrap().iter().find(|row| row["path"] == "Loop.me → Loop");
    let Some(row) = row else { return Some("no such loop".to_string()) };

    let (most, end, weight) = (whole(&told["most"]), whole(&told["end"]), whole(&told["bytes"]));
    let peak = (whole(&row["peak_at_least"]["loops"]), whole(&row["peak_at_least"]["bytes"]));
    let at_end = (whole(&row["at_end"]["loops"]), whole(&row["at_end"]["bytes"]));
    // A loop that is being made as the collector comes by is older than the others then, and is not looked at with them. What
    // is frozen nobody looks at before the end.
    let unseen = match kind {
        "churn" => 1 + number.parse::<u64>().unwrap() / 500,
        "frozen" => most - end,
        _ => 0,
    };
    if peak.0 > most || peak.0 + unseen < most || peak.1 != peak.0 * weight {
        return Some(format!("at most {peak:?}, and it was {most} of {weight}"));
    }
    if at_end != (end, end * weight) {
        return Some(format!("at the end {at_end:?}, and it was {end} of {weight}"));
    }
    // The program's clock began as its first collection ended.
    let points = report["memory"][0]["points"].as_array().unwrap();
    let after = points.iter().skip_while(|point| point["generation"] != 2);
    let began = { after }.find(|point| point["occasion"] == "collected").unwrap();
    let trace_seconds = (whole(&points.last().unwrap()["ns"]) - whole(&began["ns"])) as f64 / 1e9;
    let left = trace_seconds - told["seconds"].as_f64().unwrap();
    let truth = weight as f64 * (told["loop_seconds"].as_f64().unwrap() + end as f64 * left);
    let (at_least, at_most) = (row["byte_seconds_at_least"].as_f64()?, row["byte_seconds_at_most"].as_f64()?);
    let room = CLOCKS * most as f64 * weight as f64 + 1.0;
    let holds = at_least <= truth + room && truth <= at_most + room;
    (!holds).then(|| format!("{at_least} to {at_most} byte-seconds, and it was {truth}"))
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}
