//! Writes a way around a loop as a path that reads the same in every run.

use std::cmp::Ordering;

use super::loop_graph::{Kind, LoopGraph, cell_variable};
use crate::cycles::garbage::{LoopPath, PathStep};

/// A way around a loop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    pub path: LoopPath,
    /// The member that each step stands for; `None` for the variable of a closure, and for steps that were left out.
    pub steps: Vec<Option<u32>>,
    /// Members that were folded away.
    pub folded: Vec<u32>,
    /// No way around is shorter. Giant loops are not searched to the end.
    pub shortest: bool,
}

/// A reference that was walked: its text, and what it leads to. Silent ones are left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop {
    pub text: u32,
    pub to: u32,
}

/// A path of more steps is cut.
const MOST_STEPS: usize = 48;

/// A way around as steps, with what the rotation is chosen by.
pub(super) struct CanonicalPath {
    steps: Vec<CanonicalStep>,
    folded: Vec<u32>,
}

pub(super) struct CanonicalStep {
    step: PathStep,
    /// Its reference leads through a container.
    many: bool,
    member: Option<u32>,
}

impl CanonicalPath {
    /// `hops` lead from the last one's member around to it.
    pub(super) fn of(loop_graph: &LoopGraph, hops: &[Hop]) -> CanonicalPath {
        let folds = hops.iter().any(|hop| loop_graph.kinds[hop.to as usize] != Kind::Container);
        let mut path = CanonicalPath { steps: Vec::new(), folded: Vec::new() };
        let Some(last) = hops.last() else { return path };
        let (mut member, mut slot, mut many) = (last.to, String::new(), false);
        for hop in hops {
            let text = &loop_graph.texts[hop.text as usize];
            if !slot.is_empty() && !text.is_empty() && !text.starts_with(['.', '[']) {
                slot.push(' ');
            }
            slot.push_str(text);
            if folds && loop_graph.kinds[hop.to as usize] == Kind::Container {
                many = true;
                path.folded.push(hop.to);
                continue;
            }
            path.push(loop_graph, member, std::mem::take(&mut slot), many, hop.to);
            (member, many) = (hop.to, false);
        }
        path
    }

    /// Cells read `function cb → cell self → Handler`: the way into a closure and out of a cell goes without saying.
    fn push(&mut self, loop_graph: &LoopGraph, member: u32, mut slot: String, many: bool, to: u32) {
        let (from_kind, to_kind) = (loop_graph.kinds[member as usize], loop_graph.kinds[to as usize]);
        let into_closure = to_kind == Kind::Cell
            && (slot.starts_with(".__closure__") || slot.starts_with("cell ") || slot.starts_with("local "));
        let out_of_cell = from_kind == Kind::Cell && (slot.starts_with("cell ") || slot == ".cell_contents");
        let mut variable = None;
        if into_closure || out_of_cell {
            slot.clear();
        } else if let Some(name) = cell_variable(&slot).filter(|_| to_kind != Kind::Container) {
            variable = Some(format!("cell {name}"));
            slot.clear();
        }
        let name = loop_graph.name_with(member, &slot);
        let step = PathStep { label: name.label.clone(), type_name: name.type_name.clone(), slot };
        self.steps.push(CanonicalStep { step, many: many || variable.is_some(), member: Some(member) });
        if let Some(label) = variable {
            let step = PathStep { label, type_name: "cell".to_string(), slot: String::new() };
            self.steps.push(CanonicalStep { step, many: false, member: None });
        }
    }

    /// A step whose reference leads through a container comes first: usually it is the owner. Then the least text.
    pub(super) fn in_canonical_rotation(mut self) -> CanonicalPath {
        let n = self.steps.len();
        let key = |place: usize| self.steps[place % n].key();
        // Two candidates and how far they agree; the greater is passed over with all that it agreed in.
        let (mut a, mut b, mut equal) = (0, 1, 0);
        while a < n && b < n && equal < n {
            match key(a + equal).cmp(&key(b + equal)) {
                Ordering::Equal => {
                    equal += 1;
                    continue;
                }
                Ordering::Greater => a += equal + 1,
                Ordering::Less => b += equal + 1,
            }
            b += usize::from(a == b);
            equal = 0;
        }
        self.steps.rotate_left(a.min(b).min(n.saturating_sub(1)));
        self
    }

    /// A ring of nodes is told by one of them, whatever its length, and a long path by its beginning.
    fn abbreviate(&mut self) {
        let n = self.steps.len();
        let period = (1..=n / 3).find(|&period| {
            n.is_multiple_of(period) && (period..n).all(|i| self.steps[i].key() == self.steps[i - period].key())
        });
        let shown = period.unwrap_or(n).min(MOST_STEPS);
        if shown < n {
            self.folded.extend(self.steps.drain(shown..).filter_map(|step| step.member));
            let step = PathStep { label: "…".to_string(), type_name: String::new(), slot: String::new() };
            self.steps.push(CanonicalStep { step, many: false, member: None });
        }
    }

    pub(super) fn compare(&self, other: &CanonicalPath) -> Ordering {
        self.steps.iter().map(CanonicalStep::key).cmp(other.steps.iter().map(CanonicalStep::key))
    }

    pub(super) fn into_way(mut self, shortest: bool) -> Way {
        self.abbreviate();
        let members = self.steps.iter().map(|step| step.member).collect();
        let steps = self.steps.into_iter().map(|step| step.step).collect();
        Way { path: LoopPath { steps }, steps: members, folded: self.folded, shortest }
    }
}

impl CanonicalStep {
    fn key(&self) -> (bool, &PathStep) {
        (!self.many, &self.step)
    }
}
