//! Collects the references of one object, as `tp_traverse` reports them, and the names that were found for them.
//!
//! `tp_traverse` alone says which references there are, and how many: that is what the collector goes by. Names only label
//! this multiset: whoever knows a named place of the object says what it holds, and the first reference to that which has
//! no name yet takes the name.

use crate::memory::Grow;
use std::ffi::{c_int, c_void};

type Visit = unsafe extern "C" fn(usize, *mut c_void) -> c_int;
/// `traverseproc`
pub(super) type Traverse = unsafe extern "C" fn(usize, Visit, *mut c_void) -> c_int;

/// Visits beyond the size of a container after which a traversal is given up: `_asyncio` of 3.12.0 to 3.12.4 can report
/// a list of dead objects without end (gh-122695).
const SPARE_VISITS: usize = 1 << 20;
/// How far a name looks for its reference among very many.
const SEARCHED: usize = 256;

/// The references of one object.
#[derive(Debug, Default)]
pub(super) struct Edges {
    pub targets: Vec<usize>,
    /// Raw words of a `Slot`, one for each target; 0 is unnamed.
    pub labels: Vec<u32>,
    /// Where the next named place probably is: names are given in the order of the traversal.
    cursor: usize,
    limit: usize,
}

impl Edges {
    /// What `tp_traverse` reports of `object`, which holds about `size` references. Nothing if it does not end.
    pub(super) unsafe fn read(&mut self, object: usize, traverse: usize, size: usize) {
        self.targets.clear();
        self.labels.clear();
        self.cursor = 0;
        self.limit = size.saturating_mul(4) + SPARE_VISITS;
        if traverse == 0 {
            return;
        }
        // SAFETY: as the caller promises, the object is alive, and this its traversal.
        let ended = unsafe {
            let traverse: Traverse = std::mem::transmute(traverse);
            traverse(object, collect, std::ptr::from_mut(self).cast())
        };
        if ended != 0 || !self.labels.ask(self.targets.len()) {
            self.targets.clear();
        }
        self.labels.resize(self.targets.len(), 0);
    }

    /// Takes away one reference to `target`, which was reported and has no count. The last one, for a frame reports its
    /// values after its variables.
    pub(super) fn forget(&mut self, target: usize) {
        if let Some(index) = self.targets.iter().rposition(|&reported| reported == target) {
            self.targets.remove(index);
            self.labels.remove(index);
        }
    }

    /// Gives memory back that only a very big container needed.
    pub(super) fn shrink(&mut self, kept: usize) {
        self.targets.clear();
        self.labels.clear();
        self.targets.shrink_to(kept);
        self.labels.shrink_to(kept);
    }

    /// Names the reference that the place called `label` holds. Says where it is.
    pub(super) fn name(&mut self, target: usize, label: u32) -> Option<usize> {
        if target == 0 {
            return None;
        }
        let index = self.find(target)?;
        self.labels[index] = label;
        self.cursor = index + 1;
        Some(index)
    }

    /// Names the next reference, if it is one to `target`.
    pub(super) fn name_next(&mut self, target: usize, label: u32) {
        if self.targets.get(self.cursor) == Some(&target) && self.labels[self.cursor] == 0 {
            self.labels[self.cursor] = label;
            self.cursor += 1;
        }
    }

    /// The next named place is the first of the last `n`.
    pub(super) fn go_to_last(&mut self, n: usize) {
        self.cursor = self.targets.len().saturating_sub(n);
    }

    /// The last `n` references begin with these.
    pub(super) fn last_begin_with(&self, n: usize, targets: &[usize]) -> bool {
        let start = self.targets.len().checked_sub(n);
        start.is_some_and(|start| self.targets[start..].starts_with(targets))
    }

    /// Names all references that have no name yet; `label` gets how many there were before.
    pub(super) fn name_rest(&mut self, mut label: impl FnMut(usize) -> u32) {
        for (index, unnamed) in self.labels.iter_mut().filter(|label| **label == 0).enumerate() {
            *unnamed = label(index);
        }
    }

    fn find(&self, target: usize) -> Option<usize> {
        let fits = |&index: &usize| self.targets[index] == target && self.labels[index] == 0;
        let all = self.targets.len();
        if self.cursor < all && fits(&self.cursor) {
            return Some(self.cursor);
        }
        (self.cursor..all.min(self.cursor + SEARCHED)).find(fits).or_else(|| (0..self.cursor.min(SEARCHED)).find(fits))
    }
}

unsafe extern "C" fn collect(target: usize, edges: *mut c_void) -> c_int {
    // SAFETY: `read` hands over itself, and CPython hands it on.
    let edges = unsafe { &mut *edges.cast::<Edges>() };
    let is_taken = edges.targets.len() < edges.limit && edges.targets.add(target);
    c_int::from(!is_taken)
}
