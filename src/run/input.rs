//! Says of each trace what it is, how far it can be read, and how far its garbage is known.

use serde::Serialize;

use crate::heap::BlindSpots;
use crate::trace::{Births, Header, References};

/// One trace that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Input {
    /// As the user named it.
    pub path: String,
    /// `cpython-3.13.0`.
    pub runtime: String,
    /// How exact the references are.
    pub references: References,
    /// Which objects are in it.
    pub births: Births,
    pub events: u64,
    pub ending: InputEnding,
    /// Where it is cut, in bytes.
    pub cut_at: Option<u64>,
    /// Why the rest could not be read.
    pub error: Option<String>,
    /// Checkpoints and collections at which garbage was looked for. With none, nothing is known of it.
    pub snapshots: u64,
    /// What the recorder did not see.
    #[serde(flatten)]
    pub blind_spots: BlindSpots,
    /// How the program ended; `None` where the trace does not tell.
    pub program: Option<ProgramEnd>,
    /// How far the cyclic garbage of the run is known.
    pub known: Extent,
}

/// How a recorded program ended, as whoever started it saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProgramEnd {
    /// Its exit code; `None` where a signal ended it.
    pub exit: Option<i32>,
    pub signal: Option<i32>,
    /// How long it ran.
    pub milliseconds: u64,
}

impl ProgramEnd {
    /// What the header of a trace says of it.
    pub fn of(header: &Header) -> Option<ProgramEnd> {
        let number = |key: &str| header.word(key)?.parse().ok();
        let (exit, signal) = (number("exit"), number("signal"));
        let seconds: f64 = header.word("seconds")?.parse().ok()?;
        (exit.is_some() || signal.is_some()).then_some(ProgramEnd {
            exit,
            signal,
            milliseconds: (seconds * 1000.0) as u64,
        })
    }

    /// Whether it said of itself that all is well.
    pub fn is_success(self) -> bool {
        self.exit == Some(0)
    }
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

    /// Of objects that only lived nothing is known.
    pub fn is_of_garbage(&self) -> bool {
        self.births == Births::Garbage
    }

    /// Of some trace loops may have come and gone unseen.
    pub fn some_is_incomplete(inputs: &[Input]) -> bool {
        inputs.iter().any(|input| input.blind_spots.hide_loops())
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
