//! Writes the deaths of a collection that the allocator did not hear of.
//!
//! An object that goes to a free list dies without a `free`: a `slice` (up to 3.13), an instance of a Cython class with
//! `@cython.freelist`, a frame that rests in its code object (up to 3.10), or a dict where the free lists are left alone. What the
//! collector was about to free, what is in none of its lists when it ends, and what has no count is dead.

use crate::cpython::memory::{GC_HEAD, pre_header, type_flags, type_of, word};
use crate::live_table::CONDEMNED;
use crate::memory::Grow;
use crate::recorder::Recorder;
use crate::walk::Walker;

/// Members for which memory is kept until the next collection.
const KEPT: usize = 1 << 16;

/// The garbage of the collection that is going on.
#[derive(Debug, Default)]
pub(crate) struct Condemned {
    members: Vec<Member>,
    /// Without births: those that outlived their collection.
    survivors: Vec<Member>,
}

/// An object, and what was known of it before.
#[derive(Debug, Clone, Copy)]
struct Member {
    object: usize,
    block: usize,
    /// It has a head of the collector.
    gc: bool,
}

impl Member {
    /// Without births this alone says that it is alive: of what is in none of the collector's lists nobody knows whose memory
    /// it is, and it was held by nothing but garbage.
    ///
    /// # Safety
    /// The block was not given back.
    unsafe fn is_tracked(self) -> bool {
        // SAFETY: the collector's head is in front of such an object.
        self.gc && unsafe { word(self.object - GC_HEAD) } != 0
    }
}

impl Condemned {
    /// Forgets what was found by a look that no collection follows.
    pub(crate) fn forget(&mut self) {
        self.members.clear();
        self.members.shrink_to(KEPT);
    }

    /// Nothing is known any more.
    pub(crate) fn clear(&mut self) {
        self.forget();
        self.survivors.clear();
    }
}

impl Recorder {
    /// The collection that begins is going to free this object.
    pub(crate) fn condemn(&mut self, object: usize, block: usize, gc: bool) {
        self.condemned.members.add(Member { object, block, gc });
    }

    /// The collection begins: a block that is given back from now on, or given out again, loses the mark.
    pub(crate) fn mark_condemned(&mut self) {
        for member in &self.condemned.members {
            let index = self.table.find(member.block);
            // A static object, or one of another allocator: its memory may be gone when the collection ends.
            if index != 0 && (member.gc || !self.keeps_births || self.table.get(index).bytes() != 0) {
                self.table.get(index).flags |= CONDEMNED;
            }
        }
    }

    /// The collection ended: writes the deaths of those that still have the mark, and are not alive.
    ///
    /// # Safety
    /// Under the interpreter's lock, outside collections, with the hook in place since the collection began.
    pub(crate) unsafe fn bury_condemned(&mut self) {
        if self.condemned.members.is_empty() {
            return;
        }
        let Some(walker) = self.walker.take() else { return };
        // SAFETY: as the caller promises; a block that has the mark was not given back.
        unsafe {
            self.bury_reborn(&walker);
            for member in std::mem::take(&mut self.condemned.members) {
                let index = self.table.find(member.block);
                if index == 0 || self.table.get(index).flags & CONDEMNED == 0 {
                    continue;
                }
                self.table.get(index).flags &= !CONDEMNED;
                let is_dead = match self.keeps_births {
                    true => walker.is_dead(member.object, member.gc),
                    false => !member.is_tracked(),
                };
                if is_dead {
                    self.die(index);
                } else if !self.keeps_births {
                    self.condemned.survivors.add(member);
                }
            }
        }
        self.walker = Some(walker);
    }

    /// Another collection begins: of those that outlived one, and were not given back, some may rest in a free list by now.
    ///
    /// # Safety
    /// Under the interpreter's lock, as the collector begins, with the hook in place since they were found.
    pub(crate) unsafe fn bury_survivors(&mut self) {
        if self.condemned.survivors.is_empty() {
            return;
        }
        let mut survivors = std::mem::take(&mut self.condemned.survivors);
        survivors.sort_unstable_by_key(|member| member.block);
        survivors.dedup_by_key(|member| member.block);
        survivors.retain(|member| {
            let index = self.table.find(member.block);
            if index == 0 || self.table.get(index).number == 0 {
                return false;
            }
            // SAFETY: as the caller promises; a block that has a record was not given back.
            let is_tracked = unsafe { member.is_tracked() };
            if !is_tracked {
                self.die(index);
            }
            is_tracked
        });
        self.condemned.survivors = survivors;
    }

    /// What has the mark and is among the youngest came back from a free list during the collection: what survived it is
    /// among the older ones.
    unsafe fn bury_reborn(&mut self, walker: &Walker) {
        // SAFETY: as the caller promises, what the lists hold is alive.
        unsafe {
            walker.each_youngest(|object| {
                let block = object - GC_HEAD - pre_header(walker.row(), type_flags(type_of(object)));
                let index = self.table.find(block);
                if index != 0 && self.table.get(index).flags & CONDEMNED != 0 {
                    self.die(index);
                }
            });
        }
    }
}
