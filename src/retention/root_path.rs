//! Finds the shortest path from a root that keeps an object alive.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use foldhash::quality;

use crate::heap::label::attribute_of_key;
use crate::heap::{External, Heap, HeapGraph, Node, NodeSet, ObjectIndex, Reference};
use crate::trace::{ObjectFlags, Slot, TypeId};

/// Why an object is alive: a root, and the references that lead from it to the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootPath {
    pub root: RootKind,
    /// The root first, the object that was asked for last. Instance dicts are no steps of their own.
    pub steps: Vec<RootStep>,
}

/// What makes the first object of a path a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootKind {
    /// Named external references: `global:app.cache`.
    Named(Vec<String>),
    /// So many references from outside the recorded objects: variables on the stack, C globals, the interpreter.
    External(u32),
    /// The interpreter never frees it.
    Immortal,
    /// Its count is not known, or nothing has referred to it yet.
    Unknown,
}

/// One object of a path, and the reference that leads on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootStep {
    pub object: ObjectIndex,
    /// The producer's tag, an address with CPython.
    pub address: u64,
    /// `Order`, `function make_order`, `class Point`.
    pub label: String,
    /// The full name of a class or module: `app.Order`; empty for anything else.
    pub object_name: String,
    pub type_name: String,
    /// `.items`, `['key']`, `[3]`, ` element`: what follows the label. Empty at the last object.
    pub slot: String,
}

const NONE: u32 = u32::MAX;

/// The root of all modules.
const MODULES: &str = "sys.modules";

/// How the name of a root begins that is a variable of a function that runs.
const LOCAL: &str = "local:";

/// Steps of a path that may repeat together: an instance, its dict, and a list in it.
pub(super) const LONGEST_REPEAT: usize = 3;

/// A way from a root, at whatever index or key: a hash of the types and the names of the references. The same at each look at
/// one heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape(u64);

/// The shapes of the ways to nodes that a root reaches.
#[derive(Debug)]
pub struct Shapes {
    /// By place in [`RootPaths::reached`]: of the nodes that were asked for, and of those on the ways to them.
    pub of: Vec<Shape>,
    /// By place the name of the reference by which each of these is reached.
    pub slots: Vec<Slot>,
    repeated: HashSet<Shape, FixedState>,
}

impl Shapes {
    /// Some of the nodes that are reached so are so by a reference that is followed again and again.
    pub fn repeats(&self, shape: Shape) -> bool {
        self.repeated.contains(&shape)
    }
}

/// Nodes whose paths look alike, the nearest first.
#[derive(Debug)]
pub struct Alike {
    pub nodes: Vec<Node>,
    /// That of the first in [`RootPaths::reached`].
    pub place: usize,
    /// See [`Shapes::repeats`].
    pub repeats: bool,
}

/// The shortest path from a root to each object of a frozen graph.
///
/// It is one from a named root, if one reaches the object, though a variable of a function that runs or C code may be nearer; of
/// several the first in the order of the graph.
pub struct RootPaths<'a> {
    heap: &'a Heap,
    graph: &'a HeapGraph,
    external: External,
    roots: Vec<Node>,
    /// The nodes that a root reaches: first those that a named one does, the nearest first.
    queue: Vec<Node>,
    /// By place in the queue: the place of the referrer, and which of its references it was.
    came: Vec<(u32, u32)>,
}

impl<'a> RootPaths<'a> {
    /// Costs one visit to each reference, 12 bytes a node.
    pub fn of(heap: &'a Heap, graph: &'a HeapGraph) -> RootPaths<'a> {
        let external = External::of(graph);
        let is_alive = |&node: &Node| external.is_root(graph, node) || external.is_newborn(graph, node);
        // Modules lead to what has a name in the program; then what else has a name for as long as it runs, variables of functions
        // that run, and what has no name.
        let mut by_kind: [Vec<Node>; 4] = Default::default();
        for root in graph.nodes().filter(is_alive) {
            let names = heap.root_names(graph.object(root));
            let kind = match names.as_slice() {
                [] => 3,
                names if names.iter().all(|name| name.starts_with(LOCAL)) => 2,
                names if names.contains(&MODULES) => 0,
                _ => 1,
            };
            by_kind[kind].push(root);
        }
        let roots = by_kind.concat();
        let (mut queue, mut came) = (Vec::with_capacity(graph.n_nodes()), Vec::with_capacity(graph.n_nodes()));
        let mut seen = vec![false; graph.n_nodes()];
        let mut head = 0;
        for roots in by_kind {
            let news = roots.into_iter().filter(|root| !std::mem::replace(&mut seen[root.0 as usize], true));
            queue.extend(news);
            came.resize(queue.len(), (NONE, 0u32));
            while let Some(&node) = queue.get(head) {
                for (nth, referent) in graph.referents(node).iter().enumerate() {
                    if !std::mem::replace(&mut seen[referent.0 as usize], true) {
                        queue.push(*referent);
                        came.push((head as u32, nth as u32));
                    }
                }
                head += 1;
            }
        }
        RootPaths { heap, graph, external, roots, queue, came }
    }

    pub fn roots(&self) -> &[Node] {
        &self.roots
    }

    /// Those of these nodes that a root reaches, together where their paths look alike: the same types and attributes, at
    /// whatever index or key. The shape reached first comes first, and so does the nearest node of each.
    ///
    /// `shapes` are those of these nodes at least. Costs one visit to each node that a root reaches.
    pub fn alike(&self, shapes: &Shapes, targets: &[Node]) -> Vec<Alike> {
        let mut is_target = vec![false; self.graph.n_nodes()];
        targets.iter().for_each(|target| is_target[target.0 as usize] = true);
        let mut number: HashMap<Shape, usize, FixedState> = HashMap::default();
        let mut groups: Vec<Alike> = Vec::new();
        for (place, (&node, &shape)) in self.queue.iter().zip(&shapes.of).enumerate() {
            if is_target[node.0 as usize] {
                let group = *number.entry(shape).or_insert_with(|| {
                    groups.push(Alike { nodes: Vec::new(), place, repeats: shapes.repeats(shape) });
                    groups.len() - 1
                });
                groups[group].nodes.push(node);
            }
        }
        groups
    }

    /// The nodes that a root reaches: first those that a named one does, the nearest first.
    pub fn reached(&self) -> &[Node] {
        &self.queue
    }

    /// The place in [`RootPaths::reached`] of the node by which the one at this place is reached; `None` of a root.
    pub fn referrer(&self, place: usize) -> Option<usize> {
        let (from, _) = self.came[place];
        (from != NONE).then_some(from as usize)
    }

    /// What the node at `place` refers to, into a buffer that is emptied first.
    pub fn references_into(&self, place: usize, references: &mut Vec<Reference>) {
        self.graph.references_into(self.queue[place], references);
    }

    /// The node at `place` is reached by this reference of that at `referrer`.
    pub fn is_by(&self, place: usize, referrer: usize, nth: usize) -> bool {
        self.came[place] == (referrer as u32, nth as u32)
    }

    /// It stands for an index or a key, and is not the name of anything.
    pub fn is_key(&self, slot: Slot) -> bool {
        slot.as_index().is_some() || Name::of(&self.heap.slot_name(slot)) == Name::Key
    }

    /// It leads to the dict in which an instance, a class or a module has its attributes.
    pub fn is_to_namespace(&self, slot: Slot) -> bool {
        slot.as_index().is_none() && Name::of(&self.heap.slot_name(slot)) == Name::Dict
    }

    /// The name of the reference by which the node at each of these places, in their order, is reached. A row is read once for
    /// all that it leads to, which stand side by side.
    fn reached_by(&self, places: impl Iterator<Item = usize>) -> impl Iterator<Item = (usize, Slot)> {
        let (mut row, mut row_of) = (Vec::new(), NONE);
        places.map(move |place| {
            let (from, nth) = self.came[place];
            if from == NONE {
                return (place, Slot::UNNAMED);
            }
            if row_of != from {
                self.graph.references_into(self.queue[from as usize], &mut row);
                row_of = from;
            }
            (place, row.get(nth as usize).map_or(Slot::UNNAMED, |reference| reference.slot))
        })
    }

    /// The label of the node at `place`: `module app`.
    pub fn label(&self, place: usize) -> String {
        self.heap.named(self.graph.object(self.queue[place])).label()
    }

    /// By place: the node is one of these, or reached through one of them.
    pub fn reached_through(&self, nodes: &NodeSet) -> Vec<bool> {
        let mut through = vec![false; self.queue.len()];
        // A node stands behind the one by which it is reached.
        for (place, &node) in self.queue.iter().enumerate() {
            let referrer = self.referrer(place);
            through[place] = nodes.contains(node) || referrer.is_some_and(|referrer| through[referrer]);
        }
        through
    }

    /// The path to the node at `target`, which is or is reached through what the node at `place` refers to by this reference. Both were
    /// asked for.
    pub fn by(&self, shapes: &Shapes, place: usize, nth: usize, target: usize) -> RootPath {
        let steps = |place| self.steps(place, |place| shapes.slots[place]);
        let mut all = steps(place);
        let reference = self.graph.references(self.queue[place]).nth(nth);
        if let (Some(reference), Some(last)) = (reference, all.last_mut()) {
            last.2 = self.heap.slot_name(reference.slot).into_owned();
            let mut behind = steps(target);
            let from = behind.iter().rposition(|step| step.0 == reference.to).unwrap_or(0);
            all.extend(behind.drain(from..));
        }
        self.path_of(all)
    }

    /// The path to the node at `place`, which was asked for.
    pub fn path(&self, shapes: &Shapes, place: usize) -> RootPath {
        self.path_of(self.steps(place, |place| shapes.slots[place]))
    }

    /// The nodes from the root to the one at `last`, each with its object and the slot that leads on: `slot` names the reference by
    /// which the node at a place is reached.
    fn steps(&self, last: usize, slot: impl Fn(usize) -> Slot) -> Vec<(Node, ObjectIndex, String)> {
        let way = std::iter::successors(Some(last), |&place| self.referrer(place));
        let mut places: Vec<usize> = way.collect();
        places.reverse();
        let behind = places[1..].iter().map(|&place| self.heap.slot_name(slot(place)).into_owned());
        let slots: Vec<String> = behind.chain([String::new()]).collect();
        let step = |(&place, slot)| (self.queue[place], self.graph.object(self.queue[place]), slot);
        places.iter().zip(slots).map(step).collect()
    }

    /// The name of the reference by which the node at `place` is reached, from the row of its referrer.
    fn slot(&self, place: usize) -> Slot {
        let (from, nth) = self.came[place];
        let referrer = self.queue.get(from as usize);
        let reference = referrer.and_then(|&referrer| self.graph.references(referrer).nth(nth as usize));
        reference.map_or(Slot::UNNAMED, |reference| reference.slot)
    }

    fn path_of(&self, steps: Vec<(Node, ObjectIndex, String)>) -> RootPath {
        let root =
            steps.first().map_or(RootKind::Unknown, |root| root_kind(self.heap, self.graph, &self.external, root.0));
        RootPath { root, steps: fold(self.heap, steps) }
    }

    /// What makes a node a root; `None` of one that is none.
    pub fn as_root(&self, node: Node) -> Option<RootKind> {
        self.external.is_root(self.graph, node).then(|| root_kind(self.heap, self.graph, &self.external, node))
    }

    /// How each of the [reached](RootPaths::reached) nodes that are asked for, by place and type, is reached, and each on the way to
    /// one. A reference that is followed again and again, as in a linked list or a tree, is so once: all nodes of a list have one shape.
    pub fn shapes(&self, is_asked: impl Fn(usize, TypeId) -> bool) -> Shapes {
        // By place. The heap has them in another order, so each is looked up once.
        let classes: Vec<TypeId> = self.queue.iter().map(|&node| self.heap.class(self.graph.object(node))).collect();
        let on_a_way = self.on_the_ways(|place| is_asked(place, classes[place]));
        let mut repeated = HashSet::default();
        let hasher = quality::FixedState::default();
        let mut shapes = vec![Shape(0); self.queue.len()];
        let mut slots = vec![Slot::UNNAMED; self.queue.len()];
        // The last step to each node: its type, and the name of the reference.
        let mut steps = vec![0u64; self.queue.len()];
        // Dicts that an instance, a class or a module has its attributes in: their keys are names that somebody wrote.
        let mut is_namespace = vec![false; self.queue.len()];
        let mut names: HashMap<Slot, Name, FixedState> = HashMap::default();
        let asked_places = (0..self.queue.len()).filter(|&place| on_a_way[place]);
        for (place, slot) in self.reached_by(asked_places) {
            slots[place] = slot;
            let (from, _) = self.came[place];
            let class = classes[place].0;
            if from == NONE {
                let node = self.queue[place];
                steps[place] = hasher.hash_one((class, self.heap.root_names(self.graph.object(node))));
                shapes[place] = Shape(steps[place]);
                continue;
            }
            let name = match slot.as_index() {
                Some(_) => Name::Key,
                None => *names.entry(slot).or_insert_with(|| Name::of(&self.heap.slot_name(slot))),
            };
            is_namespace[place] = name == Name::Dict;
            let any = name == Name::Key && !is_namespace[from as usize];
            // An object and the next of its type, as in a tree, by whatever attribute.
            let owner = if is_namespace[from as usize] { self.came[from as usize].0 } else { from };
            let is_next = classes.get(owner as usize) == Some(&classes[place]);
            steps[place] = hasher.hash_one((class, (!any && !is_next).then(|| slot.raw()), is_next));
            shapes[place] = match self.repeated(place, &steps) {
                Some(earlier) => {
                    repeated.insert(shapes[earlier]);
                    shapes[earlier]
                }
                None => Shape(hasher.hash_one((shapes[from as usize].0, steps[place]))),
            };
        }
        Shapes { of: shapes, slots, repeated }
    }

    /// By place: the node is asked for, or one that is asked for is reached through it.
    fn on_the_ways(&self, is_asked: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut on_a_way: Vec<bool> = (0..self.queue.len()).map(is_asked).collect();
        // A node stands behind the one by which it is reached.
        for place in (0..self.queue.len()).rev() {
            if on_a_way[place]
                && let Some(referrer) = self.referrer(place)
            {
                on_a_way[referrer] = true;
            }
        }
        on_a_way
    }

    /// The place of the node from which the same steps led here as had led to it: `.next` and `.next`, or `.children`, `[*]`
    /// and `.children`, `[*]` again.
    fn repeated(&self, place: usize, steps: &[u64]) -> Option<usize> {
        let mut above =
            std::iter::successors(self.referrer(place), |&place| self.referrer(place)).zip(1..=LONGEST_REPEAT);
        above.find(|&(earlier, length)| self.are_alike(place, earlier, length, steps)).map(|(earlier, _)| earlier)
    }

    /// The last steps to one place are those to the other.
    fn are_alike(&self, mut late: usize, mut early: usize, length: usize, steps: &[u64]) -> bool {
        (0..length).all(|_| {
            let are_alike = steps[late] == steps[early];
            // A root is reached by no step.
            match (self.referrer(late), self.referrer(early)) {
                (Some(before_late), Some(before_early)) if are_alike => {
                    (late, early) = (before_late, before_early);
                    true
                }
                _ => false,
            }
        })
    }

    /// The paths to those of these nodes that a root reaches, the nearest first.
    pub fn to(&self, is_target: impl Fn(Node) -> bool) -> impl Iterator<Item = (Node, RootPath)> {
        let places = (0..self.queue.len()).filter(move |&place| is_target(self.queue[place]));
        places.map(|place| (self.queue[place], self.path_of(self.steps(place, |place| self.slot(place)))))
    }
}

/// What the name of a reference says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// An index or a key.
    Key,
    /// `.__dict__`.
    Dict,
    Attribute,
}

impl Name {
    fn of(slot: &str) -> Name {
        match slot {
            ".__dict__" => Name::Dict,
            slot if slot.starts_with('[') => Name::Key,
            _ => Name::Attribute,
        }
    }
}

/// The shortest path from a root to the nearest of `targets`; `None` if no root reaches any of them.
pub fn path_from_root(heap: &Heap, graph: &HeapGraph, targets: &[Node]) -> Option<RootPath> {
    let mut is_target = vec![false; graph.n_nodes()];
    for target in targets {
        is_target[target.0 as usize] = true;
    }
    RootPaths::of(heap, graph).to(|node| is_target[node.0 as usize]).next().map(|(_, path)| path)
}

fn root_kind(heap: &Heap, graph: &HeapGraph, external: &External, root: Node) -> RootKind {
    let object = graph.object(root);
    let names: Vec<String> = heap.root_names(object).into_iter().map(str::to_string).collect();
    match external.references(graph, root) {
        _ if !names.is_empty() => RootKind::Named(names),
        _ if heap.object(object).flags.has(ObjectFlags::IMMORTAL) => RootKind::Immortal,
        0 => RootKind::Unknown,
        references => RootKind::External(references),
    }
}

/// `obj .__dict__`, `dict ['x']` becomes `obj .x`.
fn fold(heap: &Heap, steps: Vec<(Node, ObjectIndex, String)>) -> Vec<RootStep> {
    let mut folded: Vec<RootStep> = Vec::with_capacity(steps.len());
    for (_, index, slot) in steps {
        let object = heap.object(index);
        let type_name = heap.types().name(object.class);
        if let Some(owner) = folded.last_mut().filter(|owner| owner.slot == ".__dict__" && type_name == "dict")
            && let Some(attribute) = attribute_of_key(&slot)
        {
            owner.slot = attribute;
            continue;
        }
        let apart = if slot.is_empty() || slot.starts_with(['.', '[']) { "" } else { " " };
        folded.push(RootStep {
            object: index,
            address: object.address,
            label: heap.named(index).label(),
            object_name: heap.name(index).unwrap_or_default().to_string(),
            type_name: type_name.to_string(),
            slot: format!("{apart}{slot}"),
        });
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;
    use crate::heap::{Observer, SnapshotKind};
    use insta::assert_snapshot;

    /// Asks for the path to all objects of a type at the last snapshot.
    struct Why {
        class: &'static str,
        told: String,
    }

    impl Observer for Why {
        fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, _: SnapshotKind) {
            let is_of_class =
                |&node: &Node| !graph.state(node).vacant && name_of(heap, graph.object(node)) == self.class;
            let targets: Vec<Node> = graph.nodes().filter(is_of_class).collect();
            self.told = path_from_root(heap, graph, &targets).map_or("nothing".to_string(), |path| {
                let steps = path.steps.iter().map(|step| format!("{}{}", step.label, step.slot));
                format!("{:?}: {}", path.root, steps.collect::<Vec<_>>().join(" → "))
            });
        }
    }

    fn name_of(heap: &Heap, index: ObjectIndex) -> &str {
        heap.types().name(heap.object(index).class)
    }

    fn why(class: &'static str, script: &str) -> String {
        let mut why = Why { class, told: String::new() };
        play(script, &mut why);
        why.told
    }

    const CACHE: &str = "
        type 1 app.Cache
        type 2 dict
        type 3 app.Entry
        type 4 module
        alloc 1 4 72
        name 1 app
        alloc 2 2 200
        alloc 3 1 48
        alloc 4 2 200
        alloc 5 3 48
        ref 1 2 .__dict__
        ref 2 3 ['cache']
        ref 3 4 .entries
        ref 4 5 ['first']
    ";

    #[test]
    fn an_object_is_alive_by_the_shortest_path_from_a_root() {
        let named = format!("{CACHE}root 1 global:app");
        assert_snapshot!(why("app.Entry", &named), @"Named([\"global:app\"]): module app.cache → Cache.entries → dict['first'] → Entry");
        assert_snapshot!(why("app.Entry", &format!("{CACHE}incref 4")), @"External(1): dict['first'] → Entry");
        let both = format!("{named}\nincref 4");
        assert_eq!(
            why("app.Entry", &both),
            why("app.Entry", &named),
            "a name says more than a nearer root without one"
        );
        let local = "incref 5\nroot 5 local:main.entry";
        assert_snapshot!(why("app.Entry", &format!("{CACHE}{local}")), @"Named([\"local:main.entry\"]): Entry");
        let both = format!("{named}\n{local}");
        assert_eq!(why("app.Entry", &both), why("app.Entry", &named), "it stays when the function has returned");
        assert_snapshot!(why("app.Gone", &named), @"nothing");
    }

    #[test]
    fn what_no_root_reaches_has_no_path() {
        let script = "type 1 A\nalloc 1 1 48\nref 1 1 .me";
        assert_snapshot!(why("A", script), @"nothing");
        assert_snapshot!(why("A", &format!("{script}\ncount 1 1 immortal")), @"Immortal: A");
    }
}
