//! Findings as SARIF 2.1.0, which code hosts show beside the code.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_sarif::sarif::{
    ArtifactLocation, Location, Message, MultiformatMessageString, PhysicalLocation, Region, ReportingDescriptor,
    Result as Outcome, ResultLevel, Run, Sarif as Log, Suppression, Tool, ToolComponent,
};

use super::{FindingRow, FrameRow, Page, Report, ReportFormat, View};
use crate::findings::gate::Standing;
use crate::findings::{RULES, Rule, Severity};

pub struct Sarif;

/// Key of the fingerprint among `partialFingerprints`; its number goes up when fingerprints change.
const FINGERPRINT: &str = "refloop/v1";

impl ReportFormat for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0, for code hosts"
    }

    fn shows(&self, view: View) -> bool {
        view.is_whole()
    }

    fn write(&self, report: &Report, _: &Page, out: &mut dyn Write) -> io::Result<()> {
        let driver = ToolComponent {
            version: Some(env!("CARGO_PKG_VERSION").to_string()),
            rules: Some(RULES.iter().map(|rule| descriptor(rule)).collect()),
            ..ToolComponent::builder().name("refloop").build()
        };
        let run = Run {
            results: Some(report.findings.iter().filter_map(outcome).collect()),
            ..Run::builder().tool(Tool::builder().driver(driver).build()).build()
        };
        let log = Log {
            schema: Some("https://json.schemastore.org/sarif-2.1.0.json".to_string()),
            ..Log::builder().version(serde_json::json!("2.1.0")).runs(vec![run]).build()
        };
        serde_json::to_writer_pretty(&mut *out, &log)?;
        writeln!(out)
    }
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let text = |text: &str| MultiformatMessageString::builder().text(text).build();
    ReportingDescriptor {
        short_description: Some(text(rule.summary)),
        full_description: Some(text(first_chapter(rule.page))),
        help: Some(MultiformatMessageString { markdown: Some(rule.page.to_string()), ..text(rule.page) }),
        ..ReportingDescriptor::builder().id(rule.name).build()
    }
}

/// What stands under the first heading of a rule's page.
fn first_chapter(page: &str) -> &str {
    let text = page.split("\n## ").nth(1).unwrap_or(page);
    text.split_once('\n').map_or(text, |(_, text)| text).trim()
}

/// A result; nothing for what was not asked for, or is not the application's.
fn outcome(finding: &FindingRow) -> Option<Outcome> {
    let standing = finding.standing.as_ref();
    let level = match (standing, finding.severity) {
        (Some(Standing::Foreign | Standing::NotAsked), _) => return None,
        (_, Severity::Note) if !finding.owner.is_application() => return None,
        (None, _) if !finding.owner.is_application() => ResultLevel::Note,
        (Some(Standing::Warning), _) => ResultLevel::Warning,
        (Some(Standing::Fails), _) => ResultLevel::Error,
        (_, Severity::Note) => ResultLevel::Note,
        (_, Severity::Warning) => ResultLevel::Warning,
        (_, Severity::Error) => ResultLevel::Error,
    };
    let advice = finding.advice.as_ref().map(|advice| format!("\n{advice}")).unwrap_or_default();
    let message = Message::builder().text(format!("{}{advice}", finding.message)).build();
    let rule_index = RULES.iter().position(|rule| rule.name == finding.rule);
    Some(Outcome {
        rule_id: Some(finding.rule.to_string()),
        rule_index: rule_index.map(|index| index as i64),
        level: Some(level),
        partial_fingerprints: Some(BTreeMap::from([(FINGERPRINT.to_string(), finding.fingerprint.clone())])),
        occurrence_count: Some(finding.count.clamp(1, i64::MAX as u64) as i64),
        locations: finding.place.as_ref().filter(|place| place.is_in_a_file()).map(|place| vec![location(place)]),
        suppressions: standing.filter(|standing| is_accepted(standing)).map(|standing| {
            let justification = Some(standing.reason().unwrap_or(standing.name()).to_string());
            vec![Suppression { justification, ..Suppression::builder().kind("external").build() }]
        }),
        ..Outcome::builder().message(message).build()
    })
}

/// The finding is there, and the build may pass.
fn is_accepted(standing: &Standing) -> bool {
    matches!(standing, Standing::Suppressed(_) | Standing::Known | Standing::Collected | Standing::Allowed)
}

fn location(place: &FrameRow) -> Location {
    let line = Some(i64::from(place.line)).filter(|&line| line > 0);
    let uri = ArtifactLocation { uri: Some(uri(&place.path)), ..ArtifactLocation::default() };
    let physical = PhysicalLocation {
        artifact_location: Some(uri),
        region: line.map(|line| Region { start_line: Some(line), ..Region::default() }),
        ..PhysicalLocation::default()
    };
    Location { physical_location: Some(physical), ..Location::default() }
}

/// A path as a URI reference: forward slashes, and everything but RFC 3986's plain characters as `%XX`.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    match uri.starts_with('/') {
        true => format!("file://{uri}"),
        false => uri,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("src/app.py"), "src/app.py");
        assert_eq!(uri("/srv/my app.py"), "file:///srv/my%20app.py");
        assert_eq!(uri("bücher.py"), "b%C3%BCcher.py");
    }
}
