//! Compares the heap with a naive model: random logs, sane ones and others, give the same objects, tallies, references, and
//! anomalies.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Listed;
use crate::heap::*;
use crate::trace::{
    Event, Evidence, Frees, Header, Numbers, ObjectFlags, References, Scope, SiteId, Slot, Tag, TextDef, TextId,
    TypeDef, TypeId,
};

/// Objects of all times in one list; dead ones stay in it, so nothing is ever mistaken for another. Kills by recursion.
struct Naive {
    frees: Frees,
    dense: bool,
    objects: Vec<NaiveObject>,
    /// The object of each tag that is alive or dying.
    tags: BTreeMap<u64, usize>,
    /// Every tag that was ever used.
    used: Vec<u64>,
    collecting: bool,
    anomalies: BTreeMap<AnomalyKind, u64>,
    /// One for each snapshot.
    snapshots: Vec<Vec<Line>>,
    died: Vec<(u64, bool)>,
}

#[derive(Clone, PartialEq)]
enum Life {
    Live,
    Dying,
    Dead,
}

#[derive(Clone)]
struct NaiveObject {
    tag: u64,
    life: Life,
    bytes: u64,
    tally: u64,
    /// The part of the tally that is no reference and no root.
    increfs: u64,
    roots: Vec<TextId>,
    references: Vec<(usize, Slot)>,
}

/// What a snapshot shows of one object: tag, bytes, tally, roots, references to tags.
type Line = (u64, u64, u64, Vec<String>, Vec<(u64, Slot)>);

impl Naive {
    fn add(&mut self, kind: AnomalyKind) {
        *self.anomalies.entry(kind).or_default() += 1;
    }

    fn resolve(&mut self, tag: Tag) -> Option<usize> {
        let found = self.tags.get(&tag.0).copied();
        if found.is_none() {
            let used = self.used.contains(&tag.0);
            self.add(if used { AnomalyKind::UseAfterFree } else { AnomalyKind::UnknownObject });
        }
        found
    }

    fn raise(&mut self, object: usize) {
        self.objects[object].tally += 1;
        if self.objects[object].life == Life::Dying {
            self.objects[object].life = Life::Live;
            let references = std::mem::take(&mut self.objects[object].references);
            let there =
                references.into_iter().filter(|&(to, _)| self.objects[to].life != Life::Dead).collect::<Vec<_>>();
            self.objects[object].references = there.clone();
            there.into_iter().for_each(|(to, _)| self.raise(to));
        }
    }

    fn lower(&mut self, object: usize) {
        if self.objects[object].life == Life::Dead {
            return;
        }
        if self.objects[object].tally == 0 {
            return self.add(AnomalyKind::BelowZero);
        }
        self.objects[object].tally -= 1;
        if self.objects[object].tally == 0 && self.objects[object].life == Life::Live {
            match self.frees {
                Frees::Implied => self.bury(object, self.collecting),
                Frees::Recorded => {
                    self.objects[object].life = Life::Dying;
                    self.drop_references(object);
                }
            }
        }
    }

    fn drop_references(&mut self, object: usize) {
        self.objects[object].references.clone().into_iter().for_each(|(to, _)| self.lower(to));
    }

    fn bury(&mut self, object: usize, by_collector: bool) {
        let was_live = self.objects[object].life == Life::Live;
        self.objects[object].life = Life::Dead;
        self.tags.remove(&self.objects[object].tag);
        self.died.push((self.objects[object].tag, by_collector));
        if was_live {
            self.drop_references(object);
        }
    }

    fn take_snapshot(&mut self) {
        let live = self.objects.iter().filter(|object| object.life == Life::Live);
        let mut lines: Vec<Line> = live
            .map(|object| {
                let there = object.references.iter().filter(|(to, _)| self.objects[*to].life == Life::Live);
                let references = there.map(|&(to, slot)| (self.objects[to].tag, slot)).collect();
                let mut roots = object.roots.clone();
                roots.sort_unstable();
                roots.dedup();
                let roots = roots.into_iter().map(|name| format!("t{}", name.0)).collect();
                (object.tag, object.bytes, object.tally, roots, references)
            })
            .collect();
        lines.sort();
        self.snapshots.push(lines);
    }

    fn play(&mut self, event: &Event) {
        match *event {
            Event::Alloc { object: tag, bytes, .. } => {
                if let Some(&old) = self.tags.get(&tag.0) {
                    let dying = self.objects[old].life == Life::Dying;
                    self.add(if dying { AnomalyKind::MissingFree } else { AnomalyKind::AllocOnLive });
                    self.bury(old, false);
                }
                if self.dense && tag.0 > self.used.iter().max().unwrap_or(&0) + 1 {
                    return self.add(AnomalyKind::NumberOutOfOrder);
                }
                self.tags.insert(tag.0, self.objects.len());
                self.used.push(tag.0);
                let object = NaiveObject {
                    tag: tag.0,
                    life: Life::Live,
                    bytes,
                    tally: 0,
                    increfs: 0,
                    roots: Vec::new(),
                    references: Vec::new(),
                };
                self.objects.push(object);
            }
            Event::Owns { object, bytes } => {
                if let Some(object) = self.resolve(object) {
                    // The allocation is always 16 bytes here.
                    self.objects[object].bytes = 16 + bytes;
                }
            }
            Event::Ref { from, to, slot } => {
                let (Some(from), Some(to)) = (self.resolve(from), self.resolve(to)) else { return };
                // A dying object may bring back what holds it, and so itself.
                self.raise(to);
                self.objects[from].references.push((to, slot));
                if self.objects[from].life == Life::Dying {
                    self.lower(to);
                }
            }
            Event::Unref { from, to, slot } => {
                let (Some(from), Some(to)) = (self.resolve(from), self.resolve(to)) else { return };
                let references = &mut self.objects[from].references;
                let exact = references.iter().rposition(|&reference| reference == (to, slot));
                let any = || references.iter().rposition(|reference| reference.0 == to && slot == Slot::UNNAMED);
                match exact.or_else(any) {
                    None => self.add(AnomalyKind::MissingReference),
                    Some(place) => {
                        references.remove(place);
                        if self.objects[from].life == Life::Live {
                            self.lower(to);
                        }
                    }
                }
            }
            Event::Root { object, name } => {
                let Some(object) = self.resolve(object) else { return };
                self.objects[object].roots.push(name);
                self.raise(object);
            }
            Event::Unroot { object, name } => {
                let Some(object) = self.resolve(object) else { return };
                match self.objects[object].roots.iter().position(|&root| root == name) {
                    None => self.add(AnomalyKind::MissingRoot),
                    Some(place) => {
                        self.objects[object].roots.remove(place);
                        self.lower(object);
                    }
                }
            }
            Event::Incref { object } => {
                let Some(object) = self.resolve(object) else { return };
                self.objects[object].increfs += 1;
                self.raise(object);
            }
            Event::Decref { object } => {
                let Some(object) = self.resolve(object) else { return };
                self.objects[object].increfs = self.objects[object].increfs.saturating_sub(1);
                self.lower(object);
            }
            Event::Count { object, count, .. } => {
                let Some(object) = self.resolve(object) else { return };
                if self.objects[object].tally != count {
                    self.add(AnomalyKind::CountMismatch);
                }
            }
            Event::Free { object } => {
                let Some(object) = self.resolve(object) else { return };
                if self.objects[object].tally > 0 && !self.collecting {
                    self.add(AnomalyKind::FreeWhileCounted);
                }
                self.bury(object, self.collecting);
            }
            Event::GcStart { .. } => {
                if std::mem::replace(&mut self.collecting, true) {
                    self.add(AnomalyKind::UnpairedCollection);
                }
                self.take_snapshot();
            }
            Event::GcStop { .. } => {
                let was_collecting = std::mem::replace(&mut self.collecting, false);
                if !was_collecting {
                    self.add(AnomalyKind::UnpairedCollection);
                }
            }
            Event::Checkpoint(Scope::Full) => self.take_snapshot(),
            _ => {}
        }
    }

    fn finish(&mut self) {
        for object in 0..self.objects.len() {
            if self.objects[object].life == Life::Dying {
                self.add(AnomalyKind::MissingFree);
                self.bury(object, false);
            }
        }
        self.take_snapshot();
    }
}

/// The snapshots as the naive model tells them; watches every object, from the first snapshot that shows it.
#[derive(Default)]
struct Lines {
    snapshots: Vec<Vec<Line>>,
    died: Vec<(u64, bool)>,
}

impl Observer for Lines {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, _: SnapshotKind) {
        let address = |node: Node| heap.object(graph.object(node)).address;
        let live = graph.nodes().filter(|&node| !graph.state(node).vacant);
        let mut lines: Vec<Line> = live
            .map(|node| {
                let object = heap.object(graph.object(node));
                assert_eq!(object.count, u64::from(graph.count(node)));
                let names: Vec<String> = heap.root_names(graph.object(node)).into_iter().map(String::from).collect();
                assert_eq!(graph.state(node).pinned, !names.is_empty() || object.count == 0);
                let references: Vec<(u64, Slot)> =
                    graph.references(node).map(|reference| (address(reference.to), reference.slot)).collect();
                let referents: Vec<u64> = graph.referents(node).iter().map(|&to| address(to)).collect();
                assert_eq!(references.iter().map(|reference| reference.0).collect::<Vec<_>>(), referents);
                let mut buffer = Vec::new();
                graph.references_into(node, &mut buffer);
                assert!(buffer.into_iter().eq(graph.references(node)));
                (object.address, object.bytes + object.owned_bytes, object.count, names, references)
            })
            .collect();
        lines.sort();
        let bytes: u64 = lines.iter().map(|line| line.1).sum();
        assert_eq!((heap.n_live(), heap.live_bytes()), (lines.len() as u64, bytes));
        let counts = heap.types().counts(TypeId(1));
        assert_eq!((counts.live, counts.live_bytes), (heap.n_live(), bytes));
        self.snapshots.push(lines);
        heap.objects().collect::<Vec<_>>().into_iter().for_each(|index| heap.watch(index));
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        self.died.push((heap.object(object).address, by_collector));
    }
}

fn slot() -> impl Strategy<Value = Slot> {
    prop_oneof![
        Just(Slot::UNNAMED),
        (1..4u32).prop_map(|text| Slot::text(TextId(text))),
        (0..2u64).prop_map(Slot::index),
    ]
}

/// Tags of the objects: some that a page table takes, and some that it does not.
const TAGS: &[u64] = &[16, 48, 64, 1 << 20, 3, 17, (1 << 20) + 16, u64::MAX];
const NUMBERS: &[u64] = &[1, 2, 3, 4, 5, 6, 7, 8];

fn event(tags: &'static [u64]) -> impl Strategy<Value = Event> {
    let tag = move || prop::sample::select(tags).prop_map(Tag);
    let name = || (1..4u32).prop_map(TextId);
    prop_oneof![
        4 => tag().prop_map(|object| Event::Alloc {
            object,
            address: object.0,
            class: TypeId(1),
            bytes: 16,
            site: SiteId::NONE,
        }),
        6 => (tag(), tag(), slot()).prop_map(|(from, to, slot)| Event::Ref { from, to, slot }),
        4 => (tag(), tag(), slot()).prop_map(|(from, to, slot)| Event::Unref { from, to, slot }),
        2 => tag().prop_map(|object| Event::Incref { object }),
        2 => tag().prop_map(|object| Event::Decref { object }),
        1 => (tag(), name()).prop_map(|(object, name)| Event::Root { object, name }),
        1 => (tag(), name()).prop_map(|(object, name)| Event::Unroot { object, name }),
        1 => (tag(), 0..4u64)
            .prop_map(|(object, count)| Event::Count { object, count, flags: ObjectFlags::default() }),
        2 => tag().prop_map(|object| Event::Free { object }),
        1 => (tag(), 0..100u64).prop_map(|(object, bytes)| Event::Owns { object, bytes }),
        1 => Just(Event::GcStart { generation: 2 }),
        1 => Just(Event::GcStop { collected: 0, uncollectable: 0 }),
        1 => Just(Event::Checkpoint(Scope::Full)),
    ]
}

fn header(frees: Frees, dense: bool) -> Header {
    Header { frees, numbers: if dense { Numbers::Dense } else { Numbers::Tags }, ..Header::new("test") }
}

/// Plays events on both; those that a counter cannot take back (a decref of what only references count, from which no
/// counter can tell who is alive) are left out.
fn compare(frees: Frees, dense: bool, script: Vec<Event>) -> Result<(), TestCaseError> {
    let mut naive = Naive {
        frees,
        dense,
        objects: Vec::new(),
        tags: BTreeMap::new(),
        used: Vec::new(),
        collecting: false,
        anomalies: BTreeMap::new(),
        snapshots: Vec::new(),
        died: Vec::new(),
    };
    let mut events = vec![Event::Type(Box::new(TypeDef { id: 1, name: "A".into(), ..TypeDef::default() }))];
    events.extend((1..4).map(|id| Event::Text(Box::new(TextDef { id: TextId(id), text: format!("t{id}") }))));
    for event in script {
        if let Event::Decref { object } = event
            && let Some(&object) = naive.tags.get(&object.0)
            && let object = &naive.objects[object]
            && object.increfs == 0
            && (object.tally > 0 || object.life != Life::Live)
        {
            continue;
        }
        naive.play(&event);
        events.push(event);
    }
    naive.finish();
    let mut lines = Lines::default();
    let replayed = replay(&mut Listed::new(header(frees, dense), events), &mut lines, &mut |_| {});
    let anomalies: BTreeMap<AnomalyKind, u64> = replayed.heap.anomalies().kinds().collect();
    prop_assert_eq!(anomalies, naive.anomalies);
    prop_assert_eq!(lines.snapshots, naive.snapshots);
    let n_alive = replayed.heap.n_live();
    prop_assert_eq!(replayed.heap.types().counts(TypeId(1)).ever - n_alive, naive.died.len() as u64);
    // Who was watched died in both, and at the hand of the same.
    for death in &lines.died {
        prop_assert!(naive.died.contains(death), "{death:?}");
    }
    Ok(())
}

/// Any event about a few objects, with any number in it.
fn any_event() -> impl Strategy<Value = Event> {
    let tag = || prop_oneof![9 => 0..6u64, 1 => any::<u64>()].prop_map(Tag);
    let number = || prop_oneof![4 => 0..4u64, 1 => any::<u64>()];
    let small = || prop_oneof![4 => 0..4u32, 1 => any::<u32>()];
    let scope = || prop_oneof![Just(Scope::Full), Just(Scope::Garbage)];
    prop_oneof![
        4 => event(NUMBERS),
        2 => event(TAGS),
        1 => (tag(), tag(), small()).prop_map(|(from, to, slot)| Event::Ref { from, to, slot: Slot::from_raw(slot) }),
        1 => (tag(), tag(), small()).prop_map(|(from, to, slot)| Event::Unref { from, to, slot: Slot::from_raw(slot) }),
        1 => (tag(), number(), small(), number(), small()).prop_map(|(object, address, class, bytes, site)| {
            Event::Alloc { object, address, class: TypeId(class), bytes, site: SiteId(site) }
        }),
        1 => (tag(), number(), any::<u8>())
            .prop_map(|(object, count, flags)| Event::Count { object, count, flags: ObjectFlags(flags) }),
        1 => tag().prop_map(|object| Event::Decref { object }),
        1 => tag().prop_map(|object| Event::Unreachable { object }),
        1 => (tag(), tag(), small()).prop_map(|(from, to, word)| Event::Hidden {
            from,
            to,
            slot: Slot::from_raw(word),
            evidence: Evidence::ALL[word as usize % 3].1,
        }),
        1 => (tag(), small()).prop_map(|(object, places)| Event::Places { object, places: places.checked_sub(1) }),
        1 => (tag(), number()).prop_map(|(object, more)| Event::Unchanged { object, more }),
        1 => (tag(), small()).prop_map(|(object, class)| Event::Retype { object, class: TypeId(class) }),
        1 => (tag(), number()).prop_map(|(object, bytes)| Event::Resize { object, bytes }),
        1 => (tag(), small()).prop_map(|(object, capacity)| {
            Event::Dict { object, state: crate::trace::DictState::Split, capacity }
        }),
        1 => (tag(), small()).prop_map(|(object, name)| Event::Name { object, name: TextId(name) }),
        1 => (tag(), small()).prop_map(|(object, site)| Event::Code { object, site: SiteId(site) }),
        1 => number().prop_map(|ns| Event::Time { ns }),
        2 => scope().prop_map(Event::Walk),
        2 => scope().prop_map(Event::Checkpoint),
        1 => (number(), number())
            .prop_map(|(collected, uncollectable)| Event::GcStop { collected, uncollectable }),
        1 => (small(), small(), small()).prop_map(|(id, parent, path)| Event::Site(crate::trace::SiteDef {
            id: SiteId(id),
            path: TextId(path),
            line: 1,
            function: TextId(path),
            parent: Some(SiteId(parent)),
        })),
        1 => small().prop_map(|id| Event::Type(Box::new(TypeDef { id, name: format!("T{id}"), ..TypeDef::default() }))),
    ]
}

/// Reads everything that a graph and a heap show.
struct ReadAll;

impl Observer for ReadAll {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, _: SnapshotKind) {
        let mut n_references = 0;
        for node in graph.nodes() {
            for reference in graph.references(node) {
                assert!(!graph.state(reference.to).vacant && !graph.state(node).vacant);
                n_references += 1;
            }
            if !graph.state(node).vacant {
                let object = heap.object(graph.object(node));
                heap.sites().stack(object.site);
                heap.types().name(object.class);
                heap.watch(graph.object(node));
            }
        }
        assert_eq!(n_references, graph.n_references());
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, _: bool) {
        heap.object(object);
    }
}

proptest! {
    #[test]
    fn the_heap_is_the_naive_one_with_implied_frees(script in prop::collection::vec(event(TAGS), 0..60)) {
        compare(Frees::Implied, false, script)?;
    }

    #[test]
    fn the_heap_is_the_naive_one_with_recorded_frees(script in prop::collection::vec(event(TAGS), 0..60)) {
        compare(Frees::Recorded, false, script)?;
    }

    #[test]
    fn the_heap_is_the_naive_one_with_dense_numbers(script in prop::collection::vec(event(NUMBERS), 0..60)) {
        compare(Frees::Recorded, true, script)?;
    }

    #[test]
    fn no_log_makes_the_replay_panic(
        script in prop::collection::vec(any_event(), 0..80),
        implied: bool,
        dense: bool,
        walks: bool,
    ) {
        let mut header = header(if implied { Frees::Implied } else { Frees::Recorded }, dense);
        header.references = if walks { References::Checkpoints } else { References::Events };
        let heap = replay(&mut Listed::new(header, script), &mut ReadAll, &mut |_| {}).heap;
        prop_assert_eq!(heap.objects().count() as u64, heap.n_live());
        let bytes: u64 = heap.objects().map(|index| heap.object(index)).map(|o| o.bytes + o.owned_bytes).sum();
        prop_assert_eq!(bytes, heap.live_bytes());
    }
}
