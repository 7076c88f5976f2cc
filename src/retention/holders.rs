//! Finds what else holds objects: who would keep them alive if the reference of the path that is told were gone.

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
    /// A path to one of them, by another last reference.
    Path(RootPath),
    /// They are roots themselves.
    Root(RootKind),
}

/// What tells holders apart: the way to the holder and the name of its reference, at whatever index or key; or the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Reference(Shape, Option<Slot>),
    Root(Vec<String>),
}

/// Holders of the objects of one way, each with those that it holds.
type Found = HashMap<Key, (Hold, HashSet<Node, FixedState>), FixedState>;

/// For each of the ways the other holders of its objects, the one of most first.
///
/// An object that only the held one keeps alive is no holder, as the next in a doubly linked list. Costs a visit to each reference
/// that a root reaches.
pub(super) fn of(paths: &RootPaths<'_>, shapes: &Shapes, ways: &[Alike], tree: &DominatorTree) -> Vec<Vec<Holder>> {
    // The way of each, and its place among what is reached.
    let mut held: HashMap<Node, (usize, usize), FixedState> = HashMap::default();
    for (way, group) in ways.iter().enumerate() {
        held.extend(group.nodes.iter().map(|&node| (node, (way, 0))));
    }
    for (place, node) in paths.reached().iter().enumerate() {
        held.entry(*node).and_modify(|of| of.1 = place);
    }
    let mut found: Vec<Found> = ways.iter().map(|_| HashMap::default()).collect();
    let spans = Spans::of(tree);
    let mut references = Vec::new();
    let mut add = |way: usize, node: Node, key: Key, by: &dyn Fn() -> Hold| {
        found[way].entry(key).or_insert_with(|| (by(), HashSet::default())).1.insert(node);
    };
    for (place, &node) in paths.reached().iter().enumerate() {
        if let Some(&(way, _)) = held.get(&node)
            && paths.referrer(place).is_some()
            && let Some(root) = paths.as_root(node)
        {
            let names = if let RootKind::Named(names) = &root { names.clone() } else { Vec::new() };
            add(way, node, Key::Root(names), &|| Hold::Root(root.clone()));
        }
        paths.references_into(place, &mut references);
        let mut is_namespace = None;
        for (nth, reference) in references.iter().enumerate() {
            let Some(&(way, at)) = held.get(&reference.to) else { continue };
            if paths.is_by(at, place, nth) || spans.is_within(node, reference.to) {
                continue;
            }
            let is_namespace = *is_namespace.get_or_insert_with(|| paths.is_namespace(place));
            let slot = (is_namespace || !paths.is_key(reference.slot)).then_some(reference.slot);
            add(way, reference.to, Key::Reference(shapes.of[place], slot), &|| Hold::Path(paths.by(place, nth)));
        }
    }
    let sorted = |found: Found| {
        let holders = found.into_values().map(|(by, held)| Holder { objects: held.len() as u64, by });
        let mut holders: Vec<Holder> = holders.collect();
        let text = |by: &Hold| match by {
            Hold::Path(path) => path.pattern(),
            Hold::Root(root) => format!("{root:?}"),
        };
        holders.sort_by_cached_key(|holder| (std::cmp::Reverse(holder.objects), text(&holder.by)));
        holders
    };
    found.into_iter().map(sorted).collect()
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
