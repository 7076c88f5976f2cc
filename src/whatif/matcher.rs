//! Finds the references of a graph that a set of changes speaks of.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::FixedState;

use super::change::{self, Change, DICT, Holder, Hop};
use crate::cycles::path::loop_graph::Kind;
use crate::heap::label::{attribute_of_key, last_part};
use crate::heap::{External, Heap, HeapGraph, IdMap, Node, ObjectIndex, Reference};
use crate::trace::{Slot, TypeDef, TypeFlags, TypeId, TypeRef};

/// The references of one graph that no longer count.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// By referrer: the place in its row.
    rows: HashMap<Node, BTreeSet<u32>, FixedState>,
    /// The referrer, the object, and the change that speaks of it; in the order in which they were found.
    pub(super) edges: Vec<(Node, Node, usize)>,
}

impl Changed {
    pub(super) fn has(&self, from: Node, place: usize) -> bool {
        self.rows.get(&from).is_some_and(|row| row.contains(&(place as u32)))
    }

    pub(super) fn add(&mut self, from: Node, place: usize, to: Node, change: usize) {
        if self.rows.entry(from).or_default().insert(place as u32) {
            self.edges.push((from, to, change));
        }
    }
}

/// What a set of changes has met so far.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    changes: Vec<Change>,
    /// For each type the changes whose holders its instances may be.
    by_type: IdMap<Vec<usize>>,
    /// What each change has met.
    pub(super) met: Vec<Met>,
    /// For each change the classes that are called so, by their full names.
    pub(super) classes: Vec<BTreeSet<String>>,
}

/// What of one change there was.
#[derive(Debug, Clone, Default)]
pub(super) struct Met {
    /// Some holder.
    pub(super) held: bool,
    /// Such a reference, to whatever object.
    pub(super) there: bool,
    /// To an object that can be weakly referenced; and the types of those that cannot.
    pub(super) weak: bool,
    pub(super) strong: BTreeSet<String>,
    /// Until there was one, the names of other references that the holders have.
    pub(super) others: BTreeSet<String>,
}

/// Names that are kept, to be offered where the one that was asked for is none.
const MOST_NAMES: usize = 1_000;

impl Matcher {
    pub(super) fn new(changes: Vec<Change>) -> Matcher {
        let n = changes.len();
        Matcher { changes, met: vec![Met::default(); n], classes: vec![BTreeSet::new(); n], ..Matcher::default() }
    }

    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The references that the changes speak of. Costs a look at each node, and at the references of the holders.
    pub(super) fn find(&mut self, heap: &Heap, graph: &HeapGraph, external: &External) -> Changed {
        // Types may have been defined anew.
        self.by_type = IdMap::default();
        let mut changed = Changed::default();
        let mut row = Vec::new();
        for node in graph.nodes().filter(|&node| !graph.state(node).vacant) {
            for change in self.held_by(heap, graph.object(node)) {
                self.met[change].held = true;
                // What still runs has its variables.
                let runs = self.changes[change].is_dropped() && external.is_root(graph, node);
                self.follow(heap, graph, node, change, &mut row, if runs { None } else { Some(&mut changed) });
            }
        }
        changed
    }

    /// The changes whose references this object may have.
    pub(super) fn held_by(&mut self, heap: &Heap, index: ObjectIndex) -> Vec<usize> {
        let class = heap.class(index);
        let place = match self.by_type.place(class.0) {
            Some(place) => place,
            None => {
                let about = self.about(heap, class);
                self.by_type.insert(class.0, about)
            }
        };
        let of_type = self.by_type.at(place).iter().copied();
        of_type.filter(|&change| self.is_holder(heap, index, change)).collect()
    }

    /// The changes whose holders the instances of a type may be.
    fn about(&mut self, heap: &Heap, class: TypeId) -> Vec<usize> {
        let mut about = Vec::new();
        if let Some(def) = heap.types().get(class) {
            let lineage: Vec<&TypeDef> = heap.types().lineage(class).collect();
            for (place, change) in self.changes.iter().enumerate() {
                let may_hold = match &change.holder {
                    Holder::Instance(name) => {
                        if is_called(&def.name, name) {
                            self.classes[place].insert(def.name.clone());
                        }
                        lineage.iter().any(|def| is_or_derives(def, name))
                    }
                    Holder::Label(label) => label.split(' ').next() == Some(last_part(&def.name)),
                    Holder::Function(_) => def.name == "function",
                    Holder::Frame(_) => def.name == "frame",
                };
                about.extend(may_hold.then_some(place));
            }
        }
        about
    }

    fn is_holder(&self, heap: &Heap, index: ObjectIndex, change: usize) -> bool {
        match &self.changes[change].holder {
            Holder::Instance(_) | Holder::Function(None) => true,
            Holder::Label(label) => *label == heap.named(index).label(),
            Holder::Function(Some(name)) | Holder::Frame(name) => function_of(heap, index) == Some(name),
        }
    }

    /// Follows the references of a holder, as far as the change goes, and adds the last ones to what is changed.
    fn follow(
        &mut self,
        heap: &Heap,
        graph: &HeapGraph,
        holder: Node,
        change: usize,
        row: &mut Vec<Reference>,
        mut changed: Option<&mut Changed>,
    ) {
        let (of, met) = (&self.changes[change], &mut self.met[change]);
        let mut open = vec![(holder, 0)];
        let mut seen: HashSet<(Node, usize), FixedState> = HashSet::default();
        while let Some((node, at)) = open.pop() {
            if !seen.insert((node, at)) {
                continue;
            }
            graph.references_into(node, row);
            for (place, reference) in row.iter().enumerate() {
                let slot = heap.slot_name(reference.slot);
                let to = graph.object(reference.to);
                match step(of, at, &slot, || class_name(heap, to)) {
                    Some(Step::On(next)) => open.push((reference.to, next)),
                    Some(Step::There) => {
                        met.there = true;
                        if !of.is_dropped() && !can_be_weak(heap, to) {
                            met.strong.insert(class_name(heap, to).to_string());
                        } else {
                            met.weak = true;
                            changed.iter_mut().for_each(|changed| changed.add(node, place, reference.to, change));
                        }
                    }
                    None if !met.there && (at == 0 || at == DICT) && met.others.len() < MOST_NAMES => {
                        met.others.extend(name_of(&slot, at, reference.slot));
                    }
                    None => {}
                }
            }
        }
    }
}

/// Where a reference leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    On(usize),
    There,
}

/// Whether a reference of an object that was reached at `at` is on the way.
pub(super) fn step<'a>(change: &Change, at: usize, slot: &str, type_name: impl Fn() -> &'a str) -> Option<Step> {
    let hops = &change.hops;
    let at = match at {
        // A producer may write the container and the place in it as one: `.items[0]`.
        0 if hops.len() > 1 && slot.get(1..).is_some_and(|rest| rest.contains('[')) => {
            let whole = change::hops(slot);
            let is = whole.len() == hops.len() && whole.iter().zip(hops).all(|(whole, hop)| hop.matches(whole.text()));
            return is.then_some(Step::There);
        }
        DICT => {
            let is = attribute_of_key(slot).is_some_and(|slot| hops[0].matches(&slot));
            return is.then(|| next(hops, 0, type_name)).flatten();
        }
        0 if slot == ".__dict__" && hops[0] != Hop::Slot(slot.to_string()) => {
            let has = matches!(change.holder, Holder::Instance(_) | Holder::Label(_)) && type_name() == "dict";
            return has.then_some(Step::On(DICT));
        }
        // A function may refer to what its variables refer to.
        0 if matches!(change.holder, Holder::Function(_)) && hops[1].matches(slot) => 1,
        at => at,
    };
    hops[at].matches(slot).then(|| next(hops, at, type_name)).flatten()
}

/// Only built-in containers, and the variables of closures, are passed on the way.
fn next<'a>(hops: &[Hop], at: usize, type_name: impl Fn() -> &'a str) -> Option<Step> {
    match at + 1 == hops.len() {
        true => Some(Step::There),
        false => matches!(Kind::of_type(type_name()), Kind::Container | Kind::Cell).then_some(Step::On(at + 1)),
    }
}

/// `.order`, as a reference of an object or of its dict.
fn name_of(slot: &str, at: usize, of: Slot) -> Option<String> {
    match at {
        DICT => attribute_of_key(slot),
        _ => (of.as_index().is_none() && !slot.is_empty()).then(|| slot.to_string()),
    }
}

/// Whether a class of this full name is meant: the end of a name is enough.
fn is_called(full: &str, name: &str) -> bool {
    full.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Whether a class is called so, or a base of it that is not in the trace.
fn is_or_derives(def: &TypeDef, name: &str) -> bool {
    let mut unknown = def.bases.iter().filter_map(TypeRef::as_name);
    is_called(&def.name, name) || unknown.any(|base| is_called(base, name))
}

pub(super) fn class_name(heap: &Heap, index: ObjectIndex) -> &str {
    heap.types().name(heap.class(index))
}

/// Whether its instances can be weakly referenced, or could if their class said so. Values of C code, such as lists and
/// numbers, cannot.
pub(super) fn can_be_weak(heap: &Heap, index: ObjectIndex) -> bool {
    let Some(def) = heap.types().get(heap.class(index)) else { return true };
    let weak = [TypeFlags::WEAKREF, TypeFlags::MANAGED_WEAKREF].iter().any(|&flag| def.flags.has(flag));
    let is_value = Kind::of_type(&def.name) == Kind::Container || heap.is_of_c(def);
    weak || !is_value || is_stand_in(&def.name)
}

/// Made anew whenever it is asked for, or a part of a function: nobody misses the object itself.
pub(super) fn is_stand_in(type_name: &str) -> bool {
    ["method", "cell"].contains(&type_name)
}

fn function_of(heap: &Heap, index: ObjectIndex) -> Option<&str> {
    let site = heap.code(index).and_then(|site| heap.sites().get(site))?;
    Some(last_part(heap.text(site.function)))
}
