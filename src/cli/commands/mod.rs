//! Holds one file for each command, or for a family of commands.

pub(crate) mod attach;
pub(crate) mod check;
pub(crate) mod collector;
pub(crate) mod convert;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod packaging;
pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod whatif;
pub(crate) mod why;
