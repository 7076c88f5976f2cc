//! Makes the page of what CPython's collector would do under other settings.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::data::MOST_BYTES;
use super::table::{Room, object};
use super::write_page;
use crate::report::collector::{Document, Row};

const SCRIPT: &str = concat!(
    include_str!("script/elements.js"),
    include_str!("script/lists.js"),
    include_str!("script/chart.js"),
    include_str!("script/collector.js"),
);

/// Writes the settings of each trace, with what has to be said of them.
pub(in crate::report) fn write(traces: &[Document], notes: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
    let mut room = Room(MOST_BYTES);
    let traces: Vec<Value> = traces.iter().zip(notes).map(|(of, notes)| trace(of, notes, &mut room)).collect();
    let data = json!({"version": env!("CARGO_PKG_VERSION"), "traces": traces});
    write_page("refloop: settings of the collector", SCRIPT, &data, out)
}

fn trace(of: &Document, notes: &[String], room: &mut Room) -> Value {
    Value::Object(object(&json!({
        "trace": of.trace,
        "recorded": of.recorded,
        "notes": notes,
        "settings": of.settings.iter().map(|row| setting(row, room)).collect::<Vec<_>>(),
    })))
}

fn setting(row: &Row, room: &mut Room) -> Value {
    let moments = room.table(row.garbage_over_time, usize::MAX);
    json!({
        "setting": row.setting,
        "collections": row.collections,
        "looked": row.looked,
        "estimated_pause_ns": row.estimated_pause_ns,
        "peak": row.garbage_peak,
        "left": row.garbage_left,
        "all_moments": row.moments,
        // A picture is whole or not there.
        "moments": (moments.left_out == 0).then_some(moments),
    })
}
