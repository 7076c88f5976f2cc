//! Finds what grows though no container does: many that are reached alike and grow together, or one that is replaced by a larger.
//!
//! `USERS[name].append(event)` fills a list for each user, `HEAD = Node(HEAD)` a chain of nodes, and `ITEMS += (item,)` a new
//! tuple each time. What tells them is a type of which there are more and more, and a way from a root by which more of its
//! objects are reached than there were of them at all.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::GrowingContainer;
use super::series::is_much;
use crate::cycles::tracker::stack;
use crate::heap::{Heap, HeapGraph, Node, ObjectIndex};
use crate::retention::{RootPath, RootPaths, Shape};
use crate::trace::TypeId;

/// Rows that are told at most.
const MOST: usize = 10;

/// A way tells where a type's objects are if it has gained at least one in so many of those that the type gained.
const SHARE: u64 = 4;

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
    /// The nearest of them, and its place among what is reached.
    first: Node,
    place: usize,
    objects: u64,
    bytes: u64,
    newest: ObjectIndex,
    /// Objects that refer to them, and the one that was counted last.
    referrers: u64,
    last_referrer: Option<usize>,
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
        told: &[Node],
        growing: &HashMap<TypeId, Growing>,
    ) -> Vec<GrowingContainer> {
        if growing.is_empty() {
            return Vec::new();
        }
        let shapes = paths.shapes();
        let groups = groups(heap, graph, paths, &shapes.of, told, growing);
        let mut found: HashMap<Shape, (Group, TypeId, u64), FixedState> = HashMap::default();
        for ((shape, class), group) in groups {
            let of_type = growing[&class];
            let earlier = self.known.get(&(shape, class)).copied();
            if earlier.is_none() && is_much(group.objects, || group.bytes) {
                self.known.insert((shape, class), group.objects);
            }
            // There were at most so many by this way: as many as there were at all, or as were by it at an earlier look.
            let from = earlier.map_or(of_type.from, |earlier| earlier.min(of_type.from)).min(group.objects);
            let gained = group.objects - from;
            let is_at_rest = earlier == Some(group.objects) && !of_type.rests;
            let share = || (u128::from(group.bytes) * u128::from(gained) / u128::from(group.objects.max(1))) as u64;
            if !is_at_rest && gained >= of_type.gained / SHARE && is_much(gained, share) {
                found.insert(shape, (group, class, from));
            }
        }
        // What is reached through another one grows with it.
        let goes_with_another = |group: &Group| {
            let shape = shapes.of[group.place];
            let mut above = std::iter::successors(paths.referrer(group.place), |&place| paths.referrer(place));
            above.any(|place| shapes.of[place] != shape && found.contains_key(&shapes.of[place]))
        };
        let mut rows: Vec<&(Group, TypeId, u64)> =
            found.values().filter(|(group, ..)| !goes_with_another(group)).collect();
        rows.sort_by_key(|(group, _, from)| (std::cmp::Reverse(group.objects - from), group.place));
        rows.truncate(MOST);
        let nearest: HashMap<Node, &(Group, TypeId, u64)> = rows.iter().map(|&row| (row.0.first, row)).collect();
        let paths_to = paths.to(|node| nearest.contains_key(&node));
        let row = |(node, path): (Node, RootPath)| {
            let (group, class, from) = nearest.get(&node)?;
            let repeats = shapes.repeats(shapes.of[group.place]);
            Some(GrowingContainer {
                object: None,
                path: container(&path, repeats),
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
            })
        };
        paths_to.filter_map(row).collect()
    }
}

/// Puts together the objects of these types that are reached alike, and through none of `told`. The nearest first.
fn groups(
    heap: &Heap,
    graph: &HeapGraph,
    paths: &RootPaths<'_>,
    shapes: &[Shape],
    told: &[Node],
    growing: &HashMap<TypeId, Growing>,
) -> Vec<((Shape, TypeId), Group)> {
    let mut groups: HashMap<(Shape, TypeId), Group, FixedState> = HashMap::default();
    let mut is_told = vec![false; graph.n_nodes()];
    told.iter().for_each(|node| is_told[node.0 as usize] = true);
    let mut through_told = vec![false; paths.reached().len()];
    for (place, &node) in paths.reached().iter().enumerate() {
        let referrer = paths.referrer(place);
        through_told[place] = is_told[node.0 as usize] || referrer.is_some_and(|referrer| through_told[referrer]);
        let (index, class) = (graph.object(node), heap.class(graph.object(node)));
        // What nothing recorded refers to is in no container.
        if referrer.is_none() || through_told[place] || !growing.contains_key(&class) {
            continue;
        }
        let group = groups.entry((shapes[place], class)).or_insert_with(|| Group {
            first: node,
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
        _ if repeats => pattern + "…",
        Some(container) => container.to_string(),
        None => pattern,
    }
}

/// The type of the container.
fn holder(path: &RootPath) -> String {
    path.steps.iter().rev().nth(1).map(|step| step.type_name.clone()).unwrap_or_default()
}
