//! Computes what the instances of a type cost, and what `__slots__` would give back.
//!
//! [`Profiler`] watches the replay, [`Profiler::finish`] makes a [`Profile`], [`Profile::advise`] answers for slots, and
//! [`Profile::facts`] names what wastes memory for other reasons.

pub mod advice;
pub mod blockers;
pub mod census;
pub mod class;
pub mod cpython;
pub mod facts;
mod kinds;
pub mod layout;
pub mod observed;
pub mod plan;
pub mod profile;
pub mod profiler;
pub mod savings;
pub mod standard;
pub mod suggestion;
#[cfg(test)]
mod tests;

pub use advice::{Advice, SlotsAdvice, SlotsOptions, Unlisted, Verdict};
pub use blockers::{Blocker, Effect};
pub use cpython::{Layout, UnknownLayout, Version};
pub use facts::{Cause, LayoutFact, LayoutFacts};
pub use profile::{Coverage, Profile, Split, TypeProfile};
pub use profiler::Profiler;
pub use savings::Cost;
