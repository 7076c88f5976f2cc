//! Writes the report as one page for a browser: a file that needs no network and obeys no name in it.
//!
//! A page is `page.html`, its look `page.css`, and what it does stands in `script/`. The report goes into it as JSON, which the
//! script shows as text. A policy in the page allows this one script and this one style, by their hashes, and nothing else.

pub(super) mod collector;
mod data;
mod table;

use std::io::{self, Write};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Audience, RenderOptions, Report, ReportFormat, View};
use crate::run::Extras;

pub struct Html;

const PAGE: &str = include_str!("page.html");
pub(super) const STYLE: &str = include_str!("page.css");
/// One script: each file knows what the files before it define.
pub(super) const SCRIPT: &str = concat!(
    include_str!("script/elements.js"),
    include_str!("script/lists.js"),
    include_str!("script/chart.js"),
    include_str!("script/loops.js"),
    include_str!("script/memory.js"),
    include_str!("script/over_time.js"),
    include_str!("script/retained.js"),
    include_str!("script/tables.js"),
    include_str!("script/page.js"),
);

impl ReportFormat for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "one page for a browser, to look at and to send (docs/html.md)"
    }

    fn audience(&self) -> Audience {
        Audience::Browsers
    }

    fn extras(&self) -> Extras {
        Extras { retained: true, ..Extras::default() }
    }

    fn shows(&self, view: View) -> bool {
        view.is_whole()
    }

    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        write_page("refloop report", SCRIPT, &data::of(report), out)
    }
}

/// Writes a page whose script shows this data.
fn write_page(title: &str, script: &str, data: &Value, out: &mut dyn Write) -> io::Result<()> {
    let mut rest = PAGE;
    while let Some((before, (name, behind))) = next_place(rest) {
        out.write_all(before.as_bytes())?;
        match name {
            "title" => out.write_all(title.as_bytes())?,
            "style-hash" => out.write_all(hash(STYLE).as_bytes())?,
            "script-hash" => out.write_all(hash(script).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "script" => out.write_all(script.as_bytes())?,
            _ => out.write_all(table::embedded(data).as_bytes())?,
        }
        rest = behind;
    }
    out.write_all(rest.as_bytes())
}

/// What stands before the next `{{name}}` of the page, the name, and what stands behind it.
fn next_place(page: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = page.split_once("{{")?;
    Some((before, rest.split_once("}}")?))
}

/// How a policy names the one text that it allows.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests;
