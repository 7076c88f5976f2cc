//! Finds what grows from one look at the whole heap to the next: containers and buffers by their path from a root, and types.
//!
//! A cache without bounds is no garbage: everything in it is alive. What tells it from a table that is filled once is that
//! it grows in the windows between two checkpoints, to the last.

mod chains;
mod followed;
mod lost;
mod over_time;
mod series;
mod spread;
mod unheld;

use std::cmp::{self, Ordering, Reverse};
use std::collections::HashSet;

use foldhash::fast::FixedState;
use serde::Serialize;

use crate::cycles::StackFrame;
use crate::cycles::tracker::stack;
use crate::heap::{Heap, HeapGraph, IdMap, Node, NodeSet, ObjectId, ObjectIndex, Observer, SnapshotKind};
use crate::retention::{RootPaths, Shapes};
use crate::trace::{Slot, TypeId};
use followed::{Followed, Look};
pub use lost::{Lost, LostTracker};
pub use over_time::{TypesOverTime, TypesOverTimeTracker};
use series::{LEAST_BYTES, LEAST_GAIN, Moments, Series, TypeSeries, Windows};
use spread::{Growing, Spread};
pub use unheld::{Unheld, UnheldTracker};

/// Looks at the whole heap it takes to know of growth: two windows.
pub const LEAST_LOOKS: u64 = 3;

/// References from which on a container is followed.
const LEAST_SIZE: usize = 16;

/// Bytes for each reference from which on an object has data of its own: no container of CPython takes so many.
const OWN_DATA: u64 = 256;

/// Bytes that an object has at least if its type is to grow by the size of its objects.
const LEAST_OWN: u64 = 1_024;

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
    /// Those first that gained most of what is worth a row, then by path.
    pub containers: Vec<GrowingContainer>,
    /// Containers that grew and are not among them.
    pub more: u64,
    /// Most objects gained first, then by name.
    pub types: Vec<GrowingType>,
}

/// In what a container grew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    #[default]
    References,
    /// Of its own memory, as a buffer does.
    Bytes,
}

/// An object that had more references, or bytes, from look to look at the heap, and never fewer; or many that are reached alike
/// and hold more and more together.
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
    pub unit: Unit,
    /// References or bytes at the first look and at the last; of many containers the references to `element` alone. A dict has
    /// one for each value.
    pub from: u64,
    pub to: u64,
    /// At the first look there were `from`, and not fewer.
    pub from_is_exact: bool,
    /// Gained a second, where times are known.
    pub per_second: Option<f64>,
    /// At the last look it was smaller, or gone, as exit handlers leave it; the numbers are those of the look before.
    pub emptied: bool,
    /// The type that most of what it holds is of, by bytes, and all bytes of it and what it refers to directly. A buffer has
    /// its own type there.
    pub element: String,
    pub bytes: u64,
    /// Where the newest of these objects was made, innermost first; empty where unknown. Of a buffer, where it was itself.
    pub site: Vec<StackFrame>,
    /// It is where the container was made: of what filled it since the first look nothing is recorded, as of keys that are texts.
    pub site_of_container: bool,
}

/// A type of which more objects were alive from look to look, and never fewer.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowingType {
    pub name: String,
    pub from: u64,
    pub to: u64,
    pub per_second: Option<f64>,
}

/// Follows the sizes of containers and buffers and what there is of each type: give it to [`replay`](crate::heap::replay()).
///
/// A look costs one visit to each node, and one to each reference where something grows; memory is in proportion to the
/// containers of at least 16 references, the objects of at least 64 KiB, and the number of types.
#[derive(Debug)]
pub struct GrowthTracker {
    looks: u64,
    moments: Moments,
    containers: Followed,
    buffers: Followed,
    objects_of_types: TypeSeries,
    bytes_of_types: TypeSeries,
    spread: Spread,
    /// Up to the last look, and up to the one before.
    found: Growth,
    before: Growth,
}

impl Default for GrowthTracker {
    fn default() -> GrowthTracker {
        GrowthTracker {
            looks: 0,
            moments: Moments::default(),
            containers: Followed::of_at_least(LEAST_SIZE as u64),
            buffers: Followed::of_at_least(Heap::LARGE),
            objects_of_types: TypeSeries::default(),
            bytes_of_types: TypeSeries::default(),
            spread: Spread::default(),
            found: Growth::default(),
            before: Growth::default(),
        }
    }
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
            let followed = match container.unit {
                Unit::References => &self.containers,
                Unit::Bytes => &self.buffers,
            };
            let at_last = followed.size(object).map_or(0, Series::last);
            if at_last < container.to {
                growth.containers.push(GrowingContainer { emptied: true, ..container });
            }
        }
        growth.containers.sort_by(by_gain);
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
        let look = Look { place: self.moments.len() - 1, before: self.moments.before() };
        let windows = self.moments.windows();
        let grown = Grown {
            containers: self.grown_containers(heap, graph, &windows, look),
            buffers: self.grown_buffers(heap, graph, &windows, look),
        };
        self.objects_of_types.push(heap, look.place, |counts| counts.live);
        self.bytes_of_types.push(heap, look.place, |counts| counts.live_bytes);
        let found = self.look(heap, graph, &grown, &windows);
        self.before = std::mem::replace(&mut self.found, found);
        if self.moments.is_full() {
            self.moments.thin();
            [&mut self.containers, &mut self.buffers].into_iter().for_each(Followed::thin);
            [&mut self.objects_of_types, &mut self.bytes_of_types].into_iter().for_each(TypeSeries::thin);
        }
    }
}

/// Objects that each grew in themselves.
#[derive(Debug)]
struct Grown {
    containers: Vec<Node>,
    buffers: Vec<Node>,
}

impl GrowthTracker {
    /// Follows each container, and gives those whose references became more and more.
    fn grown_containers(&mut self, heap: &Heap, graph: &HeapGraph, windows: &Windows, look: Look) -> Vec<Node> {
        let [key, class] = [KEY, CLASS].map(|name| heap.slot(name));
        let mut grown = Vec::new();
        self.containers.begin();
        for node in graph.nodes() {
            let references = graph.referents(node).len();
            if references < LEAST_SIZE || graph.state(node).vacant {
                continue;
            }
            let named = |name: Option<Slot>| name.map_or(0, |name| graph.n_named(node, name));
            // An OrderedDict shows each of its keys twice, or once besides those that are texts.
            let keys = Some(named(key)).filter(|&keys| keys < references).unwrap_or(0);
            let size = (references - keys - named(class)) as u64;
            let size = self.containers.push(heap, graph.object(node), size, look);
            if windows.show_growth(size) && size.is_much(|| held_bytes(heap, graph, node)) {
                grown.push(node);
            }
        }
        self.containers.end(heap);
        grown
    }

    /// Follows each large object, and gives those whose bytes became more and more, though not by their references.
    fn grown_buffers(&mut self, heap: &Heap, graph: &HeapGraph, windows: &Windows, look: Look) -> Vec<Node> {
        let mut grown = HashSet::with_hasher(FixedState::default());
        self.buffers.begin();
        for index in heap.large_objects() {
            let size = self.buffers.push(heap, index, heap.all_bytes(index), look);
            if windows.show_growth(size) && size.gained() >= Heap::LARGE {
                grown.insert(index);
            }
        }
        self.buffers.end(heap);
        if grown.is_empty() {
            return Vec::new();
        }
        let is_grown = |&node: &Node| grown.contains(&graph.object(node)) && has_own_data(heap, graph, node);
        graph.nodes().filter(is_grown).collect()
    }

    /// Names what grew until now.
    fn look(&mut self, heap: &Heap, graph: &HeapGraph, grown: &Grown, windows: &Windows) -> Growth {
        let growing = self.growing_types(heap, windows);
        let in_bytes = self.types_growing_in_bytes(windows, &growing);
        let mut rows = Vec::new();
        let types_grow = [&growing, &in_bytes].iter().any(|types| types.iter().next().is_some());
        if types_grow || !grown.containers.is_empty() || !grown.buffers.is_empty() {
            let paths = RootPaths::of(heap, graph);
            let mut told = NodeSet::new(graph.n_nodes());
            for &node in grown.containers.iter().chain(&grown.buffers) {
                told.insert(node);
            }
            let is_asked = |class: TypeId| growing.contains(class.0) || in_bytes.contains(class.0);
            let through_told = paths.reached_through(&told);
            let shapes = paths.shapes(|place, class| match through_told[place] {
                true => told.contains(paths.reached()[place]),
                false => is_asked(class),
            });
            let scene = Scene { heap, graph, paths: &paths, shapes: &shapes, through_told: &through_told };
            rows = self.named(&scene, &grown.containers, Unit::References);
            rows.extend(self.named(&scene, &grown.buffers, Unit::Bytes));
            let spread = self.spread.look(&scene, &growing, &in_bytes);
            rows.extend(spread.into_iter().map(|row| Row { row, holders: Vec::new() }));
        }
        rows.sort_by(|a, b| by_gain(&a.row, &b.row));
        let more = rows.len().saturating_sub(MOST_CONTAINERS) as u64;
        rows.truncate(MOST_CONTAINERS);
        let containers = { rows.into_iter() }
            .map(|Row { row, holders }| {
                let since = self.moments.first();
                let row = if holders.is_empty() { row } else { with_elements(row, heap, graph, &holders, since) };
                GrowingContainer { per_second: self.moments.per_second(row.to - row.from), ..row }
            })
            .collect();
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

    /// The types of which there are more and more objects.
    fn growing_types(&self, heap: &Heap, windows: &Windows) -> IdMap<Growing> {
        let bytes = |class: &TypeId| heap.types().counts(*class).live_bytes;
        let is_growing = |&(class, series): &(&TypeId, &Series)| {
            windows.show_growth_within(series, series.gained() / SLACK) && series.is_much(|| bytes(class))
        };
        let mut growing: IdMap<Growing> = IdMap::default();
        self.objects_of_types.of.iter().filter(is_growing).for_each(|(class, series)| {
            growing.entry(class.0, || Growing::of(series));
        });
        growing
    }

    /// The types whose objects have more and more bytes, but for those that only become more.
    fn types_growing_in_bytes(&self, windows: &Windows, growing: &IdMap<Growing>) -> IdMap<Growing> {
        let is_growing = |&(class, series): &(&TypeId, &Series)| {
            let are_more = growing.get(class.0).map_or(0, |of| of.gained);
            series.gained() >= LEAST_BYTES.max(are_more.saturating_mul(LEAST_OWN))
                && windows.show_growth_within(series, series.gained() / SLACK)
        };
        let mut in_bytes: IdMap<Growing> = IdMap::default();
        self.bytes_of_types.of.iter().filter(is_growing).for_each(|(class, series)| {
            in_bytes.entry(class.0, || Growing::of(series));
        });
        in_bytes
    }

    /// Rows of the objects that grew, those that are reached alike together.
    fn named(&mut self, scene: &Scene<'_>, grown: &[Node], unit: Unit) -> Vec<Row> {
        let &Scene { heap, graph, paths, shapes, .. } = scene;
        let followed = match unit {
            Unit::References => &mut self.containers,
            Unit::Bytes => &mut self.buffers,
        };
        let mut rows = Vec::new();
        for group in paths.alike(shapes, grown) {
            let (nodes, path) = (&group.nodes, paths.path(shapes, group.place));
            let sizes: Vec<&Series> =
                nodes.iter().filter_map(|&node| followed.size(heap.id(graph.object(node)))).collect();
            let [from, to] = [Series::first, Series::last].map(|of| sizes.iter().map(|size| of(size)).sum::<u64>());
            let from_is_exact = sizes.iter().all(|size| size.is_exact());
            if unit == Unit::Bytes && to - from < LEAST_BYTES {
                continue;
            }
            let (object, path) = match nodes.len() {
                1 => (Some(heap.id(graph.object(nodes[0]))), path.expression()),
                _ => (None, path.pattern()),
            };
            if object.is_some_and(|object| !followed.tell(&path, object, to)) {
                continue;
            }
            let type_name = heap.types().name(heap.class(graph.object(nodes[0]))).to_string();
            let (element, bytes, site) = match unit {
                Unit::References => Default::default(),
                Unit::Bytes => (type_name.clone(), to, newest_site(heap, graph, nodes)),
            };
            let row = GrowingContainer {
                object,
                path,
                type_name,
                containers: nodes.len() as u64,
                unit,
                from,
                to,
                from_is_exact,
                per_second: None,
                emptied: false,
                element,
                bytes,
                site,
                site_of_container: false,
            };
            rows.push(Row { row, holders: if unit == Unit::References { group.nodes } else { Vec::new() } });
        }
        rows
    }
}

/// A row, and the containers whose elements it has yet to name.
#[derive(Debug)]
struct Row {
    row: GrowingContainer,
    holders: Vec<Node>,
}

/// The heap at one look, and how what grows is reached in it.
struct Scene<'a> {
    heap: &'a Heap,
    graph: &'a HeapGraph,
    paths: &'a RootPaths<'a>,
    /// Of the objects that are told, those of growing types that are not reached through one of them, and all on the ways to either.
    shapes: &'a Shapes,
    /// By place: it is told, or reached through what is.
    through_told: &'a [bool],
}

/// Those first that gained most of what is worth a row, then by path.
fn by_gain(a: &GrowingContainer, b: &GrowingContainer) -> Ordering {
    let gained = |row: &GrowingContainer| match row.unit {
        Unit::References => row.to - row.from,
        Unit::Bytes => (row.to - row.from) / (LEAST_BYTES / LEAST_GAIN),
    };
    gained(b).cmp(&gained(a)).then_with(|| a.path.cmp(&b.path))
}

/// Its memory is more than what its references take.
fn has_own_data(heap: &Heap, graph: &HeapGraph, node: Node) -> bool {
    heap.all_bytes(graph.object(node)) / OWN_DATA >= graph.referents(node).len() as u64
}

/// Where the newest of them was made.
fn newest_site(heap: &Heap, graph: &HeapGraph, nodes: &[Node]) -> Vec<StackFrame> {
    let newest = nodes.iter().map(|&node| graph.object(node)).max_by_key(|&index| heap.id(index));
    newest.map(|index| stack(heap, heap.object(index).site)).unwrap_or_default()
}

/// Bytes of a container and of what it refers to directly.
fn held_bytes(heap: &Heap, graph: &HeapGraph, container: Node) -> u64 {
    let nodes = std::iter::once(&container).chain(graph.referents(container));
    nodes.map(|&node| heap.all_bytes(graph.object(node))).fold(0, u64::saturating_add)
}

/// The row with what its containers hold: the type with the most bytes, all bytes with their own, and where the newest object of that
/// type was made. Where none of that type was made `since` this event, it is another type that filled them, or the containers' own
/// site is all that is known.
fn with_elements(
    row: GrowingContainer,
    heap: &Heap,
    graph: &HeapGraph,
    containers: &[Node],
    since: u64,
) -> GrowingContainer {
    let mut by_type: IdMap<(u64, ObjectIndex)> = IdMap::default();
    let mut seen = NodeSet::new(graph.n_nodes());
    let own = containers.iter().map(|&container| heap.all_bytes(graph.object(container)));
    let mut all = own.fold(0, u64::saturating_add);
    for &referent in containers.iter().flat_map(|&container| graph.referents(container)) {
        // One object may be in it many times.
        if !seen.insert(referent) {
            continue;
        }
        let index = graph.object(referent);
        let (bytes, newest) = by_type.entry(heap.class(index).0, || (0, index));
        *bytes = bytes.saturating_add(heap.all_bytes(index));
        all = all.saturating_add(heap.all_bytes(index));
        *newest = cmp::max_by_key(*newest, index, |&index| heap.id(index));
    }
    let mut types: Vec<(u32, (u64, ObjectIndex))> = by_type.into_entries().collect();
    types.sort_by_key(|&(class, (bytes, _))| (Reverse(bytes), class));
    let element = types.first().map(|&(class, _)| heap.types().name(TypeId(class)).to_string()).unwrap_or_default();
    let filled = types.iter().map(|&(_, (_, newest))| newest).find(|&newest| heap.id(newest).0 > since);
    let site = match filled {
        Some(newest) => stack(heap, heap.object(newest).site),
        None => newest_site(heap, graph, containers),
    };
    let site_of_container = filled.is_none() && !site.is_empty();
    GrowingContainer { element, bytes: all, site, site_of_container, ..row }
}

#[cfg(test)]
mod tests;
