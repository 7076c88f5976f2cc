//! Finds what the collection that begins is about to find, before it runs any finalizer.
//!
//! The collector's own algorithm, on the lists that it is going to look at: from each count the references among the
//! candidates are subtracted; what then has a reference left, and all that can be reached from it, is alive. As the
//! collector does, this keeps the rest of the counts in `_gc_prev`, which it makes again afterwards; nobody but the
//! collector reads that word, and no Python code runs meanwhile.

use std::ffi::{c_int, c_void};

use super::describe::Walk;
use super::edges::Edges;
use super::edges::Traverse;
use crate::address_map::AddressMap;
use crate::cpython::gc_lists::Stretch;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{
    GC_HEAD, PREV_COLLECTING, PREV_FINALIZED, PREV_SHIFT, flag, gc_prev, set_gc_prev, ty, type_flags, type_of, word,
};
use crate::cpython::object::REFERENT;
use crate::memory::{Grow, is_refused};
use crate::sink::Sink;

/// An immortal object: more references than there can be.
const FOR_EVER: usize = 1 << 60;
/// Objects for which memory is kept until the next search.
const KEPT: usize = 1 << 16;

/// Memory of the search that is used again.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Alive, and their references not yet followed.
    alive: Vec<usize>,
    pub unreachable: Vec<usize>,
    /// Objects that were looked at in the last search.
    pub looked: u64,
    /// Classes made at run time whose instances some weak reference was met to, in any search.
    pub referred: AddressMap<u32>,
}

/// In `members`: an object that dies. Others have the number of references to them that go away.
pub(super) const MEMBER: u32 = u32::MAX;

impl Candidates {
    /// Gives big memory back.
    pub(super) fn forget(&mut self) {
        self.alive.shrink_to(KEPT);
        self.unreachable.clear();
        self.unreachable.shrink_to(KEPT);
    }

    /// Fills `unreachable`: from these parts of the lists, what nothing outside of them holds.
    pub(super) unsafe fn search(&mut self, interpreter: &Interpreter, stretches: &[Stretch]) {
        self.alive.clear();
        self.unreachable.clear();
        self.looked = 0;
        // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
        unsafe {
            for stretch in stretches {
                stretch.each_head(|node| {
                    let (count, immortal) = interpreter.count(node + GC_HEAD);
                    let count = if immortal { FOR_EVER } else { count as usize };
                    let finalized = gc_prev(node) & PREV_FINALIZED;
                    set_gc_prev(node, count << PREV_SHIFT | PREV_COLLECTING | finalized);
                    self.looked += 1;
                });
            }
            for stretch in stretches {
                stretch.each_object(|object| {
                    if type_of(object) == interpreter.weak_reference {
                        self.remember_referent(interpreter, object);
                    }
                    self.add_borrowed(interpreter, object);
                    traverse(object, subtract, std::ptr::null_mut());
                });
            }
            for stretch in stretches {
                stretch.each_head(|node| {
                    let state = gc_prev(node);
                    if state & PREV_COLLECTING != 0 && state >> PREV_SHIFT != 0 {
                        self.revive(node);
                    }
                });
            }
            for stretch in stretches {
                let mut previous = stretch.before;
                stretch.each_head(|node| {
                    let state = gc_prev(node);
                    if state & PREV_COLLECTING != 0 {
                        self.unreachable.add(node + GC_HEAD);
                    }
                    set_gc_prev(node, previous | state & PREV_FINALIZED);
                    previous = node;
                });
            }
        }
    }

    /// Adds the references that a suspended generator has without a count, for all that it has are subtracted next. As long
    /// as only some of them are subtracted no count may reach zero, so the additions come first.
    unsafe fn add_borrowed(&self, interpreter: &Interpreter, object: usize) {
        // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
        unsafe {
            if !interpreter.is_suspendable(type_of(object)) {
                return;
            }
            interpreter.borrowed(object, |target| {
                if let Some(node) = candidate(target) {
                    set_gc_prev(node, gc_prev(node) + (1 << PREV_SHIFT));
                }
            });
        }
    }

    /// Remembers the class of what a weak reference refers to. One that is gone again at the next walk is known by this.
    unsafe fn remember_referent(&mut self, interpreter: &Interpreter, reference: usize) {
        // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
        unsafe {
            let referent = word(reference + REFERENT);
            if referent != 0 && referent != interpreter.none {
                let class = type_of(referent);
                if type_flags(class) & flag::HEAP_TYPE != 0 {
                    self.referred.insert(class, 1);
                }
            }
        }
    }

    /// Takes an object, and all that can be reached from it, from the candidates.
    unsafe fn revive(&mut self, node: usize) {
        // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
        unsafe {
            set_gc_prev(node, gc_prev(node) & !PREV_COLLECTING);
            self.alive.add(node + GC_HEAD);
            while let Some(object) = self.alive.pop() {
                traverse(object, reach, std::ptr::from_mut(&mut self.alive).cast());
            }
        }
    }
}

pub(super) unsafe fn traverse(
    object: usize,
    visit: unsafe extern "C" fn(usize, *mut c_void) -> c_int,
    argument: *mut c_void,
) {
    // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
    unsafe {
        let traverse = word(type_of(object) + ty::TRAVERSE);
        if traverse != 0 {
            let traverse: Traverse = std::mem::transmute(traverse);
            traverse(object, visit, argument);
        }
    }
}

/// The head of an object that is a candidate.
unsafe fn candidate(object: usize) -> Option<usize> {
    // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
    unsafe {
        let class = type_of(object);
        let flags = type_flags(class);
        // Asking `tp_is_gc` of classes is left to the flag that tells them: only classes made at run time are in a list.
        if flags & flag::HAVE_GC == 0 || (flags & flag::TYPE_SUBCLASS != 0 && type_flags(object) & flag::HEAP_TYPE == 0)
        {
            return None;
        }
        let node = object - GC_HEAD;
        (gc_prev(node) & PREV_COLLECTING != 0).then_some(node)
    }
}

unsafe extern "C" fn subtract(target: usize, _: *mut c_void) -> c_int {
    // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
    unsafe {
        if let Some(node) = candidate(target) {
            let state = gc_prev(node);
            // A program that lost a reference would go below zero.
            if state >> PREV_SHIFT != 0 {
                set_gc_prev(node, state - (1 << PREV_SHIFT));
            }
        }
    }
    0
}

unsafe extern "C" fn reach(target: usize, alive: *mut c_void) -> c_int {
    // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
    unsafe {
        if let Some(node) = candidate(target) {
            set_gc_prev(node, gc_prev(node) & !PREV_COLLECTING);
            (*alive.cast::<Vec<usize>>()).add(target);
        }
    }
    0
}

impl<S: Sink> Walk<'_, S> {
    /// Describes what is unreachable, and what only that holds.
    pub(super) unsafe fn garbage(&mut self, unreachable: &[usize]) {
        // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
        unsafe {
            let held = self.add_members(unreachable);
            if self.sink.wants_leaks() {
                self.tell_leaks(unreachable);
            }
            for &object in unreachable.iter().chain(&held) {
                self.describe_tracked(object);
            }
            self.describe_deferred();
        }
        self.scratch.members.clear();
    }

    /// Makes the unreachable ones members, and what dies of its count when they do: untracked objects, and tracked ones of a
    /// generation that this collection does not look at. Answers those. Goes only as far as counts become zero.
    pub(super) unsafe fn add_members(&mut self, unreachable: &[usize]) -> Vec<usize> {
        for &object in unreachable {
            self.scratch.members.insert(object, MEMBER);
        }
        let mut held = Vec::new();
        let mut edges = std::mem::take(&mut self.scratch.edges);
        // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
        unsafe {
            for &object in unreachable {
                self.release(object, &mut edges, &mut held);
            }
            let mut next = 0;
            while let Some(&object) = held.get(next) {
                next += 1;
                self.release(object, &mut edges, &mut held);
            }
        }
        self.scratch.edges = edges;
        held
    }

    /// Counts the references of `object` to what is no member. A target all of whose references are counted goes to `held`.
    unsafe fn release(&mut self, object: usize, edges: &mut Edges, held: &mut Vec<usize>) {
        if is_refused() {
            return;
        }
        // SAFETY: as the caller promises, the lock is held and no collection is going on; what the lists hold is alive.
        unsafe {
            let class = self.class_of(object);
            self.edges_of(object, class, edges);
            for &target in &edges.targets {
                let (count, immortal) = self.context.interpreter.count(target);
                if count == 0 || immortal || self.sink.hidden(target) {
                    continue;
                }
                let (references, _) = self.scratch.members.entry(target, 0);
                if *references == MEMBER {
                    continue;
                }
                *references = (*references + 1).min(MEMBER - 1);
                if u64::from(*references) == count {
                    *references = MEMBER;
                    held.add(target);
                }
            }
        }
    }
}
