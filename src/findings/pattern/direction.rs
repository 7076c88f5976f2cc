//! Decides which of two objects that refer to each other owns the other, from what the trace shows.
//!
//! A reference may be made weak only where its object lives on without it. Evidence for that is, from strong to weak: the
//! object made the one that refers to it, in its own `__init__`; it has that one in a container; the reference is called
//! `parent`, `owner` or the like. Without evidence every reference is offered, and the question asked; so it is where something
//! shows that the object may have no other holder.

use super::path::{Path, attribute, is_method, reference};
use super::{Cure, Offer};
use crate::cycles::{Origin, PathStep, Residual};

/// A reference from one object to another that could be weak.
struct Edge<'a> {
    from: &'a PathStep,
    step: usize,
    /// The attribute.
    name: &'a str,
    side: Side,
}

/// Which way a reference leads, as far as something tells.
enum Side {
    /// From an owner to what it owns: never to be weak.
    Owns,
    Unknown,
    /// Back, but one expression made both objects: perhaps nothing else ever held the one that it leads to.
    OnTheWay,
    /// Back, but code that runs as the objects die may use it: what that is.
    Needed(String),
    /// Back to the owner. The greater number is the stronger evidence, which is said in a few words.
    Back(u8, String),
}

const BACK: &str = "the reference back owns nothing: make it weak";

/// One reference leads back by the strongest evidence, or all others own.
pub(super) fn parent(path: &Path) -> Option<Cure> {
    let edges = edges(path);
    let strength = |edge: &Edge| match edge.side {
        Side::Back(strength, _) => strength,
        _ => 0,
    };
    let strongest = edges.iter().map(strength).max().unwrap_or(0);
    let mut back = edges.iter().filter(|edge| strongest > 0 && strength(edge) == strongest);
    let (edge, others) = (back.next()?, back.next());
    let Side::Back(_, evidence) = &edge.side else { return None };
    if others.is_some_and(|other| other.name != edge.name || other.from.label != edge.from.label) {
        return None;
    }
    // One attribute leads there and back: a weak one would be weak on the way there as well.
    let is_same =
        |other: &&Edge| other.step != edge.step && (other.name, &other.from.label) == (edge.name, &edge.from.label);
    if edges.iter().filter(is_same).any(|other| matches!(other.side, Side::Owns)) {
        let sentence = format!(
            "{} leads there and back: let the one that was made refer back weakly, by another attribute",
            edge.name
        );
        return Some(Cure { evidence: Some(evidence.clone()), ..Cure::new(sentence, None) });
    }
    let evidence = unless_used(path, edge.step, evidence);
    Some(Cure { evidence: Some(evidence), ..Cure::new(BACK, path.weak(edge.from, edge.name)) })
}

/// The evidence for a reference back, and where it does not hold: somebody may use the one that was made, and have let go of its
/// owner. Where a replay saw living objects that have the reference, and none that needs it, the evidence is enough.
pub(super) fn unless_used(path: &Path, step: usize, evidence: &str) -> String {
    let [from, owner] = [step, step + 1].map(|step| &path.steps[step % path.steps.len()].label);
    match path.tried.stood.contains(&step) {
        true => evidence.to_string(),
        false if from == owner => format!("{evidence}; wrong where a {from} is used without the one it refers to"),
        false => format!("{evidence}; wrong where {from} is used without {owner}"),
    }
}

/// Every reference that could be weak.
pub(super) fn all(path: &Path) -> Vec<Offer> {
    edges(path).iter().filter_map(|edge| path.weak(edge.from, edge.name)).collect()
}

/// Every reference that could be weak and of which nothing tells that it owns.
pub(super) fn open(path: &Path) -> Vec<Offer> {
    let edges = edges(path).into_iter().filter(|edge| !matches!(edge.side, Side::Owns));
    edges.filter_map(|edge| path.weak(edge.from, edge.name)).collect()
}

/// Nothing tells which of the references leads back: each that does not own is offered, or, where a replay refuted some of
/// them, the one that it did not.
pub(super) fn each_other(path: &Path) -> Option<Cure> {
    let edges = edges(path);
    let (refuted, stood) = (&path.tried.refuted, &path.tried.stood);
    let is_open = |edge: &&Edge| match edge.side {
        Side::Owns => stood.contains(&edge.step),
        Side::Needed(_) => false,
        Side::Unknown | Side::OnTheWay | Side::Back(..) => true,
    };
    let open = edges.iter().filter(is_open);
    let on_the_way = edges.iter().find(|edge| matches!(edge.side, Side::OnTheWay));
    let entries = on_the_way.map(|_| entries(path)).unwrap_or_default();
    let mut offers: Vec<Offer> = Vec::new();
    for offer in open.filter_map(|edge| path.weak(edge.from, edge.name)).chain(entries) {
        if !offers.iter().any(|other| other.cut == offer.cut) {
            offers.push(offer);
        }
    }
    offers.truncate(MOST_OFFERS);
    let referent = |step: usize| &path.steps[(step + 1) % path.steps.len()].label;
    let needed = edges.iter().find_map(|edge| if let Side::Needed(why) = &edge.side { Some(why) } else { None });
    let sentence = match offers.as_slice() {
        [] if needed.is_some() => format!("{}: set one to None when the work is done, as in close()", needed?),
        [] if refuted.is_empty() => return None,
        [] => "none of the references can be weak: set one to None when the work is done, as in close()".to_string(),
        [offer] if !refuted.is_empty() && stood.contains(&offer.step) => {
            let needed: Vec<String> = refuted.iter().map(|&step| reference(&path.steps[step])).collect();
            let evidence = Some(format!("a replay shows that {} is needed", needed.join(" and ")));
            return Some(Cure { evidence, offers, ..Cure::new(BACK, None) });
        }
        [offer] => {
            format!("make it weak if {} lives on without it: the trace does not tell", referent(offer.step))
        }
        _ if on_the_way.is_some() => {
            let first = referent(on_the_way?.step);
            format!(
                "one expression makes both, so nothing else may hold {first}: which lives on alone? the trace does not tell"
            )
        }
        _ => "which of them lives on without the other? make the reference to that one weak: the trace does not tell"
            .to_string(),
    };
    Some(Cure { offers, is_question: true, ..Cure::new(sentence, None) })
}

/// References that are offered together at most.
pub(super) const MOST_OFFERS: usize = 3;

/// Entries of containers that lead from one object of a class to another: the container could hold them weakly.
fn entries(path: &Path) -> Vec<Offer> {
    let entries = path.edges().filter(|(from, to)| {
        from.slot.starts_with('.') && from.slot.contains('[') && to.type_name.contains('.') && !path.is_owned(to)
    });
    entries.filter_map(|(from, to)| path.weak(from, &to.label.to_lowercase())).collect()
}

/// The references of a path that could be weak: attributes that lead to objects of classes.
fn edges<'a>(path: &Path<'a>) -> Vec<Edge<'a>> {
    let edges = path.edges().enumerate().filter_map(|(place, (from, to))| {
        let name = attribute(&from.slot)?;
        let can_be_weak =
            to.type_name.contains('.') && !std::ptr::eq(from, to) && !path.is_owned(to) && !is_method(from);
        let is_open = can_be_weak && !path.tried.refuted.contains(&place);
        is_open.then(|| Edge { from, step: place, name, side: doubted(path, place, side(path, place, name)) })
    });
    edges.collect()
}

/// What leads back by all evidence may be needed all the same.
fn doubted(path: &Path, place: usize, side: Side) -> Side {
    let Side::Back(..) = side else { return side };
    match finalizer(path, place) {
        Some(why) => Side::Needed(why),
        None if path.origin(place) == Origin::MadeOnTheWay && !path.tried.stood.contains(&place) => Side::OnTheWay,
        None => side,
    }
}

fn side(path: &Path, place: usize, name: &str) -> Side {
    let n = path.steps.len();
    let (from, to) = (&path.steps[place], &path.steps[(place + 1) % n]);
    match path.origin(place) {
        Origin::MadeByReferrer => return Side::Owns,
        Origin::MadeByReferent => return Side::Back(3, format!("{} is made by {}.__init__", from.label, to.label)),
        Origin::MadeInCache | Origin::MadeOnTheWay | Origin::Unknown => {}
    }
    if let Some(container) = container_of(path, place) {
        return Side::Back(2, format!("{} is one of {container}", from.label));
    }
    if is_container(to) {
        return Side::Owns;
    }
    match named(name) {
        Some(true) => Side::Back(1, format!("it is called {name}")),
        Some(false) => Side::Owns,
        None => Side::Unknown,
    }
}

/// A `__del__` that may find the reference dead. That of the object that has it runs when the owner is gone. That of the owner
/// runs before its weak references are cleared where the count frees it, and after that where the collector does (3.8 to 3.13:
/// `handle_weakrefs` comes before `finalize_garbage`, in `gcmodule.c` and `gc.c`).
fn finalizer(path: &Path, place: usize) -> Option<String> {
    let n = path.steps.len();
    let (from, owner) = (&path.steps[place], &path.steps[(place + 1) % n]);
    let is_freed_by_the_count = path.residuals.get(place).is_none_or(|left| matches!(left, Residual::Nothing));
    let finalized = match path.types.finalized.contains(&from.type_name) {
        true => from,
        false if path.types.finalized.contains(&owner.type_name) && !is_freed_by_the_count => owner,
        false => return None,
    };
    Some(format!("{} has a __del__, in which a weak {} may be dead", finalized.label, reference(from)))
}

/// `Order.items`: the container of the object to which a reference leads, if it has the object whose reference it is. Of a
/// container with something else in it, which leads to that object, nothing follows.
fn container_of(path: &Path, place: usize) -> Option<String> {
    let n = path.steps.len();
    let (from, owner) = (place, (place + 1) % n);
    let leads = |step: usize| (step + 1) % n == from;
    let (step, next) = (&path.steps[owner], &path.steps[(owner + 1) % n]);
    let named = || format!("{}{}", step.label, step.slot.split('[').next().unwrap_or_default());
    // A deque, an ordered dict and a class of one's own that is a list are steps of their own.
    let in_own = step.slot.contains('[') && leads(owner);
    let in_next = is_container(next) && leads((owner + 1) % n);
    (in_own || in_next).then(named)
}

/// An object that is itself a container, by what it has.
fn is_container(step: &PathStep) -> bool {
    step.slot.starts_with('[')
}

/// Whether an attribute of this name leads back, or on to what is owned.
fn named(name: &str) -> Option<bool> {
    const BACK: [&str; 11] =
        ["parent", "owner", "back", "prev", "previous", "up", "outer", "container", "creator", "hub", "master"];
    const FORTH: [&str; 9] = ["child", "next", "first", "last", "left", "right", "item", "value", "callback"];
    let name: String = name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
    match () {
        () if BACK.iter().any(|back| name == *back || name.ends_with(back)) => Some(true),
        () if FORTH.contains(&name.as_str()) => Some(false),
        () => None,
    }
}
