//! Hashes the shape of a component: components of equal shape are the same bug, and need no search for their path.
//!
//! The members are put in the order of a walk that begins at a member with the least key, and the references are hashed
//! by places in that order. Equal hashes mean equal shapes; the same shape may have several hashes where members are
//! alike, which costs a search for the path more, and nothing else.

use super::components::Components;
use super::subgraph::GarbageGraph;
use crate::trace::Slot;

/// A hash of 128 bits: a collision among a million shapes has a chance of 10⁻²⁷.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShapeHash(u64, u64);

/// Hashes the components of one graph, one after the other.
#[derive(Debug, Clone)]
pub struct Shapes<'a> {
    graph: &'a GarbageGraph,
    components: &'a Components,
    /// The members of the component hashed last, in the order of the walk.
    order: Vec<u32>,
    /// For each node hashed already its place in the order of its component.
    places: Vec<u32>,
    /// Keys of the members of the component at hand, in the order of the components.
    keys: Vec<(u32, u64)>,
}

const UNPLACED: u32 = u32::MAX;

impl<'a> Shapes<'a> {
    /// 4 bytes a node.
    pub fn new(graph: &'a GarbageGraph, components: &'a Components) -> Shapes<'a> {
        Shapes { graph, components, order: Vec::new(), places: vec![UNPLACED; graph.n_nodes()], keys: Vec::new() }
    }

    /// The hash of a component that was not hashed yet. `key` says what a member is, equal for what has the same label.
    /// Costs two visits to each reference.
    pub fn hash(&mut self, component: u32, mut key: impl FnMut(u32) -> u64) -> ShapeHash {
        let members = self.components.members(component);
        self.order.clear();
        self.keys.clear();
        self.keys.extend(members.iter().map(|&member| (member, key(member))));
        let Some(&(start, _)) = self.keys.iter().min_by_key(|&&(_, key)| key) else { return ShapeHash(0, 0) };
        self.place(start);
        let mut hash = ShapeHash(members.len() as u64, FIRST);
        let mut head = 0;
        while let Some(&member) = self.order.get(head) {
            head += 1;
            // Members are in the order of their numbers.
            let nth = self.keys.partition_point(|&(other, _)| other < member);
            hash.add(self.keys[nth].1);
            for (to, slot) in self.graph.references(member) {
                if self.components.component(to) != component {
                    continue;
                }
                if self.places[to as usize] == UNPLACED {
                    self.place(to);
                }
                hash.add(u64::from(any_index(slot).raw()) << 32 | u64::from(self.places[to as usize]));
            }
        }
        hash
    }

    /// The members of the component hashed last, in an order that is the same for equal hashes.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The place of a member in [`Shapes::order`].
    pub fn place_of(&self, member: u32) -> u32 {
        self.places[member as usize]
    }

    fn place(&mut self, member: u32) {
        self.places[member as usize] = self.order.len() as u32;
        self.order.push(member);
    }
}

/// A slot, with all indexes the same.
pub fn any_index(slot: Slot) -> Slot {
    if slot.as_index().is_some() { Slot::index(0) } else { slot }
}

const FIRST: u64 = 0x243f_6a88_85a3_08d3;
const SECOND: u64 = 0x9e37_79b9_7f4a_7c15;

impl ShapeHash {
    /// Two lanes, each a multiplication whose halves are folded.
    fn add(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word, SECOND);
        self.1 = fold(self.1.rotate_left(23) ^ word, FIRST | 1);
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ SECOND.rotate_left(17)) * u128::from(b);
    (product as u64).wrapping_add((product >> 64) as u64)
}

/// A key from parts, for [`Shapes::hash`].
pub fn key_of(parts: [u64; 3]) -> u64 {
    parts.into_iter().fold(FIRST, |hash, part| fold(hash.rotate_left(23) ^ part, SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::rows_of;

    fn hash(n: usize, edges: &[(u32, u32)], keys: &[u64]) -> ShapeHash {
        let (rows, targets) = rows_of(n, edges);
        let slots = (0..targets.len() as u64).map(Slot::index).collect();
        let graph = GarbageGraph::from_rows(rows, targets, slots);
        let components = Components::of(&graph);
        assert_eq!(components.n_components(), 1);
        Shapes::new(&graph, &components).hash(0, |member| keys[member as usize])
    }

    #[test]
    fn the_same_shape_has_the_same_hash_wherever_its_members_lie() {
        let one = hash(3, &[(0, 1), (1, 2), (2, 0)], &[7, 8, 9]);
        assert_eq!(hash(3, &[(2, 1), (1, 0), (0, 2)], &[9, 8, 7]), one);
        assert_ne!(hash(3, &[(0, 2), (2, 1), (1, 0)], &[7, 8, 9]), one);
        assert_ne!(hash(3, &[(0, 1), (1, 2), (2, 0), (2, 2)], &[7, 8, 9]), one);
        assert_ne!(hash(3, &[(0, 1), (1, 2), (2, 0)], &[7, 8, 8]), one);
    }
}
