//! Follows the sizes of large objects, each from the look at which it first was large.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::series::Series;
use crate::heap::{Heap, ObjectId, ObjectIndex};

/// An object that is followed, and its place in the heap.
#[derive(Debug)]
struct Object {
    index: ObjectIndex,
    size: Series,
}

/// Sizes in one unit of the objects that have at least so much of it. A look is [`begin`](Followed::begin), a
/// [`push`](Followed::push) for each of these objects, and [`end`](Followed::end).
#[derive(Debug)]
pub(super) struct Followed {
    least: u64,
    objects: HashMap<ObjectId, Object, FixedState>,
    /// Those of the look before that this one has not come to.
    waiting: HashMap<ObjectId, Object, FixedState>,
    /// By path the object that was told last, with its size.
    by_path: HashMap<String, (ObjectId, u64), FixedState>,
}

/// Which look it is, and the event of the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) place: usize,
    pub(super) before: u64,
}

impl Followed {
    /// Objects of at least this size.
    pub(super) fn of_at_least(least: u64) -> Followed {
        let (objects, waiting, by_path) = Default::default();
        Followed { least, objects, waiting, by_path }
    }

    pub(super) fn begin(&mut self) {
        self.waiting = std::mem::take(&mut self.objects);
    }

    /// The object has this size at this look. What it had until now.
    pub(super) fn push(&mut self, heap: &Heap, index: ObjectIndex, size: u64, look: Look) -> &Series {
        let id = heap.id(index);
        let known = self.waiting.remove(&id).map(|object| object.size);
        let mut series = known.unwrap_or_else(|| match id.0 > look.before {
            true => Series::new(look.place),
            false => Series::below(look.place, self.least - 1),
        });
        series.push(size);
        &self.objects.entry(id).insert_entry(Object { index, size: series }).into_mut().size
    }

    /// What is alive and has become small is followed on: a cache that is cleared now and then does not grow.
    pub(super) fn end(&mut self, heap: &Heap) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|&id, object| {
            let is_alive = heap.id(object.index) == id;
            if is_alive {
                object.size.push(self.least - 1);
            }
            is_alive
        });
        self.objects.extend(waiting);
    }

    pub(super) fn thin(&mut self) {
        self.objects.values_mut().for_each(|object| object.size.thin());
    }

    /// The sizes of one that is followed.
    pub(super) fn size(&self, id: ObjectId) -> Option<&Series> {
        self.objects.get(&id).map(|object| &object.size)
    }

    /// Tells this object at this path. `false` where it takes the place of one that was as large: a list that is made anew now
    /// and then does not grow.
    pub(super) fn tell(&mut self, path: &str, id: ObjectId, size: u64) -> bool {
        if self.by_path.get(path).is_some_and(|&(other, before)| other != id && before >= size) {
            return false;
        }
        self.by_path.insert(path.to_string(), (id, size));
        true
    }
}
