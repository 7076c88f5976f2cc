//! Recognises what loops look like, and says which reference to cut.
//!
//! Patterns look at the path of a loop, at the stack that made it, and at what is known of how its objects came to be. What
//! is left of the loop without the reference, `cycles/path/cut_trial.rs` has tried.

mod closures;
mod direction;
mod exceptions;
mod objects;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::owner::{Owner, Ownership};
use crate::cycles::{LoopGroup, LoopPath, MemberTypes, Origin, PathStep, Residual, StackFrame};
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
    /// Living objects had such a reference, and none would have died early.
    pub stood: BTreeSet<usize>,
}

/// What a pattern says of a path.
struct Cure {
    sentence: String,
    evidence: Option<String>,
    /// The references to cut, each by its step: one, or several of which any may be the one.
    offers: Vec<Offer>,
}

/// A reference to cut.
struct Offer {
    /// The step whose reference goes.
    step: usize,
    cut: Cut,
}

impl Cure {
    fn new(sentence: impl Into<String>, offer: Option<Offer>) -> Cure {
        Cure { sentence: sentence.into(), evidence: None, offers: offer.into_iter().collect() }
    }
}

/// A shape that loops often have.
pub struct Pattern {
    pub name: &'static str,
    recognise: fn(&Path) -> Option<Cure>,
}

/// Every pattern, the most particular first: the first that fits is the answer.
pub const PATTERNS: &[Pattern] = &[
    Pattern { name: "future keeps the exception that keeps it", recognise: exceptions::future },
    Pattern { name: "exception, traceback and frame", recognise: exceptions::exception },
    Pattern { name: "generator or coroutine held by its own frame", recognise: exceptions::generator },
    Pattern { name: "lru_cache on a method", recognise: closures::lru_cache },
    Pattern { name: "cached property that refers back", recognise: objects::cached_property },
    Pattern { name: "namespace that its own functions refer to", recognise: closures::namespace },
    Pattern { name: "partial that was given the object that holds it", recognise: closures::partial },
    Pattern { name: "bound method stored on its own object", recognise: closures::bound_method },
    Pattern { name: "function that its own closure refers to", recognise: closures::recursive },
    Pattern { name: "closure over the object that holds it", recognise: closures::closure },
    Pattern { name: "class made at run time", recognise: objects::class },
    Pattern { name: "object that refers to itself", recognise: objects::itself },
    Pattern { name: "child points back to its parent", recognise: direction::parent },
    Pattern { name: "objects that refer to each other", recognise: direction::each_other },
    Pattern { name: "container that contains itself", recognise: objects::container },
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
    match step.and_then(|step| group.alike.get(step).and_then(Option::as_ref).map(|alike| (step, alike))) {
        Some((step, alike)) if alike.residual == Residual::Nothing => {
            cut_alike(&mut advice, &group.path, step, &alike.classes)
        }
        _ => cut_more(&mut advice, group),
    }
    Some(advice)
}

/// The references of the path that could be weak, each by its step, whether they are to be or not.
pub fn weak_references(group: &LoopGroup) -> Vec<(usize, Vec<Change>)> {
    let tried = Tried::default();
    let offers = direction::all(&Path::of_group(group, &tried)).into_iter();
    offers.map(|offer| (offer.step, offer.cut.changes)).collect()
}

/// The reference is cut in every class that has one of its name: `Api.client, and client of 24 more classes`.
fn cut_alike(advice: &mut Advice, path: &LoopPath, step: usize, classes: &BTreeSet<String>) {
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
        advice.after = Residual::Nothing;
    }
}

/// Adds what to cut for the loop that is left, as long as something tells which reference that is.
fn cut_more(advice: &mut Advice, group: &LoopGroup) {
    let nothing = Tried::default();
    while let Residual::Loop { path, residuals, .. } = &advice.after {
        let left = Path { steps: &path.steps, origins: &[], ..Path::of_group(group, &nothing) };
        let Some((_, mut next)) = cure(&left) else { return };
        if next.offers.len() != 1 {
            return;
        }
        let Some(offer) = next.offers.pop() else { return };
        let after = residuals.get(offer.step).cloned().unwrap_or_default();
        advice.more.push(offer.cut);
        advice.after = after;
    }
}

/// The name of the first pattern that fits, and what it says.
fn cure(path: &Path) -> Option<(&'static str, Cure)> {
    PATTERNS.iter().find_map(|pattern| (pattern.recognise)(path).map(|cure| (pattern.name, cure)))
}

/// The steps, and the stack that made the first of them, with the questions that patterns ask.
struct Path<'a> {
    steps: &'a [PathStep],
    /// For each step, which of the two objects of its reference made the other; nothing where it is not known.
    origins: &'a [Origin],
    types: &'a MemberTypes,
    /// Innermost first.
    stack: &'a [StackFrame],
    tried: &'a Tried,
}

impl<'a> Path<'a> {
    fn of_group(group: &'a LoopGroup, tried: &'a Tried) -> Path<'a> {
        let LoopGroup { path, origins, types, site, .. } = group;
        Path { steps: &path.steps, origins, types, stack: site, tried }
    }

    fn find(&self, is: impl Fn(&PathStep) -> bool) -> Option<&'a PathStep> {
        self.steps.iter().find(|step| is(step))
    }

    fn of_type(&self, name: &str) -> Option<&'a PathStep> {
        self.find(|step| step.type_name == name)
    }

    /// Each step with the one that its reference leads to.
    fn edges(&self) -> impl Iterator<Item = (&'a PathStep, &'a PathStep)> + '_ {
        (0..self.steps.len()).map(|i| (&self.steps[i], &self.steps[(i + 1) % self.steps.len()]))
    }

    /// A step of which another cannot be said to be only the child: a container or a callable of C code, which has no other owner,
    /// or what cannot be weakly referenced and has no slots to change.
    fn is_owned(&self, step: &PathStep) -> bool {
        let name = &step.type_name;
        let holds = ["collections.", "functools."].iter().any(|module| name.starts_with(module));
        self.types.of_c.contains(name) && (holds || self.types.strong.contains(name))
    }

    fn place(&self, step: &PathStep) -> usize {
        self.steps.iter().position(|other| std::ptr::eq(other, step)).unwrap_or_default()
    }

    fn origin(&self, step: usize) -> Origin {
        self.origins.get(step).copied().unwrap_or_default()
    }

    /// The reference of this step, if it has a name, and nothing shows that it is needed.
    fn offer(&self, step: &PathStep, replacement: &str) -> Option<Offer> {
        let place = self.place(step);
        let is_named = !step.slot.trim().is_empty();
        let cut = || Cut { reference: reference(step), replacement: replacement.to_string(), changes: Vec::new() };
        (is_named && !self.tried.refuted.contains(&place)).then(|| Offer { step: place, cut: cut() })
    }

    /// The same where what is put in its place only lets go: a weak reference, or none when the work is done.
    fn let_go(&self, step: &PathStep, replacement: &str) -> Option<Offer> {
        self.offer(step, replacement).map(|offer| self.tryable(offer))
    }

    /// With what a replay has to change.
    fn tryable(&self, mut offer: Offer) -> Offer {
        let n = self.steps.len();
        let (step, before) = (&self.steps[offer.step], &self.steps[(offer.step + n - 1) % n]);
        offer.cut.changes = Change::of_step(step, before).into_iter().collect();
        offer
    }

    /// A weak reference in the place of this one.
    fn weak(&self, step: &PathStep, name: &str) -> Offer {
        let name = match name.trim_matches('_') {
            "" => "it",
            _ => name.trim_start_matches('_'),
        };
        let mut replacement = format!("weakref.ref({name})");
        let to = self.edges().find(|(from, _)| std::ptr::eq(*from, step)).map(|(_, to)| to);
        if let Some(to) = to.filter(|to| self.types.strong.contains(&to.type_name)) {
            replacement += &format!(", and `__weakref__` in the slots of {}", to.label);
        }
        let cut = Cut { reference: reference(step), replacement, changes: Vec::new() };
        self.tryable(Offer { step: self.place(step), cut })
    }

    /// The statement that made it stands in no function; those of the standard library, as `namedtuple`, aside.
    fn is_made_by_a_module(&self) -> bool {
        let library = |frame: &&StackFrame| Ownership::default().of_file(&frame.path) == Some(Owner::StandardLibrary);
        let caller = self.stack.iter().find(|frame| !library(frame));
        self.stack.first().into_iter().chain(caller).any(|frame| frame.function == "<module>")
    }

    /// The reference that leads to the first step of which `is` holds.
    fn into(&self, is: impl Fn(&PathStep) -> bool) -> Option<&'a PathStep> {
        self.edges().find(|(_, to)| is(to)).map(|(from, _)| from)
    }
}

/// The name in a slot that is one plain attribute: `order` of `.order`.
fn attribute(slot: &str) -> Option<&str> {
    let name = slot.strip_prefix('.')?;
    (!name.is_empty() && !name.contains(['.', '[', ' '])).then_some(name)
}

/// The variable of a frame or closure: `e` of `local e`, `x` of `cell x`.
fn variable(slot: &str) -> Option<&str> {
    let name = ["local ", "cell "].iter().find_map(|kind| slot.rsplit_once(kind).map(|(_, name)| name))?;
    let end = name.find(['.', '[', ' ']).unwrap_or(name.len());
    (end > 0).then(|| &name[..end])
}

/// The variable of a cell that is a step of its own: `x` of `cell x`.
fn cell_variable(step: &PathStep) -> Option<&str> {
    step.label.strip_prefix("cell ").filter(|_| step.type_name == "cell").or_else(|| variable(&step.slot))
}

/// A function, or a variable of its closure.
fn is_code(step: &PathStep) -> bool {
    ["function", "cell"].contains(&step.type_name.as_str())
}

fn is_class(step: &PathStep) -> bool {
    step.type_name == "type" || step.label.starts_with("class ")
}

/// The reference as it is written: `Line.order`, `frame handle: local error`.
fn reference(step: &PathStep) -> String {
    match step.slot.starts_with(['.', '[']) {
        true => format!("{}{}", step.label, step.slot),
        false => format!("{}: {}", step.label, step.slot.trim()),
    }
}
