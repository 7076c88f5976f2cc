//! Compares two reports: loops by fingerprint, containers that grow by path, and by type what is alive and what logs call unreachable.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Form, GrowingContainerRow, LoopRow, RenderOptions, Report, TypeRow, UnreachableRow, terminal};
use crate::findings::Owner;
use crate::growth::Unit;

/// What is new, gone, and grown from one run to another.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Diff {
    /// What grew first, then what became less, most bytes first. A kind of loops is in it where their number differs.
    pub loops: Vec<Change>,
    /// A type is in it where there are twice as many objects or half of them, or where they differ by at least
    /// [`NOISE_BYTES`] and one in [`NOISE_PART`].
    pub types: Vec<Change>,
    /// Objects that a log calls unreachable, by type.
    pub unreachable: Vec<Change>,
    /// Containers that kept growing in one of the runs, or in both: those that have many more references at its end, or many
    /// fewer. `None` where it is not known of both runs what grew.
    pub containers: Option<Vec<Change>>,
    /// Types that differ by less: from one run of the same program to the next many do.
    pub types_left_out: u64,
}

/// Bytes of a type by which two runs of the same program may differ.
pub const NOISE_BYTES: u64 = 1_000;

/// One object in so many, likewise.
pub const NOISE_PART: u64 = 100;

/// One kind of loops, or type, of which there are more or fewer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    pub what: What,
    /// Path of the loop or container, or name of the type.
    pub name: String,
    /// Of a loop.
    pub fingerprint: Option<String>,
    /// Whose loop it is; `None` of a type, and of what is unreachable.
    pub owner: Option<Owner>,
    /// Of a container, in what it grew.
    pub unit: Option<Unit>,
    /// Loops, live instances, unreachable objects, or references or bytes of a container: before and after.
    pub count: [u64; 2],
    /// Most bytes of loops at one time with what they hold, or of live instances, unreachable objects, or a container with what it holds:
    /// before and after.
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
                Side {
                    name: row.path.clone(),
                    owner,
                    unit: None,
                    count: row.count,
                    bytes: row.peak_at_least.bytes.unwrap_or(0),
                },
            )
        };
        let of_type = |row: &TypeRow| {
            let name = row.type_name.clone();
            (name.clone(), Side { name, owner: None, unit: None, count: row.instances, bytes: row.bytes })
        };
        let of_unreachable = |row: &UnreachableRow| {
            let (name, bytes) = (row.type_name.clone(), row.bytes.unwrap_or(0));
            (name.clone(), Side { name, owner: None, unit: None, count: row.objects, bytes })
        };
        let unreachable = |report: &Report| report.unreachable.iter().map(of_unreachable).collect();
        let loops = |report: &Report| report.loops.rows.iter().map(of_loop).collect();
        let types = |report: &Report| report.types.rows.iter().filter(|row| row.instances > 0).map(of_type).collect();
        let loops = changes(loops(old), loops(new), true);
        let (types, noise) = changes(types(old), types(new), false).into_iter().partition::<Vec<_>, _>(Change::is_told);
        let unreachable = changes(unreachable(old), unreachable(new), false);
        let of_container = |row: &GrowingContainerRow| {
            let (name, bytes) = (row.path.clone(), row.bytes.unwrap_or(0));
            (format!("{name} {:?}", row.unit), Side { name, unit: Some(row.unit), count: row.to, bytes, owner: None })
        };
        let containers = |report: &Report| report.growth.by_path().into_values().map(of_container).collect();
        let containers = (old.growth.known && new.growth.known)
            .then(|| changes(containers(old), containers(new), false).into_iter().filter(Change::is_told).collect());
        Diff { loops, types, unreachable, containers, types_left_out: noise.len() as u64 }
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
    /// It is more than noise: new, gone, half of it or twice as much; or much in bytes, and more than one object in many.
    fn is_told(&self) -> bool {
        let [before, after] = self.count;
        let (differs, most) = (before.abs_diff(after), before.max(after));
        let is_much = self.bytes == [0, 0] || self.bytes[0].abs_diff(self.bytes[1]) >= NOISE_BYTES;
        differs.saturating_mul(2) >= most || is_much && differs.saturating_mul(NOISE_PART) >= most
    }

    /// A loop of a package or the standard library.
    pub fn is_foreign(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| !owner.may_be_application())
    }
}

/// A row of one of the two reports.
#[derive(Debug, Default)]
struct Side {
    name: String,
    owner: Option<Owner>,
    unit: Option<Unit>,
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
            (Some(before), Some(after)) if after.count > before.count => What::Grown,
            (Some(before), Some(after)) if after.count < before.count => What::Shrunk,
            _ => return None,
        };
        let told = after.or(before).unwrap_or(&nothing);
        let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
        Some(Change {
            what,
            name: told.name.clone(),
            fingerprint: are_loops.then(|| key.clone()),
            owner: told.owner.clone(),
            unit: told.unit,
            count: [before.count, after.count],
            bytes: [before.bytes, after.bytes],
        })
    };
    let mut changes: Vec<Change> = keys.filter_map(change).collect();
    let by = |change: &Change| {
        let is_less = matches!(change.what, What::Shrunk | What::Gone);
        (is_less, std::cmp::Reverse(change.bytes[0].abs_diff(change.bytes[1])), change.name.clone())
    };
    changes.sort_by_cached_key(by);
    changes
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
