//! Asks a replay what the cuts that are offered would have done, and takes back those that it refutes.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::pattern::{Cut, Tried, weak_references};
use super::{Finding, Ownership, cyclic_garbage};
use crate::cycles::{LoopGroup, Residual};
use crate::run::Run;
use crate::whatif::{Change, Outcome, Verdict};

/// Findings whose cuts are tried, those with the most bytes at one time.
const MOST: usize = 8;

/// Cuts to try, and other references of the same loops, which may be the answer where a cut is refuted.
#[derive(Debug)]
pub struct Trials<'a> {
    run: &'a Run,
    trials: Vec<Trial<'a>>,
}

/// References to change together.
#[derive(Debug)]
struct Trial<'a> {
    /// The place of the finding, the loops that it is about, and the step of their path.
    finding: usize,
    group: &'a LoopGroup,
    step: usize,
    changes: Vec<Change>,
}

impl<'a> Trials<'a> {
    /// Of the findings of which `wanted` holds, by their place.
    pub fn of(run: &'a Run, findings: &[Finding], wanted: impl Fn(usize) -> bool) -> Trials<'a> {
        let is_offered = |place: &usize| findings[*place].advice.as_ref().is_some_and(|advice| advice.cut.is_some());
        let mut places: Vec<usize> = (0..findings.len()).filter(|&place| wanted(place)).filter(is_offered).collect();
        places.sort_by_key(|&place| {
            let finding = &findings[place];
            (!finding.owner.may_be_application(), std::cmp::Reverse(finding.bytes_at_peak), place)
        });
        places.truncate(MOST);
        let trials = places.into_iter().filter_map(|place| {
            let group = group_of(run, &findings[place])?;
            Some(of_finding(place, &findings[place], group))
        });
        Trials { run, trials: trials.flatten().collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }

    /// The sets of changes to replay.
    pub fn sets(&self) -> impl Iterator<Item = Vec<Change>> + '_ {
        self.trials.iter().map(|trial| trial.changes.clone())
    }

    /// Says with each finding what the replay showed, an outcome for each set in their order. What was offered and is
    /// refuted, is offered no more.
    pub fn conclude(self, outcomes: Vec<Outcome>, findings: &mut [Finding], ownership: &Ownership) {
        let tried: Vec<(Trial, Outcome)> = self.trials.into_iter().zip(outcomes).collect();
        for of_one in tried.chunk_by(|(one, _), (next, _)| one.finding == next.finding) {
            let &Trial { finding, group, .. } = &of_one[0].0;
            let finding = &mut findings[finding];
            let known = Tried {
                refuted: steps(of_one, |outcome| outcome.verdict() == Verdict::DiesEarly),
                stood: steps(of_one, Outcome::stands),
            };
            let offered = finding.advice.as_ref().map(|advice| advice.steps.clone()).unwrap_or_default();
            let is_refuted = offered.iter().any(|step| known.refuted.contains(step));
            // What stood needs no condition any more, and may be the answer where several were offered.
            if is_refuted || offered.iter().any(|step| known.stood.contains(step)) {
                *finding = cyclic_garbage::finding(group, &known, self.run.has_stacks, ownership);
            }
            let Some(advice) = &mut finding.advice else { continue };
            let refuted = of_one.iter().filter(|(trial, _)| offered.contains(&trial.step));
            advice.refuted = refuted.flat_map(|(_, outcome)| outcome.early.first().cloned()).collect();
            let changes = together(advice.cut.as_ref(), &advice.more);
            let of_cut = of_one.iter().find(|(trial, _)| Some(&trial.changes) == changes.as_ref());
            let is_known = |outcome: &Outcome| !matches!(outcome.verdict(), Verdict::NoLoop | Verdict::NotKnown);
            advice.replay = of_cut.map(|(_, outcome)| outcome.clone()).filter(is_known);
            let is_short = advice.replay.as_ref().is_some_and(|outcome| outcome.verdict() == Verdict::NotEnough);
            if is_short && advice.after == Residual::Nothing {
                // One loop of the kind was looked at when it was found; the replay saw all of them.
                advice.after = Residual::Unknown;
            }
        }
    }
}

/// The loops of a finding, if a weak reference is what they need: one that hides a reference is broken by hand.
fn group_of<'a>(run: &'a Run, finding: &Finding) -> Option<&'a LoopGroup> {
    run.garbage.groups.iter().find(|group| group.fingerprint == finding.fingerprint && group.hidden.is_empty())
}

/// The cut with what is to be cut as well, or by itself where not all of that can be tried; each that may be cut in its
/// place; and the other references of the path that could be weak.
fn of_finding<'a>(place: usize, finding: &Finding, group: &'a LoopGroup) -> Vec<Trial<'a>> {
    let Some(advice) = &finding.advice else { return Vec::new() };
    let alone = || advice.cut.as_ref().map(|cut| cut.changes.clone()).unwrap_or_default();
    let first = together(advice.cut.as_ref(), &advice.more).unwrap_or_else(alone);
    let others = advice.or.iter().map(|cut| cut.changes.clone());
    let offered: Vec<(usize, Vec<Change>)> =
        advice.steps.iter().copied().zip([first].into_iter().chain(others)).collect();
    let is_other = |(step, _): &(usize, Vec<Change>)| !advice.steps.contains(step);
    let rest = weak_references(group).into_iter().filter(is_other);
    let all = offered.into_iter().chain(rest).filter(|(_, changes)| !changes.is_empty());
    all.map(|(step, changes)| Trial { finding: place, group, step, changes }).collect()
}

/// The changes of a cut and of those to make as well; `None` where one of them cannot be tried.
fn together(cut: Option<&Cut>, more: &[Cut]) -> Option<Vec<Change>> {
    let cuts: Vec<&Cut> = cut.into_iter().chain(more).collect();
    let all = !cuts.is_empty() && cuts.iter().all(|cut| !cut.changes.is_empty());
    all.then(|| cuts.iter().flat_map(|cut| cut.changes.clone()).collect())
}

fn steps(tried: &[(Trial, Outcome)], is: impl Fn(&Outcome) -> bool) -> BTreeSet<usize> {
    tried.iter().filter(|(_, outcome)| is(outcome)).map(|(trial, _)| trial.step).collect()
}
