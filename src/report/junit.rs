//! Writes findings as JUnit XML: one test case each, so that every CI server can show them.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::{FindingRow, RenderOptions, Report, ReportFormat, View, wording};
use crate::findings::Severity;
use crate::findings::gate::Standing;

pub struct Junit;

impl ReportFormat for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn about(&self) -> &'static str {
        "JUnit XML, for CI servers"
    }

    fn shows(&self, view: View) -> bool {
        view.is_whole()
    }

    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let mut suite = TestSuite::new("refloop");
        suite.add_test_cases(
            report.findings.iter().filter(|finding| finding.severity != Severity::Note || finding.fails()).map(case),
        );
        if suite.test_cases.is_empty() {
            let none_of = report.gate.as_ref().map_or(&[][..], |gate| &gate.none_of);
            let mut case = TestCase::new(wording::nothing_found(none_of), TestCaseStatus::success());
            case.set_classname("refloop");
            suite.add_test_case(case);
        }
        let mut document = Document::new("refloop");
        document.add_test_suite(suite);
        let mut text = Vec::new();
        document.serialize(&mut text).map_err(io::Error::other)?;
        // Two characters that Rust knows and XML has not; a class may be called so.
        let text = String::from_utf8_lossy(&text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        writeln!(out, "{}", without_sum_of_skipped(&text))
    }
}

/// Takes the number of skipped tests off the whole document: each suite has it, and strict readers refuse it there.
fn without_sum_of_skipped(text: &str) -> String {
    let Some((before, rest)) = text.split_once("<testsuites") else { return text.to_string() };
    let (tag, rest) = rest.split_once('>').unwrap_or((rest, ""));
    let kept: Vec<&str> = tag.split(' ').filter(|attribute| !attribute.starts_with("skipped=")).collect();
    format!("{before}<testsuites{}>{rest}", kept.join(" "))
}

fn case(finding: &FindingRow) -> TestCase {
    let status = match (finding.fails(), &finding.standing) {
        (true, _) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let place = finding.place.as_ref().map(|place| format!("\nmade at {}", place.place()));
            let advice = finding.advice.as_ref().map(|advice| format!("\n{advice}"));
            status.set_type(finding.rule).set_message(&*finding.message);
            status.set_description(format!(
                "{}{}{}\nfingerprint {}",
                finding.message,
                place.unwrap_or_default(),
                advice.unwrap_or_default(),
                finding.fingerprint
            ));
            status
        }
        (false, standing) => {
            let mut status = TestCaseStatus::skipped();
            let name = standing.as_ref().map_or("not counted", Standing::name);
            let reason = standing.as_ref().and_then(Standing::reason);
            status.set_message(reason.map_or(name.to_string(), |reason| format!("{name}: {reason}")));
            status
        }
    };
    let mut case = TestCase::new(&*finding.subject, status);
    case.set_classname(format!("refloop.{}", finding.rule));
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::report;

    #[test]
    fn what_xml_has_no_character_for_is_replaced() {
        let mut named = report(None);
        named.findings[0].subject = "app.\u{ffff}A\u{fffe}".to_string();
        let mut out = Vec::new();
        Junit.write(&named, &RenderOptions::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("app.\u{fffd}A\u{fffd}") && !text.contains(['\u{fffe}', '\u{ffff}']), "{text}");
    }
}
