//! Says of each trace what it is, how far it can be read, and how far its garbage is known.

use serde::Serialize;

use crate::trace::References;

/// One trace that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Input {
    /// As the user named it.
    pub path: String,
    /// `cpython-3.13.0`.
    pub runtime: String,
    /// How exact the references are.
    pub references: References,
    pub events: u64,
    pub ending: InputEnding,
    /// Where it is cut, in bytes.
    pub cut_at: Option<u64>,
    /// Why the rest could not be read.
    pub error: Option<String>,
    /// Checkpoints and collections at which garbage was looked for. With none, nothing is known of it.
    pub snapshots: u64,
    /// Collections that the recorder did not see: what they freed is not known.
    pub missed_collections: u64,
    /// How far the cyclic garbage of the run is known.
    pub known: Extent,
}

/// How far a trace can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InputEnding {
    #[default]
    Complete,
    /// Without an end record.
    Open,
    /// In the middle of a record.
    Cut,
    /// At a record that could not be read.
    Error,
}

/// How far the cyclic garbage of a run is known, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Extent {
    /// Garbage was looked for nowhere.
    #[default]
    Nothing,
    /// What collections found before the recording broke off. Most of them look at young objects only.
    Collections,
    /// Up to the last look at the whole heap, after which the recording broke off.
    Part,
    /// Up to the end of the recording.
    End,
}

impl Extent {
    /// `whole`: those of the snapshots that were of the whole heap; `complete`: the recording ended in order.
    pub fn of(snapshots: u64, whole: u64, complete: bool) -> Extent {
        match (snapshots, whole, complete) {
            (0, ..) => Extent::Nothing,
            (_, _, true) => Extent::End,
            (_, 0, false) => Extent::Collections,
            (_, _, false) => Extent::Part,
        }
    }
}

impl Input {
    /// The whole heap was looked at, or the recording ended in order: no loops found means something.
    pub fn is_checked(&self) -> bool {
        self.known >= Extent::Part
    }

    /// The recording did not end in order, so what became garbage at its end is not known.
    pub fn broke_off(&self) -> bool {
        self.known < Extent::End
    }

    /// Loops may have come and gone unseen.
    pub fn is_incomplete(&self) -> bool {
        self.missed_collections > 0
    }

    /// Of some trace loops may have come and gone unseen.
    pub fn some_is_incomplete(inputs: &[Input]) -> bool {
        inputs.iter().any(Input::is_incomplete)
    }

    /// A gate that finds nothing may not pass: it could not look everywhere.
    pub fn cannot_pass(inputs: &[Input]) -> bool {
        Input::none_is_checked(inputs) || Input::some_is_incomplete(inputs)
    }

    /// There are traces, and of none is enough known.
    pub fn none_is_checked(inputs: &[Input]) -> bool {
        !inputs.is_empty() && !inputs.iter().any(Input::is_checked)
    }
}
