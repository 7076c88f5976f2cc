//! Writes what was found in many traces as tables of Parquet files, which query engines take together.
//!
//! A table is a folder of the export. Below it stand the partitions, `day=2026-06-01/service=shop`, as Hive names them, and in
//! each a file for every export that had traces of that day and service, with a row group for each trace.

mod origin;
mod rows;
mod table;

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::report::Report;
pub use origin::{Origin, Partition};
pub use table::ExportError;
use table::Table;

/// How the tables can be written.
pub const FORMATS: [&str; 1] = ["parquet"];

/// What each table is called, in the order of the docs.
pub const TABLES: [&str; 7] = ["traces", "loops", "types", "slots", "sites", "growth", "collections"];

/// The files of one partition in the making: they appear when all of them are whole.
///
/// Takes memory for the rows of one trace, and some 100 bytes for each column and trace: the index at a file's end.
pub struct Tables {
    traces: Table,
    loops: Table,
    types: Table,
    slots: Table,
    sites: Table,
    growth: Table,
    collections: Table,
}

impl Tables {
    /// Begins the files of a partition below `folder`, for these traces.
    ///
    /// # Errors
    /// Where a folder or a file cannot be made.
    pub fn create<'a>(
        folder: &Path,
        partition: &Partition,
        traces: impl Iterator<Item = &'a Origin>,
    ) -> Result<Tables, ExportError> {
        // The same traces have the same file, whoever exports them.
        let ids = BTreeSet::from_iter(traces.map(|trace| trace.id.as_str()));
        let file = format!("{}.parquet", origin::digest(&Sha256::digest(Vec::from_iter(ids).join(" "))));
        let [traces, loops, types, slots, sites, growth, collections] =
            TABLES.map(|table| folder.join(table).join(partition.folder()).join(&file));
        Ok(Tables {
            traces: Table::create::<rows::Trace>(traces)?,
            loops: Table::create::<rows::Loop>(loops)?,
            types: Table::create::<rows::Type>(types)?,
            slots: Table::create::<rows::Slots>(slots)?,
            sites: Table::create::<rows::Site>(sites)?,
            growth: Table::create::<rows::Growth>(growth)?,
            collections: Table::create::<rows::Collections>(collections)?,
        })
    }

    /// Adds what was found in one trace: `report` is of that trace alone.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn add(&mut self, origin: &Origin, report: &Report) -> Result<(), ExportError> {
        let trace = &origin.id;
        self.traces.add(&rows::traces(origin, report))?;
        self.loops.add(&rows::loops(trace, report))?;
        self.types.add(&rows::types(trace, report))?;
        self.slots.add(&rows::slots(trace, report))?;
        self.sites.add(&rows::sites(trace, report))?;
        self.growth.add(&rows::growth(trace, report))?;
        self.collections.add(&rows::collections(trace, report))
    }

    /// Ends the files, the one of traces last: a trace that stands in it is whole in the other tables.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn finish(self) -> Result<(), ExportError> {
        let others = [self.loops, self.types, self.slots, self.sites, self.growth, self.collections];
        others.into_iter().chain([self.traces]).try_for_each(Table::finish)
    }
}

/// The traces that an export has already, by [`Origin::id`]. What is no export yet has none.
///
/// # Errors
/// Where a file in it cannot be read, or is no table of traces.
pub fn known(folder: &Path) -> Result<HashSet<String>, ExportError> {
    let mut known = HashSet::new();
    let mut open = vec![folder.join(TABLES[0])];
    while let Some(folder) = open.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|error| ExportError::new(&folder, error))?,
        };
        for entry in entries {
            let path = entry.map_err(|error| ExportError::new(&folder, error))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                known.extend(table::traces(&path)?);
            }
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests;
