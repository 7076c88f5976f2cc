//! Names the references of a loop that the collector does not know.

use super::SnapshotGarbage;
use crate::cycles::garbage::HiddenLink;
use crate::heap::Heap;
use crate::trace::TypeFlags;

/// Those among the members of a component, each kind once.
pub(super) fn links<'a>(
    heap: &'a Heap,
    snapshot: &'a SnapshotGarbage<'_>,
    component: u32,
) -> impl Iterator<Item = HiddenLink> + 'a {
    let members = if snapshot.graph.hidden().is_empty() { &[] } else { snapshot.components.members(component) };
    let nodes = members.iter().map(|&member| snapshot.garbage.nodes[member as usize]);
    let hidden = nodes.flat_map(|node| snapshot.graph.hidden_of(node));
    let inside = hidden.filter(move |reference| {
        let place = snapshot.garbage.place(reference.to);
        place.is_some_and(|place| snapshot.components.component(place) == component)
    });
    inside.map(|reference| {
        let class = |node| heap.class(snapshot.graph.object(node));
        let def = heap.types().get(class(reference.from));
        HiddenLink {
            holder: heap.types().name(class(reference.from)).to_string(),
            place: match reference.slot.as_text() {
                Some(text) => heap.text(text).to_string(),
                None => "[*]".to_string(),
            },
            referent: heap.types().name(class(reference.to)).to_string(),
            evidence: reference.evidence,
            metaclass: def.and_then(|def| def.metaclass.clone()),
            shows_others: def.is_some_and(|def| def.flags.has(TypeFlags::GC)),
        }
    })
}
