//! Tests every format with the same reports.

use chrono::NaiveDate;

use super::testing::{report, report_of_first};
use super::*;
use crate::findings::gate::Gate;
use crate::findings::{Owner, Ownership};
use crate::growth::{GrowingContainer, Growth, Unit};
use crate::run::Run;
use crate::trace::References;

fn written(format: &dyn ReportFormat, report: &Report, page: &RenderOptions) -> String {
    let mut out = Vec::new();
    format.write(report, page, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_writes_the_same_report_and_always_the_same_bytes() {
    for format in FORMATS {
        let page = RenderOptions::default();
        let text = written(*format, &report(None), &page);
        assert_eq!(text, written(*format, &report(None), &page), "{}", format.name());
        insta::assert_snapshot!(format!("{}_analyze", format.name()), of_report(&text));
        let page = RenderOptions { view: View::Check, ..page };
        let gate = "[[suppress]]\npath = 'Worker*'\nreason = 'until the queue is rewritten'\n";
        insta::assert_snapshot!(
            format!("{}_check", format.name()),
            of_report(&written(*format, &report(Some(gate)), &page))
        );
    }
}

/// What of a page comes from the report: not the style and the script that all pages have, nor their hashes.
fn of_report(page: &str) -> String {
    let mut text = page.to_string();
    for same in [html::STYLE, html::SCRIPT] {
        text = text.replace(same, "…");
    }
    let mut pieces = text.split("sha256-").map(str::to_string).collect::<Vec<_>>();
    pieces.iter_mut().skip(1).for_each(|piece| *piece = piece[44..].to_string());
    pieces.join("sha256-…")
}

#[test]
fn a_wide_terminal_shows_more() {
    let page = RenderOptions { width: 160, ..RenderOptions::default() };
    insta::assert_snapshot!("table_wide", written(&terminal::Table, &report(None), &page));
}

#[test]
fn no_line_of_a_table_is_wider_than_the_page() {
    for width in [60, 80, 100, 160] {
        for view in [View::Analyze, View::Check, View::Loops, View::Types, View::Slots] {
            let text = written(
                &terminal::Table,
                &report(Some("")),
                &RenderOptions { view, width, ..RenderOptions::default() },
            );
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width} {view:?}: {line}");
            }
        }
    }
}

#[test]
fn the_name_of_a_type_stands_on_one_line_beside_the_columns_that_there_is_room_for() {
    let mut large = report(None);
    let row = &mut large.types.rows[1];
    row.type_name = "collections.OrderedDict".to_string();
    (row.instances, row.peak_instances, row.ever_instances) = (268_086, 268_086, 30_113_045);
    (row.bytes, row.bytes_per_instance, row.share) = (9_260_176, 9_260_176.0, 0.01);
    for (width, name, shown) in [
        (160, " collections.OrderedDict ", ["Ever", "Peak"].as_slice()),
        (80, "OrderedDict ", ["Ever", "<0.1 %"].as_slice()),
        (60, "OrderedDict ", ["9.3 MB"].as_slice()),
    ] {
        let text =
            written(&terminal::Table, &large, &RenderOptions { view: View::Types, width, ..RenderOptions::default() });
        assert!(text.contains(name), "{width}: {text}");
        assert!(shown.iter().all(|word| text.contains(word)), "{width}: {text}");
    }
}

#[test]
fn colour_changes_nothing_but_the_escapes() {
    let page = RenderOptions { color: true, ..RenderOptions::default() };
    let text = written(&terminal::Table, &report(None), &page);
    assert!(text.contains("\x1b["));
    let plain =
        text.split('\x1b').map(|part| part.split_once('m').filter(|_| part.starts_with('[')).map_or(part, |p| p.1));
    assert_eq!(
        plain.collect::<String>(),
        written(&terminal::Table, &report(None), &RenderOptions { color: false, ..page })
    );
}

#[test]
fn rows_that_are_left_out_are_counted_in_every_table() {
    let short = report_of_first(Some(1), None);
    let text = written(&terminal::Table, &short, &RenderOptions::default());
    assert!(text.contains("… and 2 more kinds of loops"), "{text}");
    assert!(text.contains("… and 1 more type"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&written(&json::Json, &short, &RenderOptions::default())).unwrap();
    assert_eq!(json["omitted"], serde_json::json!({"loops": 2, "types": 1, "slots": 0}));
    assert_eq!(json["summary"]["cyclic_garbage"]["loops"], 623);
}

#[test]
fn one_table_is_that_table_and_nothing_else_in_every_format_that_has_it() {
    let words = [(View::Loops, ".items[*]"), (View::Types, "dict"), (View::Slots, "possible after")];
    for format in FORMATS {
        for (view, word) in words.into_iter().filter(|&(view, _)| format.shows(view)) {
            let text =
                written(*format, &report(Some("")), &RenderOptions { view, width: 160, ..RenderOptions::default() });
            for (other, word) in words.into_iter().filter(|&(other, _)| other != view && other != View::Types) {
                assert!(!text.contains(word), "{} {view:?} shows {other:?}: {text}", format.name());
            }
            assert!(text.contains(word), "{} {view:?}: {text}", format.name());
        }
    }
    let shown =
        |view| FORMATS.iter().filter(|format| format.shows(view)).map(|format| format.name()).collect::<Vec<_>>();
    assert_eq!(shown(View::Loops), ["table", "json", "markdown", "csv", "dot"]);
    assert_eq!(shown(View::Slots), ["table", "json", "markdown", "csv"]);
    assert_eq!(shown(View::Check).len(), FORMATS.len());
}

#[test]
fn a_check_that_finds_nothing_is_one_line() {
    let text = written(
        &terminal::Table,
        &Report { gate: Some(GateRow::default()), ..Report::default() },
        &RenderOptions { view: View::Check, ..RenderOptions::default() },
    );
    assert_eq!(text, "refloop: no reference loops found\n");
}

#[test]
fn a_check_that_finds_nothing_says_what_it_looked_for() {
    let told = |references: &[References], looks, warned: bool| {
        let input = |&references| Input { references, snapshots: 3, known: Extent::End, ..Input::default() };
        let grows = GrowingContainer {
            path: "app.CACHE".to_string(),
            type_name: "dict".to_string(),
            from: 100,
            to: 300,
            element: "app.User".to_string(),
            bytes: 9_600,
            ..GrowingContainer::default()
        };
        let containers = if warned { vec![grows] } else { vec![] };
        let growth = Growth { looks, containers, ..Growth::default() };
        let run = Run { inputs: references.iter().map(input).collect(), growth, ..Run::default() };
        let ownership = Ownership::default();
        let findings = crate::findings::find(&run, &ownership);
        let verdict = Gate::default().judge(&findings, NaiveDate::MAX);
        let report = Report::new(&run, &findings, Some(&verdict), &ownership, &ReportOptions::default());
        let text = written(&terminal::Table, &report, &RenderOptions { view: View::Check, ..RenderOptions::default() });
        text.lines().last().unwrap_or_default().to_string()
    };
    let (events, checkpoints, none) = (References::Events, References::Checkpoints, References::None);
    assert_eq!(told(&[checkpoints], 2, false), "refloop: no reference loops found");
    assert_eq!(told(&[checkpoints], 3, false), "refloop: no reference loops or growing containers found");
    assert_eq!(told(&[checkpoints], 3, true), "refloop: no reference loops found");
    assert_eq!(told(&[none], 0, false), "refloop: no unreachable objects found");
    let all = "refloop: no reference loops, lost references, unreachable objects or growing containers found";
    assert_eq!(told(&[events, none], 3, false), all);
}

#[test]
fn a_trace_without_a_checkpoint_is_no_trace_without_leaks() {
    let input = |path: &str, snapshots, whole, complete| Input {
        path: path.to_string(),
        references: References::Checkpoints,
        snapshots,
        known: Extent::of(snapshots, whole, complete),
        ..Input::default()
    };
    let told = |inputs| {
        let report = Report { inputs, gate: Some(GateRow::default()), ..Report::default() };
        written(&terminal::Table, &report, &RenderOptions { view: View::Check, ..RenderOptions::default() })
    };
    let note = "note: killed.reftrace has no checkpoint, so nothing is known of its loops\n";
    let (killed, ended) = (input("killed.reftrace", 0, 0, false), input("ended.reftrace", 1, 1, true));
    assert_eq!(told(vec![killed.clone(), ended.clone()]), format!("{note}refloop: no reference loops found\n"));
    assert_eq!(told(vec![killed.clone()]), format!("{note}refloop: nothing was checked\n"));
    assert_eq!(told(vec![ended]), "refloop: no reference loops found\n");
    let note = "note: late.reftrace broke off without a full checkpoint, so only loops that a\n      \
                collection found are known\n";
    assert_eq!(told(vec![input("late.reftrace", 3, 0, false)]), format!("{note}refloop: not checked to the end\n"));
    let note = "note: part.reftrace broke off: what became garbage after its last checkpoint is\n      not known\n";
    assert_eq!(told(vec![input("part.reftrace", 3, 1, false)]), format!("{note}refloop: no reference loops found\n"));
    assert_eq!(told(vec![input("swept.reftrace", 3, 0, true)]), "refloop: no reference loops found\n");
    let many = told(vec![killed; 7]);
    assert!(many.contains("note: the same of 2 more traces\n"), "{many}");
}

#[test]
fn what_is_not_counted_is_broken_at_its_arrows() {
    let mut long = report(Some(""));
    let foreign = |finding: &&mut FindingRow| finding.owner == Owner::StandardLibrary;
    let finding = long.findings.iter_mut().find(foreign).unwrap();
    let steps = ["NotFound.__traceback__", "traceback.tb_next", "traceback.tb_frame", "frame dispatch local error"];
    finding.subject = steps.join(" → ");
    let page = RenderOptions { view: View::Check, verbose: true, ..RenderOptions::default() };
    let text = written(&terminal::Table, &long, &page);
    let lines = "not counted  standard library: 2 loops: NotFound.__traceback__\n             \
                 → traceback.tb_next → traceback.tb_frame\n             → frame dispatch local error\n";
    assert!(text.contains(lines), "{text}");
}

#[test]
fn the_json_report_follows_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let views = [View::Analyze, View::Check, View::Loops, View::Types, View::Slots];
    for (gate, view) in [None, Some("max-loops = 1")].into_iter().flat_map(|gate| views.map(|view| (gate, view))) {
        let mut report = report(gate);
        report.growth.containers.push(GrowingContainerRow { containers: 1, ..GrowingContainerRow::default() });
        report.growth.types.push(GrowingTypeRow::default());
        let text = written(&json::Json, &report, &RenderOptions { view, ..RenderOptions::default() });
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn the_page_on_the_json_report_names_every_field_of_its_schema() {
    fn names(value: &serde_json::Value, found: &mut Vec<String>) {
        let Some(object) = value.as_object() else { return };
        found.extend(object.get("properties").and_then(|p| p.as_object()).into_iter().flat_map(|p| p.keys().cloned()));
        object.values().for_each(|inner| names(inner, found));
    }
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let mut found = Vec::new();
    names(&schema, &mut found);
    assert!(found.len() > 80);
    let page = include_str!("../../docs/json-schema.md");
    let missing: Vec<_> = found.iter().filter(|name| !page.contains(&format!("{name}`"))).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn the_sarif_log_follows_the_schema_of_its_standard() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../tests/schemas/sarif-2.1.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for gate in [None, Some("[[suppress]]\npath='Worker*'\nreason='known'")] {
        let value: serde_json::Value =
            serde_json::from_str(&written(&sarif::Sarif, &report(gate), &RenderOptions::default())).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(value["runs"][0]["results"][0]["partialFingerprints"]["refloop/v1"], "3f9c0a115e8d7b42");
    }
}

#[test]
fn the_profiles_follow_the_schema_of_speedscope_and_weigh_what_the_collapsed_stacks_weigh() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../tests/schemas/speedscope.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut without_sizes = report(None);
    let made = &mut without_sizes.made;
    made.garbage.iter_mut().chain(made.alive.iter_mut().flatten()).for_each(|row| row.bytes = 0);
    made.in_bytes = false;
    for report in [report(None), without_sizes, Report::default()] {
        let text = written(&speedscope::Speedscope, &report, &RenderOptions::default());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        let weights = value["profiles"].as_array().unwrap().iter().map(|profile| profile["endValue"].as_u64().unwrap());
        let lines = written(&collapsed::Collapsed, &report, &RenderOptions::default());
        let of_lines = lines.lines().map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
        assert_eq!(weights.sum::<u64>(), of_lines.sum::<u64>(), "{lines}");
    }
}

#[test]
fn a_difference_names_what_is_new_grown_and_gone() {
    let old = report(None);
    let mut new = report(None);
    new.loops.rows[0].fingerprint = "0000000000000001".to_string();
    new.loops.rows[1].count += 1;
    new.types.rows[0].instances += 1_000;
    new.types.rows[0].bytes += 228_000;
    new.types.rows[1].bytes += 3;
    new.types.rows.push(TypeRow { type_name: "app.Line".to_string(), instances: 1, bytes: 48, ..TypeRow::default() });
    let diff = diff::Diff::between(&old, &new);
    assert!(diff.has_new_loops());
    let mut out = Vec::new();
    diff.write(Form::Table, &RenderOptions::default(), 10, &mut out).unwrap();
    insta::assert_snapshot!("diff", String::from_utf8(out).unwrap());
    assert_eq!(diff::Diff::between(&old, &old), diff::Diff::default());
}

#[test]
fn a_check_says_how_many_containers_grew_besides_those_that_it_tells() {
    let mut report = report(Some(""));
    let page = RenderOptions { view: View::Check, ..RenderOptions::default() };
    assert!(!written(&terminal::Table, &report, &page).contains("kept growing"));
    report.growth.more = 51;
    assert!(written(&terminal::Table, &report, &page).contains("note: 51 more containers kept growing"));
}

#[test]
fn a_difference_has_the_containers_that_grew_to_another_size_where_it_is_known_of_both() {
    let grown = |rows: &[(&str, u64)]| {
        let row = |&(path, to): &(&str, u64)| GrowingContainerRow {
            path: path.to_string(),
            to,
            bytes: Some(48 * to),
            ..GrowingContainerRow::default()
        };
        let containers = rows.iter().map(row).collect();
        let growth = GrowthRows { looks: 5, known: true, containers, ..GrowthRows::default() };
        Report { growth, ..report(None) }
    };
    let old = grown(&[("svc.CACHE", 5_000), ("svc.QUEUE", 900), ("svc.TASKS", 700)]);
    let diff = diff::Diff::between(&old, &grown(&[("svc.CACHE", 5_001), ("svc.QUEUE", 2_000), ("svc.HOOKS", 80)]));
    let rows: Vec<_> = diff.containers.iter().flatten().map(|row| (row.what.name(), row.name.as_str())).collect();
    assert_eq!(rows, [("grown", "svc.QUEUE"), ("new", "svc.HOOKS"), ("gone", "svc.TASKS")]);
    assert_eq!(diff::Diff::between(&report(None), &old).containers, None);
}

#[test]
fn a_difference_tells_a_buffer_in_bytes_and_of_several_traces_the_largest_one() {
    let buffer = |to| GrowingContainerRow {
        path: "svc.BUFFER".to_string(),
        unit: Unit::Bytes,
        to,
        bytes: Some(to),
        ..GrowingContainerRow::default()
    };
    let grown = |sizes: &[u64]| {
        let containers = sizes.iter().map(|&to| buffer(to)).collect();
        Report {
            growth: GrowthRows { looks: 5, known: true, containers, ..GrowthRows::default() },
            ..Report::default()
        }
    };
    let diff = diff::Diff::between(&grown(&[2_000_000]), &grown(&[9_000_000, 14_000_000, 5_000_000]));
    let mut page = Vec::new();
    diff.write(Form::Table, &RenderOptions::default(), 10, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    let row = page.lines().find(|line| line.contains("svc.BUFFER")).unwrap_or_default();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>().join(" "), "grown 2.0 MB 14.0 MB +12.0 MB svc.BUFFER");
}
