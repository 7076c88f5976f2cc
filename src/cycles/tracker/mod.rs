//! Counts each loop of the run once, and follows what becomes of it.
//!
//! A loop is remembered by its members, each with the loop's number, for as long as one of them lives. What a group
//! needs of it is added to the group at once; so memory is proportional to the live garbage and the number of groups.

mod clock;
mod group;
mod hidden;
mod ledger;
mod object_map;
mod origin;
mod present;
mod timeline;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use crate::cycles::garbage::{
    CyclicGarbage, Fingerprint, Lingered, LoopGroup, MemoryPoint, Occasion, PathStep, SeenAt, Unreachable,
};
use crate::cycles::graph::lost::lost;
use crate::cycles::graph::shape::{ShapeHash, Shapes};
use crate::cycles::graph::suspected::with_suspected;
use crate::cycles::merge::sort;
use crate::cycles::path::member_names::MemberNames;
use crate::cycles::path::provenance;
use crate::cycles::path::search;
use crate::cycles::{Components, Garbage, GarbageGraph, Holders};
use crate::heap::{
    AnomalyExample, Heap, HeapGraph, IdMap, Node, ObjectId, ObjectIndex, Observer, SnapshotKind, Unnamed,
};
use crate::trace::{Evidence, References, SiteId, TypeId};
use group::Group;
pub(crate) use group::stack;
use ledger::{Ledger, Since};
pub(super) use object_map::ObjectMap;
use timeline::Timeline;

/// Follows the cyclic garbage of one trace: give it to [`replay`](crate::heap::replay()), then ask it to
/// [`finish`](Tracker::finish).
///
/// A snapshot costs what reach costs on its graph, and beyond that is proportional to the garbage.
#[derive(Debug, Default)]
pub struct Tracker {
    #[expect(clippy::vec_box, reason = "a list of very many groups would move all of them each time it grows")]
    groups: Vec<Box<Group>>,
    by_fingerprint: HashMap<Fingerprint, u32, FixedState>,
    shapes: HashMap<ShapeHash, ShapeEntry, FixedState>,
    member_names: MemberNames,
    /// Live objects that were counted.
    objects: ObjectMap<TrackedObject>,
    /// Live objects that the log called unreachable.
    unreachable: ObjectMap<ObjectId>,
    /// All that were called so, by type.
    unreachable_by_type: IdMap<Unreachable>,
    loops: Vec<TrackedLoop>,
    /// Places in `loops` whose members all died.
    vacant: Vec<u32>,
    /// Labels of the marks in which loops were first seen.
    marks: Vec<String>,
    /// Event of the last full checkpoint, or of another look at everything; 0 before the first.
    last_full: u64,
    /// Event of the last collection that looked at each generation.
    last_collections: [u64; GENERATIONS],
    /// Event of the last look, the first of all too.
    last_look: u64,
    /// What was garbage at the last look.
    seen: Vec<ObjectIndex>,
    found: CyclicGarbage,
    ledger: Ledger,
    timeline: Timeline,
    /// The group of each loop that the last look found and that was alive as the program began to end.
    alive_at_exit: Vec<u32>,
    /// Follows what is garbage if addresses that were found in memory are references.
    suspected: Option<Box<Tracker>>,
}

/// An object that was counted.
#[derive(Debug, Clone, Copy)]
struct TrackedObject {
    id: ObjectId,
    in_loop: u32,
    bytes: u64,
    is_member: bool,
    since: Since,
    /// Event of the last look at which it was garbage.
    seen: u64,
    /// It is not when a finalizer made it reachable again.
    is_garbage: bool,
}

/// A loop of which some member, or something that it holds, is alive.
#[derive(Debug, Clone, Copy)]
struct TrackedLoop {
    group: u32,
    alive: u64,
    /// Those that are garbage.
    garbage: u64,
    collected: bool,
}

/// What loops with the same shape have in common.
#[derive(Debug, Clone)]
struct ShapeEntry {
    group: u32,
    /// The member of each step of the path, by its place in the order of the shape; `None` for a step without one.
    steps: Vec<Option<u32>>,
    /// Members that were folded away.
    folded: Vec<u32>,
    /// A shorter way around may exist.
    unproved: bool,
}

/// Shapes that are remembered at most: loops of very many shapes are searched for their path again.
const MOST_SHAPES: usize = 1 << 16;

/// Generations of CPython's collector. A collection looks at one and the younger ones, and what survives it is in the next
/// older one then.
const GENERATIONS: usize = 3;

/// The garbage of one snapshot, taken apart.
struct SnapshotGarbage<'a> {
    graph: &'a HeapGraph,
    garbage: &'a Garbage,
    inner: &'a GarbageGraph,
    components: &'a Components,
    now: SeenAt,
    /// When each component became garbage.
    since: Vec<Since>,
}

impl SnapshotGarbage<'_> {
    fn object(&self, member: u32) -> ObjectIndex {
        self.graph.object(self.garbage.nodes[member as usize])
    }
}

impl Observer for Tracker {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        if !heap.header().references.show_garbage() {
            return;
        }
        let now = seen_now(heap);
        let garbage = Garbage::of(graph);
        if garbage.imbalances > self.found.imbalances {
            self.found.imbalances = garbage.imbalances;
            let objects = garbage.imbalanced.iter().map(|&node| heap.object(graph.object(node)));
            self.found.imbalanced = objects.map(|object| AnomalyExample::of(now.event, object)).collect();
        }
        self.seen.clear();
        // The program went on after the look before: what that found was let go of by its work.
        self.alive_at_exit.clear();
        if !garbage.nodes.is_empty() {
            self.count(heap, graph, &garbage, now);
        }
        let is_whole = kind != SnapshotKind::Garbage;
        if is_whole && self.seen.len() as u64 != self.ledger.all().now.objects {
            let known: Vec<ObjectIndex> = self.objects.objects().collect();
            self.end_garbage(known, now.event);
        }
        self.ledger.look(now);
        if kind == SnapshotKind::End {
            for node in lost(heap, graph, &garbage) {
                self.add_lost(heap, graph, node);
            }
        }
        if is_whole && let Some(graph) = with_suspected(heap, graph) {
            self.suspected.get_or_insert_default().on_snapshot(heap, &graph, kind);
        }
        if is_whole {
            self.last_full = now.event;
        }
        self.last_look = now.event;
        self.add_moment(heap, now, kind);
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        if self.unreachable.remove(object).is_some() && by_collector {
            self.unreachable_of(heap, object).collected += 1;
        }
        if let Some(suspected) = &mut self.suspected {
            suspected.freed(heap, object, by_collector);
        }
        let Some(known) = self.objects.remove(object) else { return };
        let tracked = &mut self.loops[known.in_loop as usize];
        let group = &mut self.groups[tracked.group as usize];
        tracked.alive -= 1;
        if by_collector {
            self.found.collected_objects += 1;
            if known.is_member && !tracked.collected {
                tracked.collected = true;
                group.add_collected();
            }
        }
        if tracked.alive == 0 {
            self.vacant.push(known.in_loop);
        }
        if known.is_garbage {
            self.leave(&known, heap.now().event);
        }
    }

    fn time(&mut self, heap: &Heap) {
        let now = heap.now();
        self.ledger.time(now.event, now.ns.unwrap_or_default());
    }

    fn collection_started(&mut self, heap: &Heap, generation: u8) {
        let event = heap.now().event;
        let oldest = usize::from(generation).min(GENERATIONS - 1);
        let found_just_now = { self.timeline.last_mut() }
            .filter(|point| point.occasion == Occasion::Sweep && self.last_look + 2 >= event);
        match found_just_now {
            Some(point) => {
                (point.occasion, point.generation) = (Occasion::Collection, Some(generation));
                self.narrow(self.last_collections[oldest]);
            }
            None => {
                self.seen.clear();
                let point = self.moment(heap, seen_now(heap), Occasion::Collection);
                self.timeline.push(MemoryPoint { generation: Some(generation), ..point });
            }
        }
        self.last_collections[..=oldest].fill(event);
    }

    /// What the collection found and did not free is reachable again: a finalizer saw to it, or `gc.garbage`. An exact log
    /// shows that at the next look.
    fn collection_stopped(&mut self, heap: &Heap) {
        if heap.header().references == References::Checkpoints {
            let found = std::mem::take(&mut self.seen);
            self.end_garbage(found, heap.now().event);
        }
        self.timeline.push(self.moment(heap, seen_now(heap), Occasion::Collected));
    }

    /// An object that was counted at a snapshot is no news. One that is found unreachable again, because its finalizer kept it alive, is counted once.
    fn unreachable(&mut self, heap: &mut Heap, object: ObjectIndex) {
        let found = heap.object(object);
        let is_counted = self.objects.get(object).is_some_and(|known| known.id == found.id);
        if is_counted || self.unreachable.get(object) == Some(&found.id) {
            return;
        }
        let (id, bytes) = (found.id, found.all_bytes());
        heap.watch(object);
        self.unreachable.insert(object, id);
        let sum = self.unreachable_of(heap, object);
        sum.objects += 1;
        sum.bytes = sum.bytes.saturating_add(bytes);
        if sum.named.len() < Unreachable::NAMED
            && let Some(name) = heap.name(object)
        {
            sum.named.push((name.to_string(), Some(found.count).filter(|&count| count > 0)));
        }
    }

    fn unreachable_unnamed(&mut self, of: Unnamed<'_>) {
        let Unnamed { class, objects, bytes, born } = of;
        let sum = self.found.unreachable.entry(class.unwrap_or(Unreachable::UNNAMED).to_string()).or_default();
        sum.add(Unreachable { objects, bytes, born, ..Unreachable::default() });
    }
}

impl Tracker {
    pub fn new() -> Tracker {
        Tracker::default()
    }

    /// What was found in all. Loops that are still there have lingered until now.
    pub fn finish(mut self, heap: &Heap) -> CyclicGarbage {
        let end = self.ledger.accounts();
        for group in std::mem::take(&mut self.alive_at_exit) {
            self.groups[group as usize].add_alive_at_exit();
        }
        let still_there: Vec<TrackedObject> = self.objects.values().filter(|known| known.is_garbage).collect();
        still_there.iter().for_each(|known| self.leave(known, heap.now().event));
        self.find_replaced(heap);
        for (class, more) in std::mem::take(&mut self.unreachable_by_type).into_entries() {
            let name = heap.types().name(TypeId(class)).to_string();
            self.found.unreachable.entry(name).or_default().add(more);
        }
        let suspected = self.suspected.map(|suspected| suspected.finish(heap).groups).unwrap_or_default();
        let is_suspected = |group: &LoopGroup| group.hidden.iter().any(|link| link.evidence == Evidence::Address);
        let (ledger, marks) = (self.ledger, &self.marks);
        let finished = self.groups.into_iter().zip(0..).map(|(group, number)| {
            let account = end.1.get(number as usize).copied().unwrap_or_default();
            group.finish(heap, marks, account, ledger.lingered(number))
        });
        let mut groups: Vec<LoopGroup> = finished.collect();
        sort(&mut groups);
        let lingered = groups.iter().map(|group| group.lingered).reduce(Lingered::both).flatten();
        CyclicGarbage {
            groups,
            suspected: suspected.into_iter().filter(is_suspected).collect(),
            peak: end.0.peak,
            peak_at: end.0.peak_at,
            end: end.0.now,
            lingered,
            memory: self.timeline.finish(),
            ..self.found
        }
    }

    /// A class that was thrown away because a copy took its place, as `@dataclass(slots=True)` does it, is a loop of
    /// those who made the copy. Looks at every live object, if there is such a class.
    fn find_replaced(&mut self, heap: &Heap) {
        let wanted: BTreeSet<&String> = self.groups.iter().filter_map(|group| group.only_classes()).flatten().collect();
        if wanted.is_empty() {
            return;
        }
        let mut makers: BTreeMap<String, String> = BTreeMap::new();
        for index in heap.objects().filter(|&index| self.objects.get(index).is_none()) {
            let Some(name) = provenance::class_name(heap, index).filter(|name| wanted.contains(&name.to_string()))
            else {
                continue;
            };
            if let Some(file) = provenance::innermost_file(heap, heap.object(index).site) {
                makers.insert(name.to_string(), file);
            }
        }
        for group in &mut self.groups {
            let files = { group.only_classes() }.map(|names| names.iter().map(|name| makers.get(name).cloned()));
            if let Some(Some(files)) = files.map(Iterator::collect) {
                group.set_files(files);
            }
        }
    }

    fn count(&mut self, heap: &mut Heap, graph: &HeapGraph, garbage: &Garbage, now: SeenAt) {
        let inner = &GarbageGraph::of(graph, garbage);
        let components = &Components::of(inner);
        let holders = Holders::of(inner, components);
        let snapshot = SnapshotGarbage { graph, garbage, inner, components, now, since: Vec::new() };
        let since = self.since(heap, &snapshot);
        let snapshot = SnapshotGarbage { since, ..snapshot };
        let mut shapes = Shapes::new(inner, components);
        let mut mark = None;
        // The loop of each component that is one; says nothing of the others.
        let mut loops = vec![u32::MAX; components.n_components()];
        for component in components.loops() {
            let number = match self.counted_loop(heap, &snapshot, component) {
                Some(number) => number,
                None => {
                    let mark = *mark.get_or_insert_with(|| self.mark(heap));
                    self.add_loop(heap, &snapshot, &mut shapes, component, mark)
                }
            };
            self.groups[self.loops[number as usize].group as usize].see(now);
            loops[component as usize] = number;
        }
        for member in 0..inner.n_nodes() as u32 {
            let Some(holder) = holders.holder(member) else { continue };
            self.add_object(heap, &snapshot, member, holder == components.component(member), loops[holder as usize]);
        }
    }

    /// The loop that all of the members were counted with before. One old member does not make a loop an old one: CPython
    /// may use the memory of a dead object again without a word to the allocator, such as that of a `slice`.
    fn counted_loop(&self, heap: &Heap, snapshot: &SnapshotGarbage, component: u32) -> Option<u32> {
        let members = snapshot.components.members(component);
        let in_loop = |member: u32| {
            let object = snapshot.object(member);
            let known = self.objects.get(object)?;
            (known.is_member && known.id == heap.id(object)).then_some(known.in_loop)
        };
        let number = in_loop(*members.first()?)?;
        members.iter().all(|&member| in_loop(member) == Some(number)).then_some(number)
    }

    fn add_loop(
        &mut self,
        heap: &Heap,
        snapshot: &SnapshotGarbage,
        shapes: &mut Shapes,
        component: u32,
        mark: Option<u32>,
    ) -> u32 {
        let hash = shapes.hash(component, |member| self.member_names.key(heap, snapshot.object(member)));
        if !self.shapes.contains_key(&hash) {
            let shape = self.new_shape(heap, snapshot, shapes, component);
            if self.shapes.len() >= MOST_SHAPES {
                self.shapes.clear();
            }
            self.shapes.insert(hash, shape);
        }
        let shape = &self.shapes[&hash];
        self.found.unproved_paths += u64::from(shape.unproved);
        let order = shapes.order();
        let in_path = shape.steps.iter().flatten().chain(&shape.folded).map(|&place| order[place as usize]);
        let in_order = in_path.chain(order.iter().copied());
        let sites = in_order.map(|member| heap.object(snapshot.object(member)).site);
        let site = { sites }.find(|&site| site != SiteId::NONE).unwrap_or(SiteId::NONE);
        let was_there = site == SiteId::NONE && heap.was_there(snapshot.object(order[0]));
        let orphaned = self.orphaned(heap, snapshot, component);
        let member = |place: &Option<u32>| place.map(|place| snapshot.object(order[place as usize]));
        let group = &mut self.groups[shape.group as usize];
        group.add_loop(heap, site, orphaned, mark);
        if was_there {
            group.add_before();
        }
        // What the end itself made, as the exception that cancels a task, may have come to belong to it.
        let mut of_path = shape.steps.iter().flatten().map(|&place| order[place as usize]).peekable();
        let was_there_at_exit = |member: u32| heap.was_there_at_exit(snapshot.object(member));
        if of_path.peek().is_some() && of_path.all(was_there_at_exit) {
            self.alive_at_exit.push(shape.group);
        }
        group.add_hidden(hidden::links(heap, snapshot, component));
        group.add_origins(heap, shape.steps.iter().map(member));
        let new = TrackedLoop { group: shape.group, alive: 0, garbage: 0, collected: false };
        match self.vacant.pop() {
            Some(place) => {
                self.loops[place as usize] = new;
                place
            }
            None => {
                self.loops.push(new);
                self.loops.len() as u32 - 1
            }
        }
    }

    /// Searches the path of the component that was hashed last, and finds its group.
    fn new_shape(&mut self, heap: &Heap, snapshot: &SnapshotGarbage, shapes: &Shapes, component: u32) -> ShapeEntry {
        let object = |member| snapshot.object(member);
        let place = |to| (snapshot.components.component(to) == component).then(|| shapes.place_of(to));
        let (loop_graph, files) = self.member_names.loop_graph(heap, snapshot.inner, shapes.order(), object, place);
        let way = search::shortest(&loop_graph).unwrap_or_default();
        let member = |place: &Option<u32>| place.map(|place| object(shapes.order()[place as usize]));
        let steps = way.path.steps.iter().zip(way.steps.iter().map(member));
        let file = |(step, member): (&PathStep, Option<_>)| provenance::of_step(heap, step, member?);
        let step_files: Vec<Option<String>> = steps.map(file).collect();
        let fingerprint = Fingerprint::of(&way.path, &step_files);
        let group = *self.by_fingerprint.entry(fingerprint).or_insert_with(|| {
            let definitions =
                way.steps.iter().filter_map(member).filter_map(|member| provenance::definition(heap, member));
            let mut once = Vec::new();
            definitions.for_each(|place| {
                if !once.contains(&place) {
                    once.push(place);
                }
            });
            self.groups.push(Box::new(Group::new(fingerprint, way.path, step_files, once, snapshot.now)));
            self.groups.len() as u32 - 1
        });
        self.groups[group as usize].add_shape(&loop_graph);
        self.groups[group as usize].add_files(files);
        ShapeEntry { group, steps: way.steps, folded: way.folded, unproved: !way.shortest }
    }

    fn add_object(&mut self, heap: &mut Heap, snapshot: &SnapshotGarbage, member: u32, is_member: bool, in_loop: u32) {
        let index = snapshot.object(member);
        let object = heap.object(index);
        let seen = snapshot.now.event;
        let since = snapshot.since[snapshot.components.component(member) as usize];
        self.seen.push(index);
        if let Some(known) = self.objects.get(index).copied().filter(|known| known.id == object.id) {
            let is_same = known.in_loop == in_loop || !self.loops[known.in_loop as usize].collected;
            if is_same && known.is_garbage {
                self.objects.insert(index, TrackedObject { seen, ..known });
                return;
            }
            if is_same {
                self.enter(index, TrackedObject { since, seen, is_garbage: true, ..known });
                return;
            }
            // Its first life ended with that loop, see `counted_loop`.
            if known.is_garbage {
                self.leave(&known, known.seen);
            }
            let tracked = &mut self.loops[known.in_loop as usize];
            tracked.alive -= 1;
            if tracked.alive == 0 {
                self.vacant.push(known.in_loop);
            }
        }
        heap.watch(index);
        let bytes = object.all_bytes();
        let is_garbage = true;
        self.enter(index, TrackedObject { id: object.id, in_loop, bytes, is_member, since, seen, is_garbage });
        let tracked = &mut self.loops[in_loop as usize];
        tracked.alive += 1;
        let is_gc = snapshot.graph.state(snapshot.garbage.nodes[member as usize]).tracked;
        self.groups[tracked.group as usize].add_object(heap, index, &object, is_member, is_gc);
        self.found.objects += 1;
        self.found.gc_objects += u64::from(is_gc);
        self.found.bytes = self.found.bytes.saturating_add(bytes);
    }

    fn unreachable_of(&mut self, heap: &Heap, object: ObjectIndex) -> &mut Unreachable {
        self.unreachable_by_type.entry(heap.class(object).0, Unreachable::default)
    }

    fn add_lost(&mut self, heap: &Heap, graph: &HeapGraph, node: Node) {
        let object = heap.object(graph.object(node));
        let (objects, bytes) = self.found.lost.entry(heap.types().name(object.class).to_string()).or_default();
        *objects += 1;
        *bytes = bytes.saturating_add(object.all_bytes());
    }

    /// The number of the phase that the program is in.
    fn mark(&mut self, heap: &Heap) -> Option<u32> {
        let mark = heap.mark()?;
        let label = format!("{} {}", mark.kind, mark.label);
        if self.marks.last() != Some(&label) {
            self.marks.push(label);
        }
        Some(self.marks.len() as u32 - 1)
    }
}

fn seen_now(heap: &Heap) -> SeenAt {
    let now = heap.now();
    SeenAt { event: now.event, ns: now.ns }
}
