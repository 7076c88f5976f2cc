//! Exports 1,000 traces, asks engines the questions of `docs/fleet.md`, and holds their answers against refloop's own.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::packages::python_with;
use crate::support::pythons::is_missing;
use crate::support::{refloop, root};

/// Days of June 2026 on which the traces were made, and the day of the release that the first question speaks of.
const DAYS: u64 = 30;
const RELEASE: u64 = 15;
const HOSTS: u64 = 16;
const SERVICES: [&str; 2] = ["shop", "mail"];
/// 00:00 on 1 June 2026, in UTC.
const FIRST_DAY: u64 = 1_780_272_000;

/// One trace of a service: orders with lines that point back, a cache that grows, and from the release on sessions that hold
/// themselves.
fn trace(n: u64) -> String {
    let (day, host) = (n % DAYS, n / DAYS / 2 % HOSTS);
    let service = SERVICES[(n / DAYS) as usize % SERVICES.len()];
    let mut text = format!(
        "reftrace 1 runtime=cpython-3.13.0 references=checkpoints births=survivors started={} host=web{host} \
         argv=\"python /srv/{service}.py …\"\n\
         type 1 module\ntype 2 dict size=48 flags=gc\ntype 3 {service}.Order size=48 flags=gc,heap,dict\n\
         type 4 {service}.Line size=48 flags=gc,heap,dict\ntype 5 {service}.Session size=48 flags=gc,heap,dict\n\
         type 6 {service}.Report size=48 flags=gc,heap,dict\n\
         site 1 /srv/{service}.py:80 main\nsite 2 /srv/{service}.py:42 make_order parent=1\n\
         site 3 /srv/{service}.py:61 log_in parent=1\nalloc 1 1 72 @1\nname 1 {service}\nalloc 2 2 200\nalloc 3 2 64\n",
        FIRST_DAY + day * 86_400 + n,
    );
    for look in 1..=4u64 {
        writeln!(text, "time {}", look * 1_000_000_000).unwrap();
        for report in (look - 1) * 20..look * 20 {
            writeln!(text, "alloc {:x} 6 48 @1", 0x1000 + report).unwrap();
        }
        text += "walk full\ncount 1 1\nroot 1 global:m\nref 1 2 .__dict__\ncount 2 1\nref 2 3 ['CACHE']\ncount 3 1\n";
        for report in 0..look * 20 {
            writeln!(text, "ref 3 {0:x} [{report}]\ncount {0:x} 1", 0x1000 + report).unwrap();
        }
        text += "checkpoint full\n";
    }
    text += "gc start 2\nwalk garbage\n";
    let orders = n % 7 + 1;
    for order in (0..orders).map(|order| 0x10_0000 + order * 2) {
        let line = order + 1;
        writeln!(
            text,
            "alloc {order:x} 3 {} @2\nalloc {line:x} 4 56 @2\ncount {order:x} 1\ncount {line:x} 1",
            96 + day
        )
        .unwrap();
        writeln!(text, "ref {order:x} {line:x} .line\nref {line:x} {order:x} .order").unwrap();
    }
    if day + 1 >= RELEASE {
        text += "alloc 200000 5 400 @3\ncount 200000 1\nref 200000 200000 .me\n";
    }
    text += "checkpoint garbage\n";
    let freed = orders * 2;
    for object in (0..freed).map(|object| 0x10_0000 + object) {
        writeln!(text, "free {object:x}").unwrap();
    }
    writeln!(text, "gc looked {}\ngc pause {}\ngc stop {freed} 0\nend", 50 + freed, 1_000 + n).unwrap();
    text
}

/// A report in JSON.
fn report(command: &str, arguments: &[&str]) -> Value {
    let output = refloop().args([command, "-q", "--top", "0", "--format", "json"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder with the traces, and their tables in `lake`.
fn exported() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for folder in ["before", "since"] {
        fs::create_dir(place.path().join(folder)).unwrap();
    }
    for n in 0..1_000 {
        let folder = if n % DAYS + 1 < RELEASE { "before" } else { "since" };
        fs::write(place.path().join(folder).join(format!("{n:04}.reftrace")), trace(n)).unwrap();
    }
    let said = export(place.path(), &["before", "since", "-o", "lake"]);
    assert_eq!(said, "wrote 1,000 traces to lake, in 60 partitions\n");
    place
}

fn export(place: &Path, arguments: &[&str]) -> String {
    let output = refloop().current_dir(place).arg("export").args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    said
}

/// What an engine answers to the questions, or `None` where it is not there.
fn answers(engine: &str, package: &str, place: &Path) -> Option<Vec<Vec<Vec<Value>>>> {
    let inside = python_with(package)?;
    let script = root().join("tests/program/fleet/engines.py");
    let output = Command::new(inside)
        .arg(script)
        .args([engine, "lake"])
        .arg(root().join("docs/fleet.md"))
        .current_dir(place)
        .output()
        .unwrap();
    assert!(output.status.success(), "{engine}: {}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn engines_answer_as_refloop_does() {
    let place = exported();
    let mut all = Vec::new();
    let has_java = Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success());
    let spark = if has_java { Some("spark") } else { is_missing("java") };
    let clickhouse = env::var_os("REFLOOP_CLICKHOUSE").map(|_| "clickhouse");
    for (engine, package) in [(Some("duckdb"), "duckdb"), (spark, "pyspark"), (clickhouse, "chdb")] {
        all.extend(engine.and_then(|engine| Some((engine, answers(engine, package, place.path())?))));
    }
    let folder = |name: &str| place.path().join(name).to_string_lossy().into_owned();
    let [before, since] = ["before", "since"].map(folder);
    let diff = report("diff", &[&before, &since]);
    let whole = report("analyze", &[&before, &since]);
    for (engine, answers) in &all {
        let [new, spread, types, slots, sites, growth, collections, blind] = answers.as_slice() else {
            panic!("{engine}: {} answers", answers.len())
        };
        assert_eq!(column(new, 0, 2), changes(&diff, "new"), "{engine}");
        assert!(new.iter().all(|row| row[3] == "2026-06-15"), "{engine}: {new:?}");
        assert_eq!(column(spread, 0, 3), rows(&whole["loops"], "fingerprint", "count"), "{engine}");
        assert!(spread.iter().all(|row| number(&row[2]) == HOSTS), "{engine}: {spread:?}");
        assert_eq!(column(types, 0, 1), rows(&whole["types"], "type", "instances"), "{engine}");
        assert_eq!(column(types, 0, 2), rows(&whole["types"], "type", "bytes"), "{engine}");
        assert_eq!(slots.len(), 0, "{engine}: {slots:?}");
        let made: u64 = sites.iter().map(|row| number(&row[4])).sum();
        assert_eq!(made, number(&whole["summary"]["cyclic_garbage"]["objects"]), "{engine}");
        assert_eq!(growth.iter().map(|row| number(&row[2])).sum::<u64>(), 1_000 * 60, "{engine}: {growth:?}");
        let pauses: u64 = collections.iter().map(|row| number(&row[4])).sum();
        assert_eq!(pauses, number(&whole["collections"][0]["pause_ns"]), "{engine}");
        assert_eq!(blind.len(), 0, "{engine}: {blind:?}");
        assert_eq!(plain(answers), plain(&all[0].1), "{engine} and {}", all[0].0);
    }
}

/// An answer, with its numbers as one kind: engines differ in how they write those that are no floats.
fn plain(answers: &[Vec<Vec<Value>>]) -> Vec<Vec<Vec<Value>>> {
    let cell = |cell: &Value| match cell {
        Value::String(text) => text.parse::<u64>().map_or_else(|_| cell.clone(), |number| json!(number)),
        cell => cell.clone(),
    };
    answers.iter().map(|rows| rows.iter().map(|row| row.iter().map(cell).collect()).collect()).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

/// A column of an answer by another.
fn column(answer: &[Vec<Value>], by: usize, of: usize) -> BTreeMap<String, u64> {
    answer.iter().map(|row| (row[by].as_str().unwrap().to_owned(), number(&row[of]))).collect()
}

/// A number of a report's table by the name of its rows.
fn rows(table: &Value, name: &str, of: &str) -> BTreeMap<String, u64> {
    let rows = table.as_array().unwrap().iter();
    rows.map(|row| (row[name].as_str().unwrap().to_owned(), number(&row[of]))).collect()
}

/// The loops of a diff that changed in this way, and how many there are.
fn changes(diff: &Value, what: &str) -> BTreeMap<String, u64> {
    let rows = diff["loops"].as_array().unwrap().iter().filter(|row| row["what"] == what);
    rows.map(|row| (row["fingerprint"].as_str().unwrap().to_owned(), number(&row["count"][1]))).collect()
}

#[test]
fn a_trace_is_exported_once() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("one.reftrace"), trace(1)).unwrap();
    fs::write(place.path().join("same.reftrace"), trace(1)).unwrap();
    let said = export(place.path(), &["one.reftrace", "same.reftrace", "-o", "lake"]);
    assert_eq!(said, "wrote 1 trace to lake, in 1 partition; 1 there already\n");
    fs::write(place.path().join("two.reftrace"), trace(2)).unwrap();
    let said = export(place.path(), &["same.reftrace", "two.reftrace", "-o", "lake"]);
    assert_eq!(said, "wrote 1 trace to lake, in 1 partition; 1 there already\n");
    let days = fs::read_dir(place.path().join("lake/loops")).unwrap();
    let mut days: Vec<String> = days.map(|day| day.unwrap().file_name().to_string_lossy().into_owned()).collect();
    days.sort();
    assert_eq!(days, ["day=2026-06-02", "day=2026-06-03"]);
}

#[test]
fn a_trace_that_cannot_be_read_leaves_the_others() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("one.reftrace"), trace(1)).unwrap();
    fs::write(place.path().join("broken.reftrace"), "reftrace 99 runtime=x\n").unwrap();
    let output = refloop()
        .current_dir(place.path())
        .args(["export", "broken.reftrace", "one.reftrace", "-o", "lake"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("warning: broken.reftrace: line 1 "), "{said}");
    let rest = ["wrote 1 trace to lake, in 1 partition", "error: 1 trace could not be read, or not to the end"];
    assert_eq!(lines[1..], rest);
}
