//! Defines what a report says of growth.

use std::collections::BTreeMap;

use serde::Serialize;

use super::FrameRow;
use crate::findings::growing_container::Facts;
use crate::growth::Unit;

/// What grew from one look at the whole heap to the next, in each trace for itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GrowthRows {
    /// Looks at the whole heap.
    pub looks: u64,
    /// There were enough of them.
    pub known: bool,
    /// Those first that gained most of what is worth a row.
    pub containers: Vec<GrowingContainerRow>,
    /// Containers that grew and are left out.
    pub more: u64,
    /// Most objects gained first.
    pub types: Vec<GrowingTypeRow>,
}

/// A container that grew.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GrowingContainerRow {
    /// `svc.CACHE`.
    pub path: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// More than one where many that are reached alike grow together.
    pub containers: u64,
    pub unit: Unit,
    /// References or bytes at the first look and at the last, of many containers the references to `element` alone.
    pub from: u64,
    pub to: u64,
    /// Else there were at most so many at the first look.
    pub from_is_exact: bool,
    pub per_second: Option<f64>,
    /// At the last look it was smaller, or gone; the numbers are those of the look before.
    pub emptied: bool,
    /// The type that most of what it holds is of, by bytes. A buffer has its own type there.
    pub element: String,
    /// Of it and all that it refers to directly.
    pub bytes: Option<u64>,
    /// The stack that made the newest of it, innermost first.
    pub site: Vec<FrameRow>,
    /// The innermost frame of the application's own code in it, else the innermost of all.
    pub place: Option<FrameRow>,
    /// It is where the container was made: nothing that filled it is recorded.
    pub site_of_container: bool,
}

impl GrowthRows {
    /// The containers by path and unit: of one that several traces have, that which is largest.
    pub fn by_path(&self) -> BTreeMap<(&str, Unit), &GrowingContainerRow> {
        let mut by_path: BTreeMap<_, &GrowingContainerRow> = BTreeMap::new();
        for row in &self.containers {
            let largest = by_path.entry((row.path.as_str(), row.unit)).or_insert(row);
            *largest = std::cmp::max_by_key(row, *largest, |row| (row.to, row.bytes));
        }
        by_path
    }
}

impl GrowingContainerRow {
    /// What was made at its place, where that is the container and not what fills it: `dict`.
    pub(super) fn made_itself(&self) -> Option<&str> {
        self.site_of_container.then_some(self.type_name.as_str())
    }

    /// What several formats say of it in the same words.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            type_name: &self.type_name,
            containers: self.containers,
            unit: self.unit,
            from: self.from,
            to: self.to,
            from_is_exact: self.from_is_exact,
            element: &self.element,
            bytes: self.bytes,
        }
    }
}

/// A type that grew.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GrowingTypeRow {
    #[serde(rename = "type")]
    pub type_name: String,
    /// Objects alive at the first look and at the last.
    pub from: u64,
    pub to: u64,
    pub per_second: Option<f64>,
}
