//! Writes a made-up trace of about N events to a file: `generate_trace N FILE [text|binary]`.

use std::fs::File;

use refloop::trace::formats::{WriteOptions, named};
use refloop::trace::{Events, convert};

#[path = "../benches/support/mod.rs"]
mod support;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (n_events, path, format) = match &arguments[..] {
        [n_events, path] => (n_events, path, "text"),
        [n_events, path, format] => (n_events, path, format.as_str()),
        _ => anyhow::bail!("usage: generate_trace N FILE [text|binary]"),
    };
    let mut trace = support::Generated::new(n_events.parse()?);
    let Some(writer) = named(format).and_then(|format| format.writer()) else {
        anyhow::bail!("{format} is not a form that can be written");
    };
    let sink = writer(trace.header(), Box::new(File::create(path)?), WriteOptions::default())?;
    convert(&mut trace, sink)?;
    Ok(())
}
