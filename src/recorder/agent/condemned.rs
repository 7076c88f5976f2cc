//! Writes the deaths of a collection that the allocator did not hear of.
//!
//! An object that goes to a free list dies without a `free`: a `slice` (up to 3.13), an instance of a Cython class with
//! `@cython.freelist`, a frame that rests in its code object (up to 3.10), or a dict where the free lists are left alone. What the
//! collector was about to free, what is in none of its lists when it ends, and what has no count is dead.

use crate::cpython::memory::{GC_HEAD, pre_header, type_flags, type_of};
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
}

/// An object, and what was known of it before.
#[derive(Debug, Clone, Copy)]
struct Member {
    object: usize,
    block: usize,
    /// It has a head of the collector.
    gc: bool,
}

impl Condemned {
    /// Forgets what was found by a look that no collection follows.
    pub(crate) fn forget(&mut self) {
        self.members.clear();
        self.members.shrink_to(KEPT);
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
            if index != 0 && (member.gc || self.table.get(index).bytes() != 0) {
                self.table.get(index).flags |= CONDEMNED;
            }
        }
    }

    /// The collection ended: writes the deaths of those that still have the mark, and are not alive.
    ///
    /// # Safety
    /// Under the interpreter's lock, outside collections, with the hook in place since the collection began.
    pub(crate) unsafe fn bury_condemned(&mut self) {
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
                if walker.is_dead(member.object, member.gc) {
                    self.die(index);
                }
            }
        }
        self.walker = Some(walker);
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
