//! Puts together the chains of objects that refer to each other.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::Scene;
use super::spread::Group;
use crate::heap::Node;
use crate::retention::Shape;
use crate::trace::TypeId;

/// Chains whose objects refer to each other are one, as those from both ends of a list that is linked both ways: the way to its
/// middle is as short from one end as from the other. Costs a visit to each reference of theirs, where there are several of a type.
pub(super) fn joined(scene: &Scene<'_>, groups: Vec<((Shape, TypeId), Group)>) -> Vec<((Shape, TypeId), Group)> {
    let mut number: HashMap<Shape, usize, FixedState> = HashMap::default();
    let mut of_type: HashMap<TypeId, usize, FixedState> = HashMap::default();
    for (at, ((shape, class), _)) in groups.iter().enumerate() {
        if scene.shapes.repeats(*shape) {
            number.insert(*shape, at);
            *of_type.entry(*class).or_default() += 1;
        }
    }
    number.retain(|_, at| of_type[&groups[*at].0.1] > 1);
    if number.is_empty() {
        return groups;
    }
    let mut of_node: HashMap<Node, usize, FixedState> = HashMap::default();
    let chain = |place: usize| number.get(&scene.shapes.of[place]).copied();
    for (place, &node) in scene.paths.reached().iter().enumerate() {
        if let Some(at) = chain(place) {
            of_node.insert(node, at);
        }
    }
    // The first chain that each is one with. An object refers to the next by itself, or by its dict.
    let mut first: Vec<usize> = (0..groups.len()).collect();
    for (place, &node) in scene.paths.reached().iter().enumerate() {
        for from in [Some(place), scene.paths.referrer(place)].into_iter().flatten().filter_map(chain) {
            for &to in scene.graph.referents(node).iter().filter_map(|referent| of_node.get(referent)) {
                if groups[from].0.1 == groups[to].0.1 {
                    let (one, other) = (first[from].min(first[to]), first[from].max(first[to]));
                    if one != other {
                        first.iter_mut().filter(|first| **first == other).for_each(|first| *first = one);
                    }
                }
            }
        }
    }
    let mut joined: Vec<((Shape, TypeId), Group)> = Vec::new();
    let mut places: HashMap<usize, usize, FixedState> = HashMap::default();
    for (at, (key, group)) in groups.into_iter().enumerate() {
        match places.get(&first[at]) {
            Some(&place) => joined[place].1.take(key.0, group),
            None => {
                places.insert(at, joined.len());
                joined.push((key, group));
            }
        }
    }
    joined
}
