//! Bytes become events, events become objects, objects become facts, facts become findings, findings become a page.
//!
//! Every arrow is a module, in this order; a module knows only the modules before it (`tests/program/tidy.rs` holds that).

pub mod human;
pub mod trace;

pub mod heap;

pub mod cycles;
pub mod overhead;
pub mod retention;

pub mod findings;

pub mod report;

pub mod recorder;
