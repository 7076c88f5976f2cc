//! Finds what else holds objects: who would keep them alive if a reference of the path that is told were gone.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::root_path::{Alike, Shapes};
use super::{DominatorTree, RootKind, RootPath, RootPaths, Shape};
use crate::heap::Node;
use crate::trace::Slot;

/// Another holder of objects that are reached alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// How many of them it holds.
    pub objects: u64,
    pub by: Hold,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// A path to one of them, by another last reference, or by another to an object on the way.
    Path(RootPath),
    /// They are roots themselves.
    Root(RootKind),
}

/// What tells holders apart: the way to the holder, the name of its reference, at whatever index or key, and what is reached by
/// it; or the root. Those of the objects themselves come first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Root(Vec<String>),
    Reference(Shape, Option<Slot>),
    OnTheWay(Shape, Option<Slot>, Shape),
}

/// What one holder holds: the objects of a way, or those on the way to them.
struct Holding {
    by: First,
    on_the_way: bool,
    nodes: HashSet<Node, FixedState>,
    /// How many of the objects that is.
    objects: u64,
}

/// The first reference of a holder, from which a path can be made; or what makes an object a root.
#[derive(Debug, Clone)]
enum First {
    /// The place that refers by the reference with this number, and that of the nearest object which is reached by it.
    Reference {
        place: usize,
        nth: usize,
        nearest: usize,
    },
    Root(RootKind),
}

/// Objects of one way that are reached through another object.
#[derive(Debug, Clone, Copy)]
struct Below {
    way: usize,
    objects: u64,
    /// The place of the nearest of them.
    nearest: usize,
}

/// Other holders that are kept of each way.
const MOST: usize = 5;

/// Other holders of the objects of one way.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Those of the objects themselves first, then the one of most.
    pub(super) holders: Vec<Holder>,
    /// Those that are left out.
    pub(super) more: u64,
}

/// For each of the ways the other holders of its objects. `shapes` are those of all that a root reaches.
///
/// Who holds an object on the way holds what is behind it, up to a module or class: that has a name, and many refer to it. An object
/// that only the held one keeps alive is no holder, as the next in a doubly linked list. Costs a visit to each reference that a
/// root reaches, and a path for each holder that is kept.
pub(super) fn of(paths: &RootPaths<'_>, shapes: &Shapes, ways: &[Alike], tree: &DominatorTree) -> Vec<Others> {
    let mut way_of: HashMap<Node, usize, FixedState> = HashMap::default();
    for (way, group) in ways.iter().enumerate() {
        way_of.extend(group.nodes.iter().map(|&node| (node, way)));
    }
    let slots = &shapes.slots;
    let behind = behind(paths, slots, &way_of);
    let mut found: Vec<HashMap<Key, Holding, FixedState>> = ways.iter().map(|_| HashMap::default()).collect();
    let spans = Spans::of(tree);
    let mut references = Vec::new();
    let mut add = |below: &Below, node: Node, key: Key, by: First| {
        let on_the_way = matches!(key, Key::OnTheWay(..));
        let new = || Holding { by, on_the_way, nodes: HashSet::default(), objects: 0 };
        let held = found[below.way].entry(key).or_insert_with(new);
        if held.nodes.insert(node) {
            held.objects += below.objects;
        }
    };
    for (place, &node) in paths.reached().iter().enumerate() {
        if way_of.contains_key(&node)
            && paths.referrer(place).is_some()
            && let Some(root) = paths.as_root(node)
            && let Some((_, below)) = behind.get(&node)
        {
            let names = if let RootKind::Named(names) = &root { names.clone() } else { Vec::new() };
            below.iter().for_each(|below| add(below, node, Key::Root(names.clone()), First::Root(root.clone())));
        }
        paths.references_into(place, &mut references);
        let is_namespace = paths.is_to_namespace(slots[place]);
        for (nth, reference) in references.iter().enumerate() {
            let Some((at, below)) = behind.get(&reference.to) else { continue };
            // An OrderedDict shows a key twice.
            let is_by_name =
                || paths.referrer(*at) == Some(place) && slots[*at] == reference.slot && !paths.is_key(reference.slot);
            if paths.is_by(*at, place, nth) || is_by_name() || spans.is_within(node, reference.to) {
                continue;
            }
            let slot = (is_namespace || !paths.is_key(reference.slot)).then_some(reference.slot);
            for of in below {
                let key = match of.nearest == *at {
                    true => Key::Reference(shapes.of[place], slot),
                    false => Key::OnTheWay(shapes.of[place], slot, shapes.of[*at]),
                };
                add(of, reference.to, key, First::Reference { place, nth, nearest: of.nearest });
            }
        }
    }
    found.into_iter().zip(ways).map(|(found, way)| others(paths, shapes, found, way)).collect()
}

/// The holders of most objects of the way. Those that look alike are there once.
fn others(paths: &RootPaths<'_>, shapes: &Shapes, found: HashMap<Key, Holding, FixedState>, way: &Alike) -> Others {
    let most = way.nodes.len() as u64;
    let mut held: Vec<Holding> = found.into_values().collect();
    held.iter_mut().for_each(|held| held.objects = held.objects.min(most));
    held.sort_by_cached_key(|held| {
        let nearest = match &held.by {
            First::Root(root) => (0, 0, format!("{root:?}")),
            First::Reference { place, nth, .. } => (*place, *nth, String::new()),
        };
        (held.on_the_way, Reverse(held.objects), nearest)
    });
    let more = held.split_off(held.len().min(MOST)).len() as u64;
    let mut holders: Vec<(bool, Holder)> = { held.into_iter() }
        .map(|held| {
            let by = match held.by {
                First::Reference { place, nth, nearest } => Hold::Path(paths.by(shapes, place, nth, nearest)),
                First::Root(root) => Hold::Root(root),
            };
            (held.on_the_way, Holder { objects: held.objects, by })
        })
        .collect();
    let text = |by: &Hold| match by {
        Hold::Path(path) => path.pattern(),
        Hold::Root(root) => format!("{root:?}"),
    };
    // Each of many objects may be in its container twice, or in two that look alike: that is the way itself.
    let pattern = paths.path(shapes, way.place).pattern();
    holders.retain(|(_, holder)| most == 1 || text(&holder.by) != pattern);
    holders.sort_by_cached_key(|(on_the_way, holder)| (*on_the_way, Reverse(holder.objects), text(&holder.by)));
    holders.dedup_by_key(|(_, holder)| text(&holder.by));
    Others { holders: holders.into_iter().map(|(_, holder)| holder).collect(), more }
}

/// The objects of the ways and those on their paths below the last module or class: the place of each, and what is reached through it.
/// What is behind another of the objects goes with that one.
fn behind(
    paths: &RootPaths<'_>,
    slots: &[Slot],
    way_of: &HashMap<Node, usize, FixedState>,
) -> HashMap<Node, (usize, Vec<Below>), FixedState> {
    let mut behind: HashMap<Node, (usize, Vec<Below>), FixedState> = HashMap::default();
    let mut waiting: HashMap<usize, Vec<Below>, FixedState> = HashMap::default();
    // A node stands behind the one by which it is reached.
    for (place, &node) in paths.reached().iter().enumerate().rev() {
        let through = waiting.remove(&place);
        let below = match way_of.get(&node) {
            Some(&way) => vec![Below { way, objects: 1, nearest: place }],
            None => through.unwrap_or_default(),
        };
        if below.is_empty() || !way_of.contains_key(&node) && is_named(paths, slots, place) {
            continue;
        }
        if let Some(referrer) = paths.referrer(place) {
            let all = waiting.entry(referrer).or_default();
            for of in &below {
                match all.iter_mut().find(|other| other.way == of.way) {
                    Some(other) => {
                        other.objects += of.objects;
                        other.nearest = other.nearest.min(of.nearest);
                    }
                    None => all.push(*of),
                }
            }
        }
        behind.insert(node, (place, below));
    }
    behind
}

/// Its own name says what it is: a module, a class, or the dict of one.
fn is_named(paths: &RootPaths<'_>, slots: &[Slot], place: usize) -> bool {
    let owner = if paths.is_to_namespace(slots[place]) { paths.referrer(place).unwrap_or(place) } else { place };
    let label = paths.label(owner);
    label.starts_with("module ") || label.starts_with("class ")
}

/// Numbers of the nodes of a dominator tree, so that those below a node follow it.
struct Spans {
    /// For each node the first number and the one behind the last.
    of: HashMap<Node, (u32, u32), FixedState>,
}

impl Spans {
    fn of(tree: &DominatorTree) -> Spans {
        let mut sizes: HashMap<Node, u32, FixedState> = tree.nodes().iter().map(|&node| (node, 1)).collect();
        for &node in tree.nodes().iter().rev() {
            if let Some(dominator) = tree.dominator(node) {
                let size = sizes[&node];
                *sizes.entry(dominator).or_default() += size;
            }
        }
        // The next number for what is below a node, and for what no node is above.
        let mut next: HashMap<Node, u32, FixedState> = HashMap::default();
        let (mut next_of_all, mut of) = (0, HashMap::default());
        for &node in tree.nodes() {
            let next_number = match tree.dominator(node) {
                Some(dominator) => next.entry(dominator).or_default(),
                None => &mut next_of_all,
            };
            let number = *next_number;
            *next_number += sizes[&node];
            next.insert(node, number + 1);
            of.insert(node, (number, number + sizes[&node]));
        }
        Spans { of }
    }

    /// Only `above` keeps `node` alive, or they are the same.
    fn is_within(&self, node: Node, above: Node) -> bool {
        let (Some(&(number, _)), Some(&(from, to))) = (self.of.get(&node), self.of.get(&above)) else { return false };
        (from..to).contains(&number)
    }
}
