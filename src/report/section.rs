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
    /// Makes the rows of the first `top` facts, or of all.
    pub fn first<Fact>(facts: Vec<Fact>, top: Option<usize>, row: impl FnMut(Fact) -> Row) -> Section<Row> {
        let n_rows = top.unwrap_or(usize::MAX).min(facts.len());
        let omitted = (facts.len() - n_rows) as u64;
        Section { rows: facts.into_iter().take(n_rows).map(row).collect(), omitted }
    }
}
