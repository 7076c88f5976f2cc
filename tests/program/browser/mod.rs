//! Opens HTML pages in a headless Chromium, and does there what a reader does.
//!
//! Chromium is the one on the path. Where there is none, the tests say `SKIPPED`; they fail if `REFLOOP_EXPECT` names it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use refloop::findings::{self, Ownership};
use refloop::report::{RenderOptions, Report, ReportOptions, format_named};
use refloop::run::{self, Run};
use serde_json::Value;

use crate::support::{pythons::say_once, root};

/// Elements that a page may have at first, however much there is to be shown.
const MOST_NODES: u64 = 3_000;

/// Bytes that a page may have.
const MOST_BYTES: u64 = 3_000_000;

/// Phones and desktops.
const WIDTHS: [u32; 2] = [400, 1_400];

#[test]
fn pages_of_every_fixture_open_without_an_error() {
    let Some(browser) = Browser::find() else { return };
    let folders = ["fixtures/hand", "fixtures/recorded", "fixtures/cc-edges", "fixtures/gc-debug"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let traces =
        files.map(|file| file.unwrap().path()).filter(|path| !path.is_dir() && path.extension().unwrap() != "md");
    let pages: Vec<PathBuf> = traces.map(|trace| browser.page(&report(&trace))).collect();
    assert!(pages.len() >= 10, "{pages:?}");
    for seen in browser.look(&pages, "") {
        assert!(seen["headline"].as_str().is_some_and(|text| !text.is_empty()), "{seen}");
    }
}

#[test]
fn a_reader_searches_sorts_and_opens_by_keyboard_and_click() {
    let Some(browser) = Browser::find() else { return };
    let page = browser.page(&report(&root().join("fixtures/recorded/patterns.reftrace")));
    for seen in browser.look(&[page], "tree.PARENT  ") {
        let loops = texts(&seen["loops"]);
        assert!(loops.len() > 10, "{seen}");
        assert_eq!(seen["slash_searches"], true, "{seen}");
        assert_eq!(texts(&seen["found"]), ["Tree.children[*] → Tree.parent → Tree"]);
        assert_eq!(seen["escape_ends_it"], true, "{seen}");
        assert_eq!(
            texts(&seen["by_name"]).first().map(String::as_str),
            Some("Button.on_click → method clicked.__self__ → Button")
        );
        // One is open from the beginning.
        assert_eq!((&seen["graphs"], &seen["graphs_after_opening"]), (&1.into(), &2.into()), "{seen}");
        let (up, mut down) = (texts(&seen["types_up"]), texts(&seen["types_down"]));
        assert_eq!(seen["sorted"], "descending");
        assert!(up.len() > 20 && up != down, "{seen}");
        down.sort_by_key(|name| name.to_lowercase());
        assert_ne!(up.first(), down.first(), "{seen}");
    }
}

#[test]
fn pictures_are_drawn_and_read_with_the_arrow_keys() {
    let Some(browser) = Browser::find() else { return };
    // Of a log with references as events all is known at each moment; of a recording with one checkpoint the garbage alone.
    let exact = browser.page(&report(&root().join("fixtures/hand/parent-child.reftrace")));
    let recorded = browser.page(&report(&root().join("fixtures/recorded/shop.reftrace")));
    for seen in browser.look(&[exact], "") {
        assert_eq!(seen["chart"], 2, "{seen}");
        assert!(
            seen["moment"].as_str().unwrap().contains("4.7 KB alive, 4.4 KB of garbage known; a collection"),
            "{seen}"
        );
    }
    for seen in browser.look(&[recorded], "") {
        assert_eq!(seen["chart"], 1, "{seen}");
        assert!(
            seen["moment"].as_str().unwrap().contains("alive not known, 0 B of garbage known; a collection"),
            "{seen}"
        );
        assert!(seen["icicle"].as_u64() > Some(10), "{seen}");
        let retained = seen["retained"].as_str().unwrap();
        assert!(retained.starts_with("all that is alive › ") && retained.contains(" objects and what goes"), "{seen}");
    }
}

#[test]
fn settings_of_the_collector_are_a_table_and_a_picture_each() {
    let Some(browser) = Browser::find() else { return };
    let page = browser.folder.path().join("settings.html");
    // A hundred objects that refer to themselves.
    let trace = browser.folder.path().join("loops.reftrace");
    let head = "reftrace 1 runtime=cpython-3.11.7\ntype 1 app.Node size=32 flags=gc,heap\n".to_string();
    let one = |tag: u32| format!("alloc {tag:x} 1 64\nincref {tag:x}\nref {tag:x} {tag:x} .me\ndecref {tag:x}\n");
    fs::write(&trace, (1..=100).map(one).fold(head, |text, one| text + &one)).unwrap();
    let refloop = || Command::new(env!("CARGO_BIN_EXE_refloop"));
    let written = refloop()
        .args(["whatif", "--gc", "10", "--gc", "off", "--format", "html", "-o"])
        .args([&page, &trace])
        .output()
        .unwrap();
    assert!(written.status.success(), "{written:?}");
    for seen in browser.look(&[page], "") {
        assert_eq!(seen["headline"], "What the collector would do under 2 settings");
        assert_eq!(seen["chart"], 2, "{seen}");
        assert_eq!(texts(&seen["scales"]), ["6.4 KB", "6.4 KB"], "{seen}");
        assert_eq!(texts(&seen["own_scales"]), ["1.2 KB", "6.4 KB"], "{seen}");
        assert!(seen["moment"].as_str().unwrap().ends_with(": 0 B of garbage"), "{seen}");
    }
}

#[test]
fn names_that_are_markup_are_shown_and_do_nothing() {
    let Some(browser) = Browser::find() else { return };
    let hostile = [
        "<script>parent.hostile=1</script>",
        "</script><script>parent.hostile=2</script>",
        "<img src=x onerror='parent.hostile=3'>",
        "\"><svg onload=parent.hostile=4>",
        "--><!--<script>",
        "${parent.hostile=5}{{data}}{{script}}",
        "\u{2028}\u{2029}\u{202e}\u{0}&lt;b&gt;",
        "javascript:parent.hostile=6",
    ];
    let mut report = report(&root().join("fixtures/hand/parent-child.reftrace"));
    let row = report.loops.rows.remove(0);
    let kind = report.types.rows[0].clone();
    report.types.rows.clear();
    for (nth, name) in hostile.into_iter().enumerate() {
        let mut row = row.clone();
        row.fingerprint = format!("{nth:016x}");
        row.path = name.to_string();
        row.steps.iter_mut().for_each(|step| {
            [&mut step.label, &mut step.slot, &mut step.type_name]
                .into_iter()
                .for_each(|text| *text = name.to_string());
        });
        row.site.iter_mut().for_each(|frame| frame.path = name.to_string());
        row.marks.insert(name.to_string(), 1);
        row.types.members.insert(name.to_string(), refloop::report::Number::Whole(1));
        row.cut.iter_mut().for_each(|cut| cut.reference = name.to_string());
        report.loops.rows.push(row);
        report.types.rows.push(refloop::report::TypeRow { type_name: name.to_string(), ..kind.clone() });
    }
    report.inputs[0].path = hostile.concat();
    let page = browser.page(&report);
    for seen in browser.look(&[page], "parent.hostile=1") {
        assert_eq!(
            (&seen["hostile"], &seen["foreign"], &seen["scripts"]),
            (&Value::Null, &0.into(), &2.into()),
            "{seen}"
        );
        let shown = texts(&seen["loops"]);
        assert_eq!(shown[..6], hostile[..6], "{seen}");
        assert_eq!(shown[6], r"\u2028\u2029\u202e\x00&lt;b&gt;");
        assert_eq!(texts(&seen["found"]), hostile[..1]);
    }
}

#[test]
fn a_script_that_comes_in_all_the_same_is_refused_by_the_policy() {
    let Some(browser) = Browser::find() else { return };
    let page = browser.page(&report(&root().join("fixtures/hand/clean.reftrace")));
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replace("</body>", "<script>parent.hostile=1</script><p style='color:red'></p></body>"))
        .unwrap();
    let (seen, console) = browser.run(&[page], "");
    let refused = console.iter().filter(|line| line.contains("Content Security Policy"));
    assert_eq!(refused.count(), 2 * WIDTHS.len(), "{console:?}");
    assert!(seen.iter().all(|seen| seen["hostile"] == Value::Null), "{seen:?}");
}

#[test]
fn ten_thousand_kinds_of_loops_are_a_small_page_that_draws_a_few() {
    let Some(browser) = Browser::find() else { return };
    let mut report = report(&root().join("fixtures/hand/parent-child.reftrace"));
    let row = report.loops.rows.remove(0);
    for nth in 0..10_000u64 {
        let mut row = row.clone();
        row.fingerprint = format!("{nth:016x}");
        row.path = format!("Order{nth:05}.items[*] → Line{nth:05}.order → Order{nth:05}");
        row.site[0].path = format!("shop/models/part{nth:05}.py");
        report.loops.rows.push(row);
    }
    let page = browser.page(&report);
    assert!(fs::metadata(&page).unwrap().len() < MOST_BYTES);
    for seen in browser.look(&[page], "Order09999") {
        assert_eq!((texts(&seen["loops"]).len(), &seen["loops_after_more"]), (25, &125.into()), "{seen}");
        assert_eq!(texts(&seen["found"]).len(), 1);
        assert!(seen["footer"].as_str().unwrap().contains("25 of 10,000 kinds of loops are shown"), "{seen}");
    }
}

#[test]
fn a_report_of_nothing_is_a_page() {
    let Some(browser) = Browser::find() else { return };
    let page = browser.page(&Report::default());
    assert!(browser.look(&[page], "").iter().all(|seen| seen["headline"] == "No reference loops found"));
}

/// What refloop says of a trace.
fn report(trace: &Path) -> Report {
    let options = run::Options { extras: format_named("html").unwrap().extras(), ..run::Options::default() };
    let run = Run::merge([run::open(trace, &options).unwrap()]);
    let ownership = Ownership::default();
    let findings = findings::find(&run, &ownership);
    Report::new(&run, &findings, None, &ownership, &ReportOptions::default())
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_string()).collect()
}

/// A Chromium, and a folder for pages.
struct Browser {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Browser {
    /// Panics where it is missing and promised.
    fn find() -> Option<Browser> {
        let folders = env::var_os("PATH").unwrap_or_default();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let program = env::split_paths(&folders)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .find(|path| path.is_file());
        if program.is_none() {
            let expected = env::var("REFLOOP_EXPECT").unwrap_or_default();
            let is_promised = expected.split_whitespace().any(|name| name == "chromium");
            assert!(!is_promised, "REFLOOP_EXPECT promises chromium: not found");
            say_once("SKIPPED: no chromium".to_string());
        }
        Some(Browser { program: program?, folder: tempfile::tempdir().unwrap() })
    }

    fn page(&self, report: &Report) -> PathBuf {
        let named = tempfile::Builder::new().suffix(".html").tempfile_in(self.folder.path()).unwrap();
        let (mut out, file) = named.keep().unwrap();
        format_named("html").unwrap().write(report, &RenderOptions::default(), &mut out).unwrap();
        file
    }

    /// What a reader sees of each page, at each width. Nothing may be refused, loaded, or wider than the window.
    fn look(&self, pages: &[PathBuf], search: &str) -> Vec<Value> {
        let (all, console) = self.run(pages, search);
        assert_eq!(console, Vec::<String>::new(), "{all:?}");
        assert_eq!(all.len(), pages.len() * WIDTHS.len());
        for seen in &all {
            assert_eq!((&seen["too_wide"], &seen["loaded"]), (&0.into(), &0.into()), "{seen}");
            assert!(seen["nodes"].as_u64().is_some_and(|nodes| nodes <= MOST_NODES), "{seen}");
        }
        all
    }

    /// What the harness saw, and what the browser said on its console.
    fn run(&self, pages: &[PathBuf], search: &str) -> (Vec<Value>, Vec<String>) {
        let profile = tempfile::tempdir_in(self.folder.path()).unwrap();
        let harness = root().join("tests/program/browser/harness.html");
        let pages: Vec<String> = pages.iter().map(|page| format!("file://{}", page.display())).collect();
        let (pages, widths) = (pages.join(","), WIDTHS.map(|width| width.to_string()).join(","));
        let url = format!("file://{}?pages={pages}&widths={widths}&search={search}", harness.display());
        let done = Command::new(&self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=200000"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--dump-dom", &url])
            .output()
            .unwrap();
        let (dom, log) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        let result = dom.split_once("<pre id=\"result\">").and_then(|(_, rest)| rest.split_once("</pre>"));
        let seen = result.and_then(|(json, _)| serde_json::from_str(json).ok());
        let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_string).collect();
        (seen.unwrap_or_else(|| panic!("no answer: {dom}\n{log}")), console)
    }
}
