//! Lets the collector itself say what it found: two objects of the agent's own are put into the list that is collected.
//!
//! Each refers to itself alone, so the collector finds both unreachable. The *witness* has `tp_del`, as a class of C with
//! a finalizer from before PEP 442 has. Such objects the collector takes out of its list of the unreachable (3.8 to 3.15,
//! `move_legacy_finalizers` in `gcmodule.c` and `gc.c`), and then asks each what it refers to
//! (`move_legacy_finalizer_reachable`). That is the moment: all that is unreachable is in one of two lists, and no weak
//! reference has been cleared, no callback and no finalizer has run, nothing was printed or counted. The *marker*, which
//! stays in the list of the unreachable, shows where that is. Then both are taken out, and the collector goes on as if they
//! had never been there.
//!
//! No Python code runs between the call of `gc.callbacks` and that moment, if the recorder's is the only one there. So
//! nobody can meet the two, and their classes need no more than what the collector reads of them. 3.15 counts the objects
//! that it looks at before that; there the number is corrected (`cpython/gc_stats.rs`).

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};

use crate::cpython::gc_lists::{each_object, put_in_front, take_out};
use crate::cpython::memory::{GC_HEAD, PREV_FLAGS, flag, gc_prev, set_word, ty, word};
use crate::memory::Grow;

/// Objects that are put into the list.
pub(crate) const OBJECTS: usize = 2;

/// Words of a `PyTypeObject`, and some more.
const CLASS: usize = 64;
/// How far the two lists may be apart: both are variables of one C function, or of what was inlined into it.
const FRAME: usize = 64 << 10;

type Visit = unsafe extern "C" fn(usize, *mut c_void) -> c_int;

/// How far a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No collection is going on, or the objects are out of its lists again.
    Away,
    Planted,
    /// Its own reference is subtracted.
    Subtracted,
}

/// An object with its collector's head.
#[repr(C, align(16))]
struct Planted {
    next: usize,
    previous: usize,
    count: usize,
    class: usize,
}

struct Canary {
    stage: Stage,
    witness: Planted,
    marker: Planted,
    witness_class: [usize; CLASS],
    marker_class: [usize; CLASS],
    found: Vec<usize>,
    tell: fn(&[usize]),
}

struct Shared(UnsafeCell<Canary>);

// SAFETY: it is touched under the interpreter's lock only.
unsafe impl Sync for Shared {}

const OUT: Planted = Planted { next: 0, previous: 0, count: 1, class: 0 };

static CANARY: Shared = Shared(UnsafeCell::new(Canary {
    stage: Stage::Away,
    witness: OUT,
    marker: OUT,
    witness_class: [0; CLASS],
    marker_class: [0; CLASS],
    found: Vec::new(),
    tell: |_| {},
}));

/// Puts the two in front of the list that begins at `head`, whose collection begins as soon as no Python code can run any
/// more. `tell` hears which objects it found, before it changes anything but its lists.
///
/// # Safety
/// The interpreter's lock is held, and the collector of the main interpreter has called the last of `gc.callbacks` with
/// `start`.
pub(crate) unsafe fn plant(head: usize, tell: fn(&[usize])) {
    // SAFETY: as the caller promises; nobody else has the canary.
    unsafe {
        let canary = &mut *CANARY.0.get();
        let classes = [(&raw mut canary.witness_class).addr(), (&raw mut canary.marker_class).addr()];
        for class in classes {
            set_word(class + ty::FLAGS, flag::HAVE_GC);
        }
        set_word(classes[0] + ty::TRAVERSE, traverse_witness as *const c_void as usize);
        set_word(classes[0] + ty::DEL, never as *const c_void as usize);
        set_word(classes[1] + ty::TRAVERSE, traverse_marker as *const c_void as usize);
        canary.witness.class = classes[0];
        canary.marker.class = classes[1];
        canary.tell = tell;
        canary.stage = Stage::Planted;
        put_in_front((&raw const canary.marker).addr(), head);
        put_in_front((&raw const canary.witness).addr(), head);
    }
}

/// Takes the two out of whatever list they are in, where the collection did not say what it found.
///
/// # Safety
/// As of [`plant`]; the collector has called `gc.callbacks` with `stop`.
pub(crate) unsafe fn withdraw() {
    let canary = CANARY.0.get();
    // SAFETY: as the caller promises; nobody else has the canary.
    unsafe {
        if (*canary).stage != Stage::Away {
            (*canary).stage = Stage::Away;
            take_out((&raw const (*canary).marker).addr());
            take_out((&raw const (*canary).witness).addr());
        }
    }
}

unsafe extern "C" fn traverse_marker(marker: usize, visit: Visit, argument: *mut c_void) -> c_int {
    // SAFETY: the collector's own function, with its own argument.
    unsafe { visit(marker, argument) }
}

/// The collector asks a first time to subtract references, and a second time what else the finalizer can reach.
unsafe extern "C" fn traverse_witness(witness: usize, visit: Visit, argument: *mut c_void) -> c_int {
    let canary = CANARY.0.get();
    // SAFETY: under the interpreter's lock, as the collector is; nobody else has the canary.
    unsafe {
        match (*canary).stage {
            Stage::Planted => {
                (*canary).stage = Stage::Subtracted;
                return visit(witness, argument);
            }
            Stage::Subtracted if (*canary).read(argument.addr()) => {
                (*canary).stage = Stage::Away;
                let found = std::mem::take(&mut (*canary).found);
                ((*canary).tell)(&found);
                (*canary).found = found;
            }
            Stage::Subtracted | Stage::Away => {}
        }
    }
    0
}

/// Stands where a finalizer would: the collector asks whether there is one, and calls none.
unsafe extern "C" fn never(_: usize) {}

impl Canary {
    /// Fills `found` from the two lists, of which that of the finalizers begins at `finalizers`, and takes the two objects
    /// out. False where the lists do not look as expected.
    unsafe fn read(&mut self, finalizers: usize) -> bool {
        let (witness, marker) = ((&raw const self.witness).addr(), (&raw const self.marker).addr());
        // SAFETY: heads of the collector, in the lists in which it put the two.
        unsafe {
            let unreachable = gc_prev(marker) & !PREV_FLAGS;
            let is_first = |node: usize, head: usize| gc_prev(node) & !PREV_FLAGS == head && word(head) == node;
            if finalizers.abs_diff(unreachable) > FRAME || unreachable == witness {
                return false;
            }
            if !is_first(witness, finalizers) || !is_first(marker, unreachable) {
                return false;
            }
            take_out(marker);
            // The collector goes on from here.
            let next = word(witness);
            take_out(witness);
            set_word(witness, next);
            self.found.clear();
            self.found.shrink_to(1 << 16);
            for head in [unreachable, finalizers] {
                each_object(head, |object| {
                    self.found.add(object);
                });
            }
        }
        true
    }
}

const _: () = assert!(std::mem::offset_of!(Planted, count) == GC_HEAD);
