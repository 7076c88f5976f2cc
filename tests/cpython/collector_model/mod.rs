//! Holds the modelled collector against the real one: twelve programs, recorded once, replayed and run under each setting.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::each::record;
use crate::support::pythons::Python;
use crate::support::{refloop, root};

on_each_python! {
    the_collections_are_those_of_the_real_collector,
    untracked_objects_are_not_looked_at,
    garbage_at_the_peak_is_that_of_the_real_collector,
    the_state_of_the_collector_is_recorded,
    a_frozen_heap_is_not_looked_at,
}

const PROGRAMS: [&str; 12] = [
    "pairs",
    "temporaries",
    "waves",
    "grow",
    "rows",
    "records",
    "trees",
    "cache",
    "closures",
    "explicit",
    "generators",
    "errors",
];
const SETTINGS: [&str; 4] = ["700,10,10", "2000,10,10", "5000,10,10", "off"];

fn programs() -> PathBuf {
    root().join("tests/cpython/collector_model/programs.py")
}

/// What each of the settings would do to a program, which is recorded as it is.
fn modelled(python: &Python, folder: &Path, program: &str, settings: &[&str]) -> Value {
    let trace = folder.join(format!("{program}.reftrace"));
    record(&python.path, &["--events", "full"], &trace, &programs(), &[program]);
    whatif(&trace, settings)
}

fn whatif(trace: &Path, settings: &[&str]) -> Value {
    let mut command = refloop();
    command.args(["whatif", "-q", "--format", "json"]).arg(trace);
    command.args(settings.iter().flat_map(|setting| ["--gc", setting]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let traces: Value = serde_json::from_slice(&output.stdout).unwrap();
    traces[0].clone()
}

/// What the real collector does with it, as the program says.
fn real(python: &Python, program: &str, setting: &str, asked: &str) -> Value {
    let output = Command::new(&python.path).arg(programs()).args([program, setting, asked]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn numbers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

/// Collections of each generation in the program alone, without those of `nothing`, in which it stands.
fn collections(of: &Value, nothing: &Value, place: usize) -> Vec<i64> {
    let runs = |model: &Value| numbers(&model["settings"][place]["collections"]);
    runs(of).into_iter().zip(runs(nothing)).map(|(all, around)| all - around).collect()
}

fn is_near(modelled: i64, real: i64, percent: i64) -> bool {
    (modelled - real).abs() * 100 <= real * percent
}

fn the_collections_are_those_of_the_real_collector(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let nothing = modelled(python, folder.path(), "nothing", &SETTINGS);
    let mut wrong = Vec::new();
    for program in PROGRAMS {
        let model = modelled(python, folder.path(), program, &SETTINGS);
        for (place, setting) in SETTINGS.into_iter().enumerate() {
            let found = collections(&model, &nothing, place);
            let real = numbers(&real(python, program, setting, "counts")["collections"]);
            let fits = found[0] == real[0] && (1..3).all(|of| is_near(found[of], real[of], 2));
            if !fits {
                wrong.push(format!("{program} under {setting}: {found:?}, and not {real:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{python}: {wrong:#?}");
}

fn untracked_objects_are_not_looked_at(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let as_recorded = if python.minor < 13 { "700,10,10" } else { "2000,10,10" };
    for program in ["grow", "rows", "records"] {
        let model = modelled(python, folder.path(), program, &[as_recorded]);
        let [recorded, found] = [&model["recorded"], &model["settings"][0]].map(|of| numbers(&of["looked"]));
        let fits = [0, 1].into_iter().all(|of| is_near(found[of], recorded[of], 8));
        assert!(fits, "{python}: {program}: {found:?}, and not {recorded:?}");
    }
}

/// Where loops are dropped as soon as they are made, when they became garbage is known well. `cache` drops old ones: of
/// those it is known between bounds only.
fn garbage_at_the_peak_is_that_of_the_real_collector(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    for program in ["pairs", "closures", "explicit", "cache"] {
        let settings = ["2000,10,10", "5000,10,10"];
        let model = modelled(python, folder.path(), program, &settings);
        for (place, setting) in settings.into_iter().enumerate() {
            let peak = &model["settings"][place]["garbage_peak"];
            let real = real(python, program, setting, "garbage");
            let each = real["objects_each"].as_i64().unwrap();
            let [least, likely, most] =
                ["least", "likely", "most"].map(|bound| peak[bound]["objects"].as_i64().unwrap() / each);
            let real = real["most"].as_i64().unwrap();
            let name = format!("{python}: {program} under {setting}: {least} {likely} {most}, and really {real}");
            assert!(least * 95 <= real * 100 && real * 95 <= most * 100, "{name}");
            assert!(program == "cache" || is_near(likely, real, 5), "{name}");
        }
    }
}

fn the_state_of_the_collector_is_recorded(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("explicit.reftrace");
    record(&python.path, &["--events", "full"], &trace, &programs(), &["explicit"]);
    let text = folder.path().join("explicit.txt");
    assert!(refloop().args(["convert", "-q"]).arg(&trace).arg(&text).status().unwrap().success());
    let text = std::fs::read_to_string(text).unwrap();
    let states = || text.lines().filter_map(|line| line.strip_prefix("gc state on "));
    let thresholds = if python.minor < 13 { "700 10 10 " } else { "2000 10 10 " };
    assert!(states().count() > 10 && states().all(|state| state.starts_with(thresholds)), "{python}");
    let total = |state: &str| state.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    assert!(states().next_back().is_some_and(|state| (1_000..100_000).contains(&total(state))), "{python}");
    assert!(text.lines().any(|line| line.starts_with("gc lists ")));
    // The ten of the program, and the one before it.
    assert_eq!(whatif(&trace, &["off"])["explicit"], 11, "{python}");
}

fn a_frozen_heap_is_not_looked_at(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("frozen.reftrace");
    let program = folder.path().join("frozen.py");
    std::fs::write(
        &program,
        "import _refloop, gc\nkept = [[] for _ in range(20000)]\n_refloop.phase('user', 'loaded')\ngc.collect()\n",
    )
    .unwrap();
    record(&python.path, &["--events", "full"], &trace, &program, &[]);
    let model = whatif(&trace, &["off", "off freeze-at loaded", "off freeze-at never"]);
    let looked = |place: usize| numbers(&model["settings"][place]["looked"])[2];
    assert!(looked(0) > 20_000 && looked(1) < 1_000 && looked(2) == looked(0), "{python}: {model:#}");
    assert_eq!([0, 1, 2].map(|place| model["settings"][place]["frozen"].as_bool()), [None, Some(true), Some(false)]);
}
