//! Collects the values of a dump and what they refer to, and tells what came too early once all are there.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::super::definitions::Definitions;
use super::super::reader::Pending;
use super::super::sites::{Place, Sites};
use crate::trace::{Event, ObjectFlags, Scope, SiteId, Slot, Tag, TextId, TypeId};

/// From this count on it says nothing: the value is immortal.
///
/// Perl 5.36: `SvREFCNT_IMMORTAL` is half of what 32 bits hold (`sv.h`).
const IMMORTAL: u32 = 1 << 30;

/// The values so far. Memory is that of the values, of all references, and of the distinct names.
#[derive(Default)]
pub(super) struct Graph {
    pub names: Definitions,
    sites: Sites,
    values: HashSet<u64, RandomState>,
    references: Vec<(u64, u64, Slot)>,
    /// References of a glob that has its insides from another one, where that is there too.
    shared: Vec<(u64, (u64, u64, Slot))>,
    roots: Vec<(u64, TextId)>,
    /// Values whose package is yet to come, and of which kind each is.
    blessed: Vec<(u64, u64, TypeId)>,
    packages: HashMap<u64, Vec<u8>, RandomState>,
    /// Pads and their subs.
    pads: HashMap<u64, u64, RandomState>,
    /// The variables of a sub, by its place in a pad.
    variables: HashMap<(u64, u32), Slot, RandomState>,
}

impl Graph {
    /// A value of a kind, or of the package that it is blessed into (0: none). False where the dump has had a value with this
    /// address.
    pub(super) fn value(
        &mut self,
        address: u64,
        (kind, package): (&[u8], u64),
        (bytes, count): (u64, u32),
        out: &mut Pending,
    ) -> bool {
        if !self.values.insert(address) {
            return false;
        }
        let class = match self.packages.get(&package) {
            Some(name) => self.names.class(name, out),
            None if package == 0 => self.names.class(kind, out),
            None => {
                let kind = self.names.class(kind, out);
                self.blessed.push((address, package, kind));
                TypeId::UNKNOWN
            }
        };
        let object = Tag(address);
        out.push_back(Event::Alloc { object, address, class, bytes, site: SiteId::NONE });
        let flags = if count >= IMMORTAL { ObjectFlags::IMMORTAL } else { ObjectFlags::default() };
        out.push_back(Event::Count { object, count: u64::from(count), flags });
        true
    }

    pub(super) fn refer(&mut self, from: u64, to: u64, slot: Slot) {
        if to != 0 {
            self.references.push((from, to, slot));
        }
    }

    /// The same of a glob that has its insides from `owner`.
    pub(super) fn refer_shared(&mut self, owner: u64, from: u64, to: u64, slot: Slot) {
        if to != 0 {
            self.shared.push((owner, (from, to, slot)));
        }
    }

    pub(super) fn root(&mut self, address: u64, name: &[u8], out: &mut Pending) {
        if address != 0 {
            let name = self.names.text(name, out);
            self.roots.push((address, name));
        }
    }

    pub(super) fn name(&mut self, address: u64, name: &[u8], out: &mut Pending) {
        let name = self.names.text(name, out);
        out.push_back(Event::Name { object: Tag(address), name });
    }

    pub(super) fn package(&mut self, address: u64, name: Vec<u8>) {
        self.packages.insert(address, name);
    }

    /// Where a sub is defined.
    pub(super) fn code(&mut self, address: u64, place: Place, out: &mut Pending) {
        let site = self.sites.of_place(SiteId::NONE, place, &mut self.names, out);
        out.push_back(Event::Code { object: Tag(address), site });
    }

    /// A pad of a sub: its variables, at one depth of recursion.
    pub(super) fn pad(&mut self, pad: u64, sub: u64) {
        self.pads.insert(pad, sub);
    }

    /// The name of a variable of a sub.
    pub(super) fn variable(&mut self, sub: u64, place: u64, name: &[u8], out: &mut Pending) {
        let slot = self.names.slot(&[b"local ", name].concat(), out);
        if let Ok(place) = u32::try_from(place) {
            self.variables.insert((sub, place), slot);
        }
    }

    /// All values are there. What is no value of the dump (`undef`, or freed by now) is referred to by nobody.
    pub(super) fn finish(&mut self, out: &mut Pending) {
        for (address, package, kind) in std::mem::take(&mut self.blessed) {
            let class = self.packages.get(&package).map_or(kind, |name| self.names.class(name, out));
            self.retype(address, class, out);
        }
        let mut pads: Vec<u64> = self.pads.keys().copied().collect();
        pads.sort_unstable();
        let class = self.names.class(b"PAD", out);
        pads.into_iter().for_each(|pad| self.retype(pad, class, out));
        let own = self.shared.drain(..).filter(|(owner, _)| !self.values.contains(owner)).map(|(_, own)| own);
        self.references.extend(own);
        for (from, to, slot) in std::mem::take(&mut self.references) {
            if self.values.contains(&from) && self.values.contains(&to) {
                out.push_back(Event::Ref { from: Tag(from), to: Tag(to), slot: self.slot(from, slot) });
            }
        }
        for (address, name) in std::mem::take(&mut self.roots) {
            if self.values.contains(&address) {
                out.push_back(Event::Root { object: Tag(address), name });
            }
        }
        out.push_back(Event::Checkpoint(Scope::Full));
    }

    fn retype(&self, address: u64, class: TypeId, out: &mut Pending) {
        if self.values.contains(&address) {
            out.push_back(Event::Retype { object: Tag(address), class });
        }
    }

    /// What is in a pad is called by its variable.
    fn slot(&self, from: u64, slot: Slot) -> Slot {
        let variable = self.pads.get(&from).zip(slot.as_index());
        variable.and_then(|(&sub, place)| self.variables.get(&(sub, place))).copied().unwrap_or(slot)
    }
}
