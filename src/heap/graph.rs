//! Represents the heap at one moment: who refers to whom, in compressed rows that never change.
//!
//! A node is an object; nodes are numbered densely, [`HeapGraph::object`] gives the heap's own index back. Rows keep
//! multiple references and references to oneself. petgraph's visit traits are implemented (`graph_impl.rs`), for
//! algorithms on small graphs and for oracles in tests.

use std::sync::Arc;

use super::model::ObjectIndex;
use super::references::References;
use crate::trace::{Evidence, Slot};

/// An object's place in one [`HeapGraph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(pub u32);

/// A frozen graph of `n` nodes and `m` references: 5 bytes a node and 4 a reference. Of a walk it has the slots as well,
/// 4 bytes a reference; where the heap keeps references itself the slots and counts are the heap's own.
#[derive(Debug, Clone, Default)]
pub struct HeapGraph {
    /// `n + 1` offsets into `targets`.
    rows: Vec<u32>,
    targets: Vec<Node>,
    slots: Slots,
    /// The heap's index of each node; empty when they are the same number.
    objects: Vec<ObjectIndex>,
    counts: Counts,
    states: Vec<PackedState>,
    /// Sorted by referrer.
    hidden: Vec<HiddenReference>,
    places: Vec<FoundPlaces>,
}

/// The references of a graph that is gone: 4 bytes a node and 8 a reference.
#[derive(Debug)]
pub(super) struct Rows {
    /// One more offset into `targets` than there are nodes.
    rows: Vec<u32>,
    targets: Vec<Node>,
    slots: Vec<Slot>,
    /// Those of the references that are hidden, sorted by referrer.
    hidden: Vec<HiddenReference>,
}

/// An object whose address was looked for in all memory of the program, because its count has more references than are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundPlaces {
    pub object: Node,
    /// How many places have it, those of known references among them; `None` where not all memory was searched.
    pub places: Option<u32>,
}

/// A reference that `tp_traverse` does not show, or what may be one: see [`HeapGraph::hidden`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenReference {
    pub from: Node,
    pub to: Node,
    pub slot: Slot,
    pub evidence: Evidence,
}

/// Where the slots of the references are.
#[derive(Debug, Clone)]
pub(super) enum Slots {
    /// Beside the targets.
    Rows(Vec<Slot>),
    /// In the heap's lists, the youngest reference first: each row backwards, vacant referents left out.
    Lists(Arc<References>),
}

/// Observed refcount or kept tally of each node.
#[derive(Debug, Clone)]
pub(super) enum Counts {
    Own(Vec<u32>),
    Heap(Arc<References>),
}

/// What the snapshot must know of a node beside its count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Not an object at this moment: a free place in the heap's table. Has no references, is in no snapshot.
    pub vacant: bool,
    /// Alive whatever its count says: a named root, immortal, or of unknown count; where the heap keeps the tally, also
    /// an object that nothing has referred to yet.
    pub pinned: bool,
    /// The collector counts it: of a type that it looks at, and in its lists.
    pub tracked: bool,
}

/// A [`NodeState`] in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedState(u8);

/// One reference of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub to: Node,
    pub slot: Slot,
}

impl HeapGraph {
    /// Rows that were built elsewhere. `rows` has one offset more than there are nodes; `objects` may be empty.
    pub fn from_rows(
        rows: Vec<u32>,
        targets: Vec<Node>,
        slots: Vec<Slot>,
        objects: Vec<ObjectIndex>,
        counts: Vec<u32>,
        states: Vec<NodeState>,
    ) -> HeapGraph {
        debug_assert_eq!(states.len(), counts.len());
        debug_assert_eq!(targets.len(), slots.len());
        let states = states.into_iter().map(PackedState::of).collect();
        HeapGraph::from_parts(rows, targets, Slots::Rows(slots), objects, Counts::Own(counts), states)
    }

    pub(super) fn from_parts(
        rows: Vec<u32>,
        targets: Vec<Node>,
        slots: Slots,
        objects: Vec<ObjectIndex>,
        counts: Counts,
        states: Vec<PackedState>,
    ) -> HeapGraph {
        debug_assert_eq!(rows.len(), states.len() + 1);
        debug_assert!(objects.is_empty() || objects.len() == states.len());
        HeapGraph { rows, targets, slots, objects, counts, states, hidden: Vec::new(), places: Vec::new() }
    }

    /// The same, in which these of the references are hidden, besides words that may be references.
    pub(super) fn with_hidden(mut self, mut hidden: Vec<HiddenReference>) -> HeapGraph {
        hidden.sort_by_key(|reference| reference.from);
        self.hidden = hidden;
        self
    }

    /// The same, with what was looked for in all memory.
    pub(super) fn with_places(self, places: Vec<FoundPlaces>) -> HeapGraph {
        HeapGraph { places, ..self }
    }

    /// The references alone; `None` where the heap keeps them.
    pub(super) fn into_rows(self) -> Option<Rows> {
        let Slots::Rows(slots) = self.slots else { return None };
        let hidden = self.hidden.into_iter().filter(|reference| reference.evidence != Evidence::Address).collect();
        Some(Rows { rows: self.rows, targets: self.targets, slots, hidden })
    }

    /// What was looked for in all memory, in the order of the log.
    pub fn places(&self) -> &[FoundPlaces] {
        &self.places
    }

    /// The same with more references, each of which is hidden. Copies the rows; `None` where it has none of its own.
    pub fn with_references(&self, mut more: Vec<HiddenReference>) -> Option<HeapGraph> {
        let Slots::Rows(slots) = &self.slots else { return None };
        more.sort_by_key(|reference| reference.from);
        let n_references = self.targets.len() + more.len();
        let mut rows = Vec::with_capacity(self.rows.len());
        let (mut all_targets, mut all_slots) = (Vec::with_capacity(n_references), Vec::with_capacity(n_references));
        let mut waiting = more.iter().peekable();
        rows.push(0);
        for node in self.nodes() {
            let row = self.row(node);
            all_targets.extend_from_slice(&self.targets[row.clone()]);
            all_slots.extend_from_slice(&slots[row]);
            while let Some(reference) = waiting.next_if(|reference| reference.from == node) {
                all_targets.push(reference.to);
                all_slots.push(reference.slot);
            }
            rows.push(all_targets.len() as u32);
        }
        let (counts, states) = (self.counts.clone(), self.states.clone());
        let graph =
            HeapGraph::from_parts(rows, all_targets, Slots::Rows(all_slots), self.objects.clone(), counts, states);
        more.extend(self.hidden.iter().filter(|reference| reference.evidence != Evidence::Address));
        Some(graph.with_hidden(more))
    }

    /// What `tp_traverse` does not show. References, of which the rows have each, and what is an address and perhaps no
    /// reference ([`Evidence::Address`]), which the rows do not have unless it was [added](HeapGraph::with_references).
    pub fn hidden(&self) -> &[HiddenReference] {
        &self.hidden
    }

    /// Those of one node.
    pub fn hidden_of(&self, node: Node) -> &[HiddenReference] {
        let start = self.hidden.partition_point(|reference| reference.from < node);
        let length = self.hidden[start..].partition_point(|reference| reference.from == node);
        &self.hidden[start..start + length]
    }

    /// Number of nodes, vacant ones included.
    pub fn n_nodes(&self) -> usize {
        self.states.len()
    }

    pub fn n_references(&self) -> usize {
        self.targets.len()
    }

    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = Node> + use<> {
        (0..self.states.len() as u32).map(Node)
    }

    /// What `node` refers to, once for each reference, the oldest first.
    #[inline]
    pub fn referents(&self, node: Node) -> &[Node] {
        &self.targets[self.row(node)]
    }

    /// What all nodes refer to, row after row: at most 2³² − 1 references, because offsets are 32 bits wide.
    pub fn all_referents(&self) -> &[Node] {
        &self.targets
    }

    /// What `node` refers to, with the slots; in the order of [`HeapGraph::referents`]. Where the heap keeps the
    /// references this collects those of the row first: for nodes that are reported, not for all.
    pub fn references(&self, node: Node) -> impl ExactSizeIterator<Item = Reference> + '_ {
        match &self.slots {
            Slots::Rows(slots) => RowReferences::There(self.pairs(slots, node)),
            Slots::Lists(_) => {
                let mut references = Vec::new();
                self.references_into(node, &mut references);
                RowReferences::Collected(references.into_iter())
            }
        }
    }

    /// The same into a buffer that is emptied first: for whoever asks of all nodes.
    #[inline]
    pub fn references_into(&self, node: Node, references: &mut Vec<Reference>) {
        references.clear();
        match &self.slots {
            Slots::Rows(slots) => references.extend(self.pairs(slots, node).map(Reference::of)),
            // A vacant node may be an object that is dying, and has its list still.
            Slots::Lists(_) if self.row(node).is_empty() => {}
            Slots::Lists(lists) => {
                references.extend(lists.list(node.0).map(|link| Reference { to: Node(link.to), slot: link.slot }));
                if references.len() != self.row(node).len() {
                    references.retain(|reference| !self.state(reference.to).vacant);
                }
                references.reverse();
            }
        }
    }

    /// How many of the references of `node` are of this name.
    pub fn n_named(&self, node: Node, name: Slot) -> usize {
        match &self.slots {
            Slots::Rows(slots) => slots[self.row(node)].iter().filter(|&&slot| slot == name).count(),
            Slots::Lists(_) => self.references(node).filter(|reference| reference.slot == name).count(),
        }
    }

    #[inline]
    pub fn count(&self, node: Node) -> u32 {
        match &self.counts {
            Counts::Own(counts) => counts[node.0 as usize],
            Counts::Heap(heap) => heap.tally(node.0).count,
        }
    }

    #[inline]
    pub fn state(&self, node: Node) -> NodeState {
        self.states[node.0 as usize].unpack()
    }

    pub fn object(&self, node: Node) -> ObjectIndex {
        self.objects.get(node.0 as usize).copied().unwrap_or(ObjectIndex(node.0))
    }

    #[inline]
    fn pairs<'a>(&'a self, slots: &'a [Slot], node: Node) -> Pairs<'a> {
        let row = self.row(node);
        self.targets[row.clone()].iter().zip(&slots[row])
    }

    #[inline]
    fn row(&self, node: Node) -> std::ops::Range<usize> {
        let node = node.0 as usize;
        self.rows[node] as usize..self.rows[node + 1] as usize
    }
}

impl Rows {
    /// What a node refers to and shows to the collector, in the order of the log.
    pub(super) fn shown(&self, node: u32) -> impl Iterator<Item = (Node, Slot)> + '_ {
        let hidden = self.hidden.partition_point(|reference| reference.from.0 < node);
        let hidden = self.hidden[hidden..].iter().take_while(move |reference| reference.from.0 == node);
        let mut hidden: Vec<(Node, Slot)> = hidden.map(|reference| (reference.to, reference.slot)).collect();
        let ends = self.rows.get(node as usize).zip(self.rows.get(node as usize + 1));
        let row = ends.map_or(0..0, |(&start, &end)| start as usize..end as usize);
        let row = self.targets[row.clone()].iter().copied().zip(self.slots[row].iter().copied());
        row.filter(move |reference| {
            let place = hidden.iter().position(|hidden| hidden == reference);
            place.map(|place| hidden.swap_remove(place)).is_none()
        })
    }
}

impl Reference {
    #[inline]
    fn of((&to, &slot): (&Node, &Slot)) -> Reference {
        Reference { to, slot }
    }
}

impl PackedState {
    pub(super) const VACANT: PackedState = PackedState(1);

    pub(super) fn of(state: NodeState) -> PackedState {
        PackedState(u8::from(state.vacant) | u8::from(state.pinned) << 1 | u8::from(state.tracked) << 2)
    }

    #[inline]
    fn unpack(self) -> NodeState {
        NodeState { vacant: self.0 & 1 != 0, pinned: self.0 & 2 != 0, tracked: self.0 & 4 != 0 }
    }
}

/// A row with the slots beside it.
type Pairs<'a> = std::iter::Zip<std::slice::Iter<'a, Node>, std::slice::Iter<'a, Slot>>;

/// The references of one row, in its order.
enum RowReferences<'a> {
    There(Pairs<'a>),
    Collected(std::vec::IntoIter<Reference>),
}

impl Iterator for RowReferences<'_> {
    type Item = Reference;

    #[inline]
    fn next(&mut self) -> Option<Reference> {
        match self {
            RowReferences::There(row) => row.next().map(Reference::of),
            RowReferences::Collected(references) => references.next(),
        }
    }

    /// In one step, however long the row is.
    #[inline]
    fn nth(&mut self, n: usize) -> Option<Reference> {
        match self {
            RowReferences::There(row) => row.nth(n).map(Reference::of),
            RowReferences::Collected(references) => references.nth(n),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            RowReferences::There(row) => row.size_hint(),
            RowReferences::Collected(references) => references.size_hint(),
        }
    }
}

impl ExactSizeIterator for RowReferences<'_> {}

impl Default for Slots {
    fn default() -> Self {
        Slots::Rows(Vec::new())
    }
}

impl Default for Counts {
    fn default() -> Self {
        Counts::Own(Vec::new())
    }
}
