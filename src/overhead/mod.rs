//! Objects become type profiles: what the instances of a type cost, and what `__slots__` would give back.
//!
//! [`Profiler`] watches the replay, [`Profiler::finish`] makes a [`Profile`], [`Profile::advise`] answers for slots, and
//! [`Profile::facts`] names what wastes memory for other reasons.

pub mod advice;
pub mod blockers;
pub mod class;
pub mod cpython;
pub mod facts;
pub mod gain;
mod kinds;
pub mod layout;
pub mod observe;
pub mod plan;
pub mod profile;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod scenarios;
pub mod standard;
pub mod suggestion;

pub use advice::{Advice, Question, SlotsAdvice, Verdict};
pub use blockers::{Blocker, Effect};
pub use cpython::{Layout, UnknownLayout, Version};
pub use facts::LayoutFacts;
pub use gain::Cost;
pub use observe::Profiler;
pub use profile::{Coverage, ModuleProfile, Profile, Split, TypeProfile};
