//! Answers why objects are alive: by which paths from a root, how many by each, and how much would go with them.

use super::holders::{self, Holder};
use super::root_path::Alike;
use super::{DominatorTree, RootPath, RootPaths};
use crate::heap::{Heap, HeapGraph, Node, Observer, SnapshotKind};

/// Which objects are asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Objects of this type, by its full name.
    Type(String),
    /// The object with this tag.
    Object(u64),
}

/// Watches a replay and keeps the answer of the last whole graph in which the target was alive.
#[derive(Debug)]
pub struct Query {
    target: Target,
    answer: Option<Answer>,
}

/// Why objects are alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Full name of the type of the first of them.
    pub type_name: String,
    /// Event of the graph that shows it.
    pub event: u64,
    /// Objects that were asked about and are alive there.
    pub alive: u64,
    /// How they are reached: most objects first.
    pub ways: Vec<Way>,
    /// Ways that are left out, and the objects that are reached by them.
    pub more_ways: u64,
    pub more_objects: u64,
    /// Objects that no root reaches.
    pub unreached: u64,
    /// Counts are known, so that only a loop keeps those alive.
    pub counted: bool,
}

/// Paths that look alike, at whatever index or key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    pub objects: u64,
    /// Some of them are reached by the last references of the path again and again, as in a linked list.
    pub repeats: bool,
    /// Of the objects themselves, and of all that only they keep alive.
    pub bytes: u64,
    pub retained_bytes: u64,
    /// The shortest of the paths.
    pub path: RootPath,
    /// Who holds them besides: they stay alive where the last reference of their path is cut.
    pub others: Vec<Holder>,
    /// Holders that are left out.
    pub more_others: u64,
}

/// Ways that are kept.
const MOST_WAYS: usize = 10;

impl Way {
    /// What the paths have in common: `APP.cache.store[*]`, `LIST.head.next…`.
    pub fn pattern(&self) -> String {
        let pattern = self.path.pattern();
        if self.repeats && !pattern.ends_with('…') { pattern + "…" } else { pattern }
    }
}

impl Query {
    pub fn about(target: Target) -> Query {
        Query { target, answer: None }
    }

    /// `None` where the target was alive at no snapshot.
    pub fn finish(self) -> Option<Answer> {
        self.answer
    }
}

impl Observer for Query {
    /// Costs a path to each target, and two visits to each reference.
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        if kind == SnapshotKind::Garbage {
            return;
        }
        let is_asked = |node: Node| {
            !graph.state(node).vacant && {
                let object = heap.object(graph.object(node));
                match &self.target {
                    Target::Type(name) => heap.types().name(object.class) == name,
                    Target::Object(address) => object.address == *address,
                }
            }
        };
        let asked: Vec<Node> = graph.nodes().filter(|&node| is_asked(node)).collect();
        let Some(&first) = asked.first() else { return };
        let alive = asked.len() as u64;
        let type_name = heap.types().name(heap.object(graph.object(first)).class).to_string();
        let counted = heap.header().references.show_garbage();
        self.answer = Some(answer(
            heap,
            graph,
            &asked,
            Answer { event: heap.now().event, alive, counted, ..Answer::of(type_name) },
        ));
    }
}

impl Answer {
    fn of(type_name: String) -> Answer {
        Answer {
            type_name,
            event: 0,
            alive: 0,
            ways: Vec::new(),
            more_ways: 0,
            more_objects: 0,
            unreached: 0,
            counted: true,
        }
    }
}

/// Fills in how the objects are reached.
fn answer(heap: &Heap, graph: &HeapGraph, asked: &[Node], answer: Answer) -> Answer {
    let paths = RootPaths::of(heap, graph);
    let shapes = paths.shapes(|_, _| true);
    let mut groups = paths.alike(&shapes, asked);
    let objects = |groups: &[Alike]| groups.iter().map(|group| group.nodes.len() as u64).sum::<u64>();
    let reached = objects(&groups);
    groups.sort_by_key(|group| std::cmp::Reverse(group.nodes.len()));
    let more = groups.split_off(groups.len().min(MOST_WAYS));
    let bytes = |node: Node| heap.all_bytes(graph.object(node));
    let tree = DominatorTree::of(graph, paths.roots(), bytes);
    let above = above(&tree, &groups, graph.n_nodes());
    let others = holders::of(&paths, &shapes, &groups, &tree);
    let ways = groups.iter().zip(others).enumerate().map(|(way, (group, others))| {
        let sum = |of: &dyn Fn(Node) -> u64| group.nodes.iter().fold(0u64, |sum, &node| sum.saturating_add(of(node)));
        Way {
            objects: group.nodes.len() as u64,
            repeats: group.repeats,
            bytes: sum(&bytes),
            // What goes with another of them is counted there.
            retained_bytes: sum(&|node| match above[node.0 as usize] & 1 << way {
                0 => tree.retained_bytes(node).unwrap_or(0),
                _ => 0,
            }),
            path: paths.path(&shapes, group.place),
            others: others.holders,
            more_others: others.more,
        }
    });
    Answer {
        ways: ways.collect(),
        more_ways: more.len() as u64,
        more_objects: objects(&more),
        unreached: answer.alive - reached,
        ..answer
    }
}

/// For each node the ways that have an object among its dominators, a bit for each.
fn above(tree: &DominatorTree, ways: &[Alike], n_nodes: usize) -> Vec<u32> {
    const { assert!(MOST_WAYS <= 32) };
    let mut of_way = vec![0; n_nodes];
    for (way, group) in ways.iter().enumerate() {
        group.nodes.iter().for_each(|node| of_way[node.0 as usize] = 1 << way);
    }
    let mut above = vec![0; n_nodes];
    for &node in tree.nodes() {
        if let Some(dominator) = tree.dominator(node) {
            let place = dominator.0 as usize;
            above[node.0 as usize] = of_way[place] | above[place];
        }
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::testing::play;
    use crate::retention::Hold;

    fn why(target: Target, script: &str) -> Answer {
        let mut query = Query::about(target);
        play(script, &mut query);
        query.finish().unwrap()
    }

    /// A module with a cache of three rows, one of which leads to another, and a row of its own.
    const ROWS: &str = "
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
        alloc 12 3 48
        alloc 13 3 48
        alloc 20 4 1000
        ref 1 2 .__dict__
        ref 2 3 ['CACHE']
        ref 2 10 ['FIRST']
        ref 3 11 ['x']
        ref 3 12 ['y']
        ref 12 13 .next
        ref 13 20 .text
        root 1 global:app
    ";

    #[test]
    fn most_objects_come_first_and_not_the_one_nearest_to_a_root() {
        let answer = why(Target::Type("app.Row".to_string()), ROWS);
        assert_eq!((answer.alive, answer.unreached), (4, 0));
        let ways: Vec<(u64, u64, u64, String)> =
            answer.ways.iter().map(|way| (way.objects, way.bytes, way.retained_bytes, way.path.expression())).collect();
        // A row that is reached by another way goes with the one that leads to it, and keeps as much by itself.
        let cached = (2, 96, 48 + 48 + 48 + 1_000, "app.CACHE['x']".to_string());
        let first = (1, 48, 48, "app.FIRST".to_string());
        let next = (1, 48, 48 + 1_000, "app.CACHE['y'].next".to_string());
        assert_eq!(ways, [cached, first, next]);
        assert_eq!(answer.ways[0].path.pattern(), "app.CACHE[*]");
    }

    #[test]
    fn who_holds_them_besides_is_told_and_what_only_they_keep_alive_is_nobody() {
        // A list has both cached rows as well, a variable one of them; the row that is next refers back.
        let more = "alloc 4 2 64\nref 2 4 ['INDEX']\nref 4 11 [0]\nref 4 12 [1]\nincref 12\nref 13 12 .previous\n";
        let answer = why(Target::Type("app.Row".to_string()), &format!("{ROWS}{more}"));
        let others = |way: usize| {
            let text = |other: &Holder| match &other.by {
                Hold::Path(path) => (other.objects, path.pattern()),
                Hold::Root(root) => (other.objects, format!("{root:?}")),
            };
            answer.ways[way].others.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(answer.ways[0].path.pattern(), "app.CACHE[*]");
        assert_eq!(others(0), [(2, "app.INDEX[*]".to_string()), (1, "External(1)".to_string())]);
        assert_eq!((others(1), others(2)), (vec![], vec![]));
    }

    #[test]
    fn who_holds_what_is_on_the_way_to_them_is_told_behind_who_holds_them() {
        // Boxes in a dict and in a list, each with a row; one row is in another list too; others know the module.
        let mut script = String::from(
            "type 1 module\ntype 2 dict\ntype 3 app.Row\ntype 4 list\ntype 5 app.Box\ntype 6 function\n\
             alloc 1 1 72\nname 1 app\nalloc 2 2 200\nalloc 3 2 64\nalloc 4 4 64\nalloc 5 4 64\nalloc 6 6 64\n\
             ref 1 2 .__dict__\nref 2 3 ['CACHE']\nref 2 4 ['INDEX']\nref 2 5 ['ROWS']\nroot 1 global:app\n\
             ref 2 6 ['work']\nref 6 2 .__globals__\nref 4 3 [9]\n",
        );
        for n in 0..3u64 {
            let (boxed, row) = (0x10 + n, 0x20 + n);
            script.push_str(&format!("alloc {boxed:x} 5 48\nalloc {row:x} 3 48\nref 3 {boxed:x} [{n}]\n"));
            script.push_str(&format!("ref 4 {boxed:x} [{n}]\nref {boxed:x} {row:x} .row\n"));
        }
        script.push_str("ref 5 20 [0]\n");
        let answer = why(Target::Type("app.Row".to_string()), &script);
        let text = |other: &Holder| match &other.by {
            Hold::Path(path) => (other.objects, path.pattern()),
            Hold::Root(root) => (other.objects, format!("{root:?}")),
        };
        let ways: Vec<(String, Vec<(u64, String)>)> =
            answer.ways.iter().map(|way| (way.pattern(), way.others.iter().map(text).collect())).collect();
        let cached = vec![(2, "app.INDEX[*].row".to_string()), (2, "app.INDEX[*][*].row".to_string())];
        let other = vec![(1, "app.CACHE[*].row".to_string())];
        assert_eq!(ways, [("app.CACHE[*].row".to_string(), cached), ("app.ROWS[*]".to_string(), other)]);
    }

    #[test]
    fn rows_of_two_long_lists_that_refer_to_what_holds_these_are_told_in_time() {
        // Quadratic work would take minutes.
        const ROWS: u64 = 30_000;
        let mut script = String::from(
            "type 1 module\ntype 2 dict\ntype 3 app.Row\ntype 4 list\ntype 5 app.Table\n\
             alloc 1 1 72\nname 1 app\nalloc 2 2 200\nref 1 2 .__dict__\nroot 1 global:app\n\
             alloc 3 5 48\nalloc 4 5 48\nalloc 5 4 64\nalloc 6 4 64\n\
             ref 2 3 ['A']\nref 2 4 ['B']\nref 3 5 .rows\nref 4 6 .rows\n",
        );
        for n in 0..ROWS {
            let row = 0x10 + n;
            script.push_str(&format!("alloc {row:x} 3 48\nref 5 {row:x} [{n}]\nref 6 {row:x} [{n}]\n"));
            script.push_str(&format!("ref {row:x} 3 .a\nref {row:x} 4 .b\nref 2 {row:x} ['row{n}']\n"));
        }
        let answer = why(Target::Type("app.Row".to_string()), &script);
        assert_eq!((answer.alive, answer.ways.len(), answer.more_ways), (ROWS, 10, ROWS - 10));
        let others = answer.ways[0].others.iter().map(|other| match &other.by {
            Hold::Path(path) => path.pattern(),
            Hold::Root(root) => format!("{root:?}"),
        });
        assert_eq!(others.collect::<Vec<_>>(), ["app.A.rows[*]", "app.B.rows[*]"]);
    }

    #[test]
    fn the_way_itself_is_no_other_holder_and_one_that_looks_like_another_is_there_once() {
        // Both rows are in the list twice, and in two lists of another list.
        let mut script = String::from(
            "type 1 module\ntype 2 dict\ntype 3 app.Row\ntype 4 list\nalloc 1 1 72\nname 1 app\nalloc 2 2 200\n\
             alloc 4 4 64\nalloc 5 4 64\nalloc 6 4 64\nalloc 7 4 64\nalloc 10 3 48\nalloc 11 3 48\nref 1 2 .__dict__\n\
             ref 2 4 ['ROWS']\nref 2 5 ['PAGES']\nref 5 6 [0]\nref 5 7 [1]\nroot 1 global:app\n",
        );
        for (place, row) in ["10", "11", "10", "11"].into_iter().enumerate() {
            script.push_str(&format!("ref 4 {row} [{place}]\nref {} {row} [{place}]\n", 6 + place / 2));
        }
        let answer = why(Target::Type("app.Row".to_string()), &script);
        let [way] = answer.ways.as_slice() else { panic!("{answer:?}") };
        let others: Vec<(u64, String)> = { way.others.iter() }
            .filter_map(|other| match &other.by {
                Hold::Path(path) => Some((other.objects, path.pattern())),
                Hold::Root(_) => None,
            })
            .collect();
        assert_eq!((way.pattern(), others), ("app.ROWS[*]".to_string(), vec![(2, "app.PAGES[*][*]".to_string())]));
    }

    #[test]
    fn what_only_a_loop_keeps_alive_is_counted_apart() {
        let script = format!("{ROWS}\nalloc 30 3 48\nref 30 30 .me\n");
        let answer = why(Target::Type("app.Row".to_string()), &script);
        assert_eq!((answer.alive, answer.unreached, answer.ways.len()), (5, 1, 3));
        let answer = why(Target::Object(0x30), &script);
        assert_eq!((answer.alive, answer.unreached, answer.ways.len()), (1, 1, 0));
    }
}
