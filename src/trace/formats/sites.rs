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

/// The sites so far. Memory is that of the distinct stacks.
#[derive(Default)]
pub(super) struct Sites {
    /// By parent and number of the place.
    numbers: HashMap<(SiteId, u64), SiteId, foldhash::fast::RandomState>,
}

impl Sites {
    /// The site of the place `number` when the site `parent` called it.
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
