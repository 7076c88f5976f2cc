//! Keeps a set of nodes of one graph, one bit each: what ten million nodes are in fits a processor's cache.

use petgraph::visit::VisitMap;

use super::graph::Node;

/// A set of nodes. Costs an eighth of a byte for each node of the graph, in the set or not.
#[derive(Debug, Clone, Default)]
pub struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// No node of a graph of so many.
    pub fn new(n_nodes: usize) -> NodeSet {
        NodeSet { words: vec![0; n_nodes.div_ceil(64)] }
    }

    /// True if the node was not in the set.
    #[inline]
    pub fn insert(&mut self, node: Node) -> bool {
        let word = &mut self.words[node.0 as usize / 64];
        let bit = 1 << (node.0 % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    #[inline]
    pub fn contains(&self, node: Node) -> bool {
        self.words[node.0 as usize / 64] & 1 << (node.0 % 64) != 0
    }

    /// The nodes that are not in the set, of a graph of so many.
    pub fn others(mut self, n_nodes: usize) -> NodeSet {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if !n_nodes.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= !(u64::MAX << (n_nodes % 64));
        }
        self
    }

    /// The nodes of the set, in their order. Costs little where there are few.
    pub fn iter(&self) -> impl Iterator<Item = Node> + '_ {
        self.words.iter().zip(0u32..).flat_map(|(&word, place)| {
            let rests = std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)));
            rests.take_while(|&rest| rest != 0).map(move |rest| Node(place * 64 + rest.trailing_zeros()))
        })
    }

    /// How many nodes of the set are in each run of 64 nodes of the graph.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.words.iter().map(|word| word.count_ones())
    }

    /// How many nodes of the set come before this one in its run of 64 nodes.
    #[inline]
    pub fn count_before(&self, node: Node) -> u32 {
        (self.words[node.0 as usize / 64] & !(u64::MAX << (node.0 % 64))).count_ones()
    }
}

impl VisitMap<Node> for NodeSet {
    fn visit(&mut self, node: Node) -> bool {
        self.insert(node)
    }

    fn is_visited(&self, node: &Node) -> bool {
        self.contains(*node)
    }

    fn unvisit(&mut self, node: Node) -> bool {
        let was = self.contains(node);
        self.words[node.0 as usize / 64] &= !(1 << (node.0 % 64));
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_its_nodes_in_their_order() {
        let nodes = [0, 5, 63, 64, 127, 200].map(Node);
        let mut set = NodeSet::new(201);
        assert!(nodes.iter().rev().all(|&node| set.insert(node)));
        assert!(!set.insert(Node(63)));
        assert_eq!(set.iter().collect::<Vec<_>>(), nodes);
        assert_eq!(set.counts().collect::<Vec<_>>(), [3, 2, 0, 1]);
        assert_eq!([0, 6, 63].map(|node| set.count_before(Node(node))), [0, 2, 2]);
        let others = set.clone().others(201);
        assert!((0..201).all(|node| others.contains(Node(node)) != set.contains(Node(node))));
        assert_eq!(others.iter().count(), 195);
        assert!(set.unvisit(Node(64)) && !set.contains(Node(64)));
    }
}
