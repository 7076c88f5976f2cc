//! Tells from their stacks which of two objects made the other.
//!
//! An instance is born before its `__init__` runs, where its class is called. What that `__init__` makes has the same
//! stack with frames on top of it, and the lowest of these is the `__init__`.

use crate::cycles::garbage::Origin;
use crate::heap::label::last_part;
use crate::heap::{Heap, ObjectIndex};
use crate::trace::SiteId;

/// How the two objects of a reference came to be. Costs the depth of their stacks.
pub(super) fn of(heap: &Heap, referrer: ObjectIndex, referent: ObjectIndex) -> Origin {
    if made(heap, referrer, referent) {
        Origin::MadeByReferrer
    } else if made(heap, referent, referrer) {
        Origin::MadeByReferent
    } else {
        Origin::Unknown
    }
}

/// Whether the `__init__` of `maker` made `object`.
fn made(heap: &Heap, maker: ObjectIndex, object: ObjectIndex) -> bool {
    let (maker, object) = (heap.object(maker), heap.object(object));
    if maker.site == SiteId::NONE || maker.id >= object.id {
        return false;
    }
    let mut above = None;
    for site in heap.sites().stack(object.site) {
        if site == maker.site {
            return above.is_some_and(|frame| is_init(heap, frame));
        }
        above = Some(site);
    }
    false
}

fn is_init(heap: &Heap, frame: SiteId) -> bool {
    heap.sites().get(frame).is_some_and(|frame| last_part(heap.text(frame.function)) == "__init__")
}
