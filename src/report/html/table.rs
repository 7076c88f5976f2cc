//! Makes tables of JSON rows that are no longer than a page has room for.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::heap::printable;

/// Rows with the same fields, whose names are written once.
#[derive(Debug, Default, Serialize)]
pub(super) struct Table {
    fields: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// Rows that the page has no room for.
    pub(super) left_out: u64,
}

/// Bytes that a page has left.
#[derive(Debug)]
pub(super) struct Room(pub usize);

impl Room {
    /// Whether there is room for so much; then it is taken.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    /// A part of it, of at most so many bytes. What is left of that is given back by adding it.
    pub(super) fn part(&mut self, most: usize) -> Room {
        let part = Room(most.min(self.0));
        self.0 -= part.0;
        part
    }

    /// The rows for which there is room, the first ones first, of at most `most` bytes together.
    pub(super) fn table(&mut self, rows: impl IntoIterator<Item = impl Serialize>, most: usize) -> Table {
        let mut own = self.part(most);
        let mut table = Table::default();
        for row in rows {
            table.left_out += u64::from(!own.push(&row, &mut table));
        }
        self.0 += own.0;
        table
    }

    /// Adds a row to a table if there is room for it.
    fn push(&mut self, row: &impl Serialize, table: &mut Table) -> bool {
        let row = object(row);
        if table.fields.is_empty() {
            table.fields = row.keys().cloned().collect();
        }
        let has_room = self.take(size(&row));
        if has_room {
            table.rows.push(row.into_iter().map(|(_, value)| value).collect());
        }
        has_room
    }
}

/// The fields of a row, with texts that are fit for a page.
pub(super) fn object(row: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(row) {
        Ok(Value::Object(mut fields)) => {
            fields.values_mut().for_each(tidy);
            fields
        }
        _ => Map::new(),
    }
}

/// Bytes of a row in the page.
fn size(row: &Map<String, Value>) -> usize {
    row.values().map(|value| embedded(value).len() + 1).sum::<usize>() + 2
}

/// JSON in which no text ends the element that it stands in, or begins another.
pub(super) fn embedded(data: &Value) -> String {
    let mut json = String::new();
    for c in data.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json
}

/// Without characters that do more than to show themselves; the lines of code to paste stay lines.
fn tidy(value: &mut Value) {
    match value {
        Value::String(text) => {
            let lines: Vec<_> = text.split('\n').map(printable).collect();
            *text = lines.join("\n");
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        Value::Object(fields) => {
            let tidied = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                tidy(&mut value);
                (printable(&name).into_owned(), value)
            });
            *fields = tidied.collect();
        }
        _ => {}
    }
}
