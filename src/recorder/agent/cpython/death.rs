//! Lets an object die, in a copy of the process that ends afterwards.

use super::interpreter::Interpreter;
use super::memory::{set_half, set_word};
use super::versions::Count;
use crate::python::{Functions, Object};
use crate::trial::MOST_TARGETS;

impl Interpreter {
    /// Takes all references to `holder` away but one, and lets go of that: `answer` is told of each target, by its place, how
    /// many references to it go with it. What is `shown` is kept. Whoever else refers to the holder refers to a dead object then.
    ///
    /// # Safety
    /// The GIL is held, no collection is going on, the objects are alive, and nobody uses this process's objects any more.
    pub(crate) unsafe fn let_die(
        &self,
        holder: usize,
        targets: &[usize],
        shown: &[usize],
        python: &Functions,
        mut answer: impl FnMut(usize, u8),
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let take = |object: usize| (python.Py_IncRef)(object as Object);
            if self.count(holder).1 {
                return targets.iter().enumerate().for_each(|(place, _)| answer(place, 0));
            }
            shown.iter().chain(targets).for_each(|&object| take(object));
            let mut before = [0; MOST_TARGETS];
            before.iter_mut().zip(targets).for_each(|(before, &target)| *before = self.count(target).0);
            match self.row.count {
                Count::Word | Count::WordWithDeepFrozen => set_word(holder, 1),
                Count::Half | Count::HalfWithFlags => set_half(holder, 1),
            }
            (python.Py_DecRef)(holder as Object);
            for (place, (&target, before)) in targets.iter().zip(before).enumerate() {
                answer(place, before.saturating_sub(self.count(target).0).min(u8::MAX.into()) as u8);
            }
        }
    }
}
