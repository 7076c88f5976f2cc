//! Finds what grows though no container does: many that are reached alike and grow together, or one that is replaced by a larger.
//!
//! `USERS[name].append(event)` fills a list for each user, `HEAD = Node(HEAD)` a chain of nodes, and `ITEMS += (item,)` a new
//! tuple each time. What tells them is a type of which there are more and more, and a way from a root by which more of its
//! objects are reached than there were of them at all.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::GrowingContainer;
use super::series::is_much;
use crate::cycles::tracker::stack;
use crate::heap::{Heap, HeapGraph, IdMap, NodeSet, ObjectIndex};
use crate::retention::{RootPath, RootPaths, Shape, Shapes};
use crate::trace::TypeId;

/// A way tells where a type's objects are if it has gained at least one in so many of those that the type gained.
const SHARE: u64 = 10;

/// A type of which there are more and more objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growing {
    /// Objects at the first look.
    pub(super) from: u64,
    pub(super) gained: u64,
    /// None was gained in the last window.
    pub(super) rests: bool,
}

/// How many objects were reached by each way as it was first looked at. It is looked at where the type grows.
#[derive(Debug, Default)]
pub(super) struct Spread {
    known: HashMap<(Shape, TypeId), u64, FixedState>,
}

/// Objects of one type that are reached alike.
#[derive(Debug)]
struct Group {
    /// That of the nearest of them, among what is reached.
    place: usize,
    objects: u64,
    bytes: u64,
    newest: ObjectIndex,
    /// Objects that refer to them, and the one that was counted last.
    referrers: u64,
    last_referrer: Option<usize>,
}

/// Objects of a type by one way, of which there are more than there were.
#[derive(Debug)]
struct Gain {
    group: Group,
    class: TypeId,
    /// There were at most so many by this way: as many as there were at all, or as were by it at an earlier look.
    from: u64,
}

impl Spread {
    /// The ways by which more and more objects of these types are reached, but not through the containers that are told anyway.
    ///
    /// Costs two visits to each node that a root reaches, and memory for each way with at least as many objects as are much.
    pub(super) fn look(
        &mut self,
        heap: &Heap,
        graph: &HeapGraph,
        paths: &RootPaths<'_>,
        shapes: &Shapes,
        told: &NodeSet,
        growing: &IdMap<Growing>,
    ) -> Vec<GrowingContainer> {
        let gains = self.gains(groups(heap, graph, paths, &shapes.of, told, growing), growing);
        let row = |gain: &Gain| {
            let Gain { group, class, from } = gain;
            let path = paths.path(group.place);
            GrowingContainer {
                object: None,
                path: container(&path, shapes.repeats(shapes.of[group.place])),
                type_name: holder(&path),
                containers: group.referrers,
                from: *from,
                to: group.objects,
                from_is_exact: *from == 0,
                per_second: None,
                emptied: false,
                element: heap.types().name(*class).to_string(),
                bytes: group.bytes,
                site: stack(heap, heap.object(group.newest).site),
            }
        };
        outermost(&gains, paths, &shapes.of).into_iter().map(row).collect()
    }

    /// Those of the groups that gained much. The nearest first.
    fn gains(&mut self, groups: Vec<((Shape, TypeId), Group)>, growing: &IdMap<Growing>) -> Vec<Gain> {
        let gain = |((shape, class), group): ((Shape, TypeId), Group)| {
            let of_type = growing.get(class.0)?;
            let earlier = self.known.get(&(shape, class)).copied();
            if earlier.is_none() && is_much(group.objects, || group.bytes) {
                self.known.insert((shape, class), group.objects);
            }
            let from = earlier.map_or(of_type.from, |earlier| earlier.min(of_type.from)).min(group.objects);
            let gained = group.objects - from;
            let is_at_rest = earlier == Some(group.objects) && !of_type.rests;
            let bytes = || (u128::from(group.bytes) * u128::from(gained) / u128::from(group.objects.max(1))) as u64;
            let is_told = !is_at_rest && gained >= of_type.gained / SHARE && is_much(gained, bytes);
            is_told.then_some(Gain { group, class, from })
        };
        groups.into_iter().filter_map(gain).collect()
    }
}

/// Without what is reached through another of them, and grows with it; and of what is in the same containers, as the keys of a dict
/// and their values, that of which there is most.
fn outermost<'a>(gains: &'a [Gain], paths: &RootPaths<'_>, shapes: &[Shape]) -> Vec<&'a Gain> {
    let known: HashSet<Shape> = gains.iter().map(|gain| shapes[gain.group.place]).collect();
    let is_through_another = |gain: &Gain| {
        let shape = shapes[gain.group.place];
        let mut above = std::iter::successors(paths.referrer(gain.group.place), |&place| paths.referrer(place));
        above.any(|place| shapes[place] != shape && known.contains(&shapes[place]))
    };
    let mut in_containers: HashMap<Option<Shape>, usize> = HashMap::new();
    let mut kept: Vec<&Gain> = Vec::new();
    for gain in gains.iter().filter(|gain| !is_through_another(gain)) {
        let containers = paths.referrer(gain.group.place).map(|place| shapes[place]);
        let at = *in_containers.entry(containers).or_insert(kept.len());
        match kept.get_mut(at) {
            None => kept.push(gain),
            Some(other) if gain.gained() > other.gained() => *other = gain,
            Some(_) => {}
        }
    }
    kept
}

impl Gain {
    fn gained(&self) -> u64 {
        self.group.objects - self.from
    }
}

/// Puts together the objects of these types that are reached alike, and through none of `told`. The nearest first.
fn groups(
    heap: &Heap,
    graph: &HeapGraph,
    paths: &RootPaths<'_>,
    shapes: &[Shape],
    told: &NodeSet,
    growing: &IdMap<Growing>,
) -> Vec<((Shape, TypeId), Group)> {
    let mut groups: HashMap<(Shape, TypeId), Group, FixedState> = HashMap::default();
    let mut through_told = vec![false; paths.reached().len()];
    for (place, &node) in paths.reached().iter().enumerate() {
        let referrer = paths.referrer(place);
        through_told[place] = told.contains(node) || referrer.is_some_and(|referrer| through_told[referrer]);
        let (index, class) = (graph.object(node), heap.class(graph.object(node)));
        // What nothing recorded refers to is in no container.
        if referrer.is_none() || through_told[place] || !growing.contains(class.0) {
            continue;
        }
        let group = groups.entry((shapes[place], class)).or_insert_with(|| Group {
            place,
            objects: 0,
            bytes: 0,
            newest: index,
            referrers: 0,
            last_referrer: None,
        });
        group.objects += 1;
        group.bytes = group.bytes.saturating_add(heap.all_bytes(index));
        group.newest = std::cmp::max_by_key(group.newest, index, |&index| heap.id(index));
        if group.last_referrer != referrer {
            group.last_referrer = referrer;
            group.referrers += 1;
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| group.place);
    groups
}

/// The path to the containers of what this path leads to: `svc.USERS[*]` of `svc.USERS['ann'][3]`; `svc.HEAD.next…` where the
/// last reference is followed again and again.
fn container(path: &RootPath, repeats: bool) -> String {
    let pattern = path.pattern();
    match pattern.strip_suffix("[*]") {
        _ if repeats && pattern.ends_with('…') => pattern,
        _ if repeats => pattern + "…",
        Some(container) => container.to_string(),
        None => pattern,
    }
}

/// The type of the container.
fn holder(path: &RootPath) -> String {
    path.steps.iter().rev().nth(1).map(|step| step.type_name.clone()).unwrap_or_default()
}
