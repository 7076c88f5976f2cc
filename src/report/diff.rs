//! Compares two reports: loops by fingerprint, types by name.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Form, LoopRow, RenderOptions, Report, TypeRow, terminal};
use crate::findings::Owner;

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
    /// Whose loop it is; `None` of a type.
    pub owner: Option<Owner>,
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
        let of_loop = |row: &LoopRow| {
            let owner = Some(row.owner.clone());
            (
                row.fingerprint.clone(),
                Side { name: row.path.clone(), owner, count: row.count, bytes: row.total_bytes.unwrap_or(0) },
            )
        };
        let of_type = |row: &TypeRow| {
            let name = row.type_name.clone();
            (name.clone(), Side { name, owner: None, count: row.instances, bytes: row.bytes })
        };
        let loops = |report: &Report| report.loops.rows.iter().map(of_loop).collect();
        let types = |report: &Report| report.types.rows.iter().filter(|row| row.instances > 0).map(of_type).collect();
        Diff { loops: changes(loops(old), loops(new), true), types: changes(types(old), types(new), false) }
    }

    /// The application has loops of a kind that was not there before.
    pub fn has_new_loops(&self) -> bool {
        self.loops.iter().any(|change| change.what == What::New && !change.is_foreign())
    }

    /// `top`: rows of each table for people.
    pub fn write(&self, form: Form, page: &RenderOptions, top: usize, out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Table => terminal::diff::write(self, page, top, out),
            Form::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
        }
    }
}

impl Change {
    /// A loop of a package or the standard library.
    pub fn is_foreign(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| !owner.is_application())
    }
}

/// A row of one of the two reports.
#[derive(Debug, Default)]
struct Side {
    name: String,
    owner: Option<Owner>,
    count: u64,
    bytes: u64,
}

type Amounts = BTreeMap<String, Side>;

fn changes(old: Amounts, new: Amounts, are_loops: bool) -> Vec<Change> {
    let nothing = Side::default();
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    let change = |key: &String| {
        let before = old.get(key);
        let after = new.get(key);
        let what = match (before, after) {
            (None, _) => What::New,
            (_, None) => What::Gone,
            (Some(before), Some(after)) if after.amount() > before.amount() => What::Grown,
            (Some(before), Some(after)) if after.amount() < before.amount() => What::Shrunk,
            _ => return None,
        };
        let told = after.or(before).unwrap_or(&nothing);
        let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
        Some(Change {
            what,
            name: told.name.clone(),
            fingerprint: are_loops.then(|| key.clone()),
            owner: told.owner.clone(),
            count: [before.count, after.count],
            bytes: [before.bytes, after.bytes],
        })
    };
    let mut changes: Vec<Change> = keys.filter_map(change).collect();
    let by = |change: &Change| {
        (change.what, std::cmp::Reverse(change.bytes[0].abs_diff(change.bytes[1])), change.name.clone())
    };
    changes.sort_by_cached_key(by);
    changes
}

impl Side {
    fn amount(&self) -> (u64, u64) {
        (self.count, self.bytes)
    }
}

impl What {
    /// As a page writes it.
    pub fn name(self) -> &'static str {
        match self {
            What::New => "new",
            What::Grown => "grown",
            What::Shrunk => "shrunk",
            What::Gone => "gone",
        }
    }
}
