//! Defines a table of the report, which knows how many of its rows were left out.

use serde::Serialize;

/// Rows, and how many were left out by `--top`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Section<Row> {
    pub rows: Vec<Row>,
    #[serde(skip)]
    pub omitted: u64,
}

impl<Row> Default for Section<Row> {
    fn default() -> Section<Row> {
        Section { rows: Vec::new(), omitted: 0 }
    }
}

impl<Row> Section<Row> {
    pub fn new(rows: Vec<Row>) -> Section<Row> {
        Section { rows, omitted: 0 }
    }

    /// Keeps the first `top` rows and remembers how many went.
    pub fn limit(&mut self, top: usize) {
        if let Some(over) = self.rows.len().checked_sub(top).filter(|&over| over > 0) {
            self.omitted += over as u64;
            self.rows.truncate(top);
        }
    }
}
