//! Given a loop and a reference to cut, finds the cycle that remains, if any, and repeats for that one.
//!
//! All references that read the same are cut together, as one change of the source does: every `Line.order` of the loop,
//! or every variable `self` of a closure. Only where an object refers to itself, what else it refers to by the same name
//! may stay. A name that several classes have for one, as from a base class, is tried in all of them as well.

use std::collections::BTreeSet;

use super::loop_graph::{Kind, Link, LoopGraph};
use super::search::shortest;
use crate::cycles::garbage::{Alike, PathStep, Residual};

/// Steps of a path that are tried.
const MOST_STEPS: usize = 8;
/// Cuts that are tried one after the other.
const MOST_CUTS: usize = 3;
/// References of a loop in which one name of several classes is tried.
const MOST_LINKS: usize = 20_000;
/// Containers that an object may have itself in, one in the other.
const MOST_CONTAINERS: usize = 16;
/// Trials for one loop.
const MOST_TRIALS: usize = 32;

/// What was tried for one step of a path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trial {
    /// Without the references that read like the step.
    pub residual: Residual,
    /// Without those of its name to the same class, whatever class has them; `None` where only one has.
    pub alike: Option<Alike>,
}

/// For each step of a path around `loop_graph`, what is left when all references that read like it are gone. `budget` is how
/// many references may be looked at, some 20 times each, and falls; where it does not suffice, the answer is not known.
pub(crate) fn after_each(loop_graph: &LoopGraph, steps: &[PathStep], budget: &mut usize) -> Vec<Trial> {
    let mut trials = Trials { looked_at: 0, n_members: loop_graph.n_members() as u64 };
    let share = (*budget).min(MOST_TRIALS * loop_graph.n_links());
    let residuals = trials.of_each(loop_graph, steps, MOST_CUTS, share);
    let next = steps.iter().cycle().skip(1);
    let each = residuals.into_iter().zip(steps).zip(next);
    let tried = each.map(|((residual, step), next)| {
        let is_left = matches!(residual, Residual::Loop { .. });
        let alike = if is_left { trials.of_alike(loop_graph, step, next) } else { None };
        Trial { residual, alike }
    });
    let tried = tried.collect();
    *budget = budget.saturating_sub(trials.looked_at);
    tried
}

struct Trials {
    /// References, once for each trial.
    looked_at: usize,
    /// Members that the loop had before any cut.
    n_members: u64,
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
        if on_itself && step.slot.contains(['[', ' ']) {
            return self.without(loop_graph, cuts, share, |from, link| leads_back(loop_graph, from, link, step));
        }
        self.without(loop_graph, cuts, share, |from, link| reads_like(loop_graph, from, link, step, on_itself))
    }

    /// What is left when the name of a step is cut in every class that refers to the same class by it.
    fn of_alike(&mut self, loop_graph: &LoopGraph, step: &PathStep, next: &PathStep) -> Option<Alike> {
        let is_attribute = step.slot.starts_with('.') && !step.slot.contains('[');
        if !is_attribute || loop_graph.n_links() > MOST_LINKS {
            return None;
        }
        let anywhere = |from: u32| {
            let name = loop_graph.name_with(from, &step.slot);
            PathStep { label: name.label.clone(), type_name: name.type_name.clone(), slot: step.slot.clone() }
        };
        let is_alike = |from: u32, link: &Link| {
            // The dict of an instance stands for the instance, which may lead to what it refers to by a dict of its own.
            let leads = loop_graph.name_with(link.to, &next.slot).label == next.label;
            leads
                && (reads_like(loop_graph, from, link, &anywhere(from), false)
                    || owners(loop_graph, from)
                        .any(|owner| reads_like(loop_graph, from, link, &anywhere(owner), false)))
        };
        let mut classes = BTreeSet::new();
        for from in 0..loop_graph.n_members() as u32 {
            if loop_graph.links(from).iter().any(|link| is_alike(from, link)) {
                let owner = owners(loop_graph, from).next().unwrap_or(from);
                classes.insert(loop_graph.name_with(owner, &step.slot).type_name.clone());
            }
        }
        self.looked_at += 2 * loop_graph.n_links();
        let share = MOST_STEPS * loop_graph.n_links();
        (classes.len() > 1).then(|| Alike { classes, residual: self.without(loop_graph, 2, share, is_alike) })
    }

    /// What is left without the references of which `is_cut` holds.
    fn without(
        &mut self,
        loop_graph: &LoopGraph,
        cuts: usize,
        share: usize,
        is_cut: impl Fn(u32, &Link) -> bool,
    ) -> Residual {
        let mut cut_any = false;
        let rest = loop_graph.without(|from, link| {
            let is_cut = is_cut(from, link);
            cut_any |= is_cut;
            is_cut
        });
        if !cut_any {
            return Residual::Unknown;
        }
        let remains = between_loops(&rest);
        if !remains.contains(&true) {
            return Residual::Nothing;
        }
        let stay = reached(&rest, &remains);
        let rest = rest.without(|from, link| !remains[from as usize] || !remains[link.to as usize]);
        match shortest(&rest) {
            // Containers alone are no way around where there is anything else.
            None => Residual::Unknown,
            Some(way) => {
                let residuals = self.of_each(&rest, &way.path.steps, cuts - 1, share);
                Residual::Loop { path: way.path, residuals, stay, of: self.n_members }
            }
        }
    }
}

/// The members whose instance dict, or frame, `member` is.
fn owners(loop_graph: &LoopGraph, member: u32) -> impl Iterator<Item = u32> {
    loop_graph.referrers(member).iter().filter(|&&(_, cost)| cost == 0).map(|&(owner, _)| owner)
}

/// How many members the ones that `remain` lead to, themselves included: none of them is freed.
fn reached(loop_graph: &LoopGraph, remain: &[bool]) -> u64 {
    let mut reached = remain.to_vec();
    let mut open: Vec<u32> = (0..remain.len() as u32).filter(|&member| remain[member as usize]).collect();
    while let Some(member) = open.pop() {
        for link in loop_graph.links(member) {
            if !std::mem::replace(&mut reached[link.to as usize], true) {
                open.push(link.to);
            }
        }
    }
    reached.into_iter().filter(|&is| is).count() as u64
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
        let name = loop_graph.name_with(member, &step.slot);
        (&name.label, &name.type_name) == (&step.label, &step.type_name) && (!on_itself || link.to == member)
    };
    if step.type_name == "cell" {
        // The variable of a closure: of the function, or of a cell of its own.
        let is_variable = |text: u32| loop_graph.texts[text as usize] == step.label;
        return is_of(from) || is_variable(link.text) && loop_graph.kinds[link.to as usize] != Kind::Cell;
    }
    let silently = || owners(loop_graph, from).any(is_of);
    is_of(from) && begins(link.text) || begins(link.silent_text) && silently()
}

/// Whether a reference leads from a container of one object alone back to it, and it is the one that `step` tells.
fn leads_back(loop_graph: &LoopGraph, from: u32, link: &Link, step: &PathStep) -> bool {
    let name = loop_graph.name_with(link.to, &step.slot);
    if link.silent || (&name.label, &name.type_name) != (&step.label, &step.type_name) {
        return false;
    }
    let (mut above, mut next) = (vec![from], 0);
    while let Some(&member) = above.get(next) {
        next += 1;
        if member == link.to {
            continue;
        }
        if loop_graph.kinds[member as usize] != Kind::Container || above.len() > MOST_CONTAINERS {
            return false;
        }
        let more = loop_graph.referrers(member).iter().map(|&(referrer, _)| referrer);
        let more: Vec<u32> = more.filter(|referrer| !above.contains(referrer)).collect();
        above.extend(more);
    }
    true
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
        let trials = after_each(&loop_graph, &path.steps, &mut 1000);
        path.steps
            .iter()
            .zip(trials)
            .map(|(step, trial)| match trial.residual {
                Residual::Unknown => format!("{step}: unknown"),
                Residual::Nothing => format!("{step}: nothing"),
                Residual::Loop { path, residuals, stay, of } => {
                    format!("{step}: {stay} of {of} stay, {path} ({residuals:?})")
                }
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
            ["Doc.current: 4 of 4 stay, Doc.kids[*] → Node.parent → Doc ([Nothing, Nothing])"]
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
            ["Node.root: 3 of 3 stay, Node.kids[*] → Node.root → Node ([Nothing, Nothing])"]
        );
    }

    #[test]
    fn who_is_in_a_container_of_its_own_is_taken_out_of_it() {
        let tuple = ("tuple", "tuple");
        let nested = [(0, 1, ".joins"), (1, 2, "[0]"), (2, 0, "[1]")];
        assert_eq!(after_cuts(&[("Query", "app.Query"), LIST, tuple], &nested), ["Query.joins[*][*]: nothing"]);
        let shared = [(0, 1, ".all"), (2, 1, ".all"), (1, 0, "[0]"), (1, 2, "[1]")];
        let both = [("One", "app.One"), LIST, ("Two", "app.Two")];
        assert_eq!(after_cuts(&both, &shared), ["One.all[*]: unknown"]);
    }

    #[test]
    fn the_variable_of_a_closure_is_tried() {
        let references = [(0, 1, ".__closure__"), (1, 2, "[0]"), (2, 0, "cell cb")];
        let members = [("function cb", "function"), ("tuple", "tuple"), ("cell", "cell")];
        assert_eq!(after_cuts(&members, &references), ["function cb: unknown", "cell cb: nothing"]);
    }
}
