//! Tests the program as its user meets it, without a Python: commands, the gate, pages, and the rules of the code base.

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod cc_edges;
mod fixtures;
mod fleet;
mod gate;
mod junit;
mod openmetrics;
mod packages;
mod packaging;
mod pairs;
mod readme;
mod sessions;
mod tidy;
