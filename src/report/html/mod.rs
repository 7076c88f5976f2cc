//! Writes the report as one page for a browser: a file that needs no network and obeys no name in it.
//!
//! The page is `page.html`, its look `page.css`, and what it does `page.js`. The report goes into it as JSON, which the
//! script shows as text. A policy in the page allows this one script and this one style, by their hashes, and nothing else.

mod data;
mod table;

use std::io::{self, Write};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Audience, RenderOptions, Report, ReportFormat, View};

pub struct Html;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

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

    fn shows(&self, view: View) -> bool {
        view.is_whole()
    }

    fn write(&self, report: &Report, _: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
        let mut rest = PAGE;
        while let Some((before, (name, behind))) = next_place(rest) {
            out.write_all(before.as_bytes())?;
            match name {
                "style-hash" => out.write_all(hash(STYLE).as_bytes())?,
                "script-hash" => out.write_all(hash(SCRIPT).as_bytes())?,
                "style" => out.write_all(STYLE.as_bytes())?,
                "script" => out.write_all(SCRIPT.as_bytes())?,
                _ => out.write_all(embedded(&data::of(report)).as_bytes())?,
            }
            rest = behind;
        }
        out.write_all(rest.as_bytes())
    }
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

/// JSON in which no text ends the element that it stands in, or begins another.
fn embedded(data: &Value) -> String {
    let mut json = String::new();
    for c in data.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json
}
