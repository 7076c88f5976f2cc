//! Builds the graph in which the path of a loop is searched: names of its members, and of their references.
//!
//! Here the interpreter's detail goes away, so that a path reads the same on every CPython: an instance's dict is no
//! step of its own (there is none from 3.11 on), neither is a generator's frame (there is none from 3.11 on), an index
//! is any index, a cell has the name of its variable.

use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::FixedState;

use super::inherited::Inherited;
use crate::cycles::garbage::{HIDDEN, is_an_address};
use crate::heap::label::attribute_of_key;

/// What a member is to the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A built-in list, tuple, dict, set or frozenset: no step of its own where the loop has any other member.
    Container,
    /// The variable of a closure.
    Cell,
    /// Anything else of a built-in type.
    Builtin,
    /// Of a type that some module defines.
    Defined,
}

impl Kind {
    /// The kind of what has a type of this full name.
    pub fn of_type(name: &str) -> Kind {
        match name {
            "list" | "tuple" | "dict" | "set" | "frozenset" => Kind::Container,
            "cell" => Kind::Cell,
            _ if name.contains('.') => Kind::Defined,
            _ => Kind::Builtin,
        }
    }
}

/// How a member is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    pub label: String,
    pub type_name: String,
}

/// What a path costs; the cheapest is told. In this order: references of the interpreter's machinery, steps, and
/// members that no module defines.
pub type Cost = u64;

pub const STEP: Cost = 1 << 20;
pub const MACHINERY: Cost = 1 << 42;
const DETAIL: Cost = 1;

/// A reference between two members.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub to: u32,
    pub cost: Cost,
    /// Nothing to tell: from an object to its own dict, from a generator to its own frame.
    pub silent: bool,
    /// What it is called (a place in [`LoopGraph::texts`]), and what when its referrer was come to silently.
    pub text: u32,
    pub silent_text: u32,
}

/// A loop's members, numbered from zero, and the references between them. Names and texts are sorted: to compare their
/// numbers is to compare them. What stays the same where references are cut is shared.
#[derive(Debug, Clone, Default)]
pub struct LoopGraph {
    pub names: Rc<[Name]>,
    pub texts: Rc<[String]>,
    pub kinds: Rc<[Kind]>,
    /// The name of each member.
    pub name_of: Rc<[u32]>,
    /// For each name, what the class has from its bases; empty where nothing has any.
    inherited: Rc<[Option<Rc<Inherited>>]>,
    rows: Vec<u32>,
    links: Vec<Link>,
    back_rows: Vec<u32>,
    /// For each member the references to it: the referrer, and the cost.
    back: Vec<(u32, Cost)>,
}

impl LoopGraph {
    /// A loop graph of `names` (one for each member) and references `(from, to, slot)`, sorted by `from`.
    ///
    /// `names` and `slots` are what `name_of` and the references index, in any order; both are usually few.
    pub fn of(
        mut names: Vec<Name>,
        mut name_of: Vec<u32>,
        slots: &[String],
        references: &[(u32, u32, u32)],
    ) -> LoopGraph {
        name_cells(&mut names, &mut name_of, slots, references);
        sort_names(&mut names, &mut name_of);
        let kind_of_name: Vec<Kind> = names.iter().map(|name| Kind::of_type(&name.type_name)).collect();
        let kinds: Vec<Kind> = name_of.iter().map(|&name| kind_of_name[name as usize]).collect();
        let mut texts = Texts::default();
        let text_of: Vec<(u32, u32)> = slots.iter().map(|slot| texts.of_slot(slot)).collect();
        let ranks = texts.sort();
        let mut loop_graph = LoopGraph {
            names: names.into(),
            texts: texts.all.into(),
            kinds: kinds.into(),
            name_of: name_of.into(),
            ..LoopGraph::default()
        };
        loop_graph.rows.push(0);
        for &(from, to, slot) in references {
            while loop_graph.rows.len() <= from as usize {
                loop_graph.rows.push(loop_graph.links.len() as u32);
            }
            let (text, silent_text) = text_of[slot as usize];
            let silent = loop_graph.is_silent(from, to, &slots[slot as usize]);
            let cost = if silent { 0 } else { loop_graph.cost(to, &slots[slot as usize]) };
            let (text, silent_text) = (ranks[text as usize], ranks[silent_text as usize]);
            loop_graph.links.push(Link { to, cost, silent, text, silent_text });
        }
        loop_graph.rows.resize(loop_graph.kinds.len() + 1, loop_graph.links.len() as u32);
        loop_graph.turn();
        loop_graph
    }

    /// The same, told by the classes that attributes come from: `by_type` has those of a type, by its full name.
    pub fn with_inherited(mut self, by_type: &HashMap<String, Rc<Inherited>, FixedState>) -> LoopGraph {
        if !by_type.is_empty() {
            self.inherited = self.names.iter().map(|name| by_type.get(&name.type_name).cloned()).collect();
        }
        self
    }

    /// The same members without the references that `is_gone` is told: the referrer and the reference.
    pub fn without(&self, mut is_gone: impl FnMut(u32, &Link) -> bool) -> LoopGraph {
        let mut rest = LoopGraph {
            names: Rc::clone(&self.names),
            texts: Rc::clone(&self.texts),
            kinds: Rc::clone(&self.kinds),
            name_of: Rc::clone(&self.name_of),
            inherited: Rc::clone(&self.inherited),
            rows: vec![0],
            ..LoopGraph::default()
        };
        for member in 0..self.n_members() as u32 {
            rest.links.extend(self.links(member).iter().filter(|link| !is_gone(member, link)));
            rest.rows.push(rest.links.len() as u32);
        }
        rest.turn();
        rest
    }

    pub fn n_members(&self) -> usize {
        self.kinds.len()
    }

    pub fn n_links(&self) -> usize {
        self.links.len()
    }

    pub fn links(&self, member: u32) -> &[Link] {
        &self.links[self.rows[member as usize] as usize..self.rows[member as usize + 1] as usize]
    }

    /// The referrers of `member` with the cost of their reference, once for each.
    pub fn referrers(&self, member: u32) -> &[(u32, Cost)] {
        &self.back[self.back_rows[member as usize] as usize..self.back_rows[member as usize + 1] as usize]
    }

    pub fn name(&self, member: u32) -> &Name {
        &self.names[self.name_of[member as usize] as usize]
    }

    /// What a member is called where `slot` is told of it: the class that the attribute comes from. One line of a base
    /// class makes the same loop of all its subclasses.
    pub fn name_with(&self, member: u32, slot: &str) -> &Name {
        let name = self.name_of[member as usize] as usize;
        let inherited = self.inherited.get(name).and_then(Option::as_ref);
        inherited.and_then(|inherited| inherited.get(attribute(slot)?)).unwrap_or(&self.names[name])
    }

    /// No reference that costs nothing leaves a container or a frame, so no way around costs nothing.
    fn is_silent(&self, from: u32, to: u32, slot: &str) -> bool {
        let (from, to) = (&self.name(from).type_name, &self.name(to).type_name);
        match slot {
            ".__dict__" => to == "dict" && !matches!(Kind::of_type(from), Kind::Container | Kind::Cell),
            ".gi_frame" => to == "frame" && from == "generator",
            ".cr_frame" => to == "frame" && from == "coroutine",
            ".ag_frame" => to == "frame" && from == "async_generator",
            _ => false,
        }
    }

    fn cost(&self, to: u32, slot: &str) -> Cost {
        let member = match self.kinds[to as usize] {
            Kind::Container => DETAIL,
            Kind::Cell | Kind::Builtin => STEP + DETAIL,
            Kind::Defined => STEP,
        };
        if is_machinery(slot) { member + MACHINERY } else { member }
    }

    fn turn(&mut self) {
        let n = self.n_members();
        let mut rows = vec![0u32; n + 1];
        for link in &self.links {
            rows[link.to as usize] += 1;
        }
        let mut end = 0;
        for row in &mut rows {
            end += *row;
            *row = end;
        }
        self.back = vec![(0, 0); self.links.len()];
        for from in (0..n as u32).rev() {
            for link in &self.links[self.rows[from as usize] as usize..self.rows[from as usize + 1] as usize] {
                let row = &mut rows[link.to as usize];
                *row -= 1;
                self.back[*row as usize] = (from, link.cost);
            }
        }
        self.back_rows = rows;
    }
}

/// References that every object of a kind has, and that nobody wrote: a path through them says little.
fn is_machinery(slot: &str) -> bool {
    const MACHINERY: [&str; 18] = [
        "",
        "(internal)",
        ".__base__",
        ".__bases__",
        ".__builtins__",
        ".__class__",
        ".__dict__",
        ".__globals__",
        ".__module__",
        ".__mro__",
        ".__objclass__",
        ".__subclasses__",
        ".__weakref__",
        ".f_back",
        ".f_builtins",
        ".f_func",
        ".f_globals",
        ".tp_cache",
    ];
    MACHINERY.binary_search(&slot).is_ok()
}

/// The attribute that a slot begins with: `items` of `.items[*]`.
fn attribute(slot: &str) -> Option<&str> {
    slot.strip_prefix('.')?.split(['.', '[', ' ']).next()
}

/// The variable of a slot like `cell x`.
pub fn cell_variable(slot: &str) -> Option<&str> {
    slot.strip_prefix("cell ").filter(|name| !name.is_empty())
}

/// Cells are called after their variable, which references to them or from them know.
fn name_cells(names: &mut Vec<Name>, name_of: &mut [u32], slots: &[String], references: &[(u32, u32, u32)]) {
    let is_cell: Vec<bool> = names.iter().map(|name| Kind::of_type(&name.type_name) == Kind::Cell).collect();
    if !is_cell.contains(&true) {
        return;
    }
    let variables: Vec<Option<&str>> = slots.iter().map(|slot| cell_variable(slot)).collect();
    // A reference to the cell counts before one from it, then the least name.
    let mut variable: HashMap<u32, (bool, &str), FixedState> = HashMap::default();
    for &(from, to, slot) in references {
        let Some(name) = variables[slot as usize] else { continue };
        for (member, from_it) in [(to, false), (from, true)] {
            if is_cell[name_of[member as usize] as usize] {
                let known = variable.entry(member).or_insert((from_it, name));
                *known = (*known).min((from_it, name));
            }
        }
    }
    let mut numbers: HashMap<&str, u32, FixedState> = HashMap::default();
    for (member, name_of) in name_of.iter_mut().enumerate() {
        if let Some(&(_, name)) = variable.get(&(member as u32)) {
            *name_of = *numbers.entry(name).or_insert_with(|| {
                names.push(Name { label: format!("cell {name}"), type_name: "cell".to_string() });
                names.len() as u32 - 1
            });
        }
    }
}

fn sort_names(names: &mut Vec<Name>, name_of: &mut [u32]) {
    let mut order: Vec<u32> = (0..names.len() as u32).collect();
    order.sort_by(|&a, &b| names[a as usize].cmp(&names[b as usize]));
    let mut ranks = vec![0; names.len()];
    let mut sorted: Vec<Name> = Vec::with_capacity(names.len());
    for old in order {
        let name = std::mem::replace(&mut names[old as usize], Name { label: String::new(), type_name: String::new() });
        if sorted.last() != Some(&name) {
            sorted.push(name);
        }
        ranks[old as usize] = sorted.len() as u32 - 1;
    }
    name_of.iter_mut().for_each(|name| *name = ranks[*name as usize]);
    *names = sorted;
}

/// The texts of references, each once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    numbers: HashMap<String, u32, FixedState>,
}

impl Texts {
    /// What a slot is called, and what when it belongs to the dict of an instance.
    fn of_slot(&mut self, slot: &str) -> (u32, u32) {
        let text = stable_text(slot);
        let silent = attribute_of_key(slot).unwrap_or_else(|| match text.as_str() {
            "[*]" => ".__dict__[*]".to_string(),
            "key" => ".__dict__ key".to_string(),
            _ => text.clone(),
        });
        (self.intern(text), self.intern(silent))
    }

    fn intern(&mut self, text: String) -> u32 {
        *self.numbers.entry(text).or_insert_with_key(|text| {
            self.all.push(text.clone());
            self.all.len() as u32 - 1
        })
    }

    /// Sorts the texts; the new number of each old one.
    fn sort(&mut self) -> Vec<u32> {
        self.all.sort();
        let mut ranks = vec![0; self.all.len()];
        for (rank, text) in self.all.iter().enumerate() {
            ranks[self.numbers[text] as usize] = rank as u32;
        }
        ranks
    }
}

/// A slot without what differs from run to run, or from entry to entry: indexes, keys, and where an address was found.
pub fn stable_text(slot: &str) -> String {
    match slot {
        _ if slot.starts_with('[') => "[*]".to_string(),
        _ if is_an_address(slot) => HIDDEN.to_string(),
        _ => slot.to_string(),
    }
}
