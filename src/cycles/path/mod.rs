//! Writes a loop as a path of names, the same in every run, and tries what cutting one of its references leaves.

mod canonical_path;
pub(super) mod cut_trial;
mod fingerprint;
mod inherited;
pub mod loop_graph;
pub(super) mod member_names;
pub(super) mod provenance;
pub mod search;
