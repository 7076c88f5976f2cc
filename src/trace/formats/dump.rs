//! Makes a walk of the heap from the objects of a dump, in whatever order the file has them.

use super::address_map::AddressMap;
use super::definitions::Definitions;
use super::reader::Pending;
use crate::trace::{Event, ObjectFlags, Scope, SiteId, Slot, Tag, TextId, TypeId};

/// A walk that is being read: from [`Dump::begin`] to [`Dump::finish`].
///
/// References and roots of objects that are yet to come wait until all are there. Memory is that of the objects, of
/// what waits, and of the distinct names.
#[derive(Default)]
pub(super) struct Dump {
    pub names: Definitions,
    objects: AddressMap<Object>,
    references: Vec<(u64, u64, Slot)>,
    roots: Vec<(u64, TextId)>,
}

/// What was read of an object.
#[derive(Clone, Copy, Default)]
struct Object {
    /// References to it.
    incoming: u32,
    is_born: bool,
    has_count: bool,
}

impl Dump {
    pub(super) fn begin(&self, scope: Scope, out: &mut Pending) {
        out.push_back(Event::Walk(scope));
    }

    /// An object; false where the file has had it already. 0 bytes: its size is not known.
    pub(super) fn object(&mut self, address: u64, class: TypeId, bytes: u64, out: &mut Pending) -> bool {
        self.object_at(address, class, bytes, SiteId::NONE, out)
    }

    /// The same of an object that was made at a known place.
    pub(super) fn object_at(
        &mut self,
        address: u64,
        class: TypeId,
        bytes: u64,
        site: SiteId,
        out: &mut Pending,
    ) -> bool {
        if std::mem::replace(&mut self.object_mut(address).is_born, true) {
            return false;
        }
        out.push_back(Event::Alloc { object: Tag(address), address, class, bytes, site });
        true
    }

    /// The count of an object that is there.
    pub(super) fn count(&mut self, address: u64, count: u64, flags: ObjectFlags, out: &mut Pending) {
        self.object_mut(address).has_count = true;
        out.push_back(Event::Count { object: Tag(address), count, flags });
    }

    pub(super) fn reference(&mut self, from: u64, to: u64, slot: Slot, out: &mut Pending) {
        let is_born = self.object_mut(from).is_born;
        let referent = self.object_mut(to);
        referent.incoming = referent.incoming.saturating_add(1);
        if is_born && referent.is_born {
            out.push_back(reference(from, to, slot));
        } else {
            self.references.push((from, to, slot));
        }
    }

    pub(super) fn root(&mut self, address: u64, name: &[u8], out: &mut Pending) {
        let name = self.names.text(name, out);
        if self.object_mut(address).is_born {
            out.push_back(Event::Root { object: Tag(address), name });
        } else {
            self.roots.push((address, name));
        }
    }

    /// Whether the file has had the object, or a reference to it.
    pub(super) fn knows(&mut self, address: u64) -> bool {
        self.objects.get(address).is_some()
    }

    /// All is read: objects without a line of their own are born, what waited for a birth is told, and the checkpoint.
    ///
    /// With `count_rest`, an object without a count gets that of the references to it: nothing from outside of the file
    /// keeps it but the roots that the file names.
    pub(super) fn finish(&mut self, scope: Scope, count_rest: bool, out: &mut Pending) {
        for (address, _) in self.sorted(|object| !object.is_born) {
            let (object, class, site) = (Tag(address), TypeId::UNKNOWN, SiteId::NONE);
            out.push_back(Event::Alloc { object, address, class, bytes: 0, site });
        }
        out.extend(self.references.drain(..).map(|(from, to, slot)| reference(from, to, slot)));
        out.extend(self.roots.drain(..).map(|(address, name)| Event::Root { object: Tag(address), name }));
        if count_rest {
            for (address, object) in self.sorted(|object| object.is_born && !object.has_count) {
                let (object, count) = (Tag(address), u64::from(object.incoming));
                out.push_back(Event::Count { object, count, flags: ObjectFlags::default() });
            }
        }
        out.push_back(Event::Checkpoint(scope));
    }

    fn object_mut(&mut self, address: u64) -> &mut Object {
        self.objects.entry(address, Object::default)
    }

    /// These objects in the order of their addresses.
    fn sorted(&self, wanted: impl Fn(&Object) -> bool) -> Vec<(u64, Object)> {
        let objects = self.objects.iter().filter(|(_, object)| wanted(object));
        let mut objects: Vec<(u64, Object)> = objects.map(|(address, &object)| (address, object)).collect();
        objects.sort_unstable_by_key(|&(address, _)| address);
        objects
    }
}

fn reference(from: u64, to: u64, slot: Slot) -> Event {
    Event::Ref { from: Tag(from), to: Tag(to), slot }
}
