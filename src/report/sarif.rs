//! Writes findings as SARIF 2.1.0, which code hosts show beside the code.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::place::percent_encoded;
use super::{FindingRow, FrameRow, RenderOptions, Report, ReportFormat, View};
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

    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let driver = Driver {
            name: "refloop",
            rules: RULES.iter().map(|rule| descriptor(rule)).collect(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let results = report.findings.iter().filter_map(outcome).collect();
        let log = Log {
            schema: "https://json.schemastore.org/sarif-2.1.0.json",
            runs: [Run { results, tool: Tool { driver } }],
            version: "2.1.0",
        };
        serde_json::to_writer_pretty(&mut *out, &log)?;
        writeln!(out)
    }
}

/// The parts of the standard's document that are written; `tests/schemas` has its schema.
#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: [Run<'a>; 1],
    version: &'static str,
}

#[derive(Serialize)]
struct Run<'a> {
    results: Vec<Outcome<'a>>,
    tool: Tool,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    rules: Vec<Descriptor>,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    full_description: Text,
    help: Help,
    id: &'static str,
    short_description: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Help {
    markdown: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    locations: Option<[Location; 1]>,
    message: Text,
    occurrence_count: u64,
    partial_fingerprints: BTreeMap<&'static str, &'a str>,
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<[Suppression<'a>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warning,
    Note,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Serialize)]
struct Suppression<'a> {
    justification: &'a str,
    kind: &'static str,
}

fn descriptor(rule: &'static Rule) -> Descriptor {
    let text = |text: &str| Text { text: text.to_string() };
    Descriptor {
        full_description: text(first_chapter(rule.explanation)),
        help: Help { markdown: rule.explanation, text: rule.explanation },
        id: rule.name,
        short_description: text(rule.summary),
    }
}

/// What stands under the first heading of a rule's page.
fn first_chapter(page: &str) -> &str {
    let text = page.split("\n## ").nth(1).unwrap_or(page);
    text.split_once('\n').map_or(text, |(_, text)| text).trim()
}

/// A result; nothing for what was not asked for, or is not the application's.
fn outcome(finding: &FindingRow) -> Option<Outcome<'_>> {
    let standing = finding.standing.as_ref();
    let level = match (standing, finding.severity) {
        (Some(Standing::Foreign | Standing::NotAsked), _) => return None,
        (_, Severity::Note) if !finding.owner.may_be_application() => return None,
        (None, _) if !finding.owner.may_be_application() => Level::Note,
        (Some(Standing::Warning), _) => Level::Warning,
        (Some(Standing::Fails), _) => Level::Error,
        (_, Severity::Note) => Level::Note,
        (_, Severity::Warning) => Level::Warning,
        (_, Severity::Error) => Level::Error,
    };
    let advice = finding.advice.as_ref().map(|advice| format!("\n{advice}")).unwrap_or_default();
    let place = finding.place.as_ref().filter(|place| place.is_in_a_file());
    Some(Outcome {
        level,
        locations: place.map(|place| [location(place)]),
        message: Text { text: format!("{}{advice}", finding.message) },
        occurrence_count: finding.count.clamp(1, i64::MAX as u64),
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, finding.fingerprint.as_str())]),
        rule_id: finding.rule,
        rule_index: RULES.iter().position(|rule| rule.name == finding.rule),
        suppressions: standing.filter(|standing| is_accepted(standing)).map(|standing| {
            let justification = standing.reason().unwrap_or(standing.name());
            [Suppression { justification, kind: "external" }]
        }),
    })
}

/// The finding is there, and the build may pass.
fn is_accepted(standing: &Standing) -> bool {
    matches!(
        standing,
        Standing::Suppressed(_) | Standing::Known | Standing::Collected | Standing::AtExit | Standing::Allowed
    )
}

fn location(place: &FrameRow) -> Location {
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: uri(&place.path) },
            region: (place.line > 0).then_some(Region { start_line: place.line }),
        },
    }
}

/// A path as a URI reference, with forward slashes.
fn uri(path: &str) -> String {
    let uri = percent_encoded(&path.replace('\\', "/"));
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
