//! Goes on after births and deaths went unseen: forgets what cannot be known any more, and puts the hook back.
//!
//! An address says nothing of an object then: another of the same class may have come to its place. So all objects are told
//! anew, without stacks. Garbage that is still where it was is the same: what was unreachable stays so until the collector
//! frees it, and told anew it would count twice.

use crate::allocator::{self, Hooked};
use crate::global::State;
use crate::recorder::Recorder;

/// Asks whether births and deaths come through the hook, and puts it back where they do not. False where that cannot be.
///
/// # Safety
/// Under the interpreter's lock, with the hook off, and the collector's lists in order.
pub(crate) unsafe fn is_seeing(state: &mut State) -> bool {
    if state.hook.is_none() {
        return true;
    }
    // SAFETY: as the caller promises.
    unsafe {
        if allocator::is_in_place(state) {
            state.seen_until = state.process.elapsed();
            return true;
        }
        if !allocator::is_lost(state) {
            return false;
        }
        let keeps_births = state.recorder.keeps_births;
        if keeps_births {
            allocator::put_in_place(state, Hooked::All);
            let (since, now) = (state.seen_until, state.process.elapsed());
            state.recorder.log.emit(|encoder| encoder.time(now));
            state.recorder.log.emit(|encoder| encoder.unseen(since));
            state.seen_until = now;
        }
        lose_sight(&mut state.recorder);
    }
    true
}

/// Deaths went unseen: of what was written, only garbage that is still garbage is known to be what it was.
///
/// # Safety
/// Under the interpreter's lock, with the hook off, and the collector's lists in order.
pub(crate) unsafe fn lose_sight(recorder: &mut Recorder) {
    let garbage = recorder.with_walker(|walker, recorder| {
        // SAFETY: as the caller promises.
        let garbage = unsafe { walker.unreachable(recorder) };
        walker.forget_classes();
        garbage
    });
    let Some(garbage) = garbage else { return };
    for known in recorder.forget_live() {
        if garbage.get(known.block) != Some(known.class) {
            recorder.write_death(known.number);
            continue;
        }
        let index = recorder.table.insert(known.block, 0, 0);
        if index != 0 {
            // Its class has no number any more.
            recorder.table.get(index).number = known.number;
        }
    }
}
