//! The recorded fixtures have the answers that `fixtures/recorded/README.md` gives.

use crate::support::{refloop, root};
use serde_json::Value;

#[test]
fn an_order_and_its_lines_are_one_loop_with_one_name_on_every_cpython() {
    let new = report("shop");
    let old = report("shop-3.8");
    let (new, old) = (own_loops(&new), own_loops(&old));
    assert_eq!((new.len(), old.len()), (1, 1));
    assert_eq!(new[0]["path"], "Order.items[*] → Line.order → Order");
    assert_eq!(new[0]["fingerprint"], old[0]["fingerprint"]);
    assert_eq!((number(new[0], "count"), number(old[0], "count")), (1_000, 1_000));
    // 3.13 keeps attributes in the instance; on 3.8 each order and each line has a dict.
    assert_eq!((number(new[0], "gc_objects"), number(old[0], "gc_objects")), (4_000, 7_000));
    assert_eq!(new[0]["site"][0]["function"], "make_order");
}

#[test]
fn a_weak_reference_leaves_nothing_to_report() {
    let report = report("clean");
    assert_eq!(own_loops(&report).len(), 0);
    let status = refloop().args(["check", "-q"]).arg(trace("clean")).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let status =
        refloop().args(["check", "-q"]).arg(trace("shop")).stdout(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn each_well_known_kind_of_loop_is_told_by_its_path() {
    let report = report("patterns");
    let loops = own_loops(&report);
    let mut paths: Vec<&str> = loops.iter().map(|one| one["path"].as_str().unwrap()).collect();
    paths.sort();
    insta::assert_snapshot!(paths.join("\n"), @"
    Button.on_click → method clicked.__self__ → Button
    Cursor.parser → Parser.cursor → Cursor
    Tree.children[*] → Tree.parent → Tree
    ValueError.__traceback__ → traceback.tb_frame → frame caught local kept → ValueError
    class MadeAtRunTime.__mro__[*] → class MadeAtRunTime
    function fact → cell fact → function fact
    function step → cell self → Pipeline.step → function step
    generator numbers local me → generator numbers
    ");
    assert!(loops.iter().all(|one| number(one, "collected") == 0), "the program turns the collector off");
}

#[test]
fn a_dashboard_of_plain_dataclasses_is_told_to_use_slots() {
    let before = slots_of("dashboard", "__main__.UserProfile").expect("a row for the class");
    assert_eq!(before["verdict"], "recommended");
    assert_eq!(number(&before, "instances"), 2_000);
    assert!(before["suggestion"].as_str().unwrap().contains("@dataclass(slots=True)"), "{before}");
    let after = slots_of("dashboard-slots", "__main__.UserProfile");
    assert!(after.is_none_or(|row| row["verdict"] != "recommended"), "slots are there already");
}

fn trace(name: &str) -> std::path::PathBuf {
    root().join(format!("fixtures/recorded/{name}.reftrace"))
}

fn json(command: &str, name: &str) -> Value {
    let output = refloop().args([command, "--format", "json"]).arg(trace(name)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn report(name: &str) -> Value {
    json("analyze", name)
}

fn own_loops(report: &Value) -> Vec<&Value> {
    report["loops"].as_array().unwrap().iter().filter(|one| one["owner"] == "application").collect()
}

fn slots_of(name: &str, class: &str) -> Option<Value> {
    json("slots", name)["slots"].as_array().unwrap().iter().find(|row| row["type"] == class).cloned()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} of {value}"))
}
