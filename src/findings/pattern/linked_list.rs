//! Recognises nodes of one class that refer to the next one and to the previous one.

use super::path::{Path, attribute};
use super::{Cure, Offer, Pattern, direction};

pub(super) const PATTERN: Pattern =
    Pattern { topic: "linked-list", name: "doubly linked list", page: include_str!("linked_list.md"), recognise };

fn recognise(path: &Path) -> Option<Cure> {
    let [one, other] = path.steps else { return None };
    let are_nodes = one.type_name == other.type_name && one.type_name.contains('.');
    let named = |names: &[&str]| {
        let is = |name: &str| names.contains(&name.trim_matches('_').to_lowercase().as_str());
        path.find(|step| attribute(&step.slot).is_some_and(is))
    };
    named(&["next", "nxt"]).filter(|_| are_nodes)?;
    let back = named(&["prev", "previous", "prv"])?;
    let offer = path.weak(back, attribute(&back.slot)?);
    let kept = |offer: &Offer| direction::unless_used(path, offer.step, "each node is kept by the one before it");
    let evidence = offer.as_ref().map(kept);
    let sentence =
        "let the list keep its first node and each node the next one: make the reference to the previous one weak";
    Some(Cure { evidence, ..Cure::new(sentence, offer) })
}
