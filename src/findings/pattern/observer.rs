//! Recognises a bound method in the list of observers of an object that the method leads back to.

use super::path::{Path, attribute, is_code};
use super::{Cure, Offer, Pattern, direction};
use crate::cycles::{Origin, PathStep};

pub(super) const PATTERN: Pattern = Pattern {
    topic: "observer",
    name: "bound method kept by another object",
    page: include_str!("observer.md"),
    recognise,
};

fn recognise(path: &Path) -> Option<Cure> {
    let holder = path.method_is_kept_by()?;
    if path.is_no_weak_method() {
        let offer = path.let_go(holder, "None when it is done with");
        return Some(Cure::new("who keeps the method keeps its object: let go of it when it is done with", offer));
    }
    let object = path.method_of()?.label.to_lowercase();
    let name = path.method_name()?;
    let offer = path.let_go(holder, &format!("weakref.WeakMethod({object}.{name})"));
    let sentence = "hold it weakly, if something else keeps the object, or take it out when the object is done with";
    let others = direction::open(path).into_iter().chain(callbacks(path));
    let others: Vec<Offer> = others.filter(|other| other.step != path.place(holder)).collect();
    let evidence = if others.is_empty() { keeper(path, holder) } else { None };
    let mut cure = Cure { is_question: evidence.is_none(), evidence, ..Cure::new(sentence, offer) };
    cure.offers.extend(others);
    cure.offers.truncate(direction::MOST_OFFERS);
    Some(cure)
}

/// What tells that something else keeps the object of the method: it made the one that keeps the method, as a part of itself.
fn keeper(path: &Path, holder: &PathStep) -> Option<String> {
    let owner = path.into(|step| std::ptr::eq(step, holder)).filter(|owner| Some(*owner) == path.method_of())?;
    let stood = path.tried.stood.contains(&path.place(holder));
    if path.origin(path.place(owner)) != Origin::MadeByReferrer {
        return stood.then(|| format!("{} was seen alive, kept by others", owner.label));
    }
    let made = format!("{} is made by {}.__init__", holder.label, owner.label);
    Some(if stood { made } else { format!("{made}; wrong where {} is used without {}", holder.label, owner.label) })
}

/// Functions that an object keeps in an attribute, to be called once.
fn callbacks<'a>(path: &'a Path) -> impl Iterator<Item = Offer> + 'a {
    let kept = path.edges().filter(|(from, to)| is_code(to) && !is_code(from) && attribute(&from.slot).is_some());
    kept.filter_map(|(from, _)| path.let_go(from, "None when it is done with"))
}
