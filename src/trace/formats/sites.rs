//! Numbers the sites of logs that have stacks, each site once for each parent.

use std::collections::HashMap;

use super::definitions::Definitions;
use super::reader::Pending;
use crate::trace::{Event, SiteDef, SiteId};

/// A place in a program: file, line (0: not known), function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub path: Box<[u8]>,
    pub line: u32,
    pub function: Box<[u8]>,
}

/// The sites so far. Memory is that of the distinct stacks, and of the places that the log does not number itself.
#[derive(Default)]
pub(super) struct Sites {
    places: HashMap<Place, u64, foldhash::fast::RandomState>,
    /// By parent and number of the place.
    numbers: HashMap<(SiteId, u64), SiteId, foldhash::fast::RandomState>,
}

impl Sites {
    /// The site of a place when the site `parent` called it.
    pub(super) fn of_place(
        &mut self,
        parent: SiteId,
        place: Place,
        names: &mut Definitions,
        out: &mut Pending,
    ) -> SiteId {
        let next = self.places.len() as u64;
        let number = *self.places.entry(place.clone()).or_insert(next);
        self.site(parent, (number, &place), names, out)
    }

    /// The same of a place that the log calls `number`: all of a log have numbers, or none.
    pub(super) fn site(
        &mut self,
        parent: SiteId,
        (number, place): (u64, &Place),
        names: &mut Definitions,
        out: &mut Pending,
    ) -> SiteId {
        let next = SiteId(self.numbers.len() as u32 + 1);
        let id = *self.numbers.entry((parent, number)).or_insert(next);
        if id == next {
            let path = names.text(&place.path, out);
            let function = names.text(&place.function, out);
            let parent = Some(parent).filter(|&parent| parent != SiteId::NONE);
            out.push_back(Event::Site(SiteDef { id, path, line: place.line, function, parent }));
        }
        id
    }
}
