//! Lets an object die, in a copy of the process that ends afterwards.

use super::interpreter::Interpreter;
use super::memory::{set_half, set_word};
use super::versions::Count;
use crate::python::{Functions, Object};

impl Interpreter {
    /// Takes all references to `holder` away but one, and lets go of that: how many references to `target` go with it. What
    /// is `shown` is kept. Whoever else refers to the holder refers to a dead object then.
    ///
    /// # Safety
    /// The GIL is held, no collection is going on, the objects are alive, and nobody uses this process's objects any more.
    pub(crate) unsafe fn let_die(&self, holder: usize, target: usize, shown: &[usize], python: &Functions) -> u8 {
        // SAFETY: as the caller promises.
        unsafe {
            let take = |object: usize| (python.Py_IncRef)(object as Object);
            if self.count(holder).1 || self.count(target).1 {
                return 0;
            }
            shown.iter().for_each(|&object| take(object));
            take(target);
            let before = self.count(target).0;
            match self.row.count {
                Count::Word | Count::WordWithDeepFrozen => set_word(holder, 1),
                Count::Half | Count::HalfWithFlags => set_half(holder, 1),
            }
            (python.Py_DecRef)(holder as Object);
            before.saturating_sub(self.count(target).0).min(u8::MAX.into()) as u8
        }
    }
}
