//! Of two releases of a package, the one that leaked is told the loop that its project then cut, and the other is clean of it.
//!
//! `fixtures/pairs/pairs.toml` says what is expected, and `docs/real-leaks.md` shows it: `REFLOOP_UPDATE=1 cargo test --test
//! program pairs` writes the table of that page.

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::support::{refloop, root};

/// What stands before the rows of the page.
const HEAD: &str = "| package | leaks, fixed | loop | what refloop says to cut | what the project did | source |\n\
                    |---|---|---|---|---|---|\n";

fn pairs() -> Vec<Table> {
    let text = std::fs::read_to_string(root().join("fixtures/pairs/pairs.toml")).unwrap();
    let table: Table = text.parse().unwrap();
    table["pair"].as_array().unwrap().iter().map(|pair| pair.as_table().unwrap().clone()).collect()
}

fn loops_of(pair: &Table) -> impl Iterator<Item = &Table> {
    pair["loops"].as_array().unwrap().iter().map(|expected| expected.as_table().unwrap())
}

/// The loops that are told of a release, `leaking` or `fixed`.
fn told(pair: &Table, release: &str) -> Vec<Json> {
    let trace = format!("{}-{}.reftrace", text(pair, "program"), text(pair[release].as_table().unwrap(), "version"));
    let mut command = refloop();
    let output =
        command.args(["loops", "-q", "--format", "json"]).arg(root().join("fixtures/pairs").join(trace)).output();
    let report: Json = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    report["loops"].as_array().unwrap().clone()
}

fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn the_loop_is_the_one_that_the_project_cut() {
    let pairs = pairs();
    assert!(pairs.len() >= 14, "{} pairs", pairs.len());
    for pair in &pairs {
        let leaking = told(pair, "leaking");
        let fixed = told(pair, "fixed");
        for expected in loops_of(pair) {
            let path = text(expected, "path");
            let is_it = |row: &&Json| row["path"] == path;
            let row = leaking.iter().find(is_it).unwrap_or_else(|| panic!("{pair:#?}: {path} is not in {leaking:#?}"));
            assert_eq!(row["owner"], text(expected, "owner"), "{path}");
            assert_eq!(row["cut"]["reference"].as_str().unwrap_or_default(), text(expected, "cut"), "{path}");
            assert!(row["count"].as_u64().unwrap() >= 10, "{path}: one a run at least");
            assert_eq!(fixed.iter().find(is_it), None, "the fixed release has it still");
        }
    }
}

#[test]
fn the_page_shows_every_pair() {
    let page = root().join("docs/real-leaks.md");
    let shown = std::fs::read_to_string(&page).unwrap();
    let (before, _) = shown.split_once(HEAD).expect("the page has the table");
    let mut written = format!("{before}{HEAD}");
    for pair in pairs() {
        let version = |release: &str| text(pair[release].as_table().unwrap(), "version").to_string();
        for expected in loops_of(&pair) {
            let cut = Some(text(expected, "cut")).filter(|cut| !cut.is_empty());
            let cells = [
                text(&pair, "package").to_string(),
                format!("{}, {}", version("leaking"), version("fixed")),
                format!("`{}`", text(expected, "path")),
                cut.map_or("no one reference".to_string(), |cut| format!("`{cut}`")),
                text(&pair, "fix").to_string(),
                text(&pair, "source").to_string(),
            ];
            written += &format!("| {} |\n", cells.join(" | "));
        }
    }
    if std::env::var_os("REFLOOP_UPDATE").is_some() {
        std::fs::write(&page, &written).unwrap();
    } else {
        assert!(shown == written, "the page is made of the table: REFLOOP_UPDATE=1 writes it");
    }
}

#[test]
fn a_loop_is_told_in_eight_lines() {
    let mut loops = 0;
    for pair in pairs() {
        for row in ["leaking", "fixed"].iter().flat_map(|release| told(&pair, release)) {
            let text: Vec<&str> = row["text"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
            let whole = text.join("\n");
            assert!(text.len() <= 8, "{whole}");
            assert!(text.iter().all(|line| line.chars().count() <= 100), "{whole}");
            // Where it was made, what is to be cut and why, and whether that is enough, are said however little room there is.
            let cut = &row["cut"];
            let cuts = |key: &str| cut[key].as_array().cloned().unwrap_or_default();
            let references = [cut.clone()].into_iter().chain(cuts("alternatives")).chain(cuts("more"));
            let references = references.map(|cut| cut["reference"].clone());
            let in_words = whole.split_whitespace().collect::<Vec<_>>().join(" ");
            for said in references.chain([cut["evidence"].clone(), cut["left"].clone()]) {
                assert!(in_words.contains(said.as_str().unwrap_or_default()), "{said} is not in {whole}");
            }
            let site = row["site"][0]["line"]
                .as_u64()
                .filter(|&line| line > 0)
                .map(|line| format!(":{line} "))
                .unwrap_or_default();
            assert!(whole.contains(&site), "{whole}");
            loops += 1;
        }
    }
    assert!(loops >= 44, "{loops}");
}

#[test]
fn no_recording_has_a_path_of_the_machine_that_made_it() {
    for entry in std::fs::read_dir(root().join("fixtures/pairs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "reftrace") {
            let output = refloop().args(["convert", "-q", "--to", "text"]).arg(&path).arg("-").output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let here = ["/home/", "/root/", "/tmp/", "/Users/"];
            let line = text.lines().find(|line| here.iter().any(|folder| line.contains(folder)));
            assert_eq!(line, None, "{}", path.display());
        }
    }
}
