//! Finds what grows from one look at the whole heap to the next: containers by their path from a root, and types.
//!
//! A cache without bounds is no garbage: everything in it is alive. What tells it from a table that is filled once is that
//! it grows in the windows between two checkpoints, to the last.

mod over_time;
mod series;
mod spread;
mod unheld;

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use crate::cycles::StackFrame;
use crate::cycles::tracker::stack;
use crate::heap::{Heap, HeapGraph, Node, ObjectId, ObjectIndex, Observer, SnapshotKind};
use crate::retention::RootPaths;
use crate::trace::TypeId;
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

/// Follows the sizes of containers and the numbers of objects: give it to [`replay`](crate::heap::replay()).
///
/// A look costs one visit to each node, and one to each reference where something grows; memory is in proportion to the
/// containers of at least 16 references and the number of types.
#[derive(Debug, Default)]
pub struct GrowthTracker {
    looks: u64,
    moments: Moments,
    containers: HashMap<ObjectId, Series, FixedState>,
    types: TypeSeries,
    spread: Spread,
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
            let at_last = self.containers.get(&object).map_or(0, Series::last);
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
        let key = heap.slot(KEY);
        let mut known = std::mem::take(&mut self.containers);
        let mut grown = Vec::new();
        for node in graph.nodes() {
            let references = graph.referents(node).len();
            if references < LEAST_SIZE || graph.state(node).vacant {
                continue;
            }
            let id = heap.id(graph.object(node));
            let mut series = known.remove(&id).unwrap_or_else(|| match id.0 > before {
                true => Series::new(place),
                false => Series::below(place, LEAST_SIZE as u64 - 1),
            });
            series.push((references - key.map_or(0, |key| graph.n_named(node, key))) as u64);
            if windows.show_growth(&series, || held_bytes(heap, graph, node)) {
                grown.push(node);
            }
            self.containers.insert(id, series);
        }
        self.types.push(heap, place, |counts| counts.live);
        let found = self.look(heap, graph, grown, &windows);
        self.before = std::mem::replace(&mut self.found, found);
        if self.moments.is_full() {
            self.moments.thin();
            self.containers.values_mut().for_each(Series::thin);
            self.types.thin();
        }
    }
}

impl GrowthTracker {
    /// Names what grew until now.
    fn look(&mut self, heap: &Heap, graph: &HeapGraph, mut grown: Vec<Node>, windows: &Windows) -> Growth {
        let gained = |node: &Node| self.containers[&heap.id(graph.object(*node))].gained();
        grown.sort_by_key(|node| std::cmp::Reverse(gained(node)));
        let mut more = grown.len().saturating_sub(MOST_CONTAINERS) as u64;
        grown.truncate(MOST_CONTAINERS);
        let bytes = |class: &TypeId| heap.types().counts(*class).live_bytes;
        let growing: Vec<(TypeId, &Series)> = { self.types.of.iter() }
            .filter(|(class, series)| windows.show_growth_within(series, series.gained() / SLACK, || bytes(class)))
            .map(|(&class, series)| (class, series))
            .collect();
        let mut containers = Vec::new();
        if !grown.is_empty() || !growing.is_empty() {
            let paths = RootPaths::of(heap, graph);
            for (node, path) in paths.to(|node| grown.contains(&node)) {
                let object = heap.id(graph.object(node));
                let series = &self.containers[&object];
                let (element, bytes, site) = elements(heap, graph, node);
                containers.push(GrowingContainer {
                    object: Some(object),
                    path: path.expression(),
                    type_name: heap.types().name(heap.class(graph.object(node))).to_string(),
                    containers: 1,
                    from: series.first(),
                    to: series.last(),
                    from_is_exact: series.is_exact(),
                    per_second: self.moments.per_second(series.gained()),
                    emptied: false,
                    element,
                    bytes,
                    site,
                });
            }
            let growing: HashMap<TypeId, Growing> = {
                let of =
                    |series: &Series| Growing { from: series.first(), gained: series.gained(), rests: series.rests() };
                growing.iter().map(|&(class, series)| (class, of(series))).collect()
            };
            for row in self.spread.look(heap, graph, &paths, &grown, &growing) {
                match containers.len() < MOST_CONTAINERS {
                    true => containers
                        .push(GrowingContainer { per_second: self.moments.per_second(row.to - row.from), ..row }),
                    false => more += 1,
                }
            }
        }
        sort(&mut containers);
        let mut types: Vec<GrowingType> = { growing.into_iter() }
            .map(|(class, series)| GrowingType {
                name: heap.types().name(class).to_string(),
                from: series.first(),
                to: series.last(),
                per_second: self.moments.per_second(series.gained()),
            })
            .collect();
        types.sort_by(|a, b| (b.to - b.from).cmp(&(a.to - a.from)).then_with(|| a.name.cmp(&b.name)));
        Growth { looks: 0, containers, more, types }
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

/// What a container holds: the type with the most bytes, all bytes, and where the newest object of that type was made.
fn elements(heap: &Heap, graph: &HeapGraph, container: Node) -> (String, u64, Vec<StackFrame>) {
    let mut by_type: BTreeMap<TypeId, (u64, ObjectIndex)> = BTreeMap::new();
    for &referent in graph.referents(container) {
        let index = graph.object(referent);
        let (bytes, newest) = by_type.entry(heap.class(index)).or_insert((0, index));
        *bytes = bytes.saturating_add(heap.all_bytes(index));
        *newest = std::cmp::max_by_key(*newest, index, |&index| heap.id(index));
    }
    let all = held_bytes(heap, graph, container);
    let most = by_type.into_iter().max_by_key(|&(class, (bytes, _))| (bytes, std::cmp::Reverse(class)));
    let Some((class, (_, newest))) = most else { return (String::new(), all, Vec::new()) };
    (heap.types().name(class).to_string(), all, stack(heap, heap.object(newest).site))
}

#[cfg(test)]
mod tests;
