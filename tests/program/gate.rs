//! The gate with files that it writes: baselines, configurations, pages.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const LEAKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hand/parent-child.reftrace");
const CLEAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hand/clean.reftrace");

/// Exit code, stdout and stderr of the command in a directory.
fn refloop(directory: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_refloop"))
        .current_dir(directory)
        .args(args)
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_baseline_makes_the_second_run_green_and_names_what_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let (code, out, err) = refloop(here, &["check", LEAKS, "--write-baseline"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "wrote 1 entry to refloop-baseline.txt\n"));
    let baseline = fs::read_to_string(here.join("refloop-baseline.txt")).unwrap();
    assert!(baseline.ends_with("db4dfb845669059f cyclic-garbage Order.items[*] → Line.order → Order\n"), "{baseline}");

    let with = ["check", LEAKS, "--baseline", "refloop-baseline.txt"];
    assert_eq!(
        refloop(here, &with),
        (
            0,
            "refloop: no reference loops or lost references found (not counted: 1 in the baseline)\n".into(),
            "".into()
        )
    );

    let gone = ["check", CLEAN, "--baseline", "refloop-baseline.txt"];
    let (code, out, _) = refloop(here, &gone);
    assert_eq!(code, 0);
    assert!(out.starts_with("note: in the baseline, but no longer there"), "{out}");
    assert_eq!(refloop(here, &[&gone[..], &["--strict"]].concat()).0, 1);

    let (code, _, err) = refloop(here, &[&gone[..], &["--prune"]].concat());
    assert_eq!((code, err.as_str()), (0, "dropped 1 entry from refloop-baseline.txt\n"));
    let pruned = fs::read_to_string(here.join("refloop-baseline.txt")).unwrap();
    assert!(pruned.lines().all(|line| line.starts_with('#')), "{pruned}");
}

#[test]
fn the_nearest_configuration_holds_and_the_command_line_wins() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("src");
    fs::create_dir(&below).unwrap();
    let config = directory.path().join("pyproject.toml");
    fs::write(&config, "[tool.refloop]\nmax-loops = 2\n").unwrap();
    assert_eq!(refloop(&below, &["check", LEAKS]).0, 0);
    assert_eq!(refloop(&below, &["check", LEAKS, "--max-loops", "1"]).0, 1);
    // Without our table, it is somebody else's.
    fs::write(&config, "[project]\nname = 'shop'\n").unwrap();
    assert_eq!(refloop(&below, &["check", LEAKS]).0, 1);
}

#[test]
fn a_broken_configuration_is_a_usage_error_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("refloop.toml");
    for (text, message) in [
        ("max_loop = 1\n", "error: refloop.toml:1: unknown key 'max_loop'; did you mean 'max-loops'?\n"),
        ("[[suppress]]\npath = '*'\n", "error: refloop.toml:2: a suppression needs a reason\n"),
        (
            "[[suppress]]\npath = '*'\nreason = 'old'\nexpires = 2020-01-01\n",
            "error: refloop.toml:2: the suppression expired on 2020-01-01: renew it, or take it out\n",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let (code, _, err) = refloop(directory.path(), &["check", LEAKS]);
        assert_eq!((code, err.as_str()), (2, message));
    }
}

#[test]
fn a_site_is_suppressed_as_the_check_prints_it() {
    let directory = tempfile::tempdir().unwrap();
    let here = fs::canonicalize(directory.path()).unwrap();
    let below = here.join("src");
    fs::create_dir(&below).unwrap();
    let trace = |file: &str| {
        let header = "reftrace 1 runtime=x pointer=8 references=events";
        let site = format!("site 1 \"{file}:5\" leak");
        format!("{header}\ntype 1 app.A flags=gc\n{site}\nalloc a 1 16 @1\nref a a .me\ncheckpoint full\nend\n")
    };
    fs::write(here.join("own.txt"), trace(&here.join("src/app.py").display().to_string())).unwrap();
    fs::write(here.join("six.txt"), trace("/venv/lib/python3.12/site-packages/six.py")).unwrap();
    let check = |from: &Path, site: &str, trace: &str| {
        fs::write(here.join("refloop.toml"), format!("[[suppress]]\nreason = 'known'\nsite = '{site}'\n")).unwrap();
        refloop(from, &["check", "--all", &here.join(trace).display().to_string()])
    };
    let is_head = |line: &&str| line.starts_with("cyclic-garbage");
    let head = |out: &str| out.lines().find(is_head).unwrap_or_default().to_string();
    assert_eq!(head(&check(&here, "none", "own.txt").1), "cyclic-garbage  src/app.py:5 leak");
    assert_eq!(head(&check(&below, "none", "own.txt").1), "cyclic-garbage  app.py:5 leak");
    assert_eq!(head(&check(&here, "none", "six.txt").1), "cyclic-garbage  site-packages/six.py:5 leak");
    let absolute = format!("{}:5 leak", below.join("app.py").display());
    for (from, site, trace, code) in [
        (&here, "src/app.py:5 leak", "own.txt", 0),
        (&here, "src/*", "own.txt", 0),
        (&here, "app.py:5 leak", "own.txt", 1),
        (&below, "app.py:5 leak", "own.txt", 0),
        (&below, "src/app.py:5", "own.txt", 0),
        (&below, &absolute, "own.txt", 0),
        (&here, "site-packages/six.py:5 leak", "six.txt", 0),
        (&here, "six.py:5 leak", "six.txt", 1),
    ] {
        assert_eq!(check(from, site, trace).0, code, "{site}");
    }
}

#[test]
fn a_page_appears_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    assert_eq!(refloop(here, &["analyze", LEAKS, "--format", "json", "-o", "page.json"]).0, 0);
    let page = fs::read_to_string(here.join("page.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&page).is_ok());
    // What cannot be read leaves the page of before as it was, and nothing beside it.
    assert_eq!(refloop(here, &["analyze", "nothing", "--format", "json", "-o", "page.json"]).0, 3);
    assert_eq!(fs::read_to_string(here.join("page.json")).unwrap(), page);
    assert_eq!(fs::read_dir(here).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_page_goes_where_a_link_leads_and_the_link_stays() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::create_dir(here.join("pages")).unwrap();
    std::os::unix::fs::symlink("pages/page.json", here.join("direct")).unwrap();
    std::os::unix::fs::symlink(here.join("direct"), here.join("link")).unwrap();
    // To what is not there, and to what is.
    for command in ["analyze", "types"] {
        assert_eq!(refloop(here, &[command, LEAKS, "--format", "json", "-o", "link"]).0, 0);
        assert!(fs::symlink_metadata(here.join("link")).unwrap().is_symlink());
        assert!(fs::symlink_metadata(here.join("direct")).unwrap().is_symlink());
        assert!(fs::read_to_string(here.join("pages/page.json")).unwrap().starts_with('{'));
    }
    assert_eq!(fs::read_dir(here.join("pages")).unwrap().count(), 1);
}

#[test]
fn a_cut_trace_is_a_warning_and_quiet_says_nothing() {
    let cut = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hand/cut.reftrace");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, _, err) = refloop(here, &["analyze", cut]);
    assert_eq!(code, 0);
    let warning = format!("warning: {cut}: cut short at byte 793; analysed up to the last whole record\n");
    assert_eq!(err, warning);
    assert_eq!(refloop(here, &["analyze", "-q", cut]).2, "");
}

#[test]
fn a_page_that_says_nothing_of_loops_replays_no_cut() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (format, is_tried) in [("json", true), ("openmetrics", true), ("collapsed", false), ("speedscope", false)] {
        let (code, _, err) = refloop(here, &["analyze", LEAKS, "-v", "--format", format]);
        assert_eq!((code, err.contains("cuts tried")), (0, is_tried), "{format}: {err}");
    }
}

#[test]
fn a_build_is_not_green_for_want_of_a_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let header = "reftrace 1 runtime=cpython-3.13.0 pointer=8 references=checkpoints";
    fs::write(here.join("killed.txt"), format!("{header}\ntype 1 A\nalloc a 1 16\n")).unwrap();
    let note = "note: killed.txt has no checkpoint, so nothing is known of its loops\n";
    let (code, out, err) = refloop(here, &["check", "killed.txt"]);
    assert_eq!((code, out), (3, format!("{note}refloop: nothing was checked\n")));
    assert_eq!(
        err,
        "error: no trace has a full checkpoint: was the program killed, or did it call os.exec…, before its end?\n"
    );
    let (code, out, err) = refloop(here, &["check", "killed.txt", CLEAN]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with(note), "{out}");
}

#[test]
fn what_collections_found_is_not_all_of_a_process_that_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let header = "reftrace 1 runtime=cpython-3.13.0 pointer=8 references=checkpoints births=survivors";
    let trace = |of: &str| {
        let found =
            "alloc a 1 16\nwalk garbage\ncount a 1\nref a a .me\ncheckpoint garbage\ngc start 2\nfree a\ngc stop 1 0\n";
        format!("{header}\ntype 1 {of} flags=gc\n{found}")
    };
    let full = "alloc b 1 16\nwalk full\ncount b 1\ncheckpoint full\n";
    for (name, text) in [
        ("library.txt", trace("collections.Node")),
        ("own.txt", trace("app.Node")),
        ("every.txt", trace("collections.Node") + full),
        ("ended.txt", trace("collections.Node") + "end\n"),
    ] {
        fs::write(here.join(name), text).unwrap();
    }
    let note = |name: &str| {
        format!(
            "note: {name} broke off without a full checkpoint, so only loops that a\n      collection found are known\n"
        )
    };
    let (code, out, err) = refloop(here, &["check", "library.txt"]);
    let hidden = "(not counted: 1 of packages and the standard library)";
    assert_eq!((code, out), (3, format!("{}refloop: not checked to the end\n    {hidden}\n", note("library.txt"))));
    assert_eq!(
        err,
        "error: no trace has a full checkpoint: was the program killed, or did it call os.exec…, before its end?\n"
    );
    let (code, out, _) = refloop(here, &["check", "own.txt"]);
    assert_eq!(code, 1);
    assert!(out.contains(&note("own.txt")), "{out}");
    assert_eq!(refloop(here, &["check", "library.txt", "ended.txt"]).0, 0);
    assert_eq!(refloop(here, &["check", "--running", "library.txt"]).0, 0);
    assert_eq!(
        refloop(here, &["check", "ended.txt"]),
        (0, format!("refloop: no reference loops found {hidden}\n"), "".into())
    );

    let (code, out, _) = refloop(here, &["check", "every.txt"]);
    let note = "note: every.txt broke off: what became garbage after its last checkpoint is not\n      known\n";
    assert_eq!((code, out), (0, format!("{note}refloop: no reference loops found {hidden}\n")));
    let (_, json, _) = refloop(here, &["check", "--format", "json", "library.txt", "every.txt", "ended.txt"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let known = json["inputs"].as_array().unwrap().iter().map(|input| input["known"].as_str().unwrap());
    assert_eq!(known.collect::<Vec<_>>(), ["collections", "part", "end"]);

    let (_, page, _) = refloop(here, &["analyze", "library.txt"]);
    assert!(page.contains("  alive at the end  not known\n"), "{page}");
    let types = "without a full checkpoint nothing is known of the types of library.txt";
    assert!(page.contains(&format!("TYPES\n{types}\n")), "{page}");
    let (_, page, _) = refloop(here, &["analyze", "ended.txt"]);
    assert!(page.contains("  alive at the end  not known\n"), "{page}");
    let (_, page, _) = refloop(here, &["types", "library.txt", "own.txt", "ended.txt"]);
    assert_eq!(page, format!("{types} and 2\nmore traces\n"));
}

#[test]
fn a_cut_trace_of_events_is_checked_as_far_as_it_goes() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, out, _) = refloop(here, &["check", "-q", "fixtures/hand/cut.reftrace"]);
    assert_eq!(code, 1, "{out}");
    let note = "note: fixtures/hand/cut.reftrace broke off: what became garbage afterwards is\n      not known\n";
    assert!(out.contains(note), "{out}");
}

#[test]
fn a_strict_gate_fails_on_a_trace_that_broke_off() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let header = "reftrace 1 runtime=x pointer=8 references=events\ntype 1 app.N flags=gc\n";
    fs::write(here.join("open.txt"), format!("{header}alloc a 1 16\nroot a x\ngc start 2\ngc stop 0 0\n")).unwrap();
    let (code, out, _) = refloop(here, &["check", "open.txt"]);
    assert_eq!(code, 0, "{out}");
    let (code, out, _) = refloop(here, &["check", "--strict", "open.txt"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("broke off") && out.ends_with("failed because of the notes above (strict)\n"), "{out}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_trace_of_the_same_directory_is_the_same_trace() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::create_dir_all(here.join("traces/old")).unwrap();
    fs::copy(crate::support::root().join("fixtures/hand/parent-child.reftrace"), here.join("traces/old/a.reftrace"))
        .unwrap();
    std::os::unix::fs::symlink("old/a.reftrace", here.join("traces/a-latest.reftrace")).unwrap();
    std::os::unix::fs::symlink("a-latest.reftrace", here.join("traces/b-latest.reftrace")).unwrap();
    let (_, json, _) = refloop(here, &["analyze", "--format", "json", "traces"]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["inputs"].as_array().unwrap().len(), 1, "{json}");
    // One that is named is read, link or not.
    let (_, json, _) = refloop(here, &["analyze", "--format", "json", "traces/a-latest.reftrace"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["inputs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_name_cannot_command_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let name = r#""app.A\n\u{1b}[31mB\u{202e}C""#;
    let site = r#"site 1 "/srv/a\u{1b}[0m.py:7" "make\n::error::x""#;
    let mark = r#"mark test "t\u{1b}[2J""#;
    let events =
        format!("type 1 {name} flags=gc\n{site}\n{mark}\nalloc a 1 16 @1\nref a a .me\nroot a \"x\\u{{7}}\"\n");
    let events = events + "checkpoint full\nunroot a \"x\\u{7}\"\nend\n";
    fs::write(
        here.join("a.txt"),
        format!("reftrace 1 runtime=\"x\\u{{1b}}[1m\" pointer=8 references=events\n{events}"),
    )
    .unwrap();
    for format in ["table", "markdown", "csv", "github", "junit", "sarif", "json", "dot", "openmetrics"] {
        for command in ["check", "analyze", "loops", "types"] {
            let (code, out, err) = refloop(here, &[command, "--format", format, "a.txt"]);
            match err.contains("has no such table") {
                true => assert_eq!((code, out.as_str()), (2, ""), "{format} {command}"),
                false => assert_eq!((code, err.as_str()), (i32::from(command == "check"), ""), "{format}"),
            }
            let commands = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!out.contains(commands), "{command} {format}: {out:?}");
            assert!(!out.contains("\n::error::x"), "{command} {format}: {out}");
        }
    }
    let (_, page, _) = refloop(here, &["analyze", "a.txt"]);
    assert!(page.contains(r"A\n\x1b[31mB\u202eC.me → A\n\x1b[31mB\u202eC"), "{page}");
    assert!(page.contains(r"/srv/a\x1b[0m.py:7 make\n::error::x"), "{page}");
    assert!(page.contains(r"in           test t\x1b[2J (1)"), "{page}");
    // What the program called it is in the trace still.
    let (_, text, _) = refloop(here, &["convert", "a.txt", "-", "--to", "text"]);
    assert!(text.contains(r"A\n\u{1b}[31mB"), "{text}");
}

#[test]
fn a_leak_of_the_main_module_is_the_same_in_a_spawned_process() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    for (file, module) in [("a.txt", "__main__"), ("b.txt", "__mp_main__")] {
        let header = "reftrace 1 runtime=x pointer=8 references=events";
        let events = "alloc a 1 16\nroot a global:n\nref a a .me\ngc start 2\ngc stop 0 0\nunroot a global:n\nend\n";
        fs::write(here.join(file), format!("{header}\ntype 1 {module}.N flags=gc\n{events}")).unwrap();
    }
    let (_, json, _) = refloop(here, &["check", "--format", "json", "a.txt", "b.txt"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["loops"].as_array().unwrap().len(), 1);
    assert_eq!((&json["loops"][0]["count"], &json["loops"][0]["steps"][0]["type"]), (&2.into(), &"__main__.N".into()));
    assert_eq!(json["types"].as_array().unwrap().len(), 1);
    let (_, text, _) = refloop(here, &["convert", "b.txt", "-", "--to", "text"]);
    assert!(text.contains("__mp_main__.N"), "{text}");
}

#[test]
fn a_count_below_the_known_references_is_told_with_its_object() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let events = "type 1 app.A flags=gc\nalloc b2 1 16\nalloc c3 1 16\nalloc a1 1 16\nwalk full\ncount a1 1\n\
                  count b2 2\nref b2 a1 .x\ncount c3 1\nref c3 a1 .x\ncheckpoint full\nend\n";
    let header = "reftrace 1 runtime=cpython-3.13.0 pointer=8 references=checkpoints";
    fs::write(here.join("a.txt"), format!("{header}\n{events}")).unwrap();
    let (_, json, _) = refloop(here, &["analyze", "--format", "json", "a.txt"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["anomalies"][0]["kind"], "count-below-references");
    assert_eq!(json["anomalies"][0]["examples"], serde_json::json!(["event 12, 0xa1 app.A"]));
    let (_, page, _) = refloop(here, &["analyze", "a.txt"]);
    assert!(page.contains("event 12"), "{page}");
}

#[test]
fn a_difference_fails_on_new_loops_of_the_application_only() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hand/library.reftrace");
    let diff = |more: &[&str], old: &str, new: &str| {
        let (code, page, _) = refloop(here, &[&["diff", "--fail-on-new"], more, &[old, new]].concat());
        (code, page)
    };
    let (code, page) = diff(&[], CLEAN, library);
    assert_eq!(code, 0);
    assert!(page.contains("standard library   Meta.me → Meta") && page.contains(" package attr "), "{page}");
    assert_eq!(diff(&["--own", "attr"], CLEAN, library).0, 1);
    let (code, page) = diff(&[], library, LEAKS);
    assert_eq!(code, 1);
    assert!(page.contains("application        Order.items[*]"), "{page}");
    assert_eq!(diff(&[], LEAKS, CLEAN).0, 0);
    let (_, json) = diff(&["--format", "json"], CLEAN, library);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["loops"][0]["owner"], "package attr");
    fs::write(here.join("refloop.toml"), "own = ['attr']\n").unwrap();
    assert_eq!(diff(&[], CLEAN, library).0, 1);
}

#[test]
fn converting_there_and_back_gives_the_same_trace() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    assert_eq!(refloop(here, &["convert", LEAKS, "a.bin"]).0, 0);
    assert_eq!(refloop(here, &["convert", "a.bin", "b.txt"]).0, 0);
    assert_eq!(refloop(here, &["convert", "b.txt", "c.bin", "--zstd"]).0, 0);
    assert_eq!(refloop(here, &["convert", "c.bin", "d.txt"]).0, 0);
    assert_eq!(fs::read(here.join("b.txt")).unwrap(), fs::read(here.join("d.txt")).unwrap());
    let report = |trace: &str| refloop(here, &["loops", trace]).1;
    assert_eq!(report("a.bin"), report(LEAKS));
}

#[test]
fn a_job_summary_is_appended_where_github_asks_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let summary = directory.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_refloop"))
        .args(["check", "--format", "github", LEAKS])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(fs::read_to_string(&summary).unwrap().starts_with("before\n# refloop\n\n**Failed**: 1 leak.\n"));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_success_and_the_gate_keeps_its_answer() {
    let shell = |command: &str| {
        let script =
            format!("exec 3>&1; {{ {} {command} {LEAKS}; echo $? >&3; }} | true", env!("CARGO_BIN_EXE_refloop"));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(shell("sleepless").0.trim(), "2");
    assert_eq!(shell("analyze"), ("0\n".into(), "".into()));
    assert_eq!(shell("check"), ("1\n".into(), "".into()));
}
