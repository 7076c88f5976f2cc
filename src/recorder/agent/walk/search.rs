//! Searches, after a walk of the whole heap, the memory of objects for references that nobody shows.
//!
//! Targets are objects with more references than the walk has found. Searched are objects that a target leads to, by what
//! `tp_traverse` shows and not by way of a module or a class, if their type is one of C code that may hide something.

use super::classes::Field;
use super::describe::Walk;
use super::place_kinds::{PlaceKind, PlaceKinds};
use super::survey::{Note, Numbers, Survey};
use super::targets::Targets;
use crate::memory::{Gather, Grow, filled};
use crate::scan::{Addresses, DomainBlock, FEW, LITTLE, Limits, Match, Path, Scan};
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
    /// Writes where the addresses of objects were found whose count is not explained, and how far was searched.
    pub(super) unsafe fn search(&mut self) {
        if !self.scratch.survey.is_on() {
            return;
        }
        let mut survey = std::mem::take(&mut self.scratch.survey);
        let mut targets = survey.targets();
        // SAFETY: as the caller promises.
        unsafe {
            self.search_holders(&mut survey, &targets);
            let of_class = Numbers::of_unexplained(self.scratch.classes.len(), &survey, &mut targets);
            self.name_variables(&survey, &targets, &of_class);
            self.look_everywhere(&survey, &targets, &of_class);
        }
        survey.end();
        self.scratch.survey = survey;
    }

    /// Searches objects that may hide something.
    unsafe fn search_holders(&mut self, survey: &mut Survey, targets: &[u32]) {
        let targets = self.leading_on(survey, targets);
        let mut holders = self.holders(survey, &targets);
        let objects = holders.len() as u64;
        if holders.is_empty() {
            return self.sink.emit(|encoder| encoder.searched(0, 0));
        }
        let row = self.context.interpreter.row;
        let Some(mut scan) = Scan::new(row.pool_bytes, survey.notes.len()) else { return };
        let (targets, mut places) = (Targets::of(survey, &targets), Vec::new());
        // SAFETY: as the caller promises, the lock is held, and what was described is alive.
        unsafe {
            for limits in [Some(LITTLE), Some(FEW), None] {
                let limits = limits.unwrap_or_else(|| scan.share(holders.len()));
                holders = self.search_all(&mut scan, survey, &targets, &holders, limits, &mut places);
            }
            if !places.is_empty() {
                keep_loops(survey, &mut places);
            }
            let kinds = self.try_kinds(survey, &places);
            self.write_places(survey, &places, &kinds);
        }
        self.sink.emit(|encoder| encoder.searched(objects, holders.len() as u64));
    }

    /// Those of these objects that lead on: no loop goes through the others.
    fn leading_on(&self, survey: &Survey, targets: &[u32]) -> Vec<u32> {
        let leads_on = |number: u32| {
            let mut referents = survey.referents(number);
            self.may_hide(survey, number)
                || referents.any(|next| self.may_hide(survey, next) || survey.referents(next).next().is_some())
        };
        targets.iter().copied().filter(|&number| leads_on(number)).gather()
    }

    /// How many objects there are of each class.
    pub(super) fn by_class<'n>(&self, notes: impl Iterator<Item = &'n Note>) -> Numbers {
        Numbers::of_each(self.scratch.classes.len(), notes)
    }

    fn may_hide(&self, survey: &Survey, number: u32) -> bool {
        self.scratch.classes[survey.notes[number as usize].class()].hides
    }

    /// Numbers of the objects that are searched, in the order in which targets lead to them.
    fn holders(&self, survey: &Survey, targets: &[u32]) -> Vec<u32> {
        let mut reached = filled(false, survey.notes.len());
        let mut waiting = Vec::new();
        for &target in targets {
            reached[target as usize] = waiting.add(target);
        }
        let mut next = 0;
        while let Some(&number) = waiting.get(next) {
            for referent in survey.referents(number) {
                if !reached[referent as usize] {
                    reached[referent as usize] = waiting.add(referent);
                }
            }
            next += 1;
        }
        waiting.retain(|&number| self.may_hide(survey, number));
        waiting
    }

    /// Searches the holders, and answers which of them were not searched to the end. Of a class so many of which led to much, and
    /// none to a target, no more are searched with these limits.
    unsafe fn search_all(
        &mut self,
        scan: &mut Scan,
        survey: &Survey,
        targets: &Targets,
        holders: &[u32],
        limits: Limits,
        places: &mut Vec<FoundPlace>,
    ) -> Vec<u32> {
        let (mut unfinished, mut matches) = (Vec::new(), Vec::new());
        let mut in_vain = filled(0, self.scratch.classes.len());
        for &holder in holders {
            let class = survey.notes[holder as usize].class();
            let is_over = scan.is_over() || places.len() > FOR_ALL;
            if is_over || in_vain.get(class).is_none_or(|&n| n == IN_VAIN) {
                unfinished.add(holder);
                continue;
            }
            // SAFETY: as the caller promises, what was described is alive.
            if unsafe { !self.search_one(scan, survey, holder, limits, targets, &mut matches) } {
                unfinished.add(holder);
                in_vain[class] += 1;
            }
            for found in &matches {
                places.add(FoundPlace { target: found.target, holder, path: found.path });
                in_vain[class] = NEVER;
            }
        }
        unfinished
    }

    /// Fills `matches` with what is found in the memory of one object, but for what it shows. False where a limit came first.
    unsafe fn search_one(
        &mut self,
        scan: &mut Scan,
        survey: &Survey,
        holder: u32,
        limits: Limits,
        targets: &Targets,
        matches: &mut Vec<Match>,
    ) -> bool {
        let note = &survey.notes[holder as usize];
        // SAFETY: as the caller promises, the object is alive and of this class.
        unsafe {
            let body = self.scratch.classes[note.class()].body(&self.context.interpreter, note.object);
            let addresses = FromWalk { targets, sink: &*self.sink };
            let is_whole = scan.search(note.object, body, limits, &addresses, matches);
            if matches.is_empty() {
                return is_whole;
            }
            let others = matches.iter().filter(|found| found.target != holder);
            let mut blocks = others.map(|found| found.path.block()).gather();
            blocks.sort_unstable();
            let mut edges = std::mem::take(&mut self.scratch.edges);
            self.edges_of(note.object, note.class(), &mut edges);
            // Each reference that is shown has a place of its own. The object's own address counts beside what else it may hold.
            matches.retain(|found| {
                if found.target == holder && blocks.binary_search(&found.path.block()).is_err() {
                    return false;
                }
                let target = survey.notes[found.target as usize].object;
                let shown = edges.targets.iter_mut().find(|shown| **shown == target);
                match shown.filter(|_| found.path.depth <= SHOWN) {
                    Some(shown) => std::mem::take(shown) == 0,
                    None => true,
                }
            });
            self.scratch.edges = edges;
            is_whole
        }
    }

    /// Writes the places, sorted by target: as references where objects of the kind let go of them. Where these do not explain
    /// the count of an object, the others are written as addresses. What they explain is noted.
    fn write_places(&mut self, survey: &mut Survey, places: &[FoundPlace], kinds: &PlaceKinds) {
        let kind_of =
            |survey: &Survey, place: &FoundPlace| kinds.get(survey.notes[place.holder as usize].class(), place.path);
        let owned = places.iter().filter(|place| kind_of(survey, place).is_some_and(PlaceKind::is_owned));
        let mut blocks = owned.map(|place| (place.holder, place.path.block())).gather();
        blocks.sort_unstable();
        for of_one in places.chunk_by(|one, next| one.target == next.target) {
            let mut room = survey.notes[of_one[0].target as usize].unexplained;
            let mut others = Vec::new();
            for place in of_one {
                let class = survey.notes[place.holder as usize].class();
                let kind = kind_of(survey, place);
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
            survey.notes[of_one[0].target as usize].unexplained = room;
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

/// What the walk knows of addresses.
struct FromWalk<'a, S> {
    targets: &'a Targets,
    sink: &'a S,
}

impl<S: Sink> Addresses for FromWalk<'_, S> {
    fn target(&self, address: usize) -> Option<u32> {
        self.targets.get(address)
    }

    fn block(&self, start: usize) -> DomainBlock {
        self.sink.known(start)
    }
}

/// Keeps the places from which the object that was found leads back to the holder, the nearest first; of each object as
/// many as its count has room for, and a few more.
fn keep_loops(survey: &Survey, places: &mut Vec<FoundPlace>) {
    places.sort_unstable();
    places.dedup();
    let mut reached = Reached::new(survey);
    if reached.marks.is_empty() {
        places.clear();
    }
    let (mut kept, mut start) = (0, 0);
    while let Some(&FoundPlace { target, .. }) = places.get(start) {
        let end = start + places[start..].partition_point(|place| place.target == target);
        reached.mark(survey, target, places[start..end].iter().map(|place| place.holder));
        let room = usize::try_from(survey.notes[target as usize].unexplained).unwrap_or(0) + SPARE;
        let mut taken = 0;
        for place in start..end {
            if taken < room && reached.contains(places[place].holder) {
                places[kept] = places[place];
                (kept, taken) = (kept + 1, taken + 1);
            }
        }
        start = end;
    }
    places.truncate(kept);
}

/// Whom an object leads to: for each object a mark that says so, different ones for each that is asked.
struct Reached {
    marks: Vec<u32>,
    /// Of what is looked for; one more is that of what was reached.
    sought: u32,
}

impl Reached {
    fn new(survey: &Survey) -> Reached {
        Reached { marks: filled(0, survey.notes.len()), sought: 0 }
    }

    /// Finds out which of these an object leads to.
    fn mark(&mut self, survey: &Survey, from: u32, sought: impl Iterator<Item = u32>) {
        self.sought += 2;
        let (mut left, mut met, mut waiting) = (0, 0, Vec::new());
        for object in sought.filter(|&object| object != from) {
            left += usize::from(std::mem::replace(&mut self.marks[object as usize], self.sought) != self.sought);
        }
        self.marks[from as usize] = self.sought + 1;
        waiting.add(from);
        while let Some(object) = waiting.pop().filter(|_| left > 0) {
            for next in survey.referents(object) {
                let mark = &mut self.marks[next as usize];
                if met < REACHED && *mark != self.sought + 1 {
                    left -= usize::from(*mark == self.sought);
                    *mark = self.sought + 1;
                    met += 1;
                    waiting.add(next);
                }
            }
        }
    }

    /// Whether it is one of those to which the last one led.
    fn contains(&self, object: u32) -> bool {
        self.marks[object as usize] == self.sought + 1
    }
}

/// A traversal shows what is so many pointers away.
const SHOWN: usize = 2;
