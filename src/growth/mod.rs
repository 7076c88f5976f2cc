//! Finds what grows from one look at the whole heap to the next: containers by their path from a root, and types.
//!
//! A cache without bounds is no garbage: everything in it is alive. What tells it from a table that is filled once is that
//! it grows in the windows between two checkpoints, to the last.

mod over_time;
mod series;
mod spread;
mod unheld;

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::FixedState;

use crate::cycles::StackFrame;
use crate::cycles::tracker::stack;
use crate::heap::{Heap, HeapGraph, IdMap, Node, NodeSet, ObjectId, ObjectIndex, Observer, SnapshotKind};
use crate::retention::{RootPaths, Shapes};
use crate::trace::{Slot, TypeId};
pub use over_time::{TypesOverTime, TypesOverTimeTracker};
use series::{Moments, Series, TypeSeries, Windows};
use spread::{Growing, Spread};
pub use unheld::{Unheld, UnheldTracker};

/// Looks at the whole heap it takes to know of growth: two windows.
pub const LEAST_LOOKS: u64 = 3;

/// References from which on a container is followed.
const LEAST_SIZE: usize = 16;

/// The name of a reference from a dict to a key that is an object: its value has one too.
const KEY: &str = "key";

/// The name of a reference from an instance to its class.
const CLASS: &str = ".__class__";

/// The number of a type's objects may fall in a window by one in so many of those that it gained: some are always on their way.
const SLACK: u64 = 100;

/// Containers that are told at most; the others are counted.
const MOST_CONTAINERS: usize = 20;

/// What grew in one trace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Growth {
    /// Looks at the whole heap. With fewer than [`LEAST_LOOKS`] nothing is known.
    pub looks: u64,
    /// Most references gained first, then by path.
    pub containers: Vec<GrowingContainer>,
    /// Containers that grew and are not among them.
    pub more: u64,
    /// Most objects gained first, then by name.
    pub types: Vec<GrowingType>,
}

/// An object that had more references from look to look at the heap, and never fewer; or many that are reached alike and
/// hold more and more together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GrowingContainer {
    /// `None` of many, or of one that was replaced.
    pub object: Option<ObjectId>,
    /// `svc.CACHE`: from a root to the container. `svc.USERS[*]` to many.
    pub path: String,
    /// The container's own type: `dict`.
    pub type_name: String,
    /// How many there are of them at the last look.
    pub containers: u64,
    /// References at the first look and at the last, of many those to `element` alone. A dict has one for each value.
    pub from: u64,
    pub to: u64,
    /// At the first look there were `from`, and not fewer.
    pub from_is_exact: bool,
    /// References gained a second, where times are known.
    pub per_second: Option<f64>,
    /// At the last look it was smaller, or gone, as exit handlers leave it; the numbers are those of the look before.
    pub emptied: bool,
    /// The type that most of the bytes in it are of, and all bytes of what it refers to directly.
    pub element: String,
    pub bytes: u64,
    /// Where the newest of these objects was made, innermost first; empty where unknown.
    pub site: Vec<StackFrame>,
}

/// A type of which more objects were alive from look to look, and never fewer.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowingType {
    pub name: String,
    pub from: u64,
    pub to: u64,
    pub per_second: Option<f64>,
}

/// A container that is followed, and its place in the heap.
#[derive(Debug)]
struct Container {
    index: ObjectIndex,
    size: Series,
}

/// Follows the sizes of containers and the numbers of objects: give it to [`replay`](crate::heap::replay()).
///
/// A look costs one visit to each node, and one to each reference where something grows; memory is in proportion to the
/// containers of at least 16 references and the number of types.
#[derive(Debug, Default)]
pub struct GrowthTracker {
    looks: u64,
    moments: Moments,
    containers: HashMap<ObjectId, Container, FixedState>,
    types: TypeSeries,
    spread: Spread,
    /// By path the object that was told last, with its references.
    by_path: HashMap<String, (ObjectId, u64), FixedState>,
    /// Up to the last look, and up to the one before.
    found: Growth,
    before: Growth,
}

impl GrowthTracker {
    pub fn new() -> GrowthTracker {
        GrowthTracker::default()
    }

    /// What grew up to the last look.
    pub fn finish(self) -> Growth {
        let mut growth = Growth { looks: self.looks, ..self.found };
        for container in self.before.containers {
            let Some(object) = container.object else { continue };
            let at_last = self.containers.get(&object).map_or(0, |container| container.size.last());
            if at_last < container.to {
                growth.containers.push(GrowingContainer { emptied: true, ..container });
            }
        }
        sort(&mut growth.containers);
        growth
    }
}

impl Observer for GrowthTracker {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        if !kind.is_checkpoint() {
            return;
        }
        let now = heap.now();
        self.looks += 1;
        self.moments.push(now.event, now.ns);
        let place = self.moments.len() - 1;
        let windows = self.moments.windows();
        let before = self.moments.before();
        let [key, class] = [KEY, CLASS].map(|name| heap.slot(name));
        let mut known = std::mem::take(&mut self.containers);
        let mut grown = Vec::new();
        for node in graph.nodes() {
            let references = graph.referents(node).len();
            if references < LEAST_SIZE || graph.state(node).vacant {
                continue;
            }
            let index = graph.object(node);
            let id = heap.id(index);
            let mut size = known.remove(&id).map(|container| container.size).unwrap_or_else(|| match id.0 > before {
                true => Series::new(place),
                false => Series::below(place, LEAST_SIZE as u64 - 1),
            });
            let named = |name: Option<Slot>| name.map_or(0, |name| graph.n_named(node, name));
            // An OrderedDict shows more keys than values, some of them twice: all of its references count.
            let keys = Some(named(key)).filter(|keys| 2 * keys <= references).unwrap_or(0);
            size.push((references - keys - named(class)) as u64);
            if windows.show_growth(&size, || held_bytes(heap, graph, node)) {
                grown.push(node);
            }
            self.containers.insert(id, Container { index, size });
        }
        // What is alive and has become small is followed on: a cache that is cleared now and then does not grow.
        known.retain(|&id, container| {
            let is_alive = heap.id(container.index) == id;
            if is_alive {
                container.size.push(LEAST_SIZE as u64 - 1);
            }
            is_alive
        });
        self.containers.extend(known);
        self.types.push(heap, place, |counts| counts.live);
        let found = self.look(heap, graph, grown, &windows);
        self.before = std::mem::replace(&mut self.found, found);
        if self.moments.is_full() {
            self.moments.thin();
            self.containers.values_mut().for_each(|container| container.size.thin());
            self.types.thin();
        }
    }
}

impl GrowthTracker {
    /// Names what grew until now.
    fn look(&mut self, heap: &Heap, graph: &HeapGraph, grown: Vec<Node>, windows: &Windows) -> Growth {
        let bytes = |class: &TypeId| heap.types().counts(*class).live_bytes;
        let is_growing = |&(class, series): &(&TypeId, &Series)| {
            windows.show_growth_within(series, series.gained() / SLACK, || bytes(class))
        };
        let mut growing: IdMap<Growing> = IdMap::default();
        self.types.of.iter().filter(is_growing).for_each(|(class, series)| {
            let of_type = Growing { from: series.first(), gained: series.gained(), rests: series.rests() };
            growing.entry(class.0, || of_type);
        });
        let mut containers = Vec::new();
        if !grown.is_empty() || growing.iter().next().is_some() {
            let paths = RootPaths::of(heap, graph);
            let mut told = NodeSet::new(graph.n_nodes());
            for &node in &grown {
                told.insert(node);
            }
            let shapes = paths.shapes(|node, class| told.contains(node) || growing.contains(class.0));
            containers = self.named(heap, graph, &paths, &shapes, &grown);
            containers.extend(self.spread.look(heap, graph, &paths, &shapes, &told, &growing));
        }
        sort(&mut containers);
        let more = containers.len().saturating_sub(MOST_CONTAINERS) as u64;
        containers.truncate(MOST_CONTAINERS);
        for row in &mut containers {
            row.per_second = self.moments.per_second(row.to - row.from);
        }
        sort(&mut containers);
        let mut types: Vec<GrowingType> = { growing.into_entries() }
            .map(|(class, of)| GrowingType {
                name: heap.types().name(TypeId(class)).to_string(),
                from: of.from,
                to: of.from + of.gained,
                per_second: self.moments.per_second(of.gained),
            })
            .collect();
        types.sort_by(|a, b| (b.to - b.from).cmp(&(a.to - a.from)).then_with(|| a.name.cmp(&b.name)));
        Growth { looks: 0, containers, more, types }
    }

    /// Rows of the containers that grew, those that are reached alike together.
    fn named(
        &mut self,
        heap: &Heap,
        graph: &HeapGraph,
        paths: &RootPaths<'_>,
        shapes: &Shapes,
        grown: &[Node],
    ) -> Vec<GrowingContainer> {
        let groups = paths.alike(shapes, grown);
        let mut rows = Vec::new();
        for group in groups {
            let (nodes, path) = (&group.nodes, paths.path(group.place));
            let sizes: Vec<&Series> =
                nodes.iter().map(|&node| &self.containers[&heap.id(graph.object(node))].size).collect();
            let to = sizes.iter().map(|size| size.last()).sum();
            let (object, path) = match nodes.len() {
                1 => (Some(heap.id(graph.object(nodes[0]))), path.expression()),
                _ => (None, path.pattern()),
            };
            if let Some(object) = object {
                // It takes the place of one that was as large: a list that is made anew now and then does not grow.
                if self.by_path.get(&path).is_some_and(|&(other, references)| other != object && references >= to) {
                    continue;
                }
                self.by_path.insert(path.clone(), (object, to));
            }
            let (element, bytes, site) = elements(heap, graph, nodes);
            rows.push(GrowingContainer {
                object,
                path,
                type_name: heap.types().name(heap.class(graph.object(nodes[0]))).to_string(),
                containers: nodes.len() as u64,
                from: sizes.iter().map(|size| size.first()).sum(),
                to,
                from_is_exact: sizes.iter().all(|size| size.is_exact()),
                per_second: None,
                emptied: false,
                element,
                bytes,
                site,
            });
        }
        rows
    }
}

/// Most references gained first, then by path.
fn sort(containers: &mut [GrowingContainer]) {
    containers.sort_by(|a, b| (b.to - b.from).cmp(&(a.to - a.from)).then_with(|| a.path.cmp(&b.path)));
}

/// Bytes of what a container refers to directly.
fn held_bytes(heap: &Heap, graph: &HeapGraph, container: Node) -> u64 {
    let bytes = graph.referents(container).iter().map(|&referent| heap.all_bytes(graph.object(referent)));
    bytes.fold(0, u64::saturating_add)
}

/// What containers hold: the type with the most bytes, all bytes, and where the newest object of that type was made.
fn elements(heap: &Heap, graph: &HeapGraph, containers: &[Node]) -> (String, u64, Vec<StackFrame>) {
    let mut by_type: BTreeMap<TypeId, (u64, ObjectIndex)> = BTreeMap::new();
    let mut seen: HashSet<Node, FixedState> = HashSet::default();
    let mut all = 0u64;
    for &referent in containers.iter().flat_map(|&container| graph.referents(container)) {
        // One object may be in it many times.
        if !seen.insert(referent) {
            continue;
        }
        let index = graph.object(referent);
        let (bytes, newest) = by_type.entry(heap.class(index)).or_insert((0, index));
        *bytes = bytes.saturating_add(heap.all_bytes(index));
        all = all.saturating_add(heap.all_bytes(index));
        *newest = std::cmp::max_by_key(*newest, index, |&index| heap.id(index));
    }
    let most = by_type.into_iter().max_by_key(|&(class, (bytes, _))| (bytes, std::cmp::Reverse(class)));
    let Some((class, (_, newest))) = most else { return (String::new(), all, Vec::new()) };
    (heap.types().name(class).to_string(), all, stack(heap, heap.object(newest).site))
}

#[cfg(test)]
mod tests;
