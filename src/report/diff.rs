//! Two reports become the difference between them: loops by fingerprint, types by name.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::grid::{Align, Grid};
use super::human::{bytes, count};
use super::{LoopRow, Page, Report, TypeRow};

/// What is new, gone, and grown from one run to another.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Diff {
    /// Loops and types that are the same on both sides are not in it. Loops first by what happened, then by bytes.
    pub loops: Vec<Change>,
    pub types: Vec<Change>,
}

/// One loop or type whose number or bytes differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    pub what: What,
    /// Path of the loop, or name of the type.
    pub name: String,
    /// Of a loop.
    pub fingerprint: Option<String>,
    /// Loops, or live instances: before and after.
    pub count: [u64; 2],
    /// Bytes of loops with what they hold, or of live instances: before and after.
    pub bytes: [u64; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    New,
    Grown,
    Shrunk,
    Gone,
}

impl Diff {
    /// Costs a lookup for each row of both reports.
    pub fn between(old: &Report, new: &Report) -> Diff {
        let loop_key = |row: &LoopRow| (row.fingerprint.clone(), (row.path.clone(), row.count, row.total_bytes));
        let type_key = |row: &TypeRow| (row.type_name.clone(), (row.type_name.clone(), row.instances, row.bytes));
        let loops = |report: &Report| report.loops.rows.iter().map(loop_key).collect();
        let types = |report: &Report| report.types.rows.iter().filter(|row| row.instances > 0).map(type_key).collect();
        Diff { loops: changes(loops(old), loops(new), true), types: changes(types(old), types(new), false) }
    }

    /// There are loops that were not there before, or more of them.
    pub fn has_new_loops(&self) -> bool {
        self.loops.iter().any(|change| change.what == What::New)
    }

    pub fn write_table(&self, page: &Page, top: usize, out: &mut dyn Write) -> io::Result<()> {
        if self.loops.is_empty() && self.types.is_empty() {
            return writeln!(out, "no difference");
        }
        for (head, name, changes) in [("LOOPS", "Loop", &self.loops), ("TYPES", "Type", &self.types)] {
            if changes.is_empty() {
                continue;
            }
            writeln!(out, "{head}")?;
            let mut grid = Grid::new(page.width);
            grid.column("", Align::Left).column("Before", Align::Right).column("After", Align::Right);
            grid.column("Bytes", Align::Right).column(name, Align::Left);
            for change in changes.iter().take(top) {
                grid.row([
                    change.what.name().to_string(),
                    count(change.count[0]),
                    count(change.count[1]),
                    signed(change.bytes),
                    change.name.clone(),
                ]);
            }
            grid.write(out)?;
            if let Some(more) = changes.len().checked_sub(top).filter(|&more| more > 0) {
                writeln!(out, "… and {} more (--top 0 shows all)", count(more as u64))?;
            }
        }
        Ok(())
    }

    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }
}

type Amounts = BTreeMap<String, (String, u64, u64)>;

fn changes(old: Amounts, new: Amounts, are_loops: bool) -> Vec<Change> {
    let nothing = (String::new(), 0, 0);
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    let change = |key: &String| {
        let before = old.get(key);
        let after = new.get(key);
        let what = match (before, after) {
            (None, _) => What::New,
            (_, None) => What::Gone,
            (Some(before), Some(after)) if (after.1, after.2) > (before.1, before.2) => What::Grown,
            (Some(before), Some(after)) if (after.1, after.2) < (before.1, before.2) => What::Shrunk,
            _ => return None,
        };
        let name = after.or(before).map(|amount| amount.0.clone()).unwrap_or_default();
        let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
        let fingerprint = are_loops.then(|| key.clone());
        Some(Change { what, name, fingerprint, count: [before.1, after.1], bytes: [before.2, after.2] })
    };
    let mut changes: Vec<Change> = keys.filter_map(change).collect();
    let by = |change: &Change| {
        (change.what, std::cmp::Reverse(change.bytes[0].abs_diff(change.bytes[1])), change.name.clone())
    };
    changes.sort_by_cached_key(by);
    changes
}

fn signed([before, after]: [u64; 2]) -> String {
    let sign = if after < before { "-" } else { "+" };
    format!("{sign}{}", bytes(before.abs_diff(after)))
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::New => "new",
            What::Grown => "grown",
            What::Shrunk => "shrunk",
            What::Gone => "gone",
        }
    }
}
