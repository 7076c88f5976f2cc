//! Has the rows of objects that nobody is going to release.

use serde::Serialize;

use super::FrameRow;

/// Objects of one type with a count that nothing explains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LostRow {
    #[serde(rename = "type")]
    pub type_name: String,
    pub objects: u64,
    pub bytes: u64,
}

/// Objects of one type that one line made, of which there are more and more, with references that nothing explains.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SuspectedLostRow {
    #[serde(rename = "type")]
    pub type_name: String,
    pub objects: u64,
    /// All that were alive of this type and line.
    pub alive: u64,
    /// Those that have references too many as well, but whose address also stands where no reference is shown.
    pub unclear: u64,
    /// References too many, of the object with fewest and of that with most.
    pub references_least: u32,
    pub references_most: u32,
    pub bytes: Option<u64>,
    /// Such objects at the first look.
    pub from: u64,
    pub per_second: Option<f64>,
    /// All memory was searched for whoever may hold them. Where it was not, this is not known to be a fault.
    pub searched: bool,
    /// The stack that made the newest, innermost first.
    pub site: Vec<FrameRow>,
    /// The innermost frame of the application's own code in it, else the innermost of all.
    pub place: Option<FrameRow>,
}

/// Objects of one type that one line made, that were never freed, and that nothing recorded refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UnheldRow {
    #[serde(rename = "type")]
    pub type_name: String,
    pub objects: u64,
    pub bytes: Option<u64>,
    /// The stack that made them, innermost first; of several that end at this line, the one that made most.
    pub site: Vec<FrameRow>,
    pub place: FrameRow,
}
