//! Stores in one byte what a place in the table is used for, and what the replay has noted of its object.

/// The life of a place, and flags beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State(u8);

impl State {
    pub(super) const VACANT: State = State(0);
    pub(super) const LIVE: State = State(1);
    /// Its tally returned to zero; its `free` has not come yet.
    pub(super) const DYING: State = State(2);
    /// Dead, but references to it are left, so the place cannot be used again.
    pub(super) const HUSK: State = State(3);
    const LIFE: u8 = 3;

    /// Dying, and what it referred to no longer counts its references.
    pub(super) const DROPPED: State = State(1 << 2);
    /// In the queue of those whose references are to be dropped.
    pub(super) const QUEUED: State = State(1 << 3);
    /// Has a named root.
    pub(super) const ROOTED: State = State(1 << 4);
    pub(super) const WATCHED: State = State(1 << 5);
    /// The walk at hand has told its count; after a walk: the last one did.
    pub(super) const SEEN: State = State(1 << 6);
    /// The walk of the heap before the one at hand has told its count.
    pub(super) const DESCRIBED: State = State(1 << 7);

    #[inline]
    pub(super) fn life(self) -> State {
        State(self.0 & Self::LIFE)
    }

    #[inline]
    pub(super) fn is_live(self) -> bool {
        self.life() == State::LIVE
    }

    #[inline]
    pub(super) fn is_dying(self) -> bool {
        self.life() == State::DYING
    }

    /// Live or dying: there is an object that events may speak of.
    #[inline]
    pub(super) fn is_there(self) -> bool {
        (self.0 & Self::LIFE).wrapping_sub(1) < 2
    }

    /// In this life, and nothing is to be done about its end but to end it.
    #[inline]
    pub(super) fn is_only(self, life: State) -> bool {
        const NOTED: u8 = State::DROPPED.0 | State::ROOTED.0 | State::WATCHED.0;
        self.0 & (Self::LIFE | NOTED) == life.0
    }

    #[inline]
    pub(super) fn has(self, flag: State) -> bool {
        self.0 & flag.0 == flag.0
    }

    /// Another life, and the same flags.
    #[inline]
    pub(super) fn set_life(&mut self, life: State) {
        self.0 = self.0 & !Self::LIFE | life.0;
    }

    #[inline]
    pub(super) fn set(&mut self, flag: State, on: bool) {
        self.0 = if on { self.0 | flag.0 } else { self.0 & !flag.0 };
    }
}
