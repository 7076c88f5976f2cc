//! Records a Python program: the agent that runs inside it, and the launcher that gets it there.
//!
//! The agent (`agent/`) is a crate of its own, compiled by `build.rs` and embedded here. It is loaded by a
//! `sitecustomize` (`bootstrap/`) that the launcher puts in front of the program's own.

mod attach;
mod install;
mod launch;
mod outcome;
mod python;
mod signals;

pub use attach::{
    Attached, Attachment, Debugger, Recording as AttachedRecording, Snapshot, Stay, Way, begin, detach, snapshot,
};
pub use install::unpack_agent;
pub use launch::{CheckpointSignal, EventsMode, Options, Recording, launch};
pub use outcome::{Outcome, Process};
