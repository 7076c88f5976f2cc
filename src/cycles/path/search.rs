//! Searches a shortest way around a loop, the one that reads first.
//!
//! The cheapest way is looked for from every member that can be a step: one search backwards from it, and a walk
//! forwards along cheapest references that takes the least text wherever it can choose. So of several shortest ways the
//! one is told that reads first, and it is the same one whatever the order of the objects.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::canonical_path::{CanonicalPath, Hop, Way};
use super::loop_graph::{Cost, Kind, LoopGraph};

/// A cheapest way around `loop_graph`; `None` only if there is no way around at all.
///
/// Costs at most some 16 visits to each reference, and 100,000: where that is not enough, the way is
/// the best of those found from the first members of each name.
pub fn shortest(loop_graph: &LoopGraph) -> Option<Way> {
    let starts = starts(loop_graph);
    let mut search = Search::new(loop_graph);
    let budget = VISITS + VISITS_PER_LINK * loop_graph.n_links() as u64;
    let (mut cheapest, mut shortest) = (Cost::MAX, true);
    for (tried, &start) in starts.iter().enumerate() {
        if search.visits > budget && tried > 0 && cheapest < Cost::MAX {
            shortest = false;
            break;
        }
        // Only what is cheaper than the best so far is of interest.
        cheapest = cheapest.min(search.around(start, cheapest.saturating_sub(1)).unwrap_or(Cost::MAX));
    }
    if cheapest == Cost::MAX {
        return None;
    }
    search.visits = 0;
    let mut best: Option<CanonicalPath> = None;
    for &start in &starts {
        if search.visits > budget && best.is_some() {
            break;
        }
        if search.around(start, cheapest) == Some(cheapest) {
            let path = CanonicalPath::of(loop_graph, &search.walk(start, cheapest)).in_canonical_rotation();
            if best.as_ref().is_none_or(|best| path.compare(best) == Ordering::Less) {
                best = Some(path);
            }
        }
    }
    best.map(|path| path.into_way(shortest))
}

/// Visits to references that any loop is worth, and what each of its references adds.
const VISITS: u64 = 50_000;
const VISITS_PER_LINK: u64 = 8;

/// Where to begin, in the order to try: the first member of each name, the second of each, and so on. Containers only
/// where there is nothing else.
fn starts(loop_graph: &LoopGraph) -> Vec<u32> {
    let all = 0..loop_graph.n_members() as u32;
    let mut starts: Vec<u32> = all.clone().filter(|&m| loop_graph.kinds[m as usize] != Kind::Container).collect();
    if starts.is_empty() {
        starts.extend(all);
    }
    let mut seen = vec![0u32; loop_graph.names.len()];
    let mut keyed: Vec<(u32, u32, u32)> = starts
        .into_iter()
        .map(|member| {
            let name = loop_graph.name_of[member as usize];
            seen[name as usize] += 1;
            (seen[name as usize], name, member)
        })
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, member)| member).collect()
}

struct Search<'a> {
    loop_graph: &'a LoopGraph,
    /// The cheapest way from each member to the start, where `stamps` says that it is of this search.
    costs: Vec<Cost>,
    stamps: Vec<u32>,
    stamp: u32,
    queue: BinaryHeap<Reverse<(Cost, u32)>>,
    /// The last layer of a walk that came to each member silently.
    layers: Vec<u32>,
    layer: u32,
    /// References that were looked at.
    visits: u64,
}

impl<'a> Search<'a> {
    fn new(loop_graph: &'a LoopGraph) -> Search<'a> {
        let n = loop_graph.n_members();
        Search {
            loop_graph,
            costs: vec![0; n],
            stamps: vec![0; n],
            stamp: 0,
            queue: BinaryHeap::new(),
            layers: vec![0; n],
            layer: 0,
            visits: 0,
        }
    }

    /// The cost of the cheapest way from `start` around to it, if it is at most `limit`.
    fn around(&mut self, start: u32, limit: Cost) -> Option<Cost> {
        self.stamp += 1;
        self.queue.clear();
        self.improve(start, 0);
        let mut around = None;
        while let Some(Reverse((cost, member))) = self.queue.pop() {
            if cost > self.costs[member as usize] {
                continue;
            }
            for &(referrer, step) in self.loop_graph.referrers(member) {
                self.visits += 1;
                let cost = cost + step;
                if cost > limit {
                    continue;
                }
                if referrer == start {
                    around = Some(around.unwrap_or(cost).min(cost));
                } else if self.cost(referrer).is_none_or(|known| cost < known) {
                    self.improve(referrer, cost);
                }
            }
        }
        around
    }

    fn improve(&mut self, member: u32, cost: Cost) {
        self.stamps[member as usize] = self.stamp;
        self.costs[member as usize] = cost;
        self.queue.push(Reverse((cost, member)));
    }

    /// The cost from `member` to the start, as far as the last search went.
    fn cost(&self, member: u32) -> Option<Cost> {
        (self.stamps[member as usize] == self.stamp).then(|| self.costs[member as usize])
    }

    /// The way around from `start`, as the last search found it to cost `remaining`, that reads first.
    fn walk(&mut self, start: u32, mut remaining: Cost) -> Vec<Hop> {
        // All members that are reached with the same text: the member, the entry it was reached from, the text, and
        // whether it was reached silently. Layers lie one after the other.
        struct Entry {
            member: u32,
            from: u32,
            text: u32,
            silently: bool,
        }
        let mut entries = vec![Entry { member: start, from: 0, text: 0, silently: false }];
        let mut layer = 0;
        let end = loop {
            let mut best: Option<(u32, u32, Cost)> = None;
            let mut next: Vec<(u32, u32, u32)> = Vec::new();
            let mut at = layer;
            self.layer += 1;
            while at < entries.len() {
                let Entry { member, silently, .. } = entries[at];
                for link in self.loop_graph.links(member) {
                    self.visits += 1;
                    let onwards = if link.to == start { Some(0) } else { self.cost(link.to) };
                    if onwards.is_none_or(|onwards| onwards + link.cost != remaining) {
                        continue;
                    }
                    if link.silent {
                        let came = &mut self.layers[link.to as usize];
                        if std::mem::replace(came, self.layer) != self.layer {
                            entries.push(Entry { member: link.to, from: at as u32, text: 0, silently: true });
                        }
                        continue;
                    }
                    let text = if silently { link.silent_text } else { link.text };
                    let key = (text, self.loop_graph.name_of[link.to as usize], link.cost);
                    match best.map_or(Ordering::Less, |best| key.cmp(&best)) {
                        Ordering::Greater => continue,
                        Ordering::Less => next.clear(),
                        Ordering::Equal => {}
                    }
                    best = Some(key);
                    next.push((link.to, at as u32, text));
                }
                at += 1;
            }
            let Some((_, _, cost)) = best else { return Vec::new() };
            remaining -= cost;
            next.sort_unstable();
            next.dedup_by_key(|&mut (member, ..)| member);
            layer = entries.len();
            entries.extend(next.iter().map(|&(member, from, text)| Entry { member, from, text, silently: false }));
            if remaining == 0 {
                break layer;
            }
        };
        let mut hops = Vec::new();
        let mut at = end;
        while at != 0 {
            let entry = &entries[at];
            if !entry.silently {
                hops.push(Hop { text: entry.text, to: entry.member });
            }
            at = entry.from as usize;
        }
        hops.reverse();
        hops
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::path::loop_graph::Name;
    use crate::cycles::tests::loop_graph;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    fn path_of(members: &[(&str, &str)], references: &[(u32, u32, &str)]) -> String {
        shortest(&loop_graph(members, references)).map_or("none".to_string(), |way| way.path.to_string())
    }

    const ORDER: (&str, &str) = ("Order", "app.Order");
    const LINE: (&str, &str) = ("Line", "app.Line");
    const LIST: (&str, &str) = ("list", "list");
    const DICT: (&str, &str) = ("dict", "dict");
    const TUPLE: (&str, &str) = ("tuple", "tuple");

    #[test]
    fn dicts_of_instances_and_containers_are_no_steps() {
        let new = path_of(&[ORDER, LIST, LINE], &[(0, 1, ".items"), (1, 2, "[0]"), (2, 0, ".order")]);
        assert_snapshot!(new, @"Order.items[*] → Line.order → Order");
        let old = path_of(
            &[ORDER, LIST, LINE, DICT, DICT],
            &[(0, 3, ".__dict__"), (3, 1, "['items']"), (1, 2, "[7]"), (2, 4, ".__dict__"), (4, 0, "['order']")],
        );
        assert_eq!(new, old);
    }

    #[test]
    fn a_loop_of_containers_alone_shows_them() {
        assert_snapshot!(path_of(&[LIST], &[(0, 0, "[0]")]), @"list[*] → list");
        assert_snapshot!(path_of(&[DICT, LIST], &[(0, 1, "['seen']"), (1, 0, "[2]")]), @"dict[*] → list[*] → dict");
        assert_snapshot!(path_of(&[DICT, TUPLE], &[(0, 1, "key"), (1, 0, "[0]")]), @"dict key → tuple[*] → dict");
    }

    #[test]
    fn a_closure_reads_as_its_variables() {
        let (function, cell) = (("function cb", "function"), ("cell", "cell"));
        let handler = ("Handler", "app.Handler");
        let whole = path_of(
            &[function, TUPLE, cell, handler],
            &[(0, 1, ".__closure__"), (1, 2, "[0]"), (2, 3, "cell self"), (3, 0, ".callback")],
        );
        assert_snapshot!(whole, @"function cb → cell self → Handler.callback → function cb");
        let named_before = path_of(
            &[function, TUPLE, cell, handler],
            &[(0, 1, ".__closure__"), (1, 2, "cell self"), (2, 3, ".cell_contents"), (3, 0, ".callback")],
        );
        let without_cell = path_of(&[function, handler], &[(0, 1, "cell self"), (1, 0, ".callback")]);
        assert_eq!((&named_before, &without_cell), (&whole, &whole));
        assert_snapshot!(path_of(&[function, cell], &[(0, 1, "cell cb"), (1, 0, "cell cb")]), @"cell cb → function cb → cell cb");
    }

    #[test]
    fn the_frame_of_a_generator_is_no_step() {
        let (generator, frame, job) = (("generator run", "generator"), ("frame run", "frame"), ("Job", "app.Job"));
        let old = path_of(&[generator, frame, job], &[(0, 1, ".gi_frame"), (1, 2, "local self"), (2, 0, ".steps")]);
        let new = path_of(&[generator, job], &[(0, 1, "local self"), (1, 0, ".steps")]);
        assert_eq!(old, new);
        assert_snapshot!(new, @"Job.steps → generator run local self → Job");
    }

    #[test]
    fn an_exception_leads_to_its_frame() {
        let members = [("ValueError", "ValueError"), ("traceback", "traceback"), ("frame load", "frame")];
        let references = [(0, 1, ".__traceback__"), (1, 2, ".tb_frame"), (2, 0, "local error"), (2, 2, ".f_back")];
        assert_snapshot!(path_of(&members, &references), @"ValueError.__traceback__ → traceback.tb_frame → frame load local error → ValueError");
    }

    #[test]
    fn what_somebody_wrote_is_told_before_what_every_class_has() {
        let class = ("class Plugin", "type");
        let references =
            [(0, 1, ".__mro__"), (1, 0, "[0]"), (0, 2, ".default"), (2, 0, ".owner"), (2, 0, ".__class__")];
        assert_snapshot!(path_of(&[class, TUPLE, ("Plugin", "app.Plugin")], &references), @"Plugin.owner → class Plugin.default → Plugin");
        assert_snapshot!(path_of(&[class, TUPLE], &references[..2]), @"class Plugin.__mro__[*] → class Plugin");
    }

    #[test]
    fn every_entry_of_a_dict_is_any_entry() {
        let cache = [("Cache", "app.Cache"), DICT, ("Entry", "app.Entry")];
        let with = |key| path_of(&cache, &[(0, 1, ".entries"), (1, 2, key), (2, 0, ".cache")]);
        assert_snapshot!(with("['main']"), @"Cache.entries[*] → Entry.cache → Cache");
        assert_snapshot!(with("['order-17']"), @"Cache.entries[*] → Entry.cache → Cache");
        assert_snapshot!(with("key"), @"Cache.entries key → Entry.cache → Cache");
    }

    #[test]
    fn a_ring_is_told_by_one_of_its_nodes_and_a_giant_one_not_searched_to_the_end() {
        let n = 3_000u32;
        let names = vec![Name { label: "Node".to_string(), type_name: "app.Node".to_string() }];
        let slots = [".next".to_string(), ".hub".to_string(), "[0]".to_string()];
        let mut references: Vec<(u32, u32, u32)> = (0..n).map(|i| (i, (i + 1) % n, 0)).collect();
        references.sort();
        let giant = LoopGraph::of(names, vec![0; n as usize], &slots, &references);
        let way = shortest(&giant).unwrap();
        assert_snapshot!(way.path, @"Node.next → … → Node");
        assert_eq!((way.steps.iter().flatten().count() + way.folded.len(), way.shortest), (3_000, false));
        let node = ("Node", "app.Node");
        let ring = path_of(&[node, node, node], &[(0, 1, ".next"), (1, 2, ".next"), (2, 0, ".next")]);
        assert_eq!(ring, way.path.to_string());
    }

    /// Members by kind, references, and another order of the members.
    type Drawn = (Vec<u32>, Vec<(u32, u32, u32)>, Vec<u32>);

    fn loop_graphs() -> impl Strategy<Value = Drawn> {
        (2u32..8).prop_flat_map(|n| {
            let kinds = prop::collection::vec(0..6u32, n as usize);
            let references = prop::collection::vec((0..n, 0..n, 0..4u32), 1..20);
            (kinds, references, Just((0..n).collect::<Vec<u32>>()).prop_shuffle())
        })
    }

    const NAMES: [(&str, &str); 6] =
        [("A", "app.A"), ("B", "app.B"), ("list", "list"), ("method", "method"), ("dict", "dict"), ("cell", "cell")];
    const SLOTS: [&str; 4] = [".x", "[3]", ".__class__", ".y"];

    fn random(kinds: &[u32], references: &[(u32, u32, u32)]) -> LoopGraph {
        let names = NAMES.iter().map(|&(label, class)| Name { label: label.to_string(), type_name: class.to_string() });
        let slots: Vec<String> = SLOTS.iter().map(|slot| slot.to_string()).collect();
        let mut references = references.to_vec();
        references.sort();
        LoopGraph::of(names.collect(), kinds.to_vec(), &slots, &references)
    }

    proptest! {
        #[test]
        fn the_path_does_not_depend_on_the_order_of_the_objects((kinds, references, order) in loop_graphs()) {
            let mut shuffled = kinds.clone();
            order.iter().zip(&kinds).for_each(|(&place, &kind)| shuffled[place as usize] = kind);
            let moved: Vec<_> =
                references.iter().map(|&(a, b, slot)| (order[a as usize], order[b as usize], slot)).collect();
            let (a, b) = (shortest(&random(&kinds, &references)), shortest(&random(&shuffled, &moved)));
            prop_assert_eq!(a.map(|way| way.path), b.map(|way| way.path));
        }

        #[test]
        fn no_way_around_is_cheaper((kinds, references, _) in loop_graphs()) {
            let loop_graph = random(&kinds, &references);
            let n = loop_graph.n_members();
            // All pairs, by relaxing until nothing changes; then the cheapest way around any member that can be a step.
            let mut costs = vec![vec![Cost::MAX / 4; n]; n];
            for (from, costs) in costs.iter_mut().enumerate() {
                loop_graph.links(from as u32).iter().for_each(|link| {
                    let cost = &mut costs[link.to as usize];
                    *cost = (*cost).min(link.cost);
                });
            }
            for via in 0..n {
                for from in 0..n {
                    for to in 0..n {
                        costs[from][to] = costs[from][to].min(costs[from][via] + costs[via][to]);
                    }
                }
            }
            let plain = (0..n).any(|m| loop_graph.kinds[m] != Kind::Container);
            let steps = (0..n).filter(|&m| !plain || loop_graph.kinds[m] != Kind::Container);
            let cheapest = steps.map(|m| costs[m][m]).min().filter(|&cost| cost < Cost::MAX / 4);
            let mut search = Search::new(&loop_graph);
            let found: Option<Vec<Cost>> = shortest(&loop_graph).map(|way| {
                let around = way.steps.iter().flatten().filter_map(|&member| search.around(member, Cost::MAX - 1));
                around.collect()
            });
            prop_assert_eq!(found.and_then(|costs| costs.into_iter().min()), cheapest);
        }

        #[test]
        fn instances_with_dict_objects_read_like_those_without((kinds, references, _) in loop_graphs()) {
            let with_dicts = {
                let mut kinds = kinds.clone();
                let mut changed = Vec::new();
                let mut dicts = std::collections::BTreeMap::new();
                for &(from, to, slot) in &references {
                    if kinds[from as usize] < 2 && slot != 2 {
                        let dict = *dicts.entry(from).or_insert_with(|| {
                            kinds.push(4);
                            kinds.len() as u32 - 1
                        });
                        changed.push((from, dict, 4));
                        changed.push((dict, to, if slot == 0 { 5 } else if slot == 3 { 6 } else { 1 }));
                    } else {
                        changed.push((from, to, slot));
                    }
                }
                changed.sort();
                let names = NAMES.iter().map(|&(label, class)| Name { label: label.to_string(), type_name: class.to_string() });
                let slots: Vec<String> =
                    [".x", "[3]", ".__class__", ".y", ".__dict__", "['x']", "['y']"].map(String::from).to_vec();
                LoopGraph::of(names.collect(), kinds, &slots, &changed)
            };
            let plain: Vec<_> = references.iter().filter(|&&(from, _, slot)| kinds[from as usize] >= 2 || slot != 1).copied().collect();
            prop_assume!(plain.len() == references.len());
            let (old, new) = (shortest(&with_dicts), shortest(&random(&kinds, &references)));
            prop_assert_eq!(old.map(|way| way.path), new.map(|way| way.path));
        }
    }
}
