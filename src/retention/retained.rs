//! Sums up who keeps how much alive: the dominator tree from the roots down, objects that look alike together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::{DominatorTree, RootPaths};
use crate::heap::label::attribute_of_key;
use crate::heap::{Heap, HeapGraph, Node, Observer, SnapshotKind};
use crate::trace::{References, Slot};

/// Groups that are told at most, those that retain most.
const MOST_GROUPS: usize = 400;

/// Steps below a root that are told at most.
const MOST_DEPTH: u32 = 16;

/// Who keeps how much alive, when the whole heap was last looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retained {
    pub event: u64,
    pub ns: Option<u64>,
    /// Of all that the roots reach.
    pub objects: u64,
    pub bytes: u64,
    /// Each after the one that it is below.
    pub groups: Vec<RetainedGroup>,
    /// Groups that are left out.
    pub left_out: u64,
}

/// Objects of one type that the same group keeps alive by references of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetainedGroup {
    /// Place in the list of the group that alone keeps these objects alive; `None` where no single one does.
    pub above: Option<usize>,
    /// `module svc`, `.cache`, `[*]`; empty where the group above refers to them through others.
    pub name: String,
    /// Full name of the type.
    pub type_name: String,
    pub objects: u64,
    /// Of these objects, and of all that goes with them.
    pub bytes: u64,
}

/// Watches a replay and keeps what the last look at the whole heap shows: give it to [`replay`](crate::heap::replay()).
///
/// A look costs the dominator tree: some visits to each reference, 50 bytes a node meanwhile.
#[derive(Debug, Default)]
pub struct RetainedTracker {
    last: Option<Retained>,
}

impl RetainedTracker {
    /// `None` where the whole heap was looked at nowhere, or where objects have no sizes.
    pub fn finish(self) -> Option<Retained> {
        self.last.filter(|last| last.bytes > 0)
    }
}

impl Observer for RetainedTracker {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        let is_last = match kind {
            SnapshotKind::End => true,
            SnapshotKind::FullCheckpoint => heap.header().references != References::Events,
            SnapshotKind::CollectionStart | SnapshotKind::Garbage => false,
        };
        if is_last {
            self.last = Some(Retained::of(heap, graph));
        }
    }
}

impl Retained {
    pub fn of(heap: &Heap, graph: &HeapGraph) -> Retained {
        let paths = RootPaths::of(heap, graph);
        let bytes = |node: Node| heap.all_bytes(graph.object(node));
        let tree = DominatorTree::of(graph, paths.roots(), bytes);
        drop(paths);
        let summary = Retained {
            event: heap.now().event,
            ns: heap.now().ns,
            objects: tree.nodes().len() as u64,
            bytes: tree.reachable_bytes(),
            ..Retained::default()
        };
        Expansion { heap, graph, rows: Rows::of(&tree, graph.n_nodes()), tree: &tree }.into_groups(summary)
    }
}

/// What is expanded, the group with most bytes first.
struct Expansion<'a> {
    heap: &'a Heap,
    graph: &'a HeapGraph,
    tree: &'a DominatorTree,
    rows: Rows,
}

/// A group that may still be told.
struct Candidate {
    group: RetainedGroup,
    nodes: Vec<Node>,
    depth: u32,
}

/// What is alike among the nodes below a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    type_name: String,
}

impl Expansion<'_> {
    fn into_groups(self, mut retained: Retained) -> Retained {
        let mut candidates: Vec<Option<Candidate>> = Vec::new();
        // Most bytes first, then the one that was found first, which is the same in every run.
        let mut queue: BinaryHeap<(u64, Reverse<usize>)> = BinaryHeap::new();
        let mut found = self.top();
        loop {
            for candidate in found {
                queue.push((candidate.group.bytes, Reverse(candidates.len())));
                candidates.push(Some(candidate));
            }
            if retained.groups.len() == MOST_GROUPS {
                retained.left_out += queue.len() as u64;
                return retained;
            }
            let next = queue.pop().and_then(|(_, Reverse(place))| candidates[place].take());
            let Some(Candidate { group, nodes, depth }) = next else { return retained };
            found = self.below(&nodes, retained.groups.len(), depth + 1);
            retained.groups.push(group);
            if depth == MOST_DEPTH {
                retained.left_out += std::mem::take(&mut found).len() as u64;
            }
        }
    }

    /// The objects that no single other one keeps alive: by the names that the trace has for them, else by type.
    fn top(&self) -> Vec<Candidate> {
        let mut groups: BTreeMap<Key, Vec<Node>> = BTreeMap::new();
        for &node in self.rows.of_roots() {
            let names = self.heap.root_names(self.graph.object(node));
            let name = if names.is_empty() { self.own_name(node) } else { Some(names.join(", ")) };
            groups.entry(self.key(node, name.unwrap_or_default())).or_default().push(node);
        }
        self.candidates(groups, None, 0)
    }

    /// What the nodes of a group keep alive, by the name of the reference that leads there.
    fn below(&self, nodes: &[Node], above: usize, depth: u32) -> Vec<Candidate> {
        let mut groups: BTreeMap<Key, Vec<Node>> = BTreeMap::new();
        let mut references = Vec::new();
        for &node in nodes {
            // An object and the dict of its attributes are one.
            let mut owners = vec![(node, false)];
            while let Some((owner, is_namespace)) = owners.pop() {
                self.graph.references_into(owner, &mut references);
                let slots: BTreeMap<Node, Slot> = references.iter().rev().map(|of| (of.to, of.slot)).collect();
                for &child in self.rows.below(owner.0 as usize) {
                    let slot = slots.get(&child).map(|&slot| self.heap.slot_name(slot)).unwrap_or_default();
                    if slot == ".__dict__" && !is_namespace {
                        owners.push((child, true));
                        continue;
                    }
                    let name = name(&slot, is_namespace).or_else(|| self.own_name(child));
                    groups.entry(self.key(child, name.unwrap_or(ANY.to_string()))).or_default().push(child);
                }
            }
        }
        self.candidates(groups, Some(above), depth)
    }

    fn candidates(&self, groups: BTreeMap<Key, Vec<Node>>, above: Option<usize>, depth: u32) -> Vec<Candidate> {
        let candidate = |(Key { name, type_name }, nodes): (Key, Vec<Node>)| {
            let retained = nodes.iter().filter_map(|&node| self.tree.retained_bytes(node));
            let bytes = retained.fold(0u64, u64::saturating_add);
            let group = RetainedGroup { above, name, type_name, objects: nodes.len() as u64, bytes };
            Candidate { group, nodes, depth }
        };
        groups.into_iter().map(candidate).collect()
    }

    fn key(&self, node: Node, name: String) -> Key {
        Key { name, type_name: self.heap.types().name(self.heap.class(self.graph.object(node))).to_string() }
    }

    /// `module svc`, `class Point`, `function handle`; `None` for what has no name of its own.
    fn own_name(&self, node: Node) -> Option<String> {
        let named = self.heap.named(self.graph.object(node));
        (named.name.is_some() || named.code.is_some()).then(|| named.label())
    }
}

/// Any index or key of a container.
const ANY: &str = "[*]";

/// The name of a reference, where it is no index and no key; a key of a namespace is an attribute.
fn name(slot: &str, is_namespace: bool) -> Option<String> {
    match is_namespace.then(|| attribute_of_key(slot)).flatten() {
        Some(attribute) => Some(attribute),
        None if slot.starts_with('[') => None,
        None => Some(slot.to_string()),
    }
}

/// For each node those that it immediately dominates.
struct Rows {
    starts: Vec<u32>,
    nodes: Vec<Node>,
}

impl Rows {
    /// The row behind those of the nodes is that of the roots.
    fn of(tree: &DominatorTree, n_nodes: usize) -> Rows {
        let row = |node: Node| tree.dominator(node).map_or(n_nodes, |above| above.0 as usize);
        let mut starts = vec![0u32; n_nodes + 2];
        for &node in tree.nodes() {
            starts[row(node)] += 1;
        }
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut nodes = vec![Node(0); tree.nodes().len()];
        for &node in tree.nodes().iter().rev() {
            let start = &mut starts[row(node)];
            *start -= 1;
            nodes[*start as usize] = node;
        }
        Rows { starts, nodes }
    }

    fn below(&self, node: usize) -> &[Node] {
        &self.nodes[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    fn of_roots(&self) -> &[Node] {
        self.below(self.starts.len() - 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;
    use insta::assert_snapshot;

    fn retained(script: &str) -> Retained {
        let mut tracker = RetainedTracker::default();
        play(script, &mut tracker);
        tracker.finish().unwrap()
    }

    /// `name type × objects: bytes`, below what keeps it alive.
    fn drawn(retained: &Retained) -> String {
        let mut lines = Vec::new();
        let mut open: Vec<(usize, usize)> = (0..retained.groups.len())
            .rev()
            .filter(|&at| retained.groups[at].above.is_none())
            .map(|at| (at, 0))
            .collect();
        while let Some((at, depth)) = open.pop() {
            let RetainedGroup { name, type_name, objects, bytes, .. } = &retained.groups[at];
            lines.push(format!("{}{name} {type_name} × {objects}: {bytes}", "  ".repeat(depth)));
            let below = (0..retained.groups.len()).rev().filter(|&other| retained.groups[other].above == Some(at));
            open.extend(below.map(|other| (other, depth + 1)));
        }
        lines.join("\n")
    }

    /// A module with a cache of two rows, one of which leads to a text; a text that two modules have; garbage.
    const CACHE: &str = "
        type 1 module
        type 2 dict
        type 3 app.Row
        type 4 str
        alloc 1 1 72
        name 1 app
        alloc 2 2 200
        alloc 3 2 64
        alloc 10 3 48
        alloc 11 3 48
        alloc 20 4 1000
        alloc 21 4 60
        alloc 5 1 72
        name 5 web
        alloc 30 3 5000
        ref 30 30 .me
        ref 1 2 .__dict__
        ref 2 3 ['CACHE']
        ref 2 21 ['NAME']
        ref 3 10 ['x']
        ref 3 11 ['y']
        ref 11 20 .text
        ref 5 21 .NAME
        root 1 global:app
        root 5 global:web
    ";

    #[test]
    fn each_object_is_below_what_alone_keeps_it_alive() {
        let retained = retained(CACHE);
        assert_snapshot!(drawn(&retained), @"
        global:app module × 1: 1432
          .CACHE dict × 1: 1160
            [*] app.Row × 2: 1096
              .text str × 1: 1000
        global:web module × 1: 72
         str × 1: 60
        ");
        assert_eq!((retained.objects, retained.bytes, retained.left_out), (8, 1_564, 0));
    }

    #[test]
    fn of_very_many_groups_those_are_told_that_retain_most() {
        let mut script = String::from("type 1 dict\nalloc 1 1 64\nroot 1 global:app\n");
        for nth in 0..1_000 {
            script.push_str(&format!("type {0} app.C{0}\nalloc {0:x} {0} {0}\nref 1 {0:x} ['k']\n", nth + 100));
        }
        let retained = retained(&script);
        assert_eq!((retained.groups.len(), retained.left_out), (400, 601));
        assert_eq!(retained.groups[1].type_name, "app.C1099");
    }

    #[test]
    fn a_long_chain_is_followed_as_far_as_a_page_is_deep() {
        let mut script = String::from("type 1 Link\nalloc 1 1 48\nroot 1 local:main.head\n");
        for nth in 2..100_000 {
            script.push_str(&format!("alloc {nth:x} 1 48\nref {:x} {nth:x} .next\n", nth - 1));
        }
        let retained = retained(&script);
        assert_eq!((retained.groups.len(), retained.left_out), (17, 1));
        assert_eq!((retained.bytes, retained.groups[0].bytes), (48 * 99_999, 48 * 99_999));
    }
}
