//! Recognises what loops look like, and says which reference to cut.
//!
//! Patterns look at the path of a loop, at the stack that made it, and at what is known of how its objects came to be. What
//! is left of the loop without the reference, `cycles/path/cut_trial.rs` has tried.

mod bound_method;
mod cached_property;
mod child_and_parent;
mod class;
mod closure;
mod container;
mod direction;
mod each_other;
mod exception;
mod future;
mod generator;
mod iterator;
mod itself;
mod lambda;
mod linked_list;
mod logger_handler;
mod lru_cache;
mod mock;
mod namespace;
mod observer;
mod partial;
mod path;
mod recursive;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use path::{Path, attribute};

use crate::cycles::{Alike, LoopGroup, LoopPath, Origin, PathStep, Residual};
use crate::heap::label::last_part;
use crate::whatif::{Change, Early, Outcome};

/// What a loop looks like, and what is usually done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// `child points back to its parent`.
    pub pattern: &'static str,
    /// One sentence, without a final dot.
    pub sentence: String,
    /// Why it is this reference, in a few words: `Api is made by Client.__init__`.
    pub evidence: Option<String>,
    pub cut: Option<Cut>,
    /// Nothing tells whether what the cut leads to lives on without it.
    pub is_question: bool,
    /// The steps of the path whose references these are, the first and the others.
    pub steps: Vec<usize>,
    /// References of which any may be the one to cut in place of the first: nothing tells which.
    pub or: Vec<Cut>,
    /// What to cut as well, for loops that are left then; a few at most.
    pub more: Vec<Cut>,
    /// What there is after all the cuts.
    pub after: Residual,
    /// What a replay proves of the first cut and those of `more`, made together; `None` where it was not asked.
    pub replay: Option<Outcome>,
    /// What would have died too early by references that are not offered for it.
    pub refuted: Vec<Early>,
}

/// A reference that breaks the loop when it goes away, and what to have in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// `Line.order`.
    pub reference: String,
    /// `weakref.ref(order)`.
    pub replacement: String,
    /// What a replay has to change to see what the cut does. Empty where the replacement does not only let go.
    pub changes: Vec<Change>,
}

/// What a replay showed of references of a path, each by its step.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    /// Without it, something would have died that was still reached.
    pub refuted: BTreeSet<usize>,
    /// Living objects that more than a running function kept had such a reference, and none would have died early.
    pub stood: BTreeSet<usize>,
}

/// What a pattern says of a path.
struct Cure {
    sentence: String,
    evidence: Option<String>,
    /// The references to cut, each by its step: one, or several of which any may be the one.
    offers: Vec<Offer>,
    /// Nothing tells whether what an offer leads to lives on without it.
    is_question: bool,
}

/// A reference to cut.
struct Offer {
    /// The step whose reference goes.
    step: usize,
    cut: Cut,
}

impl Cure {
    fn new(sentence: impl Into<String>, offer: Option<Offer>) -> Cure {
        Cure { sentence: sentence.into(), evidence: None, offers: offer.into_iter().collect(), is_question: false }
    }
}

/// A shape that loops often have. Each is one file, with its page beside it.
pub struct Pattern {
    /// What `refloop explain` calls it.
    pub topic: &'static str,
    pub name: &'static str,
    /// What happens, and the change to paste, in Markdown.
    pub page: &'static str,
    recognise: fn(&Path) -> Option<Cure>,
}

impl Pattern {
    /// The pattern that `refloop explain` calls so.
    pub fn of_topic(topic: &str) -> Option<&'static Pattern> {
        PATTERNS.iter().copied().find(|pattern| pattern.topic == topic)
    }
}

/// Every pattern, the most particular first: the first that fits is the answer.
pub const PATTERNS: &[&Pattern] = &[
    &mock::PATTERN,
    &future::PATTERN,
    &exception::PATTERN,
    &generator::PATTERN,
    &lru_cache::PATTERN,
    &cached_property::PATTERN,
    &namespace::PATTERN,
    &partial::PATTERN,
    &bound_method::PATTERN,
    &observer::PATTERN,
    &recursive::PATTERN,
    &lambda::PATTERN,
    &closure::PATTERN,
    &class::PATTERN,
    &itself::PATTERN,
    &iterator::PATTERN,
    &linked_list::PATTERN,
    &logger_handler::PATTERN,
    &child_and_parent::PATTERN,
    &each_other::PATTERN,
    &container::PATTERN,
];

/// The first pattern that fits the loops of a group; `None` where their path is of no known shape. What was `tried` and
/// refuted is not offered.
pub fn recognise(group: &LoopGroup, tried: &Tried) -> Option<Advice> {
    let (pattern, cure) = cure(&Path::of_group(group, tried))?;
    let steps = cure.offers.iter().map(|offer| offer.step).collect();
    let mut offers = cure.offers.into_iter();
    let first = offers.next();
    let (cut, step) = first.map(|offer| (offer.cut, offer.step)).unzip();
    let others: Vec<Offer> = offers.collect();
    let residual = |step: usize| group.residuals.get(step).cloned().unwrap_or_default();
    let mut advice = Advice {
        pattern,
        sentence: cure.sentence,
        evidence: cure.evidence,
        cut,
        is_question: cure.is_question || !others.is_empty(),
        steps,
        or: Vec::new(),
        more: Vec::new(),
        after: step.map(residual).unwrap_or_default(),
        replay: None,
        refuted: Vec::new(),
    };
    if !others.is_empty() {
        // One answer for all of them, or none.
        if others.iter().any(|other| residual(other.step) != advice.after) {
            advice.after = Residual::Unknown;
        }
        advice.or = others.into_iter().map(|other| other.cut).collect();
        return Some(advice);
    }
    if let Some((step, alike)) = step.and_then(|step| Some((step, group.alike.get(step)?.as_ref()?)))
        && (alike.residual == Residual::Nothing || goes_by_the_same_name(&advice.after, &group.path.steps[step]))
    {
        cut_alike(&mut advice, &group.path, step, alike);
    }
    cut_more(&mut advice, group);
    Some(advice)
}

/// The references of the path that could be weak, each by its step, whether they are to be or not.
pub fn weak_references(group: &LoopGroup) -> Vec<(usize, Vec<Change>)> {
    let tried = Tried::default();
    let offers = direction::all(&Path::of_group(group, &tried)).into_iter();
    offers.map(|offer| (offer.step, offer.cut.changes)).collect()
}

/// The loop that is left has a reference of this name too.
fn goes_by_the_same_name(left: &Residual, cut: &PathStep) -> bool {
    matches!(left, Residual::Loop { path, .. } if path.steps.iter().any(|step| step.slot == cut.slot))
}

/// The reference is cut in every class that has one of its name: `Api.client, and client of 24 more classes`.
fn cut_alike(advice: &mut Advice, path: &LoopPath, step: usize, alike: &Alike) {
    let classes = &alike.classes;
    let slot = &path.steps[step].slot;
    if let (Some(cut), Some(name)) = (&mut advice.cut, attribute(slot)) {
        let more = crate::human::counted(classes.len() as u64 - 1, "more class", "more classes");
        cut.reference = format!("{}, and {name} of {more}", cut.reference);
        if !cut.changes.is_empty() {
            let of_class = |class: &String| PathStep {
                label: last_part(class).to_string(),
                type_name: class.clone(),
                slot: slot.clone(),
            };
            let steps = classes.iter().map(of_class);
            cut.changes = steps.filter_map(|step| Change::of_step(&step, &step)).collect();
        }
        advice.after = alike.residual.clone();
    }
}

/// Adds what to cut for the loop that is left, as long as something tells which reference that is.
fn cut_more(advice: &mut Advice, group: &LoopGroup) {
    let nothing = Tried::default();
    while let Residual::Loop { path, residuals, .. } = &advice.after {
        let origins: Vec<Origin> = path.steps.iter().map(|step| origin(group, step)).collect();
        let left =
            Path { steps: &path.steps, origins: &origins, residuals, files: &[], ..Path::of_group(group, &nothing) };
        let Some((_, mut next)) = cure(&left) else { return };
        if next.is_question || next.offers.len() != 1 {
            return;
        }
        let Some(offer) = next.offers.pop() else { return };
        let after = residuals.get(offer.step).cloned().unwrap_or_default();
        advice.more.push(offer.cut);
        advice.after = after;
    }
}

/// Which of the objects of a reference made the other, where the path of the group has the same reference.
fn origin(group: &LoopGroup, of: &PathStep) -> Origin {
    let mut steps = group.path.steps.iter().zip(&group.origins);
    let is_same = |step: &PathStep| (&step.type_name, &step.slot) == (&of.type_name, &of.slot);
    steps.find(|(step, _)| is_same(step)).map(|(_, origin)| *origin).unwrap_or_default()
}

/// The name of the first pattern that fits, and what it says.
fn cure(path: &Path) -> Option<(&'static str, Cure)> {
    PATTERNS.iter().find_map(|pattern| (pattern.recognise)(path).map(|cure| (pattern.name, cure)))
}
