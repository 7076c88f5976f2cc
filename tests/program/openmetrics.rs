//! The reference parser of OpenMetrics, that of Prometheus's client for Python, takes what `check` writes.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::packages::python_with;
use crate::support::{refloop, root};

/// Prints each sample as the parser understands it.
const PARSER: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        print(sample.name, sample.labels.get('path', sample.labels.get('rule', '')), int(sample.value))
";

#[test]
fn the_reference_parser_takes_the_metrics() {
    let Some(python) = python_with("prometheus_client") else { return };
    let trace = root().join("fixtures/recorded/shop.reftrace");
    let written = refloop().args(["check", "--format", "openmetrics"]).arg(trace).output().unwrap();
    assert_eq!(written.status.code(), Some(1));
    let mut parser =
        Command::new(python).args(["-c", PARSER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    parser.stdin.take().unwrap().write_all(&written.stdout).unwrap();
    let parsed = parser.wait_with_output().unwrap();
    assert!(parsed.status.success());
    let samples = String::from_utf8(parsed.stdout).unwrap();
    assert!(samples.contains("refloop_loop_count Order.items[*] → Line.order → Order 1000\n"), "{samples}");
    assert!(samples.contains("refloop_gate_failed  1\n"), "{samples}");
}
