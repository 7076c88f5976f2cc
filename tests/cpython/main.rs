//! Tests the recorder, and what is said of its recordings, on real CPythons.
//!
//! Each test is made once for each build (`each.rs`): `cargo test --test cpython v3_14` runs those of one,
//! `cargo test --test cpython stacks` one subject on all.

#[path = "../support/mod.rs"]
mod support;

#[macro_use]
mod each;

mod attach;
mod buffers;
mod changes;
mod clock;
mod collected;
mod collector;
mod collector_model;
mod counts;
mod cures;
mod cuts;
mod ending;
mod exactness;
mod exit_handlers;
mod extension;
mod fingerprints;
mod gate;
mod gc_debug;
mod growth;
mod hidden;
mod lost;
mod modes;
mod numpy;
mod owners;
mod patterns;
mod pyarrow;
mod pytest;
mod record;
mod refused;
mod roots;
mod secrets;
mod service;
mod shapes;
mod sizes;
mod slots;
mod stacks;
mod survival;
mod unheld;
