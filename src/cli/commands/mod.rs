//! One file a command, or a family of them.

pub mod check;
pub mod convert;
pub mod diff;
pub mod explain;
pub mod packaging;
pub mod record;
pub mod report;
pub mod why;
