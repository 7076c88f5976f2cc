//! Finds objects that have more references than anybody can release, and of which there are more from look to look.
//!
//! The recorder looks in all memory for the addresses of objects whose count is not explained. Whoever holds a reference has the
//! address somewhere, so an object whose address only those places have that are shown has lost the others. What was
//! lost stays alive, so how many there were at each look follows from their births.

use std::collections::{BTreeMap, HashSet};

use super::LEAST_LOOKS;
use super::series::{LEAST_GAIN, Moments, Series};
use crate::cycles::StackFrame;
use crate::cycles::tracker::stack;
use crate::heap::{External, Heap, HeapGraph, ObjectId, ObjectIndex, Observer, SnapshotKind};
use crate::trace::{SiteId, TextId, TypeId};

/// Objects of one type that one line made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lost {
    pub type_name: String,
    /// Of the newest of them, innermost first.
    pub stack: Vec<StackFrame>,
    /// Those that have references too many, and all of the type and line that were alive with them.
    pub objects: u64,
    pub alive: u64,
    /// Those that have references too many as well, but whose address stands in a place that is no reference: somebody has it who
    /// does not show it, or memory that was freed. What they are is not known.
    pub unclear: u64,
    /// How many too many: of the object with fewest, and of that with most.
    pub references: (u32, u32),
    pub bytes: u64,
    /// How many there were at the first look.
    pub from: u64,
    pub per_second: Option<f64>,
    /// All memory was searched. Where it was not, somebody may hold them.
    pub is_searched: bool,
}

/// An object with references that no place in memory explains.
#[derive(Debug)]
struct Suspect {
    index: ObjectIndex,
    id: ObjectId,
    references: u32,
    is_searched: bool,
    /// Its address stands elsewhere, too.
    is_unclear: bool,
}

/// What the objects of a row have in common: their type, and the line that made them.
type Line = (TypeId, (TextId, u32));

/// Watches a replay: give it to [`replay`](crate::heap::replay()).
///
/// A look costs nothing where the trace has no object whose address was looked for, and else one visit to each reference.
#[derive(Debug, Default)]
pub struct LostTracker {
    moments: Moments,
    /// Of the last look for which memory was searched for objects of their type.
    suspects: Vec<Suspect>,
}

impl LostTracker {
    /// Most objects first; `None` where it is not known.
    pub fn finish(self, heap: &Heap) -> Option<Vec<Lost>> {
        if (self.moments.len() as u64) < LEAST_LOOKS || heap.blind_spots().searched.is_none() {
            return None;
        }
        let mut lines: BTreeMap<Line, Vec<&Suspect>> = BTreeMap::new();
        let mut unclear: BTreeMap<Line, u64> = BTreeMap::new();
        for suspect in self.suspects.iter().filter(|suspect| heap.id(suspect.index) == suspect.id) {
            match line(heap, suspect.index) {
                None => {}
                Some(line) if suspect.is_unclear => *unclear.entry(line).or_default() += 1,
                Some(line) => lines.entry(line).or_default().push(suspect),
            }
        }
        let windows = self.moments.windows();
        let bytes = |suspects: &[&Suspect]| suspects.iter().map(|of| heap.all_bytes(of.index)).sum::<u64>();
        lines.retain(|_, suspects| {
            let series = self.series(suspects);
            series.gained() >= LEAST_GAIN && windows.show_growth(&series)
        });
        let mut alive: BTreeMap<Line, u64> = BTreeMap::new();
        if !lines.is_empty() {
            for line in heap.objects().filter_map(|index| line(heap, index)).filter(|line| lines.contains_key(line)) {
                *alive.entry(line).or_default() += 1;
            }
        }
        let row = |(line, suspects): (Line, Vec<&Suspect>)| {
            let references = || suspects.iter().map(|suspect| suspect.references);
            let series = self.series(&suspects);
            let newest = suspects.iter().max_by_key(|suspect| suspect.id)?;
            Some(Lost {
                type_name: heap.types().name(line.0).to_string(),
                stack: stack(heap, heap.object(newest.index).site),
                objects: suspects.len() as u64,
                alive: alive.get(&line).copied().unwrap_or(0),
                unclear: unclear.get(&line).copied().unwrap_or(0),
                references: references().min().zip(references().max())?,
                bytes: bytes(&suspects),
                from: series.first(),
                per_second: self.moments.per_second(series.gained()),
                is_searched: suspects.iter().all(|suspect| suspect.is_searched),
            })
        };
        let mut rows: Vec<Lost> = lines.into_iter().filter_map(row).collect();
        rows.sort_by(|a, b| {
            b.objects.cmp(&a.objects).then_with(|| (&a.type_name, &a.stack).cmp(&(&b.type_name, &b.stack)))
        });
        Some(rows)
    }

    /// How many of them there were at each look.
    fn series(&self, suspects: &[&Suspect]) -> Series {
        let mut births: Vec<u64> = suspects.iter().map(|suspect| suspect.id.0).collect();
        births.sort_unstable();
        let mut series = Series::new(0);
        for event in self.moments.events() {
            series.push(births.partition_point(|&birth| birth <= event) as u64);
        }
        series
    }
}

impl Observer for LostTracker {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        if kind != SnapshotKind::FullCheckpoint {
            return;
        }
        if self.moments.is_full() {
            self.moments.thin();
        }
        let now = heap.now();
        self.moments.push(now.event, now.ns);
        if graph.places().is_empty() {
            return;
        }
        let external = External::of(graph);
        let suspects = graph.places().iter().filter_map(|found| {
            let (node, references) = (found.object, external.references(graph, found.object));
            let state = graph.state(node);
            let is_unclear = found.places.is_some_and(|places| places > external.within(node));
            let index = graph.object(node);
            let is_suspect = references > 0 && !state.pinned && !state.vacant;
            let is_searched = found.places.is_some();
            is_suspect.then(|| Suspect { index, id: heap.id(index), references, is_searched, is_unclear })
        });
        let suspects: Vec<Suspect> = suspects.collect();
        // A type of which nothing was made meanwhile is not looked for again.
        let looked_for: HashSet<TypeId> =
            { graph.places().iter() }.map(|found| heap.class(graph.object(found.object))).collect();
        self.suspects.retain(|old| heap.id(old.index) == old.id && !looked_for.contains(&heap.class(old.index)));
        self.suspects.extend(suspects);
    }
}

/// `None` where no line is known to have made it.
fn line(heap: &Heap, index: ObjectIndex) -> Option<Line> {
    let object = heap.object(index);
    let site = heap.sites().get(object.site).filter(|site| site.id != SiteId::NONE)?;
    Some((object.class, (site.path, site.line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;

    /// Twenty objects more at each of four looks, which have `count`; at the last one their addresses were found in `places`.
    fn lost(count: u32, places: &str) -> Option<Vec<Lost>> {
        lost_but(0, count, places)
    }

    /// The same, but for the first `others`, whose addresses stand in ten places.
    fn lost_but(others: usize, count: u32, places: &str) -> Option<Vec<Lost>> {
        let mut tracker = LostTracker::default();
        let replayed = play(&script(others, count, places), &mut tracker);
        tracker.finish(&replayed.heap)
    }

    fn script(others: usize, count: u32, places: &str) -> String {
        let mut script = String::from(
            "reftrace 1 runtime=test references=checkpoints births=survivors\ntype 1 dict\ntype 2 app.Handle\n\
             site 1 app.py:12 load\nalloc 1 1 64\n",
        );
        for look in 1..=4 {
            let objects = || (0..20 * look).map(|n| 0x1000 + n);
            objects().skip(20 * (look - 1)).for_each(|tag| script.push_str(&format!("alloc {tag:x} 2 48 @1\n")));
            script.push_str(&format!("time {look}000000000\nwalk full\ncount 1 1\nroot 1 global:app.kept\n"));
            objects().for_each(|tag| script.push_str(&format!("count {tag:x} {count}\nref 1 {tag:x} [{tag}]\n")));
            if look == 4 {
                for tag in objects() {
                    let places = if tag < 0x1000 + others { "10" } else { places };
                    script.push_str(&format!("places {tag:x} {places}\n"));
                }
                script.push_str("searched 0 0\n");
            }
            script.push_str("checkpoint full\n");
        }
        script.push_str("end\n");
        script
    }

    #[test]
    fn what_has_more_references_than_places_and_grows_is_lost() {
        let [row] = lost(3, "1").unwrap().try_into().unwrap();
        assert_eq!((row.type_name.as_str(), row.objects, row.alive, row.references), ("app.Handle", 80, 80, (2, 2)));
        assert_eq!((row.from, row.per_second, row.bytes, row.is_searched), (20, Some(20.0), 80 * 48, true));
        assert_eq!((row.stack[0].path.as_str(), row.stack[0].line), ("app.py", 12));
    }

    #[test]
    fn an_address_in_one_place_more_is_somebodys_reference() {
        assert_eq!(lost(2, "2"), Some(Vec::new()));
        assert_eq!(lost(1, "1"), Some(Vec::new()), "nothing is too many");
    }

    #[test]
    fn of_those_whose_address_stands_elsewhere_too_nothing_is_known() {
        let [row] = lost_but(9, 3, "1").unwrap().try_into().unwrap();
        assert_eq!((row.objects, row.unclear, row.alive), (71, 9, 80));
        let [row] = lost(3, "1").unwrap().try_into().unwrap();
        assert_eq!((row.objects, row.unclear), (80, 0));
    }

    #[test]
    fn a_type_that_was_not_looked_for_again_is_lost_as_before() {
        let more = "type 3 app.Other\nalloc 9000 3 48 @1\nwalk full\ncount 1 1\nroot 1 global:app.kept\ncount 9000 1\nplaces 9000 5\n\
                    searched 0 0\ncheckpoint full\nend\n";
        let script = script(0, 3, "1").replace("end\n", more);
        let mut tracker = LostTracker::default();
        let replayed = play(&script, &mut tracker);
        let [row] = tracker.finish(&replayed.heap).unwrap().try_into().unwrap();
        assert_eq!((row.type_name.as_str(), row.objects), ("app.Handle", 80));
    }

    #[test]
    fn where_not_all_memory_was_searched_nothing_is_known_of_it() {
        let [row] = lost(2, "").unwrap().try_into().unwrap();
        assert_eq!((row.objects, row.is_searched), (80, false));
    }
}
