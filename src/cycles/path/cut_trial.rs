//! A loop and a reference to cut in, what is left of the loop out: another way around, with what is left of that, or none.
//!
//! All references that read the same are cut together, as one change of the source does: every `Line.order` of the loop.
//! Only where an object refers to itself, what else it refers to by the same name may stay.

use super::loop_graph::{Link, LoopGraph};
use super::search::shortest;
use crate::cycles::garbage::{PathStep, Residual};

/// Steps of a path that are tried.
const MOST_STEPS: usize = 8;
/// Cuts that are tried one after the other.
const MOST_CUTS: usize = 3;
/// Trials for one loop.
const MOST_TRIALS: usize = 32;

/// For each step of a path around `loop_graph`, what is left when all references that read like it are gone. `budget` is how
/// many references may be looked at, some 20 times each, and falls; where it does not suffice, the answer is not known.
pub fn after_each(loop_graph: &LoopGraph, steps: &[PathStep], budget: &mut usize) -> Vec<Residual> {
    let mut trials = Trials { looked_at: 0 };
    let share = (*budget).min(MOST_TRIALS * loop_graph.n_links());
    let residuals = trials.of_each(loop_graph, steps, MOST_CUTS, share);
    *budget -= trials.looked_at;
    residuals
}

struct Trials {
    /// References, once for each trial.
    looked_at: usize,
}

impl Trials {
    /// Each step may look at its part of so many references, so that the first do not leave the last unknown.
    fn of_each(&mut self, loop_graph: &LoopGraph, steps: &[PathStep], cuts: usize, share: usize) -> Vec<Residual> {
        let tried = if cuts == 0 { 0 } else { steps.len().min(MOST_STEPS) };
        let share = share.checked_div(tried).unwrap_or(0);
        let on_itself = steps.len() == 1;
        let mut residuals: Vec<Residual> =
            steps[..tried].iter().map(|step| self.of(loop_graph, step, on_itself, cuts, share)).collect();
        residuals.resize(steps.len(), Residual::Unknown);
        residuals
    }

    fn of(&mut self, loop_graph: &LoopGraph, step: &PathStep, on_itself: bool, cuts: usize, share: usize) -> Residual {
        let Some(share) = share.checked_sub(loop_graph.n_links()) else { return Residual::Unknown };
        self.looked_at += loop_graph.n_links();
        let mut cut_any = false;
        let rest = loop_graph.without(|from, link| {
            let is_cut = reads_like(loop_graph, from, link, step, on_itself);
            cut_any |= is_cut;
            is_cut
        });
        if !cut_any {
            return Residual::Unknown;
        }
        let remains = between_loops(&rest);
        let rest = rest.without(|from, link| !remains[from as usize] || !remains[link.to as usize]);
        match shortest(&rest) {
            // Containers alone are no way around where there is anything else.
            None if remains.contains(&true) => Residual::Unknown,
            None => Residual::Nothing,
            Some(way) => {
                let residuals = self.of_each(&rest, &way.path.steps, cuts - 1, share);
                Residual::Loop { path: way.path, residuals }
            }
        }
    }
}

/// Whether a reference is the one that a step tells first: `.items` of `Order.items[*]`. `on_itself`: of an object that the
/// path leads back to at once, and then only a reference to itself.
fn reads_like(loop_graph: &LoopGraph, from: u32, link: &Link, step: &PathStep, on_itself: bool) -> bool {
    if link.silent {
        return false;
    }
    let begins = |text: u32| {
        let text = &loop_graph.texts[text as usize];
        let rest = step.slot.strip_prefix(text.as_str()).filter(|_| !text.is_empty());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
    };
    let is_of = |member: u32| {
        let name = loop_graph.name(member);
        (&name.label, &name.type_name) == (&step.label, &step.type_name) && (!on_itself || link.to == member)
    };
    let silently = || loop_graph.referrers(from).iter().any(|&(owner, cost)| cost == 0 && is_of(owner));
    is_of(from) && begins(link.text) || begins(link.silent_text) && silently()
}

/// The members that remain when those that nothing refers to, and those that refer to nothing, are taken away until
/// there are none of either: none at all where there is no loop.
fn between_loops(loop_graph: &LoopGraph) -> Vec<bool> {
    let n = loop_graph.n_members();
    let mut remains = vec![true; n];
    let members = 0..n as u32;
    let mut into: Vec<usize> = members.clone().map(|member| loop_graph.referrers(member).len()).collect();
    let mut out: Vec<usize> = members.clone().map(|member| loop_graph.links(member).len()).collect();
    let mut ends: Vec<u32> = members.filter(|&m| into[m as usize] == 0 || out[m as usize] == 0).collect();
    while let Some(end) = ends.pop() {
        if !std::mem::replace(&mut remains[end as usize], false) {
            continue;
        }
        for link in loop_graph.links(end) {
            into[link.to as usize] -= 1;
            if into[link.to as usize] == 0 {
                ends.push(link.to);
            }
        }
        for &(from, _) in loop_graph.referrers(end) {
            out[from as usize] -= 1;
            if out[from as usize] == 0 {
                ends.push(from);
            }
        }
    }
    remains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::tests::loop_graph;

    /// Members as label and type, references as from, to, slot; for each step of the path what is left.
    fn after_cuts(members: &[(&str, &str)], references: &[(u32, u32, &str)]) -> Vec<String> {
        let loop_graph = loop_graph(members, references);
        let path = shortest(&loop_graph).map(|way| way.path).unwrap_or_default();
        let residuals = after_each(&loop_graph, &path.steps, &mut 1000);
        path.steps
            .iter()
            .zip(residuals)
            .map(|(step, residual)| match residual {
                Residual::Unknown => format!("{step}: unknown"),
                Residual::Nothing => format!("{step}: nothing"),
                Residual::Loop { path, residuals } => format!("{step}: {path} ({residuals:?})"),
            })
            .collect()
    }

    const ORDER: (&str, &str) = ("Order", "app.Order");
    const LINE: (&str, &str) = ("Line", "app.Line");
    const LIST: (&str, &str) = ("list", "list");
    const DICT: (&str, &str) = ("dict", "dict");

    #[test]
    fn all_references_that_read_the_same_are_cut_together() {
        let with_lines = [(0, 1, ".items"), (1, 2, "[0]"), (1, 3, "[1]"), (2, 0, ".order"), (3, 0, ".order")];
        let expected = ["Order.items[*]: nothing", "Line.order: nothing"];
        assert_eq!(after_cuts(&[ORDER, LIST, LINE, LINE], &with_lines), expected);
        let with_dicts = [
            (0, 4, ".__dict__"),
            (4, 1, "['items']"),
            (1, 2, "[0]"),
            (1, 3, "[1]"),
            (2, 5, ".__dict__"),
            (5, 0, "['order']"),
            (3, 6, ".__dict__"),
            (6, 0, "['order']"),
        ];
        assert_eq!(after_cuts(&[ORDER, LIST, LINE, LINE, DICT, DICT, DICT], &with_dicts), expected);
    }

    #[test]
    fn a_loop_that_is_left_is_told() {
        let references = [(0, 0, ".current"), (0, 1, ".kids"), (1, 2, "[0]"), (2, 0, ".parent"), (2, 3, ".note")];
        assert_eq!(
            after_cuts(&[("Doc", "app.Doc"), LIST, ("Node", "app.Node"), LIST], &references),
            ["Doc.current: Doc.kids[*] → Node.parent → Doc ([Nothing, Nothing])"]
        );
    }

    #[test]
    fn a_loop_of_containers_alone_is_not_nothing() {
        let references = [(0, 0, ".me"), (0, 1, ".d"), (1, 1, "['d']")];
        assert_eq!(after_cuts(&[("D", "app.D"), DICT], &references), ["D.me: unknown"]);
    }

    #[test]
    fn who_does_not_hold_itself_may_hold_another_by_the_same_name() {
        let node = ("Node", "app.Node");
        let references = [(0, 0, ".root"), (0, 2, ".kids"), (2, 1, "[0]"), (1, 0, ".root")];
        assert_eq!(
            after_cuts(&[node, node, LIST], &references),
            ["Node.root: Node.kids[*] → Node.root → Node ([Nothing, Nothing])"]
        );
    }

    #[test]
    fn the_variable_of_a_closure_is_not_tried() {
        let references = [(0, 1, ".__closure__"), (1, 2, "[0]"), (2, 0, "cell cb")];
        let members = [("function cb", "function"), ("tuple", "tuple"), ("cell", "cell")];
        assert!(after_cuts(&members, &references).iter().all(|line| line.ends_with("unknown")));
    }
}
