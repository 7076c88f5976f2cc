//! Writes findings as workflow commands of GitHub Actions: annotations beside the line that made the loop.

use std::fs::OpenOptions;
use std::io::{self, Write};

use super::markdown::Markdown;
use super::{RenderOptions, Report, ReportFormat, View, wording};
use crate::findings::gate::Standing;

pub struct Github;

impl ReportFormat for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "annotations of GitHub Actions"
    }

    fn shows(&self, view: View) -> bool {
        view.is_whole()
    }

    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let annotated =
            report.findings.iter().filter(|finding| finding.fails() || finding.standing == Some(Standing::Warning));
        for gap in wording::gaps(&report.inputs) {
            writeln!(out, "::warning title={}::{}", property("refloop: incomplete trace"), data(&gap))?;
        }
        for finding in annotated {
            let level = if finding.fails() { "error" } else { "warning" };
            let mut properties = vec![format!("title={}", property(&format!("refloop: {}", finding.rule)))];
            if let Some(place) = finding.place.as_ref().filter(|place| place.is_in_a_file()) {
                properties.insert(0, format!("file={}", property(&place.path)));
                if place.line > 0 {
                    properties.insert(1, format!("line={}", place.line));
                }
            }
            let advice = finding.advice.as_ref().map(|advice| format!("\n{advice}")).unwrap_or_default();
            writeln!(out, "::{level} {}::{}", properties.join(","), data(&format!("{}{advice}", finding.message)))?;
        }
        Ok(())
    }

    /// The page that GitHub Actions shows for the job.
    fn write_aside(&self, report: &Report, page: &RenderOptions) -> io::Result<()> {
        let Some(file) = std::env::var_os(SUMMARY).filter(|file| !file.is_empty()) else { return Ok(()) };
        let mut text = Vec::new();
        Markdown.write(report, page, &mut text)?;
        let written =
            OpenOptions::new().append(true).create(true).open(file).and_then(|mut file| file.write_all(&text));
        written.map_err(|error| io::Error::other(format!("${SUMMARY}: {error}")))
    }
}

/// The variable that names the file of the job's summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Text after the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
