//! Searches, after a walk of the whole heap, the memory of objects for references that nobody shows.
//!
//! Targets are objects with more references than the walk has found. Searched are objects that a target leads to, by what
//! `tp_traverse` shows and not by way of a module or a class, if their type is one of C code that may hide something.

use std::collections::VecDeque;

use super::classes::{Field, Kind};
use super::describe::Walk;
use super::place_kinds::{PlaceKind, PlaceKinds};
use super::survey::{Note, Survey};
use crate::address_map::AddressMap;
use crate::cpython::class::made_in_python;
use crate::cpython::memory::{GC_HEAD, flag, type_of, word};
use crate::cpython::object::C_FUNCTION_SELF;
use crate::layouts::HidingType;
use crate::memory::{Gather, Grow, filled};
use crate::scan::{FEW, LITTLE, Limits, Match, Path, Scan};
use crate::sink::Sink;

/// A holder of the kind let go of it when it died.
const RELEASE: u8 = 1;
/// It was found at an address, and nothing more is known.
const ADDRESS: u8 = 2;
/// Addresses that are looked at.
const FOR_ALL: usize = 1 << 20;
/// Pointers behind which an address alone says nothing: that far from an object almost all is another's.
const SUSPECTED: usize = 5;
/// Of one object, the addresses that are written beyond those that its count has room for.
const SPARE: usize = 4;
/// Objects of a class that are searched although all before led to much and to no target; and where one did.
const IN_VAIN: i32 = 8;
const NEVER: i32 = i32::MIN;
/// Objects among which the holders of one target are looked for.
const REACHED: usize = 20_000;

/// Where the address of a target was found, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FoundPlace {
    pub target: u32,
    pub path: Path,
    pub holder: u32,
}

impl<S: Sink> Walk<'_, S> {
    /// Writes where the addresses of objects were found whose count is not explained.
    pub(super) unsafe fn search(&mut self) {
        let survey = std::mem::take(&mut self.scratch.survey);
        if !survey.is_on() {
            return;
        }
        // SAFETY: as the caller promises, the lock is held, and what was described is alive.
        unsafe {
            let targets = self.targets(&survey);
            if targets.is_empty() {
                return;
            }
            let row = self.context.interpreter.row;
            let Some(mut scan) = Scan::new(row.pool_bytes, survey.notes.len()) else { return };
            let mut places = Vec::new();
            let mut holders = self.holders(&survey, &targets);
            for limits in [Some(LITTLE), Some(FEW), None] {
                let limits = limits.unwrap_or_else(|| scan.share(holders.len()));
                holders = self.search_all(&mut scan, &survey, &targets, &holders, limits, &mut places);
            }
            self.keep_loops(&survey, &mut places);
            let kinds = self.try_kinds(&survey, &places);
            self.write_places(&survey, &places, &kinds);
        }
    }

    /// Searches the holders, and answers which of them were not searched to the end. Of a class so many of which led to much, and
    /// none to a target, no more are searched with these limits.
    unsafe fn search_all(
        &mut self,
        scan: &mut Scan,
        survey: &Survey,
        targets: &AddressMap<u32>,
        holders: &[u32],
        limits: Limits,
        places: &mut Vec<FoundPlace>,
    ) -> Vec<u32> {
        let (mut unfinished, mut matches) = (Vec::new(), Vec::new());
        let mut in_vain = filled(0, self.scratch.classes.len());
        for &holder in holders {
            if scan.is_over() || places.len() > FOR_ALL {
                break;
            }
            let note = survey.notes[holder as usize];
            if in_vain.get(note.class).is_none_or(|&n| n == IN_VAIN) {
                unfinished.add(holder);
                continue;
            }
            // SAFETY: as the caller promises, what was described is alive.
            if unsafe { !self.search_one(scan, &note, limits, targets, &mut matches) } {
                unfinished.add(holder);
                in_vain[note.class] += 1;
            }
            for found in &matches {
                let target = targets.get(found.target).unwrap_or_default();
                places.add(FoundPlace { target, holder, path: found.path });
                in_vain[note.class] = NEVER;
            }
        }
        unfinished
    }

    /// Numbers of the objects whose count is not explained, by address.
    unsafe fn targets(&self, survey: &Survey) -> AddressMap<u32> {
        let mut targets = AddressMap::sparse();
        for (number, note) in survey.notes.iter().enumerate().filter(|(_, note)| note.unexplained > 0) {
            // SAFETY: as the caller promises, what was described is alive.
            if note.object != 0 && unsafe { self.may_be_held(note) } {
                targets.insert(note.object, number as u32);
            }
        }
        targets
    }

    /// What has references of its own, and is no part of the program.
    unsafe fn may_be_held(&self, note: &Note) -> bool {
        let class = &self.scratch.classes[note.class];
        // SAFETY: as the caller promises, the object is alive.
        let is_of_program = unsafe {
            match class.kind {
                Kind::Module | Kind::Code | Kind::Frame => false,
                Kind::Type => made_in_python(&self.context.interpreter, note.object),
                // A method of an object, and no function of a module.
                Kind::CFunction => {
                    let bound = word(note.object + C_FUNCTION_SELF);
                    bound != 0 && type_of(bound) != self.context.interpreter.module
                }
                _ => true,
            }
        };
        if !is_of_program {
            return false;
        }
        // SAFETY: as the caller promises, the object is alive.
        let tracked = || unsafe { word(note.object - GC_HEAD) != 0 };
        if class.flags & flag::HAVE_GC != 0 { tracked() } else { class.hiding != HidingType::Unknown || class.hides }
    }

    /// Numbers of the objects that are searched, in the order in which targets lead to them.
    unsafe fn holders(&mut self, survey: &Survey, targets: &AddressMap<u32>) -> Vec<u32> {
        let mut reached = filled(false, survey.notes.len());
        let (mut holders, mut waiting) = (Vec::new(), VecDeque::new());
        for (number, note) in survey.notes.iter().enumerate().skip(1) {
            if note.object != 0 && targets.contains(note.object) {
                reached[number] = true;
                if waiting.try_reserve(1).is_ok() {
                    waiting.push_back(number as u32);
                }
            }
        }
        while let Some(number) = waiting.pop_front() {
            let note = survey.notes[number as usize];
            if self.scratch.classes[note.class].hides {
                holders.add(number);
            }
            // SAFETY: as the caller promises, what was described is alive.
            unsafe {
                self.each_referent(survey, number, |next| {
                    if !std::mem::replace(&mut reached[next as usize], true) && waiting.try_reserve(1).is_ok() {
                        waiting.push_back(next);
                    }
                });
            }
        }
        holders
    }

    /// Calls `each` with the objects that one refers to, shown or not, and that may lead on, but for what everything leads to.
    unsafe fn each_referent(&mut self, survey: &Survey, number: u32, mut each: impl FnMut(u32)) {
        let note = survey.notes[number as usize];
        let mut edges = std::mem::take(&mut self.scratch.edges);
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            self.edges_of(note.object, note.class, &mut edges);
            let mut unshown = std::mem::take(&mut self.scratch.unshown);
            self.scratch.classes[note.class].hiding.read(&self.context.interpreter, note.object, &mut unshown);
            self.unshown_dict(note.object, note.class, &mut unshown);
            edges.targets.add_each(unshown.drain(..).map(|(referent, _)| referent).filter(|&referent| referent != 0));
            self.scratch.unshown = unshown;
            for &referent in &edges.targets {
                if self.sink.hidden(referent) || survey.shared.contains(referent) {
                    continue;
                }
                let class = self.class_of(referent);
                let known = &self.scratch.classes[class];
                let may_lead = known.flags & flag::HAVE_GC != 0 || known.hides;
                if may_lead && !matches!(known.kind, Kind::Module | Kind::Type) {
                    let next = self.number(referent) as usize;
                    if survey.notes.get(next).is_some_and(|note| note.object == referent) {
                        each(next as u32);
                    }
                }
            }
        }
        self.scratch.edges = edges;
    }

    /// Keeps the places from which the object that was found leads back to the holder, the nearest first; of each object as
    /// many as its count has room for, and a few more.
    unsafe fn keep_loops(&mut self, survey: &Survey, places: &mut Vec<FoundPlace>) {
        places.sort_unstable();
        places.dedup();
        let mut kept = 0;
        let mut start = 0;
        while let Some(&FoundPlace { target, .. }) = places.get(start) {
            let end = start + places[start..].partition_point(|place| place.target == target);
            let mut wanted: AddressMap<u32> = AddressMap::default();
            places[start..end].iter().for_each(|place| wanted.insert(place.holder as usize, 0));
            // SAFETY: as the caller promises, what was described is alive.
            unsafe { self.mark_reached(survey, target, &mut wanted) };
            let room = usize::try_from(survey.notes[target as usize].unexplained).unwrap_or(0) + SPARE;
            let mut taken = 0;
            for place in start..end {
                let holder = places[place].holder;
                if taken < room && (holder == target || wanted.get(holder as usize) == Some(1)) {
                    places[kept] = places[place];
                    (kept, taken) = (kept + 1, taken + 1);
                }
            }
            start = end;
        }
        places.truncate(kept);
    }

    /// Gives the value 1 to those of the wanted that an object leads to.
    unsafe fn mark_reached(&mut self, survey: &Survey, from: u32, wanted: &mut AddressMap<u32>) {
        let mut seen: AddressMap<u32> = AddressMap::default();
        let mut waiting: Vec<u32> = [from].into();
        let mut met = 0;
        seen.insert(from as usize, 1);
        while let Some(number) = waiting.pop() {
            // SAFETY: as the caller promises, what was described is alive.
            unsafe {
                self.each_referent(survey, number, |next| {
                    if met < REACHED && seen.entry(next as usize, 1).1 {
                        met += 1;
                        waiting.add(next);
                        if wanted.contains(next as usize) {
                            wanted.insert(next as usize, 1);
                        }
                    }
                });
            }
        }
    }

    /// Fills `matches` with what is found in the memory of one object, but for what it shows. False where a limit came first.
    unsafe fn search_one(
        &mut self,
        scan: &mut Scan,
        note: &Note,
        limits: Limits,
        targets: &AddressMap<u32>,
        matches: &mut Vec<Match>,
    ) -> bool {
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let body = self.scratch.classes[note.class].body(&self.context.interpreter, note.object);
            let mut edges = std::mem::take(&mut self.scratch.edges);
            self.edges_of(note.object, note.class, &mut edges);
            let sink = &*self.sink;
            let is_target = |address: usize| targets.contains(address);
            let is_whole = scan.search(note.object, body, limits, is_target, |block| sink.known(block), matches);
            let others = matches.iter().filter(|found| found.target != note.object);
            let mut blocks = others.map(|found| found.path.block()).gather();
            blocks.sort_unstable();
            // Each reference that is shown has a place of its own. The object's own address counts beside what else it may hold.
            matches.retain(|found| {
                if found.target == note.object && blocks.binary_search(&found.path.block()).is_err() {
                    return false;
                }
                let shown = edges.targets.iter_mut().find(|target| **target == found.target);
                match shown.filter(|_| found.path.depth <= SHOWN) {
                    Some(target) => std::mem::take(target) == 0,
                    None => true,
                }
            });
            self.scratch.edges = edges;
            is_whole
        }
    }

    /// Writes the places, sorted by target: as references where objects of the kind let go of them. Where these do not explain
    /// the count of an object, the others are written as addresses.
    fn write_places(&mut self, survey: &Survey, places: &[FoundPlace], kinds: &PlaceKinds) {
        let kind_of = |place: &FoundPlace| kinds.get(survey.notes[place.holder as usize].class, place.path);
        let owned = places.iter().filter(|place| kind_of(place).is_some_and(PlaceKind::is_owned));
        let mut blocks = owned.map(|place| (place.holder, place.path.block())).gather();
        blocks.sort_unstable();
        for of_one in places.chunk_by(|one, next| one.target == next.target) {
            let mut room = survey.notes[of_one[0].target as usize].unexplained;
            let mut others = Vec::new();
            for place in of_one {
                let class = survey.notes[place.holder as usize].class;
                let kind = kind_of(place);
                if place.holder == place.target {
                    // Whatever keeps itself never dies, so it cannot be tried: but what stands beside something owned may be owned.
                    if blocks.binary_search(&(place.holder, place.path.block())).is_ok() {
                        others.add((class, *place));
                    }
                } else if room > 0 && kind.is_some_and(PlaceKind::is_owned) {
                    room -= 1;
                    self.write_place(class, place, RELEASE);
                } else if place.path.depth <= SUSPECTED && !kind.is_some_and(PlaceKind::is_of_another) {
                    others.add((class, *place));
                }
            }
            if room > 0 {
                others.iter().for_each(|(class, place)| self.write_place(*class, place, ADDRESS));
            }
        }
    }

    fn write_place(&mut self, class: usize, place: &FoundPlace, evidence: u8) {
        let label = self.place_label(class, place.path);
        let (holder, target) = (place.holder.into(), place.target.into());
        self.sink.emit(|encoder| encoder.hidden(holder, target, label, evidence));
    }

    /// The name of a member that the type declares, or the way to the address.
    fn place_label(&mut self, class: usize, path: Path) -> u32 {
        let class = &self.scratch.classes[class];
        let named = |&&(offset, _): &&Field| path.depth == 0 && offset == path.first();
        if let Some(&(_, label)) = class.fields.iter().chain(&class.slots).find(named) {
            return label;
        }
        let mut text = std::mem::take(&mut self.scratch.text);
        text.clear();
        path.push_text(&mut text);
        let label = self.sink.text(&text);
        self.scratch.text = text;
        label
    }
}

/// A traversal shows what is so many pointers away.
const SHOWN: usize = 2;
