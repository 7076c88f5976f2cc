//! Keeps what a trace says of its own recorder: what that did not see, and why it stopped.

use serde::Serialize;

/// What happened unseen. Whoever wants to know all has nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BlindSpots {
    /// Collections that the recorder did not see: what they freed is not known.
    pub missed_collections: u64,
    /// Interpreters besides the first that were in the process: their loops are not known.
    pub other_interpreters: u64,
    /// When births and deaths went unseen.
    pub births_unseen: Option<Unseen>,
    /// How far memory was searched for references that objects do not show, the last time; `None` where it was not.
    pub searched: Option<Searched>,
    /// Why the recording stopped before the program did.
    pub stopped: Option<String>,
    /// What a forked process had from its parent is not in the trace, but where it is garbage.
    pub own_only: bool,
}

/// Objects whose memory was searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Searched {
    pub objects: u64,
    /// Those of them that led to more than was looked at.
    pub unfinished: u64,
}

/// The times at which births and deaths were not seen, or not all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// How often that began.
    pub times: u64,
    /// From when on, the first time, in nanoseconds since the recording began.
    pub from_ns: u64,
    /// Up to when, the last time.
    pub to_ns: u64,
}

impl Unseen {
    /// Once more.
    pub(super) fn add(&mut self, from_ns: u64, to_ns: u64) {
        self.from_ns = if self.times == 0 { from_ns } else { self.from_ns.min(from_ns) };
        self.to_ns = self.to_ns.max(to_ns);
        self.times = self.times.saturating_add(1);
    }
}

impl BlindSpots {
    /// Loops may have come and gone unseen.
    pub fn hide_loops(&self) -> bool {
        self.missed_collections > 0 || self.other_interpreters > 0 || self.births_unseen.is_some()
    }
}
